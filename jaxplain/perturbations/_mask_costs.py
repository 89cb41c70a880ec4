"""What a mask costs: its area, and its edges."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

from .. import _checks, _tree


def mean(mask: PyTree) -> Array:
    """The share of the entries that the mask selects."""
    size = sum(leaf.size for leaf in jax.tree.leaves(mask))
    return _tree.total(mask) / size


def roughness(mask: PyTree, rank: int | None) -> Array:
    """The mean absolute difference of neighbours along the axes of space."""

    def one(leaf: Array) -> list[Array]:
        axes = range(max(leaf.ndim - 1, min(leaf.ndim, 1)) if rank is None else rank)
        return [jnp.abs(jnp.diff(leaf, axis=axis)).ravel() for axis in axes]

    wide = [_widest(leaf) for leaf in jax.tree.leaves(mask)]
    every = [steps for leaf in wide for steps in one(leaf)]
    count = max(sum(steps.size for steps in every), 1)
    dtype = _tree.widest(wide)
    total = sum((steps.sum().astype(dtype) for steps in every), jnp.zeros((), dtype))
    return total / count


def neighbours(smoothness: float, grid: Any, num_groups: int | None) -> None:
    """Groups have no neighbours, and are not laid out on a grid."""
    if num_groups is not None and (smoothness or grid is not None):
        raise ValueError(
            "`num_groups` must come without `smoothness` and `grid`, but they are "
            f"{smoothness} and {grid}. Groups have no order in space: make the cells "
            "of a grid groups with `jaxplain.groups.patches`, or leave the groups out."
        )


def share(area: ArrayLike, optimizer: Any) -> Array:
    """The area to keep to, if there is one."""
    if optimizer is not None:
        raise ValueError(
            "`optimizer` must be left out where an `area` is passed, but is "
            f"{_checks.describe(optimizer)}. The area is kept by steps of their own."
        )
    if jnp.shape(area) != ():
        raise ValueError(
            f"`area` must be one number, but has shape {jnp.shape(area)}. Map over "
            "several with `jax.vmap`."
        )
    if not _checks.is_traced(area) and not 0 < float(np.asarray(area)) < 1:
        raise ValueError(
            f"`area` must be above 0 and below 1, but is {area}. It is the share of "
            "the entries that the mask selects."
        )
    return jnp.asarray(area)


def _widest(leaf: Array) -> Array:
    return leaf.astype(_tree.accumulator(leaf.dtype))

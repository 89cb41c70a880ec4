"""Inputs near an input, and what an explanation is there."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import Explains, PRNGKey


def radii(radius: PyTree, x: PyTree) -> PyTree:
    """The largest change of each entry, in at least float32."""

    def fill(r: Any, leaf: Array) -> Array:
        wide = jnp.asarray(r, _tree.accumulator(leaf.dtype))
        return jnp.broadcast_to(wide, leaf.shape)

    try:
        return _tree.map_prefix(fill, radius, x)
    except ValueError:
        raise ValueError(
            f"`radius` must broadcast to `x`, which is {jax.tree.map(_checks.show, x)},"
            f" but is {jax.tree.map(_checks.describe, radius)}. Pass a number, or an "
            "array of the shape of `x`: the largest change of each entry."
        ) from None


def check_options(radius: PyTree, num_samples: int, chunk_size: int | None) -> None:
    _checks.count("num_samples", num_samples)
    _checks.chunk_size(chunk_size)
    leaves = jax.tree.leaves(radius)
    known = [np.asarray(r) for r in leaves if not _checks.is_traced(r)]
    still = len(known) == len(leaves) and all(np.all(r == 0) for r in known)
    if still or any(np.any(r < 0) for r in known):
        raise ValueError(
            f"`radius` must be positive, but is {radius!r}. It is the largest change "
            "of each entry, in the units of `x`; some of them may stay."
        )


def near(x: PyTree, bound: PyTree, key: PRNGKey) -> PyTree:
    """An input drawn evenly from the box around `x`."""
    leaves, treedef = jax.tree.flatten(x)
    keys = treedef.unflatten(list(jr.split(key, len(leaves))))

    def move(leaf: Array, r: Array, key: PRNGKey) -> Array:
        step = jr.uniform(key, leaf.shape, r.dtype, -1.0, 1.0)
        return (leaf.astype(r.dtype) + r * step).astype(leaf.dtype)

    return jax.tree.map(move, x, bound, keys)


def clipped(there: PyTree, x: PyTree, bound: PyTree) -> PyTree:
    """The nearest input within the box around `x`."""

    def clip(leaf: Array, centre: Array, r: Array) -> Array:
        wide = centre.astype(r.dtype)
        return jnp.clip(leaf.astype(r.dtype), wide - r, wide + r).astype(leaf.dtype)

    return jax.tree.map(clip, there, x, bound)


def uphill(there: PyTree, slope: PyTree, bound: PyTree, share: float) -> PyTree:
    """A step along the signs of a gradient, by a share of the box."""

    def move(leaf: Array, g: Array, r: Array) -> Array:
        step = share * r * jnp.sign(g.astype(r.dtype))
        return (leaf.astype(r.dtype) + step).astype(leaf.dtype)

    return jax.tree.map(move, there, slope, bound)


def sub(a: PyTree, b: PyTree) -> PyTree:
    wide = lambda leaf: jnp.asarray(leaf).astype(_tree.accumulator(leaf.dtype))
    return jax.tree.map(lambda p, q: wide(p) - wide(q), a, b)


def around(
    who: str,
    explain: Explains[Any],
    compare: Callable[[PyTree, PyTree, PyTree, PyTree], Array],
    *,
    radius: PyTree,
    num_samples: int,
    chunk_size: int | None,
) -> Callable[..., Array]:
    """`compare(x, own, there, other)` at every sample, as a vector.

    `own` is the explanation of `x`, `other` that of an input nearby.
    """
    check_options(radius, num_samples, chunk_size)

    def measure(
        x: PyTree, args: tuple[Any, ...], key: PRNGKey, refs: dict[str, Any]
    ) -> Array:
        _checks.key(key, who)
        x = _checks.inputs(x)
        bound = radii(radius, x)
        own = explain(x, *args, **refs)

        def sample(i: Array) -> Array:
            there = near(x, bound, jr.fold_in(key, i))
            return compare(x, own, there, explain(there, *args, **refs))

        return _tree.map_samples(sample, num_samples, chunk_size)

    return measure

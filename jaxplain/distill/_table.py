"""A stack of examples as a table: one row each, in columns of a common scale."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PyTree

from .. import _checks, _regression, _tree

Distilled = Callable[..., Any]
"""What a distiller returns: `fit(xs, *args)`, a model."""


class Table(NamedTuple):
    """Rows in columns of mean 0 and variance 1, under the weights.

    Attributes:
        z: The columns. 0 where a column is constant, and in rows that are left out.
        weights: Weight of each row; 0 for one that is left out.
        mean: What was subtracted from each column.
        scale: What it was divided by; 1 where a column is constant.
        varies: Which columns are not constant.
        used: Number of rows that are left.
    """

    z: Float[Array, "n d"]
    weights: Float[Array, " n"]
    mean: Float[Array, " d"]
    scale: Float[Array, " d"]
    varies: Bool[Array, " d"]
    used: Int[Array, ""]


def stacked(xs: PyTree) -> tuple[PyTree, int]:
    """The examples as arrays, and how many there are."""
    xs = _checks.inputs(xs)
    shapes = [leaf.shape for leaf in jax.tree.leaves(xs)]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            "`xs` must be a stack, with one example per entry of the first axis of "
            f"every leaf, but has shapes {shapes}. Stack examples with "
            "`jax.numpy.stack`, or draw them around one with `distill.neighbourhood`."
        )
    return xs, shapes[0][0]


def evaluate(
    f: Callable[..., Array],
    xs: PyTree,
    args: tuple[Any, ...],
    number: int,
    chunk_size: int | None,
) -> Array:
    """The values of `f`, one row each, in float32 or wider."""

    def one(i: Array) -> Array:
        value = f(example(xs, i), *args)
        return value.astype(_tree.accumulator(value.dtype))

    return _tree.map_samples(one, number, chunk_size)


def example(xs: PyTree, i: Array | int) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[i], xs)


def flat(xs: PyTree, number: int) -> Float[Array, "n d"]:
    """One row per example, with the entries of all leaves side by side."""
    wide = _tree.widest(xs)
    leaves = [leaf.reshape(number, -1).astype(wide) for leaf in jax.tree.leaves(xs)]
    return jnp.concatenate(leaves, 1)


def like(vectors: Float[Array, "*rows d"], xs: PyTree) -> PyTree:
    """Vectors over the columns, each shaped like one example."""
    leaves, treedef = jax.tree.flatten(xs)
    rows = vectors.shape[:-1]
    bounds = np.cumsum([int(np.prod(leaf.shape[1:])) for leaf in leaves])
    parts = jnp.split(vectors, bounds[:-1], axis=-1)
    return treedef.unflatten(
        [
            part.reshape(*rows, *leaf.shape[1:]).astype(leaf.dtype)
            for part, leaf in zip(parts, leaves, strict=True)
        ]
    )


def table(xs: PyTree, finite: Bool[Array, " n"], weights: Float[Array, " n"]) -> Table:
    """Rows without those that are not finite, standardised.

    So that nothing depends on the units of a column.
    """
    rows = flat(xs, len(finite)).astype(weights.dtype)
    kept = finite & jnp.isfinite(rows).all(1) & (weights > 0)
    weights = jnp.where(kept, weights, 0)
    rows = jnp.where(kept[:, None], rows, 0)
    # Squares of what is in its own unit neither overflow nor vanish.
    unit, rows = jax.vmap(_regression.in_own_unit, 1, (0, 1))(rows)
    total = weights.sum()
    share = weights / jnp.where(total > 0, total, 1)
    mean = _regression.dot(share, rows)
    apart = jnp.where(kept[:, None], rows - mean[None], 0)
    spread = jnp.sqrt(_regression.dot(share, apart**2))
    # What is left of a constant is rounding, which must not become a feature.
    rounding = 8 * jnp.finfo(rows.dtype).eps * jnp.abs(rows).max(0)
    varies = spread > rounding
    scale = jnp.where(varies, spread, 1)
    z = jnp.where(varies[None], apart / scale[None], 0)
    return Table(z, weights, unit * mean, unit * scale, varies, kept.sum())


def row_weights(value: ArrayLike | None, number: int, dtype: Any) -> Array:
    """One weight per row: by default 1."""
    if value is None:
        return jnp.ones(number, dtype)
    if jnp.shape(value) != (number,):
        raise ValueError(
            f"`weights` must have shape ({number},), one weight per example of `xs`, "
            f"but has shape {jnp.shape(value)}. Leave it out to weigh all alike."
        )
    if not _checks.is_traced(value):
        numbers = np.asarray(value, np.float64)
        if not (numbers >= 0).all() or not np.isfinite(numbers.sum()):
            raise ValueError(
                "`weights` must be finite and not negative, but run from "
                f"{numbers.min():.3g} to {numbers.max():.3g}. Give weight 0 to a row "
                "that is to be left out."
            )
        if not numbers.sum() > 0:
            raise ValueError(
                "`weights` must not all be 0, but are. A kernel that is too narrow "
                "underflows: widen it."
            )
    array = jnp.asarray(value)
    return array.astype(_tree.widest(array)).astype(dtype)

"""The inputs of `f` as factors: each varies from a low to a high value."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PyTree

from .. import _checks, _tree
from .._types import Labels, Scalar
from ..games import players


class Factors(NamedTuple):
    """A function on the unit cube, and how its coordinates form groups.

    Attributes:
        value: `f` at a point of the cube.
        labels: Group of each coordinate.
        number: Number of groups.
        dtype: The widest dtype of the input.
        unflatten: From one value per group back to the answer.
    """

    value: Callable[[Array], Scalar]
    labels: Int[Array, " d"]
    number: int
    dtype: Any
    unflatten: Callable[[Array], Any]


def factors(
    who: str,
    f: Any,
    low: PyTree,
    high: PyTree,
    args: tuple[Any, ...],
    groups: Labels | None,
    num_groups: int | None,
) -> Factors:
    """The factors are the groups, or every entry of `high`."""
    _checks.players(who, groups, num_groups)
    low, high = _ranges(low, high)
    # The game between the two ends, with a mask that is a point of the cube.
    game = players(who, f, high, args, low, None, None)
    dtype = max((leaf.dtype for leaf in _tree.leaves(high)), key=lambda d: d.itemsize)
    if groups is None:
        labels = jnp.arange(game.number, dtype=jnp.int32)
        return Factors(game.value, labels, game.number, dtype, game.unflatten)
    number = cast(int, num_groups)
    labels = _checks.labels(groups, high)
    _checks.label_range(labels, number)
    flat = _flat(labels, high)
    known = (flat >= 0) & (flat < number)
    return Factors(
        # A label that no check could see is an error that shows.
        lambda point: game.value(jnp.where(known, point, jnp.nan)),
        flat,
        number,
        dtype,
        lambda values: values.astype(dtype),
    )


def _flat(labels: PyTree, high: PyTree) -> Int[Array, " d"]:
    """One label for every entry, in the order of the entries."""

    def spread(label: Any, leaf: Array) -> Array:
        label = jnp.asarray(label, jnp.int32)
        below = (1,) * (leaf.ndim - label.ndim)
        return jnp.broadcast_to(label.reshape(*label.shape, *below), leaf.shape)

    spreads = jax.tree.leaves(_tree.map_prefix(spread, labels, high))
    return jnp.concatenate([leaf.ravel() for leaf in spreads])


def _ranges(low: PyTree, high: PyTree) -> tuple[PyTree, PyTree]:
    """`low` and `high` as arrays of the shapes and dtypes of `high`."""
    for name, value in (("low", low), ("high", high)):
        for leaf in jax.tree.leaves(value):
            if not _is_number(leaf):
                raise TypeError(
                    f"`{name}` must hold numbers, but holds {type(leaf).__name__}. "
                    "Pass the ends of the range of each factor, such as "
                    "`jax.numpy.zeros(3), jax.numpy.ones(3)`."
                )
    leaves = jax.tree.leaves(high)
    integers = any(not jnp.issubdtype(jnp.result_type(a), jnp.floating) for a in leaves)
    if integers or not leaves or any(0 in jnp.shape(leaf) for leaf in leaves):
        raise TypeError(
            "`high` must hold floating-point arrays with at least one entry, but is "
            f"{jax.tree.map(_checks.show, high)}. It has the shape of the input of "
            "`f`; convert numbers with `.astype(float)`."
        )
    high = jax.tree.map(jnp.asarray, high)
    low = _like(low, high)
    for a, b in zip(jax.tree.leaves(low), jax.tree.leaves(high), strict=True):
        if _checks.is_traced(a) or _checks.is_traced(b):
            continue
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        wrong = ~(np.isfinite(a) & np.isfinite(b) & (a <= b))
        if wrong.any():
            raise ValueError(
                "`low` and `high` must be finite, and `low` not above `high`, but one "
                f"factor runs from {a[wrong][0]:g} to {b[wrong][0]:g}. "
                "Order the ends, or hold the factor at a value with both of them."
            )
    return low, high


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, bool | int | float | np.generic) or hasattr(leaf, "dtype")


def _like(low: PyTree, high: PyTree) -> PyTree:
    def fill(a: Any, b: Array) -> Array:
        if np.broadcast_shapes(jnp.shape(a), b.shape) != b.shape:
            raise ValueError
        return jnp.broadcast_to(jnp.asarray(a).astype(b.dtype), b.shape)

    try:
        return _tree.map_prefix(fill, low, high)
    except ValueError:
        raise ValueError(
            f"`low` must broadcast to `high`, which is "
            f"{jax.tree.map(_checks.show, high)}, but is "
            f"{jax.tree.map(_checks.show, low)}. Give both the shape of the input of "
            "`f`, or one number for `low`."
        ) from None

"""Messages of this room: what was expected, what came, what to do."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _tree

LARGEST_RTOL = 0.01


def tolerance(rtol: Any) -> None:
    """Above `LARGEST_RTOL`, the first 17 nodes may agree that a step is not there."""
    _checks.positive("rtol", rtol)
    if rtol > LARGEST_RTOL:
        raise ValueError(
            f"`rtol` must be at most {LARGEST_RTOL}, but is {rtol!r}: the first nodes "
            "would step over sharp changes of `f` unseen. For a rougher and cheaper "
            "answer, take `integrated_gradients` with few `steps`."
        )


def fraction(name: str, value: Any, *, zero: bool = False) -> None:
    _checks.positive(name, value, zero=zero)
    if value > 1:
        raise ValueError(
            f"`{name}` must be at most 1, but is {value!r}. It is a share of the whole."
        )


def point(value: PyTree, x: PyTree) -> PyTree:
    """What the user's path returns: floating-point arrays in the shapes of `x`."""
    fits = jax.tree.structure(value) == jax.tree.structure(x) and all(
        jnp.shape(a) == b.shape and jnp.issubdtype(jnp.result_type(a), jnp.floating)
        for a, b in zip(jax.tree.leaves(value), jax.tree.leaves(x), strict=True)
    )
    if not fits:
        raise ValueError(
            f"`path` must return a point like `x`, {jax.tree.map(_checks.show, x)}, "
            f"but returned {jax.tree.map(_checks.show, value)}. Write it as "
            "`path(t, x, baseline)`, where `t` is a number from 0 to 1."
        )
    return value


def spatial(x: PyTree) -> PyTree:
    """Arrays to blur: channels last, behind at least one other axis."""
    for leaf in jax.tree.leaves(x):
        if leaf.ndim < 2:
            raise ValueError(
                "`x` must have channels last and at least one axis to blur, but is "
                f"{_checks.show(leaf)}. Add an axis: `f` of `x[..., None]`."
            )
    return x


def one_array(x: PyTree) -> Array:
    if jax.tree.structure(x) != jax.tree.structure(0):
        raise TypeError(
            "`x` must be one array, for an answer with two of its shapes, but is "
            f"{jax.tree.structure(x)}. Join its leaves with "
            "`jax.flatten_util.ravel_pytree`, or take `interactions_with`."
        )
    return x


def batch(value: Any, most: int) -> None:
    """As many panels are halved at once, and there are no more at first."""
    if _checks.count("batch", value) > most:
        raise ValueError(
            f"`batch` must be at most {most}, but is {value}. Take a smaller one: the "
            f"first nodes leave {most} panels to halve."
        )


def sigma(value: Any) -> None:
    """One width for all axes. Where it is traced its sign cannot be seen."""
    if jnp.shape(value) != ():
        raise ValueError(
            f"`sigma` must be a scalar, but has shape {jnp.shape(value)}. Blur once "
            "for each, for example under `jax.vmap`."
        )
    if not _checks.is_traced(value) and not value >= 0:
        raise ValueError(
            f"`sigma` must not be negative, but is {value}. Pass a standard deviation "
            "in pixels or time steps, or 0 for no blur."
        )


def mask(value: Any, x: PyTree) -> PyTree:
    """One number per entry of `x`, or a prefix of it."""
    if value is None:
        raise TypeError(
            "`mask` is missing: say which features to pair with, "
            "for example `mask=jax.numpy.zeros_like(x).at[0].set(1)`."
        )

    def fill(part: Any, leaf: Array) -> Array:
        return jnp.broadcast_to(jnp.asarray(part), leaf.shape).astype(leaf.dtype)

    try:
        return _tree.map_prefix(fill, value, x)
    except (ValueError, TypeError):
        raise ValueError(
            f"`mask` must broadcast to `x`, {jax.tree.map(_checks.show, x)}, but is "
            f"{jax.tree.map(_checks.show, value)}. Pass an array of the shape of `x`, "
            "or a number for the whole of a leaf."
        ) from None

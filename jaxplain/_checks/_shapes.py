"""Values that must fit a layer, or the input."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from ._show import describe, show


def one_array(value: Any, at: str) -> None:
    """The value of a layer: one array of floating-point numbers."""
    if isinstance(value, list):
        raise ValueError(  # noqa: TRY004
            f"layer {at!r} is called {len(value)} times, so it has no single map. "
            f"Pick a call, for example `at={at + '@0'!r}`."
        )
    if not hasattr(value, "ndim"):
        raise ValueError(
            f"layer {at!r} must give one array, but gives {jax.tree.map(show, value)}. "
            "Name the part to look at with `jaxplain.tap`."
        )
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise TypeError(
            f"layer {at!r} must be floating-point, but is {show(value)}. Integers have "
            "no gradient: choose a later layer, such as the embedding of tokens."
        )


def features(value: Any, at: str) -> None:
    """The features of a layer: one array, channels last."""
    one_array(value, at)
    if value.ndim < 2:
        raise ValueError(
            f"layer {at!r} must have channels and at least one other axis, but is "
            f"{show(value)}. Choose a layer before the pooling; `jaxplain.taps(f, x)` "
            "lists them with their shapes."
        )


def same_shapes(new: Any, value: Any, at: str) -> list[Array]:
    """The arrays of a new value for a layer, in the shapes and dtypes of the old."""
    fits = jax.tree.structure(new) == jax.tree.structure(value) and all(
        jnp.shape(a) == b.shape
        for a, b in zip(jax.tree.leaves(new), jax.tree.leaves(value), strict=True)
    )
    if not fits:
        raise ValueError(
            f"`head` takes the value of layer {at!r}, {jax.tree.map(show, value)}, "
            f"but got {jax.tree.map(describe, new)}. Its residuals belong to one "
            "input: cut again for another one."
        )
    return [
        jnp.asarray(a).astype(b.dtype)
        for a, b in zip(jax.tree.leaves(new), jax.tree.leaves(value), strict=True)
    ]


def replacement(primitive: Any, values: list[Any], avals: list[Any]) -> None:
    """What stands in for an equation returns what the equation returns."""
    got = [(jnp.shape(v), jnp.result_type(v)) for v in values]
    if got != [(a.shape, a.dtype) for a in avals]:
        raise ValueError(
            f"what replaces `{primitive}` must return {[show(a) for a in avals]}, but "
            f"returned {[show(v) for v in values]}. Keep the shapes and the dtypes."
        )


def given(attribution: PyTree) -> PyTree:
    """An attribution to judge."""
    if attribution is None:
        raise TypeError(
            "`attribution` is missing: pass the explanation to judge, for example "
            "`attribution=explain(x, *args, baseline=0.0)`."
        )
    return attribution


def ranking(attribution: PyTree, x: PyTree) -> PyTree:
    """An attribution that can rank the features of `x`: a leading part of its shape."""
    same = jax.tree.structure(attribution) == jax.tree.structure(x)
    fits = same and all(
        leaf.shape[: jnp.ndim(a)] == jnp.shape(a)
        for a, leaf in zip(
            jax.tree.leaves(attribution), jax.tree.leaves(x), strict=True
        )
    )
    if not fits:
        raise ValueError(
            f"`attribution` must have the shape of `x`, {jax.tree.map(show, x)}, or of "
            f"its leading axes, but is {jax.tree.map(describe, attribution)}. Spread "
            "values of groups with `jaxplain.groups.spread`, and stretch the map of a "
            "layer with `jaxplain.cam.upsample`."
        )
    return jax.tree.map(jnp.asarray, attribution)

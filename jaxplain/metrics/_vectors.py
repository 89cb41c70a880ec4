"""Explanations as vectors: all their entries in a row, wide enough to sum in."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from .. import _checks, _tree


def vector(attribution: PyTree) -> Float[Array, " n"]:
    """Every entry of every leaf, in the order of the tree."""
    leaves = _tree.leaves(attribution)
    if not leaves or not sum(leaf.size for leaf in leaves):
        raise ValueError(
            "an attribution must have at least one entry, but is "
            f"{jax.tree.map(_checks.describe, attribution)}. Pass what an explainer "
            "returned."
        )
    for leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, jnp.number) or jnp.iscomplexobj(leaf):
            raise TypeError(
                f"an attribution must hold real numbers, but is {_checks.show(leaf)}. "
                "Convert it with `.astype(float)`."
            )
    dtype = _tree.widest(leaves)
    return jnp.concatenate([leaf.ravel().astype(dtype) for leaf in leaves])


def pair(a: PyTree, b: PyTree) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Two explanations of the same shapes, in one dtype."""
    shapes = [[jnp.shape(leaf) for leaf in jax.tree.leaves(tree)] for tree in (a, b)]
    if jax.tree.structure(a) != jax.tree.structure(b) or shapes[0] != shapes[1]:
        raise ValueError(
            "explanations to compare must have the same shapes, but are "
            f"{jax.tree.map(_checks.describe, a)} and "
            f"{jax.tree.map(_checks.describe, b)}. Sum over the channels, or stretch "
            "the map of a layer with `jaxplain.cam.upsample`."
        )
    first, second = vector(a), vector(b)
    dtype = _tree.widest([first, second])
    return first.astype(dtype), second.astype(dtype)


def masked(
    attribution: PyTree, mask: PyTree
) -> tuple[Float[Array, " n"], Bool[Array, " n"]]:
    """The attribution at each entry of the mask, and whether that entry is inside.

    Attributions are summed over the trailing axes that the mask does not have.
    """
    same = jax.tree.structure(attribution) == jax.tree.structure(mask)
    pairs: list[tuple[Any, Any]] = (
        list(zip(jax.tree.leaves(attribution), jax.tree.leaves(mask), strict=True))
        if same
        else []
    )
    if not pairs or any(
        jnp.shape(a)[: jnp.ndim(m)] != jnp.shape(m) or jnp.ndim(m) > jnp.ndim(a)
        for a, m in pairs
    ):
        raise ValueError(
            "`mask` must have the shape of the attribution, "
            f"{jax.tree.map(_checks.describe, attribution)}, or of its leading axes, "
            f"but is {jax.tree.map(_checks.describe, mask)}. A mask of (height, width) "
            "fits a map of (height, width, channels)."
        )
    summed = [
        jnp.sum(leaf, range(jnp.ndim(m), leaf.ndim), dtype=_tree.widest([leaf]))
        for leaf, m in ((jnp.asarray(a), m) for a, m in pairs)
    ]
    inside = [jnp.asarray(m).ravel().astype(bool) for _, m in pairs]
    return vector(summed), jnp.concatenate(inside)


def poisoned(value: Array, *vectors: Array) -> Array:
    """`value`, or NaN if any entry of the vectors is: a rank would hide it."""
    bad = jnp.stack([jnp.isnan(v).any() for v in vectors]).any()
    return jnp.where(bad, jnp.nan, value)


def norm(tree: PyTree) -> Array:
    """The Euclidean length, whose gradient at zero is zero."""
    v = vector(tree)
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(v)))
    # The square of a small attribution would underflow.
    scale = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    squares = jnp.sum((v / scale) ** 2)
    root = jnp.sqrt(jnp.where(squares == 0, 1, squares))
    return scale * jnp.where(squares == 0, 0, root)

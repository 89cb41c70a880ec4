"""What the data are, and the map on which explainers are compared."""

from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from .. import _checks, _tree, cam

Kind: TypeAlias = Literal["image", "series", "table", "tree"]
KINDS = ("image", "series", "table", "tree")


def kind_of(x: PyTree, kind: Kind | None) -> Kind:
    """What one example is; by its rank, if the user does not say."""
    leaves = jax.tree.leaves(x)
    alone = len(leaves) == 1 and leaves[0] is x
    guesses: dict[int, Kind] = {1: "table", 2: "series", 3: "image"}
    guess = guesses.get(jnp.ndim(x), "tree") if alone else "tree"
    kind = guess if kind is None else kind
    _checks.choice("kind", kind, KINDS)
    ranks = {"image": (2, 3), "series": (1, 2), "table": (1,), "tree": ()}[kind]
    if ranks and not (alone and jnp.ndim(x) in ranks):
        raise ValueError(
            f"`kind={kind!r}` needs examples with {' or '.join(map(str, ranks))} axes, "
            f"but one is {_checks.describe(x)}. Leave `kind` out, or pass 'tree'."
        )
    return kind


def to_map(attribution: PyTree, x: PyTree, kind: Kind) -> PyTree:
    """The attribution as it is compared: of a picture, one number per pixel."""
    if kind == "image":
        attribution = jnp.asarray(attribution)
        shape = x.shape[:2]
        if attribution.ndim == 3 and attribution.shape == x.shape:
            attribution = attribution.sum(-1, dtype=_tree.widest(attribution))
        if attribution.ndim == 2 and attribution.shape != shape:
            attribution = cam.upsample(attribution, shape)
    attribution = _checks.ranking(attribution, x)
    # One dtype for all explainers, so that they share the compiled metrics.
    widest = _tree.widest(x)
    return jax.tree.map(lambda leaf: leaf.astype(widest), attribution)


def like_map(x: PyTree, kind: Kind) -> PyTree:
    """The shape of the map of `x`."""
    shape = lambda leaf: leaf.shape[:2] if kind == "image" else leaf.shape
    widest = _tree.widest(x)
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(shape(leaf), widest), x)


def example(trees: Any) -> Any:
    """The first of a stack."""
    return jax.tree.map(lambda leaf: leaf[0], trees)

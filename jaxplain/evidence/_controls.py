"""Maps that know nothing of the function: what an explainer has to beat."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _tree
from . import _kinds
from ._kinds import Kind

RANDOM, INPUT, EDGES = "random order", "input itself", "edges"


def controls(kind: Kind) -> dict[str, Callable[..., PyTree]]:
    """`control(x, start, key)` of each name; `start` is the baseline, or zero."""
    found: dict[str, Callable[..., PyTree]] = {
        RANDOM: lambda x, start, key: random_order(x, key, kind),
        INPUT: lambda x, start, key: magnitude(x, start, kind),
    }
    if kind == "image":
        found[EDGES] = lambda x, start, key: edges(x)
    return found


def random_order(x: PyTree, key: Any, kind: Kind) -> PyTree:
    leaves, treedef = jax.tree.flatten(_kinds.like_map(x, kind))
    keys = jax.random.split(key, len(leaves))
    return treedef.unflatten(
        [
            jax.random.uniform(k, leaf.shape, leaf.dtype)
            for k, leaf in zip(keys, leaves, strict=True)
        ]
    )


def magnitude(x: PyTree, start: PyTree, kind: Kind) -> PyTree:
    """How far each feature is from its baseline."""
    far = jax.tree.map(lambda a, b: jnp.abs(a - b), x, start)
    return _kinds.to_map(far, x, kind)


def edges(x: Array) -> Array:
    """The length of the gradient of the grey picture, by central differences."""
    grey = x if x.ndim == 2 else x.mean(-1, dtype=_tree.widest(x))
    padded = jnp.pad(grey.astype(_tree.widest(x)), 1, mode="edge")
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    right = padded[1:-1, 2:] - padded[1:-1, :-2]
    return jnp.sqrt(jnp.square(down) + jnp.square(right))

"""Sums and sizes of explanations, on the host and in float64."""

from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from .. import _tree


def rows(baseline: Any, x: PyTree) -> list[PyTree]:
    """Each baseline of a stack, or the only one, shaped like `x`."""
    stack = jax.tree.leaves(baseline)
    stacked = jax.tree.structure(baseline) == jax.tree.structure(x) and all(
        np.ndim(row) == np.ndim(leaf) + 1
        for row, leaf in zip(stack, jax.tree.leaves(x), strict=True)
    )
    if stacked:
        count = len(stack[0])
        row = lambda i: jax.tree.map(lambda leaf: leaf[i], baseline)
        return [row(i) for i in range(count)]

    def full(part: Any, leaf: Any) -> np.ndarray:
        array = np.asarray(leaf)
        return np.broadcast_to(np.asarray(part), array.shape).astype(array.dtype)

    return [_tree.map_prefix(full, baseline, x)]


def is_zero(baseline: Any) -> bool:
    return not any(np.any(np.asarray(leaf)) for leaf in jax.tree.leaves(baseline))


def total(phi: PyTree) -> np.ndarray:
    return np.asarray(
        sum(np.asarray(leaf, np.float64).sum() for leaf in jax.tree.leaves(phi))
    )


def largest(phi: PyTree) -> float:
    """The largest finite size: relative to infinity, everything is rounding."""
    sizes = [np.abs(np.asarray(leaf, np.float64)) for leaf in jax.tree.leaves(phi)]
    return max(
        (float(s.max(initial=0, where=np.isfinite(s))) for s in sizes), default=0.0
    )

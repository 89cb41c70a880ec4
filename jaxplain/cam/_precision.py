"""What every reducer computes in."""

import functools
from collections.abc import Callable

from jaxtyping import Array

from .. import _tree


def widened(reducer: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """`reducer`, in float32 at least; the map has the dtype of the features."""

    @functools.wraps(reducer)
    def reduced(features: Array, gradients: Array) -> Array:
        wide = _tree.accumulator(features.dtype)
        heatmap = reducer(features.astype(wide), gradients.astype(wide))
        return heatmap.astype(features.dtype)

    return reduced

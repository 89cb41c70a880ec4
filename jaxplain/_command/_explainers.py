"""The explainers that the command line knows by name."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jaxplain as jx


class Known(NamedTuple):
    """How to make an explainer of a function, a baseline and the kind of the data."""

    make: Callable[[Callable[..., Any], Any, str], Callable[..., Any]]
    needs_baseline: bool


def _smoothed(f: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient, averaged over noise of a tenth of the range of the input."""

    def explain(x: Any, /, *args: Any, key: Any) -> Any:
        std = 0.1 * (x.max() - x.min())
        return jx.smooth(jx.saliency(f), std=std, num_samples=16)(x, *args, key=key)

    return explain


def _occluded(f: Callable[..., Any], baseline: Any, kind: str) -> Callable[..., Any]:
    """Squares of a picture, windows of a series, columns of a table."""

    def explain(x: Any, /, *args: Any) -> Any:
        if kind == "table":
            return jx.occlusion(f)(x, *args, baseline=baseline)
        axes = 2 if kind == "image" else 1
        sides = tuple(max(1, side // 8) for side in x.shape[:axes])
        drops = jx.occlusion(f, window=sides, chunk_size=16)
        # The drop of a window, shared by its entries.
        entries = math.prod(sides) * math.prod(x.shape[axes:])
        return drops(x, *args, baseline=baseline) / entries

    return explain


EXPLAINERS = {
    "saliency": Known(lambda f, b, kind: jx.saliency(f), False),
    "smooth_gradient": Known(lambda f, b, kind: _smoothed(f), False),
    "input_x_gradient": Known(lambda f, b, kind: jx.input_x_gradient(f), False),
    "guided_backpropagation": Known(
        lambda f, b, kind: jx.saliency(jx.rules.guided(f)), False
    ),
    "lrp": Known(lambda f, b, kind: jx.rules.lrp(f), False),
    "integrated_gradients": Known(
        lambda f, b, kind: partial(
            jx.integrated_gradients(f, steps=16, chunk_size=8), baseline=b
        ),
        True,
    ),
    "deep_lift": Known(
        lambda f, b, kind: partial(jx.rules.deep_lift(f), baseline=b), True
    ),
    "occlusion": Known(_occluded, True),
}
DEFAULT = "saliency,smooth_gradient,input_x_gradient,integrated_gradients,occlusion"

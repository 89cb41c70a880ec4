"""A function of a series, as one of which of its entries are in focus."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from .. import _checks
from .._types import Scalar
from . import _valid


def unfocused(f: Callable[..., Any], *, sigma: float) -> Callable[..., Scalar]:
    r"""`f` of the series, of which what is absent is blurred along time.

    $$g(m, x) = f(\tilde x), \qquad \tilde x_{t,i} = \frac
    {\sum_s x_{s,i}\, e^{-(s - t)^2 / 2 \sigma_{t,i}^2}}
    {\sum_s e^{-(s - t)^2 / 2 \sigma_{t,i}^2}}, \qquad
    \sigma_{t,i} = \sigma_{\max} (1 - m_{t,i})$$

    What is absent is guessed from what came before and after, so there is no `baseline`
    for it. Instead, `g` is explained at `present`: ones of the shape of the series,
    against `baseline=0.0`. What is present is exactly what it was.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar, for a series `x` with
            time on its first axis.
        sigma: Width of the blur where nothing is present, in steps.

    Returns:
        `g(present, x, *args)`, a scalar. Costs `f`, and a weighted sum over all steps
        for each entry of `present`.

    Raises:
        ValueError: If `f` does not return a scalar, `sigma` is not positive, or
            `present` does not have the shape of `x` or of its leading axes.
        TypeError: If `x` holds integers, or is not one array.

    Example:
        >>> g = jx.series.unfocused(lambda x: x[1], sigma=10.0)
        >>> spike = jnp.array([0.0, 3.0, 0.0])
        >>> g(jnp.ones(3), spike), g(jnp.zeros(3), spike)
        (Array(3., dtype=float32), Array(1., dtype=float32))

    References:
        Crabbé and van der Schaar (2021), *Explaining Time Series Predictions with
        Dynamic Masks*, arXiv:2106.05303, on perturbation by a Gaussian blur.
    """
    f = _checks.scalar(f)
    _checks.positive("sigma", sigma)

    def g(present: ArrayLike, x: Any, /, *args: Any) -> Array:
        series = _valid.one_series(x)
        m = _valid.present(present, series)
        return f(_blur(series, float(sigma) * (1 - m)), *args)

    return g


def _blur(x: Array, sigma: Array) -> Array:
    """Each entry by its own width, which the entries of trailing axes may share."""
    wide = x.astype(sigma.dtype).reshape(*sigma.shape, -1)
    columns = wide.reshape(x.shape[0], -1, wide.shape[-1])  # time, widths, shared
    widths = sigma.reshape(columns.shape[:2])
    time = np.arange(x.shape[0])
    squares = jnp.asarray(np.subtract.outer(time, time) ** 2, widths.dtype)
    # Below it the weight of a neighbour is 0 in float64 too.
    variance = jnp.maximum(widths, 0.02)[:, None] ** 2
    exponent = -squares[:, :, None] / (2 * variance)
    weights = jax.nn.softmax(exponent, axis=1)  # of step `s` at step `t`, per width
    blurred = jnp.einsum("tsw,swc->twc", weights, columns, precision="highest")
    kept = jnp.where((widths == 0)[..., None], columns, blurred)
    return kept.reshape(x.shape).astype(x.dtype)

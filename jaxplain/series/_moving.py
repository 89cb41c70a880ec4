"""The mean of a series around each of its steps."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from . import _valid


def moving_average(
    x: Float[ArrayLike, "steps ..."], *, radius: int
) -> Float[Array, "steps ..."]:
    r"""The mean over the steps within a window around each step.

    $$b_t = \frac{1}{|W_t|} \sum_{s \in W_t} x_s, \qquad
    W_t = \{s : |s - t| \le r\}$$

    As a `baseline`, it takes away what is sudden and leaves the level. At the ends
    the window holds what there is, so a constant stays what it is.

    Args:
        x: Series with time on its first axis.
        radius: Steps to either side. A window has `2 * radius + 1` of them.

    Returns:
        The means, in the shape and dtype of `x`.

    Raises:
        ValueError: If `radius` is below 1, or `x` is empty or has no axis.
        TypeError: If `x` holds integers, or is not one array.

    Example:
        >>> jx.series.moving_average(jnp.array([0.0, 3.0, 0.0, 0.0]), radius=1)
        Array([1.5, 1. , 1. , 0. ], dtype=float32)

    References:
        Crabbé and van der Schaar (2021), *Explaining Time Series Predictions with
        Dynamic Masks*, arXiv:2106.05303, on fading to a moving average.
    """
    _checks.count("radius", radius)
    series = _valid.one_series(x)
    time = np.arange(series.shape[0])
    near = np.abs(np.subtract.outer(time, time)) <= radius
    wide = series.astype(_tree.accumulator(series.dtype))
    weights = jnp.asarray(near / near.sum(1, keepdims=True), wide.dtype)
    mean = jnp.tensordot(weights, wide, 1, precision="highest")
    return mean.astype(series.dtype)

"""The mean of a series around each of its steps."""

import jax
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
    number = series.shape[0]
    reach, time = min(radius, number - 1), np.arange(number)
    wide = series.astype(_tree.accumulator(series.dtype)).reshape(number, -1)
    # Not a table of pairs: its size is the square of the length, and 0 times what is
    # missing far away would be missing here.
    sums = jax.lax.reduce_window(
        wide, 0.0, jax.lax.add, (2 * reach + 1, 1), (1, 1), [(reach, reach), (0, 0)]
    )
    counts = np.minimum(time, reach) + np.minimum(number - 1 - time, reach) + 1
    mean = sums / jnp.asarray(counts, wide.dtype)[:, None]
    return mean.astype(series.dtype).reshape(series.shape)

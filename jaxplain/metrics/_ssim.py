"""Structural similarity of two maps."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _checks
from .._types import Scalar
from ._vectors import pair, poisoned


def ssim(
    a: Float[Array, "height width *channels"],
    b: Float[Array, "height width *channels"],
    *,
    window: int = 11,
    std: float = 1.5,
    data_range: float | None = None,
    normalise: bool = False,
) -> Scalar:
    r"""Structural similarity: are two maps alike in level, contrast and pattern?

    $$\frac{(2 \mu_a \mu_b + c_1)(2 \sigma_{ab} + c_2)}{(\mu_a^2 + \mu_b^2 + c_1)
    (\sigma_a^2 + \sigma_b^2 + c_2)}, \qquad c_1 = (0.01 L)^2,\; c_2 = (0.03 L)^2$$

    averaged over every place of a Gaussian window that fits into the map, and over
    channels. 1 for equal maps. Made for photographs: where both maps are nearly flat
    the constants decide, and a few large values make the rest flat, so a noisy map and
    an empty one can look alike. Its scale `L` and absolute values change how explainers
    rank; report them.

    Args:
        a: Map of shape `(height, width)` or `(height, width, channels)`.
        b: Another one, of the same shape.
        window: Side of the window, odd.
        std: Standard deviation of the Gaussian.
        data_range: The range of values, `L`; by default that of both maps together.
        normalise: Divide each map by its largest absolute value first, so that scale
            does not count.

    Returns:
        A scalar, at most 1. NaN if both maps are constant and `data_range` is not
        given, if a map to normalise is zero, or if either holds NaN.

    Raises:
        ValueError: If the shapes differ, the map is smaller than the window, or the
            window is even.

    Example:
        >>> a = jnp.arange(121.0).reshape(11, 11)
        >>> ssim(a, a)
        Array(1., dtype=float32)

    References:
        Wang, Bovik, Sheikh and Simoncelli (2004), *Image Quality Assessment: From Error
        Visibility to Structural Similarity*, equations 13 to 17.
    """
    shape = _window_fits(a, window)
    _checks.positive("std", std)
    if data_range is not None:
        _checks.positive("data_range", data_range)
    va, vb = pair(a, b)
    if normalise:
        va, vb = va / jnp.max(jnp.abs(va)), vb / jnp.max(jnp.abs(vb))
    both = jnp.stack([va, vb])
    span = both.max() - both.min() if data_range is None else data_range
    # In units of the range: the squares of a small attribution would underflow.
    c1, c2 = 0.01**2, 0.03**2
    u, v = (both / span).reshape(2, *shape[:2], -1)
    products = jnp.stack([u, v, u * u, v * v, u * v])
    mu, nu, uu, vv, uv = _blurred(products, window, std)
    level = (2 * mu * nu + c1) / (mu**2 + nu**2 + c1)
    spread = (uu - mu**2) + (vv - nu**2)
    pattern = (2 * (uv - mu * nu) + c2) / (spread + c2)
    return poisoned(jnp.mean(level * pattern), va, vb)


def _window_fits(a: Array, window: int) -> tuple[int, ...]:
    _checks.count("window", window)
    shape = jnp.shape(a)
    if window % 2 == 0 or len(shape) not in (2, 3) or min(shape[:2]) < window:
        raise ValueError(
            "`ssim` must get maps of (height, width) or (height, width, channels), at "
            f"least as large as an odd window, but the map has shape {shape} and the "
            f"window is {window}. Pass a smaller odd `window` for a smaller map."
        )
    return shape


def _blurred(maps: Array, window: int, std: float) -> Array:
    """Gaussian means of maps of shape `(n, height, width, channels)`."""
    across = np.arange(window) - window // 2
    weights = np.exp(-((across / std) ** 2) / 2)

    def band(size: int) -> Array:
        # A matrix rather than a convolution: it is exact on every device.
        rows = size - window + 1
        matrix = np.zeros((rows, size))
        for i in range(rows):
            matrix[i, i : i + window] = weights / weights.sum()
        return jnp.asarray(matrix, maps.dtype)

    rows, columns = band(maps.shape[1]), band(maps.shape[2])
    return jnp.einsum(
        "ih,nhwc,jw->nijc", rows, maps, columns, precision="highest", optimize=True
    )

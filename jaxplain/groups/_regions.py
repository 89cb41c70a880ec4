"""Regions of an image that belong together, found by scikit-image."""

from typing import Any

import numpy as np

from .. import _checks
from ._grids import LabelArray


def superpixels(
    image: Any, *, num_groups: int = 50, compactness: float = 10.0
) -> tuple[LabelArray, int]:
    """Regions of similar colour and position, by SLIC.

    Args:
        image: Concrete image of shape `(height, width)` or `(height, width, channels)`.
            Its values are stretched to [0, 1] first, so any range will do.
        num_groups: Number of regions to aim for.
        compactness: Weight of position against colour.

    Returns:
        Labels of shape `(height, width)`, and how many there are: about `num_groups`.

    Raises:
        ValueError: If the image is traced, not finite, or of another rank.

    Example:
        >>> labels, n = superpixels(np.eye(16), num_groups=4)
        >>> labels.shape, n == len(np.unique(labels))
        ((16, 16), True)

    References:
        Achanta et al. (2012), *SLIC Superpixels*; `skimage.segmentation.slic`.
    """
    from skimage import segmentation

    _checks.count("num_groups", num_groups)
    pixels = _pixels(image)
    labels = segmentation.slic(
        pixels,
        n_segments=num_groups,
        compactness=compactness,
        start_label=0,
        channel_axis=-1,
    )
    return _from_zero(labels)


def quickshift(
    image: Any,
    *,
    kernel_size: int = 4,
    max_dist: int = 200,
    ratio: float = 0.2,
) -> tuple[LabelArray, int]:
    """Regions of similar colour, of any size, by quickshift.

    The defaults are those of the reference implementation of LIME for images.

    Args:
        image: Concrete image of shape `(height, width)` or `(height, width, 3)`. Its
            values are stretched to [0, 1] first, so any range will do.
        kernel_size: Width of the density kernel, in pixels: larger is fewer regions.
        max_dist: Cut-off of the distance: larger is fewer regions.
        ratio: Weight of colour against position, from 0 to 1.

    Returns:
        Labels of shape `(height, width)`, and how many there are.

    Raises:
        ValueError: If the image is traced, not finite, or of another rank.

    Example:
        >>> labels, n = quickshift(np.eye(16))
        >>> labels.shape, n == len(np.unique(labels))
        ((16, 16), True)

    References:
        Vedaldi and Soatto (2008), *Quick Shift and Kernel Methods for Mode Seeking*;
        `skimage.segmentation.quickshift`.
    """
    from skimage import segmentation

    labels = segmentation.quickshift(
        _colours(image, "quickshift"),
        kernel_size=kernel_size,
        max_dist=max_dist,
        ratio=ratio,
        rng=0,
    )
    return _from_zero(labels)


def felzenszwalb(
    image: Any, *, scale: float = 100.0, sigma: float = 0.8, min_size: int = 50
) -> tuple[LabelArray, int]:
    """Regions that differ more between than within, by a graph of pixels.

    Flat areas become large regions and textured ones small, so their sizes differ far
    more than those of `superpixels`.

    Args:
        image: Concrete image of shape `(height, width)` or `(height, width, 3)`. Its
            values are stretched to [0, 1] first, so any range will do.
        scale: How much regions may vary within: larger is fewer regions.
        sigma: Standard deviation of the blur before, in pixels.
        min_size: Number of pixels of the smallest region.

    Returns:
        Labels of shape `(height, width)`, and how many there are.

    Raises:
        ValueError: If the image is traced, not finite, or of another rank, or an option
            is out of range.

    Example:
        >>> labels, n = felzenszwalb(np.eye(16), min_size=4)
        >>> labels.shape, n == len(np.unique(labels))
        ((16, 16), True)

    References:
        Felzenszwalb and Huttenlocher (2004), *Efficient Graph-Based Image
        Segmentation*; `skimage.segmentation.felzenszwalb`.
    """
    from skimage import segmentation

    _checks.positive("scale", scale)
    _checks.positive("sigma", sigma, zero=True)
    _checks.count("min_size", min_size)
    labels = segmentation.felzenszwalb(
        _colours(image, "felzenszwalb"),
        scale=scale,
        sigma=sigma,
        min_size=min_size,
        channel_axis=-1,
    )
    return _from_zero(labels)


def _pixels(image: Any) -> np.ndarray:
    """The image with a channel axis, stretched to [0, 1]; grey as a colour.

    Only images of three channels are brought to the colour space whose distances the
    algorithms are tuned for.
    """
    if _checks.is_traced(image):
        raise ValueError(
            "`image` must be concrete, but is traced: superpixels are found on the "
            "host, and their number shapes the program. Find them outside `jax.jit` "
            "and `jax.vmap`, and pass the labels in as `groups`."
        )
    pixels = np.asarray(image, np.float64)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise ValueError(
            "`image` must have shape (height, width) or (height, width, channels), "
            f"but has shape {np.shape(image)}."
        )
    if not np.isfinite(pixels).all():
        raise ValueError(
            f"`image` must be finite, but {int((~np.isfinite(pixels)).sum())} of its "
            "values are not. Fill them before looking for regions."
        )
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low if high > low else 1.0)


def _colours(image: Any, who: str) -> np.ndarray:
    """The image in three channels, for what knows no others."""
    pixels = _pixels(image)
    if pixels.shape[-1] != 3:
        raise ValueError(
            f"`image` must be grey or have 3 channels for {who}, but has shape "
            f"{np.shape(image)}. Choose three channels, or use `superpixels`."
        )
    return pixels


def _from_zero(labels: np.ndarray) -> tuple[LabelArray, int]:
    found, labels = np.unique(labels, return_inverse=True)
    return labels.astype(np.int32), len(found)

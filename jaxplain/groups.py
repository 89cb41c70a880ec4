"""Which features stand or fall together: integer labels, one per group.

Each function returns the labels and their number, ready for `groups=` and
`num_groups=`. All run on the host, since the number of groups shapes the program.
"""

from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Int

from . import _checks, _tree

LabelArray: TypeAlias = Int[np.ndarray, "..."]


def patches(
    shape: tuple[int, ...], *, size: int | tuple[int, ...]
) -> tuple[LabelArray, int]:
    """Square patches of an image, or boxes of any grid.

    Args:
        shape: Shape of the grid, such as `(height, width)`.
        size: Side of a patch, or one side per axis. The last patch of an axis is
            smaller where its length is no multiple.

    Returns:
        Labels of shape `shape`, in reading order, and how many there are.

    Raises:
        ValueError: If a side is below 1, or there is not one per axis.

    Example:
        >>> labels, n = patches((2, 4), size=2)
        >>> labels, n
        (array([[0, 0, 1, 1],
               [0, 0, 1, 1]], dtype=int32), 2)
    """
    sides = (size,) * len(shape) if isinstance(size, int) else tuple(size)
    if len(sides) != len(shape):
        raise ValueError(
            f"`size` must be one number, or one per axis of shape {tuple(shape)}, "
            f"but is {size}."
        )
    for length, side in zip(shape, sides, strict=True):
        _checks.count("shape", length)
        _checks.count("size", side)
    cells = [np.arange(a) // b for a, b in zip(shape, sides, strict=True)]
    counts = tuple(int(cell[-1]) + 1 for cell in cells)
    labels = np.ravel_multi_index(np.meshgrid(*cells, indexing="ij"), counts)
    return labels.astype(np.int32), int(np.prod(counts))


def windows(length: int, *, size: int) -> tuple[LabelArray, int]:
    """Windows of consecutive steps of a series.

    Args:
        length: Number of steps.
        size: Steps in a window. Windows are counted from the end, where the present
            is, so it is the first one that may be shorter.

    Returns:
        Labels of shape `(length,)`, in the order of time, and how many there are.

    Raises:
        ValueError: If `length` or `size` is below 1.

    Example:
        >>> windows(5, size=2)
        (array([0, 1, 1, 2, 2], dtype=int32), 3)
    """
    _checks.count("length", length)
    _checks.count("size", size)
    from_end = np.arange(length)[::-1] // size
    return (from_end[0] - from_end).astype(np.int32), int(from_end[0]) + 1


def columns(shape: tuple[int, ...]) -> tuple[LabelArray, int]:
    """One group per column: a feature of a series over all its steps.

    Args:
        shape: Shape of the input; its last axis holds the columns.

    Returns:
        Labels that broadcast to `shape`, with 1 for every axis but the last, and how
        many there are.

    Raises:
        ValueError: If an axis is below 1.

    Example:
        >>> columns((168, 3))
        (array([[0, 1, 2]], dtype=int32), 3)
    """
    for length in shape:
        _checks.count("shape", length)
    number = shape[-1]
    ones = (1,) * (len(shape) - 1)
    return np.arange(number, dtype=np.int32).reshape(*ones, number), number


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

    pixels = _pixels(image)
    labels = segmentation.quickshift(
        pixels, kernel_size=kernel_size, max_dist=max_dist, ratio=ratio, rng=0
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


def _from_zero(labels: np.ndarray) -> tuple[LabelArray, int]:
    found, labels = np.unique(labels, return_inverse=True)
    return labels.astype(np.int32), len(found)


def spread(values: ArrayLike, groups: ArrayLike) -> Array:
    """The value of each feature's group: a map of an attribution by groups.

    Every feature gets the whole value of its group, so the map sums to more than the
    values do: divide them by the sizes of the groups for a density.

    Args:
        values: One value per group, shape `(num_groups,)`.
        groups: Integer labels of any shape.

    Returns:
        Array of the shape of `groups` and the dtype of `values`, or
        floating-point where these are integers. A traced label that is
        out of range gives NaN.

    Raises:
        ValueError: If a concrete label is out of range, or `values` is no vector.

    Example:
        >>> spread(jnp.array([0.5, -1.0]), np.array([[0, 0], [1, 1]]))
        Array([[ 0.5,  0.5],
               [-1. , -1. ]], dtype=float32)
    """
    vector = jnp.asarray(values)
    if not jnp.issubdtype(vector.dtype, jnp.floating):
        vector = vector.astype(float)
    if vector.ndim != 1:
        raise ValueError(
            "`values` must have shape (num_groups,), but has shape "
            f"{vector.shape}. Map over attributions with `jax.vmap`."
        )
    _checks.label_range(groups, vector.shape[0])
    return _tree.pick(vector, groups)

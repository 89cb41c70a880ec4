"""Boxes of a grid: no image has to be looked at."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Int

from .. import _checks

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


def cells(shape: tuple[int, int], *, size: int) -> tuple[LabelArray, int]:
    """One group per window of time and channel of a series.

    Args:
        shape: Shape of the series, `(length, channels)`.
        size: Steps in a window, counted from the end as by `windows`.

    Returns:
        Labels of shape `shape`, and how many there are. Time comes first: cell
        `window * channels + channel`, so `values.reshape(-1, channels)` has one row per
        window.

    Raises:
        ValueError: If `shape` has not two axes, or a number is below 1.

    Example:
        >>> cells((3, 2), size=2)
        (array([[0, 1],
               [2, 3],
               [2, 3]], dtype=int32), 4)

    References:
        Bento et al. (2021), *TimeSHAP: Explaining Recurrent Models through Sequence
        Perturbations*, arXiv:2012.00073, on cell level explanations.
    """
    if len(shape) != 2:
        raise ValueError(
            f"`shape` must be (length, channels), but is {tuple(shape)}. For a grid "
            "with more axes, use `jaxplain.groups.patches`."
        )
    length, channels = shape
    time, num_windows = windows(length, size=size)
    _checks.count("shape", channels)
    return time[:, None] * channels + columns(shape)[0], num_windows * channels

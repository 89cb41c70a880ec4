"""Windows that slide over an array, found by their number: no table of masks."""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._axes import Sides, over_axes


class Windows(NamedTuple):
    """Boxes on the leading axes of an array, numbered in reading order.

    Attributes:
        shape: Length of each leading axis.
        sides: Side of the box along each of them.
        strides: Step from one box to the next.
        counts: How many boxes there are. The last one is cut at the border.
        rank: Number of axes of the array.
    """

    shape: tuple[int, ...]
    sides: tuple[int, ...]
    strides: tuple[int, ...]
    counts: tuple[int, ...]
    rank: int

    @property
    def number(self) -> int:
        return math.prod(self.counts)


def lay(x: Array, window: Sides, stride: Sides | None) -> Windows:
    """The windows over an array; side by side if no stride is given."""
    sides = over_axes("window", window, x)
    shape = x.shape[: len(sides)]
    strides = sides if stride is None else stride
    strides = (strides,) * len(sides) if isinstance(strides, int) else strides
    if any(side > length for side, length in zip(sides, shape)):
        raise ValueError(
            f"`window` must fit into `x`, whose leading axes are {shape}, but is "
            f"{sides}. Take a smaller one."
        )
    reaches = len(strides) == len(sides) and all(
        step <= side for step, side in zip(strides, sides)
    )
    if not reaches:
        raise ValueError(
            f"`stride` must be at most the window, {sides}, along each of its axes, "
            f"but is {strides}: no window would cover the entries between. Take a "
            "smaller one, or leave it out."
        )
    counts = tuple(
        -(-(length - side) // step) + 1
        for length, side, step in zip(shape, sides, strides)
    )
    return Windows(shape, sides, strides, counts, x.ndim)


def present(windows: Windows, i: Int[Array, ""]) -> Bool[Array, "..."]:
    """False inside of window `i`; True everywhere for the number after the last."""
    ones, place = (1,) * windows.rank, windows.number
    covered = jnp.asarray(i < windows.number).reshape(ones)
    for axis, length in enumerate(windows.shape):
        place //= windows.counts[axis]
        start = (i // place) % windows.counts[axis] * windows.strides[axis]
        step = jnp.arange(length)
        inside = (step >= start) & (step < start + windows.sides[axis])
        covered &= inside.reshape(*ones[:axis], length, *ones[axis + 1 :])
    return ~covered


def gather(windows: Windows, values: Float[Array, " number"]) -> Float[Array, "..."]:
    """The sum, at each entry, of the values of the windows that cover it."""
    values = values.reshape(windows.counts)
    for axis in range(len(windows.shape)):
        which, covers = _covering(windows, axis)
        near = jnp.take(values, which, axis)
        column = covers.reshape(*covers.shape, *(1,) * (near.ndim - axis - 2))
        # Not a product: a window that is not finite stays within its borders.
        kept = jnp.where(jnp.broadcast_to(column, near.shape), near, 0)
        values = kept.sum(axis + 1)
    return values


def cover(windows: Windows) -> np.ndarray:
    """How many windows cover each entry."""
    counts = np.ones((), int)
    for axis in range(len(windows.shape)):
        counts = np.multiply.outer(counts, _covering(windows, axis)[1].sum(1))
    return counts


def _covering(windows: Windows, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of the windows near each entry of an axis, and if they cover it."""
    length, side = windows.shape[axis], windows.sides[axis]
    step, count = windows.strides[axis], windows.counts[axis]
    entry = np.arange(length)[:, None]
    which = entry // step - np.arange(-(-side // step))
    covers = (which >= 0) & (which < count) & (entry - which * step < side)
    return np.clip(which, 0, count - 1), covers

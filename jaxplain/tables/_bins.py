"""What the training data say of each column: bins of numbers, and categories."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .. import _checks, _tree
from . import _inputs

Table: TypeAlias = Float[Array | np.ndarray, "columns bins"]


class Bins(NamedTuple):
    """The bins of every column of a table, with what lies in them.

    Columns with fewer bins than others are filled up with bins of frequency 0.

    Attributes:
        frequency: Share of the training rows in each bin, shape `(columns, bins)`.
        mean: Mean of the values in it.
        std: Standard deviation of the values in it.
        low: Its lower end: the edge that it shares with the bin below, which does not
            belong to it, or the least value of the column.
        high: Its upper end: an edge, which belongs to it, or the largest value.
        categorical: Which columns hold categories, shape `(columns,)`. A category is a
            bin of width 0.
    """

    frequency: Table
    mean: Table
    std: Table
    low: Table
    high: Table
    categorical: Bool[Array | np.ndarray, " columns"]


class _Column(NamedTuple):
    """The bins of one column, from low to high."""

    frequency: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray


def quantiles(
    training: Any, *, num_bins: int = 4, categorical: Sequence[int] = ()
) -> Bins:
    """Cut each column of a table into bins that hold about as many rows each.

    The bin of a value $x$ is the one with `low < x <= high`; values beyond the training
    data belong to the first or the last. Quantiles that coincide, and bins that would
    be empty, make one bin. A column that never changes has a single bin.

    Runs on the host: the number of bins shapes the program.

    Args:
        training: Concrete table of shape `(rows, columns)`.
        num_bins: Number of bins of a column, 4 for quartiles.
        categorical: The columns that hold categories, as any numbers. Each category
            that occurs is a bin of its own.

    Returns:
        The `Bins`, in float64. They are a pytree: a constant of a compiled program, or
        one of its arguments.

    Raises:
        ValueError: If the table is traced, empty, not of rank 2 or not finite,
            `num_bins` is below 2, or `categorical` names a column that is not there.
        TypeError: If the table does not hold numbers.

    Example:
        >>> table = np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 9.0], [4.0, 7.0]])
        >>> bins = quantiles(table, num_bins=2, categorical=(1,))
        >>> bins.high
        array([[2.5, 4. ],
               [7. , 9. ]])
        >>> bins.frequency
        array([[0.5 , 0.5 ],
               [0.75, 0.25]])

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938; the quartiles are those of its `lime` package.
    """
    table = _inputs.training(training)
    _checks.count("num_bins", num_bins, 2)
    flags = np.zeros(table.shape[1], bool)
    flags[_inputs.columns("categorical", categorical, table.shape[1])] = True
    found = [
        _categories(column) if flag else _quantiles(column, num_bins)
        for column, flag in zip(table.T, flags, strict=True)
    ]
    most = max(len(column.high) for column in found)
    # What is not there has no mass, and lies above every value.
    fill = _Column(*map(np.array, (0.0, 0.0, 0.0, np.inf, np.inf)))
    frequency, mean, std, low, high = (
        np.stack([_pad(field, most, value) for field in fields])
        for fields, value in zip(zip(*found), fill, strict=True)
    )
    return Bins(frequency, mean, std, low, high, flags)


def _pad(values: np.ndarray, length: int, fill: Any) -> np.ndarray:
    return np.concatenate([values, np.full(length - len(values), fill)])


def _quantiles(column: np.ndarray, num_bins: int) -> _Column:
    shares = np.arange(1, num_bins) / num_bins
    edges = np.unique(np.quantile(column, shares))
    occupied = np.unique(np.searchsorted(edges, column))
    edges = edges[occupied[:-1]]
    place = np.searchsorted(edges, column)
    members = [column[place == k] for k in range(len(edges) + 1)]
    same = [values.min() == values.max() for values in members]
    return _Column(
        np.array([len(values) / len(column) for values in members]),
        # The mean of equal numbers is one of them only up to rounding.
        np.array([v[0] if s else v.mean() for v, s in zip(members, same)]),
        np.array([0.0 if s else v.std() for v, s in zip(members, same)]),
        np.append(column.min(), edges),
        np.append(edges, column.max()),
    )


def _categories(column: np.ndarray) -> _Column:
    values, counts = np.unique(column, return_counts=True)
    nothing = np.zeros(len(values))
    return _Column(counts / len(column), values, nothing, values, values)


def moments(
    bins: Bins,
) -> tuple[Float[Array, " columns"], Float[Array, " columns"]]:
    """The mean and the standard deviation of each column of the training data.

    Categories have no scale: theirs are 0 and 1. Where the bins are concrete, sums are
    in float64, with or without the 64 bits of JAX.

    Args:
        bins: Bins of the columns, from `quantiles`.

    Returns:
        `(mean, std)`, each of shape `(columns,)`.

    Example:
        >>> moments(quantiles(np.array([[1.0], [2.0], [3.0], [4.0]])))
        (Array([2.5], dtype=float32), Array([1.118034], dtype=float32))
    """
    traced = any(map(_checks.is_traced, bins))
    dtype = jnp.asarray(bins.mean).dtype
    xp, wide = (jnp, _tree.accumulator(dtype)) if traced else (np, np.float64)
    share, mean, std = (
        xp.asarray(field).astype(wide)
        for field in (bins.frequency, bins.mean, bins.std)
    )
    # Differences first, and squares of ratios: what is far from zero would cancel, and
    # what is large overflow.
    off = xp.where(share > 0, mean - mean[:, :1], 0)
    shift = (share * off).sum(1)
    off = xp.where(share > 0, off - shift[:, None], 0)
    unit = xp.maximum(xp.abs(off), std).max(1)
    scale = xp.where(unit > 0, unit, 1)[:, None]
    ratios = (share * ((std / scale) ** 2 + (off / scale) ** 2)).sum(1)
    categorical = xp.asarray(bins.categorical)
    return (
        jnp.asarray(xp.where(categorical, 0, mean[:, 0] + shift), dtype),
        jnp.asarray(xp.where(categorical, 1, unit * xp.sqrt(ratios)), dtype),
    )


def number_of(bins: Bins) -> Int[Array, " columns"]:
    """How many bins each column has."""
    return (jnp.asarray(bins.frequency) > 0).sum(1)


def at(field: Table, place: Int[Array, " columns"], dtype: Any) -> Array:
    """The entry of each column for its bin."""
    return jnp.take_along_axis(jnp.asarray(field, dtype), place[:, None], 1)[:, 0]


def place_of(
    bins: Bins, row: Float[Array, " columns"]
) -> tuple[Int[Array, " columns"], Bool[Array, " columns"]]:
    """The bin of each value of a row, and whether it has one.

    NaN has none, nor has a category that the training data lack.
    """
    below = (jnp.asarray(bins.high, row.dtype) < row[:, None]).sum(1)
    place = jnp.minimum(below, number_of(bins) - 1).astype(jnp.int32)
    same = at(bins.high, place, row.dtype) == row
    return place, (same | ~jnp.asarray(bins.categorical)) & ~jnp.isnan(row)

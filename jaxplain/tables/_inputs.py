"""What a table, a row and its bins must be."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _checks, _tree


def training(value: Any) -> Float[np.ndarray, "rows columns"]:
    """A table to learn from, in float64."""
    if _checks.is_traced(value):
        raise ValueError(
            "`training` must be concrete, but is traced: bins are found on the host, "
            "and their number shapes the program. Find them outside `jax.jit` and "
            "`jax.vmap`, and pass them in as `bins`."
        )
    found = np.asarray(value)
    real("training", found.dtype)
    # Narrow floats of JAX are no numbers to NumPy, but to JAX they are.
    if not (found.dtype == bool or jnp.issubdtype(found.dtype, jnp.number)):
        raise TypeError(
            f"`training` must hold numbers, but holds {found.dtype}. Number the "
            "categories of a column, for example with "
            "`numpy.unique(column, return_inverse=True)[1]`."
        )
    if found.ndim != 2 or 0 in found.shape:
        raise ValueError(
            "`training` must have shape (rows, columns), with at least one of each, "
            f"but has shape {found.shape}. Stack the rows with `numpy.stack`."
        )
    table = found.astype(np.float64)
    finite = np.isfinite(table)
    if not finite.all():
        raise ValueError(
            f"`training` must be finite, but {int((~finite).sum())} of its values are "
            f"not, in columns {np.flatnonzero(~finite.all(0)).tolist()}. Fill them, or "
            "leave out their rows."
        )
    return table


def real(name: str, dtype: Any) -> None:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError(
            f"`{name}` must hold real numbers, but holds {dtype}. Make two columns of "
            "the real and the imaginary part."
        )


def columns(name: str, value: Sequence[int], number: int) -> np.ndarray:
    """Numbers of columns of a table."""
    found = np.asarray(value)
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise TypeError(
            f"`{name}` must hold the numbers of columns, but holds {found.dtype}. "
            "`numpy.flatnonzero` turns flags into numbers."
        )
    if found.ndim != 1 or np.any((found < 0) | (found >= number)):
        raise ValueError(
            f"`{name}` must list columns from 0 to {number - 1}, but is {value}. "
            f"Pass a list such as `{name}=[0]`."
        )
    return found.astype(int)


def row_of(bins: Any, row: Any) -> Float[Array, " columns"]:
    """A row of numbers, with a column for every column of the bins."""
    if bins is None:
        raise TypeError(
            "`bins` is missing: say what the columns of the training data hold, for "
            "example `bins=jaxplain.tables.quantiles(training)`."
        )
    if not (hasattr(bins, "frequency") and hasattr(bins, "categorical")):
        raise TypeError(
            f"`bins` must be the bins of a table, but is {type(bins).__name__}. Make "
            "them with `jaxplain.tables.quantiles(training)`."
        )
    number = jnp.shape(bins.frequency)[0]
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(row)]
    if jax.tree.structure(row) != jax.tree.structure(0) or shapes != [(number,)]:
        raise ValueError(
            f"`row` must be one array of shape ({number},), as `bins` has {number} "
            f"columns, but has {_plural(shapes)}. Pass one row, in the columns of the "
            "training data; map over rows with `jax.vmap`."
        )
    if not jnp.issubdtype(row.dtype, jnp.floating):
        raise TypeError(
            f"`row` must be floating-point, but is {_checks.describe(row)}. Convert "
            "the table with `.astype(numpy.float32)`, categories too."
        )
    return jnp.asarray(row)


def _plural(shapes: list[tuple[int, ...]]) -> str:
    return f"shape {shapes[0]}" if len(shapes) == 1 else f"shapes {shapes}"


def written(category: Any) -> str:
    """A category in the digits that tell it from all others of its dtype."""
    whole = float(category).is_integer() and abs(float(category)) < 1e15
    return str(int(category)) if whole else str(category)


def seen(bins: Any, row: Array, known: Array) -> None:
    """Every category of a row is one of the training data, where that can be read."""
    if any(map(_checks.is_traced, (row, known, *bins))):
        return
    unseen = np.asarray(~known & ~jnp.isnan(row))
    if unseen.any():
        j = int(np.flatnonzero(unseen)[0])
        found = np.asarray(bins.high)[j]
        there = ", ".join(map(written, found[np.isfinite(found)][:8]))
        raise ValueError(
            f"`row` must hold categories of the training data, but column {j} is "
            f"{written(np.asarray(row)[j])} and its categories are {there}. Encode the "
            "row as the training data, or train with rows of that category."
        )


def wide(row: Array) -> Array:
    """The row in the precision to compare and to sum in."""
    return row.astype(_tree.accumulator(row.dtype))

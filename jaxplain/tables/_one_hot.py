"""One-hot columns that are one feature."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks
from .._types import ScalarFn, Ts
from . import _inputs


class OneHot(NamedTuple):
    """Which columns of a table are the categories of one feature.

    A compiled function must close over it: it shapes the program.

    Attributes:
        labels: The feature of each column, ready for `groups=`.
        num_groups: How many features there are, ready for `num_groups=`.
        categorical: The features that were blocks, ready for `quantiles`.
    """

    labels: Int[np.ndarray, " columns"]
    num_groups: int
    categorical: tuple[int, ...]


def one_hot(num_columns: int, *, blocks: Sequence[Sequence[int]]) -> OneHot:
    """Make a feature of each block of one-hot columns, and of every other column.

    Features are numbered by their first column.

    Args:
        num_columns: Number of columns of the table.
        blocks: The columns of each block, at least two, such as `[range(2, 6)]`.

    Returns:
        The `OneHot` layout. Its labels group the columns for any explainer of groups.

    Raises:
        ValueError: If a block is too short or names a column that is not there, or two
            blocks share a column.
        TypeError: If `blocks` is one flat list, or holds anything but integers.

    Example:
        >>> columns = one_hot(5, blocks=[range(1, 4)])
        >>> columns.labels, columns.num_groups, columns.categorical
        (array([0, 1, 1, 1, 2], dtype=int32), 3, (1,))
    """
    _checks.count("num_columns", num_columns)
    first = np.arange(num_columns)
    taken = np.zeros(num_columns, int)
    for block in blocks:
        if np.ndim(block) == 0 and not isinstance(block, Iterable):
            raise TypeError(
                "`blocks` must hold the columns of each block, but holds "
                f"{_checks.describe(block)}. Pass a list of lists, such as "
                "`blocks=[[2, 3, 4]]` for a single block."
            )
        columns = _inputs.columns("blocks", list(block), num_columns)
        if len(columns) < 2:
            raise ValueError(
                f"`blocks` must hold at least two columns each, but one is "
                f"{list(block)}. Leave a column that stands alone out of the blocks."
            )
        first[columns] = columns.min()
        np.add.at(taken, columns, 1)
    if taken.max() > 1:
        raise ValueError(
            "`blocks` must not share columns, but columns "
            f"{np.flatnonzero(taken > 1).tolist()} are listed more than once. List "
            "each column in one block."
        )
    found, labels = np.unique(first, return_inverse=True)
    number = len(found)
    categorical = tuple(np.flatnonzero(np.bincount(labels, taken) > 0).tolist())
    return OneHot(labels.astype(np.int32), number, categorical)


def encode(rows: ArrayLike, layout: OneHot) -> Float[Array, "*rows features"]:
    """Replace each block of one-hot columns by the number of its category.

    A block that is not one-hot raises where it can be read; where it is traced, its
    category is NaN. Categories are numbered from 0, in the order of the columns.

    Args:
        rows: A row, or any array of them, with the columns last.
        layout: What `one_hot` returned.

    Returns:
        Rows of one number per feature, in the dtype of `rows`; integers become floats.

    Raises:
        ValueError: If there are not as many columns as labels, a concrete block is not
            one-hot, or a block has more columns than `rows` can count in their dtype.
        TypeError: If `rows` are complex, or `layout` is no `OneHot` or traced.

    Example:
        >>> columns = one_hot(4, blocks=[range(1, 4)])
        >>> encode(jnp.array([0.5, 0.0, 0.0, 1.0]), columns)
        Array([0.5, 2. ], dtype=float32)
    """
    _concrete(layout)
    x = _rows(rows, len(layout.labels), "label")
    _countable(x, layout)
    features = []
    for j in range(layout.num_groups):
        block = x[..., np.flatnonzero(layout.labels == j)]
        if j in layout.categorical:
            features.append(_category(block, np.flatnonzero(layout.labels == j)))
        else:
            features.append(block[..., 0])
    return jnp.stack(features, -1)


def _category(block: Array, columns: np.ndarray) -> Array:
    valid = ((block == 0) | (block == 1)).all(-1) & ((block == 1).sum(-1) == 1)
    if not _checks.is_traced(valid) and not np.asarray(valid).all():
        raise ValueError(
            f"`rows` must hold a single 1 and otherwise 0 in columns "
            f"{columns.tolist()}, but {int((~np.asarray(valid)).sum())} of the rows do "
            "not. Add a column for a category that was dropped, and scale columns "
            "inside of `f`."
        )
    return jnp.where(valid, block.argmax(-1).astype(block.dtype), jnp.nan)


def decode(rows: ArrayLike, layout: OneHot) -> Float[Array, "*rows columns"]:
    """Replace the number of a category by its one-hot columns.

    The inverse of `encode`. A number that is no category gives a block of zeros.

    Args:
        rows: A row, or any array of them, with one number per feature last.
        layout: What `one_hot` returned.

    Returns:
        Rows of all columns, in the dtype of `rows`; integers become floats.

    Raises:
        ValueError: If there are not as many numbers as features, or a block has more
            columns than `rows` can count in their dtype.
        TypeError: If `rows` are complex, or `layout` is no `OneHot` or traced.

    Example:
        >>> columns = one_hot(4, blocks=[range(1, 4)])
        >>> decode(jnp.array([0.5, 2.0]), columns)
        Array([0.5, 0. , 0. , 1. ], dtype=float32)
    """
    _concrete(layout)
    x = _rows(rows, layout.num_groups, "feature")
    _countable(x, layout)
    labels = np.asarray(layout.labels)
    # Of each column, how many of its feature come before it.
    order = np.array([np.sum(labels[:k] == label) for k, label in enumerate(labels)])
    is_block = np.isin(labels, layout.categorical)
    wide = (1,) * (x.ndim - 1) + (len(labels),)
    values = x[..., labels]
    category = jnp.asarray(order, x.dtype).reshape(wide)
    ones = (values == category).astype(x.dtype)
    return jnp.where(jnp.asarray(is_block).reshape(wide), ones, values)


def _rows(rows: ArrayLike, number: int, what: str) -> Array:
    x = jnp.asarray(rows)
    _inputs.real("rows", x.dtype)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(float)
    if x.ndim == 0 or x.shape[-1] != number:
        raise ValueError(
            f"`rows` must have one entry per {what} along the last axis, {number}, but "
            f"has shape {x.shape}. Pass the `OneHot` that was made for these columns."
        )
    return x


def _concrete(layout: OneHot) -> None:
    if not isinstance(layout, OneHot):
        raise TypeError(
            f"`layout` must be a `OneHot`, but is {_checks.describe(layout)}. Make it "
            "with `jaxplain.tables.one_hot`."
        )
    if any(map(_checks.is_traced, jax.tree.leaves(layout))):
        raise TypeError(
            "`layout` must be concrete, but is traced: it shapes the program. Close "
            "over it, for example `jax.jit(lambda rows: decode(rows, layout))`."
        )


def _countable(rows: Array, layout: OneHot) -> None:
    """The numbers of categories are exact in the dtype of the rows."""
    longest = np.bincount(np.asarray(layout.labels)).max()
    most = 2 ** (jnp.finfo(rows.dtype).nmant + 1) + 1
    if longest > most:
        raise ValueError(
            f"`rows` in {rows.dtype} must have blocks of at most {most} columns, to "
            f"number their categories, but one has {longest}. Use float32 rows."
        )


def on_codes(
    f: ScalarFn[Array, *Ts], layout: OneHot
) -> Callable[..., Float[Array, ""]]:
    r"""The function of encoded rows: one number per feature, and a block is a feature.

    $$f'(c) = f(\mathrm{decode}(c))$$

    Args:
        f: Function of a row with one-hot columns: `f(row, *args)`.
        layout: What `one_hot` returned.

    Returns:
        `f(codes, *args)`, for `lime` and for everything else that takes a function.

    Raises:
        TypeError: If `layout` is no `OneHot`, or traced.

    Example:
        >>> columns = one_hot(4, blocks=[range(1, 4)])
        >>> g = on_codes(lambda row: row @ jnp.array([1.0, 10.0, 20.0, 30.0]), columns)
        >>> g(jnp.array([0.5, 2.0]))
        Array(30.5, dtype=float32)
    """

    _concrete(layout)

    def coded(codes: Any, /, *args: *Ts) -> Any:
        return f(decode(codes, layout), *args)

    return coded

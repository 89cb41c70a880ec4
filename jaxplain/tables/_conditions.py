"""The bins of a row in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from .. import _checks
from . import _inputs
from ._bins import Bins, number_of, place_of


def conditions(
    bins: Bins,
    row: Any,
    names: Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | None = None,
    categories: Mapping[str, Sequence[str] | Mapping[Any, str]] | None = None,
    decimals: int = 2,
) -> list[str]:
    """What each weight of `lime` is about: the bin of every value of a row, in words.

    A column shows more decimals than asked for where its edges would look alike, and
    exponents where its largest edge is below 1e-4, or 1e15 and more.

    Args:
        bins: Bins of the columns, from `quantiles`.
        row: Concrete row of shape `(columns,)`, of numbers of any kind.
        names: Name of each column; `x0`, `x1` ... by default.
        units: Unit of a column, by its name.
        categories: Names of the categories of a column, by its name: a list, for the
            numbers 0, 1 ..., or a mapping from numbers, as the training data hold them.
        decimals: Digits after the point; zeros at the end are left out.

    Returns:
        One condition per column.

    Raises:
        ValueError: If the row is traced, or has not the columns of the bins, or a
            category has no name or is not in the training data, or a name is unknown or
            stands for several columns, or `categories` are given for numbers.
        TypeError: If `names` is one string, or `decimals` is no integer.

    Example:
        >>> table = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [4.0, 0.0]])
        >>> bins = jx.tables.quantiles(table, categorical=(1,))
        >>> row = jnp.array([2.0, 0.0])
        >>> words = {"units": {"t": "°C"}, "categories": {"sky": ["clear", "rain"]}}
        >>> conditions(bins, row, ["t", "sky"], **words)
        ['1.75 < t <= 2.5 °C', 'sky = clear']
    """
    if any(map(_checks.is_traced, (row, *bins))):
        raise ValueError(
            "`row` and `bins` must be concrete, but are traced: words are for readers. "
            "Call `conditions` outside `jax.jit` and `jax.vmap`."
        )
    _checks.count("decimals", decimals, 0)
    if getattr(row, "dtype", np.dtype(float)).kind in "biu":
        row = row.astype(float)
    row = _inputs.row_of(bins, row)
    wide = _inputs.wide(row)
    place, known = place_of(bins, wide)
    _inputs.seen(bins, row, known)
    names = _names(names, len(row))
    units, categories = units or {}, categories or {}
    _known("units", units, names)
    _known("categories", categories, names)
    flags, high = np.asarray(bins.categorical), np.asarray(bins.high)
    _named_categories(categories, names, flags)
    places, counts = np.asarray(place), np.asarray(number_of(bins))
    words = []
    for j, name in enumerate(names):
        unit = f" {units[name]}" if name in units else ""
        if bool(jnp.isnan(row[j])):
            words.append(f"{name} is missing")
        elif flags[j]:
            # Of the bins, for the row may have less precision.
            category = _category(high[j, places[j]], name, categories)
            words.append(f"{name} = {category}{unit}")
        else:
            edges = high[j, : counts[j] - 1].astype(float)
            words.append(_interval(name, edges, places[j], decimals) + unit)
    return words


def _interval(name: str, edges: np.ndarray, place: int, decimals: int) -> str:
    """The bin between two edges; the first and the last are open."""
    if not len(edges):
        return f"any {name}"
    printed = _printed(edges, decimals)
    if place == 0:
        return f"{name} <= {printed[0]}"
    if place == len(edges):
        return f"{name} > {printed[-1]}"
    return f"{printed[place - 1]} < {name} <= {printed[place]}"


def _printed(edges: np.ndarray, decimals: int) -> list[str]:
    """The edges of a column, with the digits that tell them apart."""
    largest = np.abs(edges).max()
    printed = []
    for kind in "fe" if largest == 0 or 1e-4 <= largest < 1e15 else "e":
        for digits in range(decimals, max(decimals, 17) + 1):
            printed = [_number(edge, f".{digits}{kind}") for edge in edges]
            if len(set(printed)) == len(edges):
                return printed
    return printed


def _number(value: float, form: str) -> str:
    digits, exponent, power = f"{value:{form}}".partition("e")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return ("0" if digits == "-0" else digits) + exponent + power


def _category(code: Any, name: str, categories: Mapping[str, Any]) -> str:
    if name not in categories:
        return _inputs.written(code)
    given = categories[name]
    table: dict[float, str] = dict(
        given if isinstance(given, Mapping) else enumerate(given)
    )
    if float(code) not in table:
        raise ValueError(
            "`categories` must name every category, but has none for "
            f"{_inputs.written(code)} of {name!r}. Pass a list for the numbers 0, 1 "
            "..., or a mapping."
        )
    return table[float(code)]


def _names(names: Sequence[str] | None, number: int) -> list[str]:
    if names is None:
        return [f"x{j}" for j in range(number)]
    if isinstance(names, str):
        raise TypeError(
            f"`names` must list one name per column, but is the string {names!r}. Pass "
            f"a list, such as `names=[{names!r}]`."
        )
    if len(names) != number:
        raise ValueError(
            f"`names` must hold one name per column, {number}, but holds {len(names)}. "
            "Name the columns in their order."
        )
    return list(names)


def _known(what: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Each key is the name of a column, and of one only."""
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(
            f"`{what}` must be by names of columns, but has {', '.join(unknown)}. The "
            f"columns are {', '.join(names)}."
        )
    several = [name for name in given if list(names).count(name) > 1]
    if several:
        raise ValueError(
            f"`{what}` must be by names of single columns, but several are called "
            f"{several[0]!r}. Give each column a name of its own."
        )


def _named_categories(
    categories: Mapping[str, Any], names: Sequence[str], flags: np.ndarray
) -> None:
    """Names are for columns that the bins hold as categories."""
    for name in categories:
        j = names.index(name)
        if not flags[j]:
            raise ValueError(
                "`categories` must be of columns of categories, but the bins hold "
                f"{name!r} as numbers. Make them with `quantiles(training, "
                f"categorical=[{j}])`."
            )

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

    A column shows more decimals than asked for where its edges would look alike.

    Args:
        bins: Bins of the columns, from `quantiles`.
        row: Concrete row of shape `(columns,)`.
        names: Name of each column; `x0`, `x1` ... by default.
        units: Unit of a column, by its name.
        categories: Names of the categories of a column, by its name: a list, for the
            numbers 0, 1 ..., or a mapping from numbers.
        decimals: Digits after the point; zeros at the end are left out.

    Returns:
        One condition per column.

    Raises:
        ValueError: If the row is traced, or has not the columns of the bins, or a
            category has no name or is not in the training data, or a name is unknown.

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
    row = _inputs.row_of(bins, row)
    wide = _inputs.wide(row)
    place, known = place_of(bins, wide)
    _inputs.seen(bins, row, known)
    number = len(row)
    names = [f"x{j}" for j in range(number)] if names is None else list(names)
    if len(names) != number:
        raise ValueError(
            f"`names` must hold one name per column, {number}, but holds {len(names)}. "
            "Name the columns in their order."
        )
    units, categories = units or {}, categories or {}
    _known("units", units, names)
    _known("categories", categories, names)
    places, counts = np.asarray(place), np.asarray(number_of(bins))
    words = []
    for j, name in enumerate(names):
        unit = f" {units[name]}" if name in units else ""
        edges = np.asarray(bins.high)[j, : counts[j]]
        if bool(jnp.isnan(row[j])):
            words.append(f"{name} is missing")
        elif np.asarray(bins.categorical)[j]:
            words.append(f"{name} = {_category(float(row[j]), name, categories)}{unit}")
        else:
            words.append(_interval(name, edges[:-1], places[j], decimals) + unit)
    return words


def _interval(name: str, edges: np.ndarray, place: int, decimals: int) -> str:
    """The bin between two edges; the first and the last are open."""
    if not len(edges):
        return f"any {name}"
    while decimals < 17 and len(set(np.round(edges, decimals))) < len(edges):
        decimals += 1
    low, high = (
        _number(edges[k], decimals)
        for k in (max(place - 1, 0), min(place, len(edges) - 1))
    )
    if place == 0:
        return f"{name} <= {high}"
    if place == len(edges):
        return f"{name} > {low}"
    return f"{low} < {name} <= {high}"


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _category(code: float, name: str, categories: Mapping[str, Any]) -> str:
    if name not in categories:
        return f"{code:g}"
    given = categories[name]
    table: dict[float, str] = dict(
        given if isinstance(given, Mapping) else enumerate(given)
    )
    if code not in table:
        raise ValueError(
            f"`categories` must name every category, but has none for {code:g} of "
            f"{name!r}. Pass a list for the numbers 0, 1 ..., or a mapping."
        )
    return table[code]


def _known(what: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(
            f"`{what}` must be by names of columns, but has {', '.join(unknown)}. The "
            f"columns are {', '.join(names)}."
        )

"""Rows of a data set, and the features of a row."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PyTree

from .. import _checks

Feature: TypeAlias = Any
"""The column of an array or a vector of them; the key of a dict or a tuple of keys."""


def rows_of(rows: PyTree) -> tuple[PyTree, int]:
    """The rows as arrays, and how many there are."""
    try:
        rows = jax.tree.map(jnp.asarray, rows)
    except TypeError:
        raise TypeError(
            "`rows` must hold numbers, but holds "
            f"{', '.join(sorted({_kind(leaf) for leaf in jax.tree.leaves(rows)}))}. "
            "Code categories as integers or as columns of 0 and 1."
        ) from None
    lengths = {leaf.shape[:1] for leaf in jax.tree.leaves(rows)}
    if len(lengths) != 1 or lengths <= {(), (0,)}:
        raise ValueError(
            "`rows` must have the rows of a data set along the first axis of every "
            f"leaf, but is {jax.tree.map(_checks.show, rows)}. Stack the rows with "
            "`jax.numpy.stack`; a single one is `row[None]`."
        )
    return rows, lengths.pop()[0]


def table_of(rows: PyTree) -> tuple[PyTree, int]:
    """Rows that have columns or names."""
    rows, n = rows_of(rows)
    if not isinstance(rows, dict) and getattr(rows, "ndim", 0) < 2:
        raise ValueError(
            "`rows` must be one array of shape (n, columns), or a dict of arrays, but "
            f"is {jax.tree.map(_checks.show, rows)}. Put them in a dict, and take it "
            "apart in `f`."
        )
    return rows, n


def _kind(leaf: Any) -> str:
    return str(getattr(leaf, "dtype", type(leaf).__name__))


def row(rows: PyTree, i: Any) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[i], rows)


def get(rows: PyTree, feature: Feature) -> Array:
    """The values of a feature in every row: shape `(n, *shape of the feature)`."""
    if not isinstance(rows, dict):
        return rows[:, feature]
    if isinstance(feature, tuple):
        return jnp.stack([rows[name] for name in feature], -1)
    return rows[feature]


def put(one: PyTree, feature: Feature, value: Array) -> PyTree:
    """A row, with another value of a feature."""
    if not isinstance(one, dict):
        return one.at[feature].set(value)
    if isinstance(feature, tuple):
        return {**one, **{name: value[k] for k, name in enumerate(feature)}}
    return {**one, feature: value}


def masks(rows: PyTree, features: Sequence[Feature]) -> PyTree:
    """Which entries of a row are those of each feature."""
    p = len(features)
    if isinstance(rows, dict):
        sets = [set(_parts(feature)) for feature in features]
        spread = lambda key: (
            lambda leaf: _spread(
                jnp.asarray([key in names for names in sets]), (p, *leaf.shape[1:])
            )
        )
        return {key: jax.tree.map(spread(key), part) for key, part in rows.items()}
    owners = np.repeat(np.arange(p), [np.size(feature) for feature in features])
    nothing = jnp.zeros((p, rows.shape[1]), bool)
    chosen = nothing.at[owners, _columns(features)].set(True)
    return _spread(chosen, (p, *rows.shape[1:]))


def _spread(chosen: Bool[Array, "..."], shape: tuple[int, ...]) -> Bool[Array, "..."]:
    below = (1,) * (len(shape) - chosen.ndim)
    return jnp.broadcast_to(chosen.reshape(*chosen.shape, *below), shape)


def known(features: Sequence[Feature], rows: PyTree) -> Bool[Array, ""] | bool:
    """Do features whose columns no check could see name columns, and each once?"""
    if isinstance(rows, dict) or readable(features):
        return True
    columns = _columns(features)
    found = jnp.zeros(rows.shape[1], bool).at[columns].set(True)
    return found.sum() == len(columns)


def _columns(features: Sequence[Feature]) -> Array | np.ndarray:
    join = np if readable(features) else jnp
    return join.concatenate([join.ravel(feature) for feature in features])


def _parts(feature: Feature) -> tuple[Any, ...]:
    return feature if isinstance(feature, tuple) else (feature,)


def twice(features: Sequence[Feature], rows: PyTree) -> str | None:
    """A column or name that is there more than once, where that can be seen."""
    if isinstance(rows, dict):
        seen = [repr(name) for feature in features for name in _parts(feature)]
    else:
        read = [np.ravel(feature) for feature in features if readable(feature)]
        seen = [f"column {i % rows.shape[1]}" for part in read for i in part]
    return next((part for part, times in Counter(seen).items() if times > 1), None)


def readable(value: Any) -> bool:
    """Can all of a value be read while tracing?"""
    return not any(map(_checks.is_traced, jax.tree.leaves(value)))


def on_host(value: Any) -> np.ndarray:
    """As an array of NumPy; of objects if it is no array, and then no numbers."""
    try:
        return np.asarray(value)
    except ValueError:  # lists of several lengths
        return np.asarray(value, object)


def feature_of(value: Any, rows: PyTree) -> Feature:
    """A feature that the rows have: one name or index, or several."""
    if value is None:
        raise TypeError(
            "`feature` is missing: pass a column, for example `feature=0`, or several "
            "as one feature, `feature=[3, 4, 5]`."
        )
    several = isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0
    if several and len(value) == 0:
        first = next(iter(rows)) if isinstance(rows, dict) else 0
        raise ValueError(
            f"`feature` must be at least one column or name, but is {value!r}. Pass "
            f"one, for example `feature={first!r}`."
        )
    feature = (_names if isinstance(rows, dict) else _indices)(value, rows)
    part = twice([feature], rows)
    if part is not None:
        raise ValueError(
            f"`feature` must name each part once, but {value!r} has {part} twice. "
            "Leave it out once."
        )
    return feature


def _indices(value: Any, rows: Any) -> Array | np.ndarray:
    index = _array(value)
    if not jnp.issubdtype(index.dtype, jnp.integer) or index.ndim > 1:
        raise TypeError(
            "`feature` must be the number of a column, or a list of them, but is "
            f"{value!r}. Names are for rows in a dict."
        )
    width = rows.shape[1]
    if isinstance(index, np.ndarray) and np.any((index < -width) | (index >= width)):
        raise ValueError(
            f"`feature` must be a column from 0 to {width - 1}, but is {value!r}. "
            f"The rows are {_checks.show(rows)}."
        )
    return index.astype(np.int32)


def _array(value: Any) -> Array | np.ndarray:
    """Of NumPy if all of it can be read."""
    if readable(value):
        return on_host(value)
    several = isinstance(value, list | tuple)
    return jnp.stack([*map(jnp.asarray, value)]) if several else value


def _names(value: Any, rows: dict[Any, Any]) -> Feature:
    names = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    several = isinstance(names, list | tuple)
    for name in names if several else [names]:
        if not _is_key(name, rows):
            raise ValueError(
                f"`feature` must be one of {', '.join(map(repr, rows))}, but is "
                f"{name!r}. Rows in a dict have features by name."
            )
        if not hasattr(rows[name], "ndim"):
            raise ValueError(
                f"`feature` must be one array, but {name!r} is "
                f"{jax.tree.map(_checks.show, rows[name])}. Give each of its arrays a "
                "name of its own, and put them together in `f`."
            )
        if several and rows[name].ndim != 1:
            raise ValueError(
                "several names make one feature if each is one number per row, but "
                f"{name!r} is {_checks.show(rows[name])}. Name it alone."
            )
    return tuple(names) if several else names


def _is_key(name: Any, rows: dict[Any, Any]) -> bool:
    try:
        return name in rows
    except TypeError:  # what has no hash is no key
        return False

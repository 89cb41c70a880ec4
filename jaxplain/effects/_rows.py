"""Rows of a data set, and the features of a row."""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PyTree

from .. import _checks

Feature: TypeAlias = Any
"""A column of an array or a key of a dict; or a sequence of those: one feature."""


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


def _kind(leaf: Any) -> str:
    return str(getattr(leaf, "dtype", type(leaf).__name__))


def row(rows: PyTree, i: Any) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[i], rows)


def get(rows: PyTree, feature: Feature) -> Array:
    """The values of a feature in every row: shape `(n, *shape of the feature)`."""
    if isinstance(rows, dict):
        if isinstance(feature, str):
            return rows[feature]
        return jnp.stack([rows[name] for name in feature], -1)
    return rows[:, feature]


def put(one: PyTree, feature: Feature, value: Array) -> PyTree:
    """A row, with another value of a feature."""
    if isinstance(one, dict):
        if isinstance(feature, str):
            return {**one, feature: value}
        return {**one, **{name: value[k] for k, name in enumerate(feature)}}
    return one.at[feature].set(value)


def mask(rows: PyTree, feature: Feature) -> PyTree:
    """Which entries of a row are those of a feature."""
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape[1:], bool), rows)
    if isinstance(rows, dict):
        names = [feature] if isinstance(feature, str) else feature
        return {**nothing, **{k: jnp.ones_like(nothing[k]) for k in names}}
    return nothing.at[feature].set(True)


def feature_of(value: Any, rows: PyTree) -> Feature:
    """A feature that the rows have: one name or index, or several."""
    if value is None:
        raise TypeError(
            "`feature` is missing: pass a column, for example `feature=0`, or several "
            "as one feature, `feature=[3, 4, 5]`."
        )
    if isinstance(rows, dict):
        return _names(value, rows)
    if not hasattr(rows, "ndim") or rows.ndim < 2:
        raise ValueError(
            "`rows` must be one array of shape (n, columns), or a dict of arrays, but "
            f"is {jax.tree.map(_checks.show, rows)}. Put them in a dict, and take it "
            "apart in `f`."
        )
    index = _array(value) if isinstance(value, list | tuple) else value
    if not jnp.issubdtype(jnp.result_type(index), jnp.integer) or jnp.ndim(index) > 1:
        raise TypeError(
            "`feature` must be the number of a column, or a list of them, but is "
            f"{value!r}. Names are for rows in a dict."
        )
    width = rows.shape[1]
    if not _checks.is_traced(index):
        index = np.asarray(index)
        if np.any((index < -width) | (index >= width)) or index.size == 0:
            raise ValueError(
                f"`feature` must be a column from 0 to {width - 1}, but is {value!r}. "
                f"The rows are {_checks.show(rows)}."
            )
    return jnp.asarray(index, jnp.int32)


def _array(columns: Any) -> Any:
    """A list as an array; of NumPy if its numbers can be read."""
    traced = any(map(_checks.is_traced, columns))
    return jnp.stack([*map(jnp.asarray, columns)]) if traced else np.asarray(columns)


def _names(value: Any, rows: dict[str, Any]) -> str | tuple[str, ...]:
    several = isinstance(value, list | tuple)
    names: tuple[Any, ...] = tuple(value) if several else (value,)
    for name in names:
        if name not in rows:
            raise ValueError(
                f"`feature` must be one of {', '.join(map(repr, rows))}, but is "
                f"{name!r}. Rows in a dict have features by name."
            )
        if several and rows[name].ndim != 1:
            raise ValueError(
                "several names make one feature if each is one number per row, but "
                f"{name!r} is {_checks.show(rows[name])}. Name it alone."
            )
    return names if several else names[0]


def known(feature: Feature, rows: PyTree) -> Bool[Array, ""] | bool:
    """Do the rows have a column whose number no check could see?"""
    if isinstance(rows, dict):
        return True
    return jnp.all((feature >= -rows.shape[1]) & (feature < rows.shape[1]))

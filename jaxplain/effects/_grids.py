"""The values that a feature takes."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from .. import _checks
from ._rows import on_host, readable

_KINDS = {
    jnp.bool_: "booleans",
    jnp.integer: "integers",
    jnp.floating: "real numbers",
    jnp.complexfloating: "complex numbers",
}


def quantile_grid(values: ArrayLike, *, num_points: int = 20) -> np.ndarray:
    """Values of a feature that split its data into parts of equal size.

    From the smallest value to the largest, each of them in the data and none twice: a
    feature with few distinct values gets fewer points. As `edges` of `ale`, every bin
    holds a row. Found on the host, since the number of points shapes the program.
    Distinct in the dtype of `values`: those of float64 may be one number in float32.

    Args:
        values: The concrete values of one feature, such as a column.
        num_points: Number of points, at least 2.

    Returns:
        NumPy array in ascending order, of the dtype of `values`.

    Raises:
        ValueError: If `values` is traced, empty or not finite.
        TypeError: If `num_points` is no integer, or `values` are not real numbers.

    Example:
        >>> quantile_grid(np.arange(101.0), num_points=5)
        array([  0.,  25.,  50.,  75., 100.])
        >>> quantile_grid(np.array([0, 0, 0, 0, 0, 0, 1, 2]), num_points=5)
        array([0, 2])

    References:
        Hyndman and Fan (1996), *Sample Quantiles in Statistical Packages*,
        definition 1.
    """
    _checks.count("num_points", num_points, 2)
    if not readable(values):
        raise ValueError(
            "`values` must be concrete, but is traced: the number of distinct points "
            "shapes the program. Find the grid outside `jax.jit`, and pass it in."
        )
    array = on_host(values)
    if array.size == 0:
        raise ValueError(
            "`values` must hold at least one number, but is empty. Pass a column."
        )
    if _kind(array) in (None, jnp.complexfloating):
        raise TypeError(
            f"`values` must hold real numbers, but holds {array.dtype}. Points have an "
            "order: code categories as integers."
        )
    bad = int((~np.isfinite(array.astype(np.float64))).sum())
    if bad:
        raise ValueError(
            f"`values` must be finite, but {bad} of {array.size} are not. Leave them "
            "out."
        )
    ranks = -(-np.arange(num_points) * array.size // (num_points - 1)) - 1
    return np.unique(np.sort(array, axis=None)[np.maximum(ranks, 0)])


def mesh(*grids: ArrayLike) -> Array:
    """Every combination of the values of several features.

    Args:
        *grids: One vector per feature.

    Returns:
        Array of shape `(*lengths, number of features)`: the grid of `ice` and
        `partial_dependence` for a list of features.

    Raises:
        ValueError: If there is no grid, or one is no vector.

    Example:
        >>> mesh(jnp.array([0.0, 1.0]), jnp.array([5.0, 6.0, 7.0])).shape
        (2, 3, 2)
    """
    if not grids:
        raise ValueError(
            "`grids` must be at least one vector, but there is none. Pass the values "
            "of each feature."
        )
    for grid in grids:
        if jnp.ndim(grid) != 1:
            raise ValueError(
                f"`grids` must be vectors, but one has shape {jnp.shape(grid)}. Pass "
                "the values of one feature at a time."
            )
    return jnp.stack(jnp.meshgrid(*map(jnp.asarray, grids), indexing="ij"), -1)


def grid_of(name: str, grid: Any, values: Array) -> tuple[Array, tuple[int, ...]]:
    """The points of a grid in a row, each shaped like one of the values; its shape."""
    if grid is None:
        raise TypeError(
            f"`{name}` is missing: pass the values that the feature takes, for example "
            f"`{name}=jaxplain.effects.quantile_grid(rows[:, 0])`."
        )
    kind, own = values.dtype, values.shape[1:]
    # On the host if possible: there, no dtype is too wide to be seen.
    points = on_host(grid) if readable(grid) else jnp.asarray(grid)
    _fits(name, points, values)
    shape = points.shape[: points.ndim - len(own)]
    if points.shape[len(shape) :] != own or points.ndim <= len(own) or 0 in shape:
        raise ValueError(
            f"`{name}` must hold values of the feature, of shape (points, "
            f"{', '.join(map(str, own))}), but has shape {points.shape}. Several "
            "columns take one value each, along the last axis."
            if own
            else f"`{name}` must hold at least one value of the feature, but has shape "
            f"{points.shape}. Pass a vector."
        )
    return jnp.asarray(cast(points, kind)).reshape(math.prod(shape), *own), shape


def cast(points: Any, kind: Any) -> Any:
    with np.errstate(over="ignore"):
        return points.astype(kind)


def _kind(array: Any) -> Any:
    return next((kind for kind in _KINDS if jnp.issubdtype(array.dtype, kind)), None)


def _fits(name: str, points: Any, values: Array) -> None:
    """Does the dtype of the rows hold the points?"""
    kind, own = _kind(points), _kind(values)
    if kind is None:
        raise TypeError(
            f"`{name}` must hold numbers, but holds {points.dtype}. Pass the codes "
            "that the rows hold."
        )
    order = list(_KINDS)
    # Integers are measured by their values, below.
    if order.index(kind) > max(order.index(own), order.index(jnp.integer)):
        raise TypeError(
            f"`{name}` must hold {_KINDS[own]} as the feature does, but is "
            f"{_checks.show(points)} for {_checks.show(values)}. Pass {_KINDS[own]}, "
            "or make the rows floating-point."
        )
    if own not in (jnp.bool_, jnp.integer) or not isinstance(points, np.ndarray):
        return
    if np.any(cast(points, values.dtype) != points):
        raise ValueError(
            f"`{name}` must hold values that {values.dtype.name} can hold, but goes "
            f"from {points.min()} to {points.max()}. Widen the rows with "
            "`.astype(int)`."
        )

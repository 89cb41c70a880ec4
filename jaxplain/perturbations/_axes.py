"""Numbers that lie on the axes of space: the sides of a window, the cells of a grid."""

from typing import Any, TypeAlias

import jax
from jaxtyping import Array, PyTree

from .. import _checks

Sides: TypeAlias = int | tuple[int, ...]


def sides(name: str, value: Any) -> Sides:
    """One count for every axis of space, or a tuple of one for each."""
    if not isinstance(value, tuple | list):
        return _checks.count(name, value)
    if not value:
        raise ValueError(
            f"`{name}` must have a number for at least one axis, but is {value!r}. "
            f"Pass one number for all axes but the channels, for example `{name}=8`."
        )
    return tuple(_checks.count(name, side) for side in value)


def one_array(name: str, x: PyTree) -> Any:
    """`x`, of which a window or a grid covers the leading axes."""
    x = _checks.inputs(x)
    if not isinstance(x, jax.Array) or x.ndim == 0:
        raise ValueError(
            f"`x` must be one array with axes for `{name}`, but is "
            f"{jax.tree.map(_checks.show, x)}. Bind the other inputs to `f`, or "
            "explain groups of features with `num_groups` and `groups`."
        )
    return x


def over_axes(name: str, value: Sides, x: Array) -> tuple[int, ...]:
    """A number for each of the leading axes; alone it is for all but the channels."""
    if isinstance(value, int):
        return (value,) * max(x.ndim - 1, 1)
    if len(value) > x.ndim:
        raise ValueError(
            f"`{name}` must have at most one number per axis of `x`, which is "
            f"{_checks.show(x)}, but is {value}. Leave out the axes that it covers "
            "whole, such as the channels."
        )
    return value

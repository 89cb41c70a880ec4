"""Shapes, dtypes and mesh axes of values that are not there yet."""

from typing import Any

import jax
import jax.numpy as jnp


def aval(atom: Any) -> Any:
    """The shape and dtype of a variable or a literal."""
    return atom.aval


def struct(aval: Any, length: int | None = None) -> jax.ShapeDtypeStruct:
    """The shape and dtype of a value, stacked `length` times, and its mesh axes."""
    shape = aval.shape if length is None else (length, *aval.shape)
    name = _axes_name(aval)
    axes = {name: getattr(aval, name)} if _varying(aval) else {}
    make: Any = jax.ShapeDtypeStruct
    return make(shape, aval.dtype, **axes)


def zeros(aval: Any) -> Any:
    """Zeros that vary over the mesh axes of a value, as its stand-in in a trace."""
    filled, axes = jnp.zeros(aval.shape, aval.dtype), _varying(aval)
    return jax.lax.pcast(filled, axes, to="varying") if axes else filled


def _axes_name(aval: Any) -> str:
    return "manual_axis_type" if hasattr(aval, "manual_axis_type") else "vma"


def _varying(aval: Any) -> tuple[str, ...]:
    """The mesh axes of `jax.shard_map` that a value varies over."""
    kind = getattr(aval, _axes_name(aval), None)
    return tuple(getattr(kind, "varying", kind) or ())

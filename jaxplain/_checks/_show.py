"""How a message shows a value."""

from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np


def is_traced(value: Any) -> bool:
    return isinstance(value, jax.core.Tracer)


def show(leaf: Any) -> str:
    """An array as a reader writes it: `float32[16,16,3]`."""
    shape = ",".join(map(str, jnp.shape(leaf)))
    return f"{jnp.result_type(leaf).name}[{shape}]"


def inside(path: Any) -> str:
    return f" at `{jax.tree_util.keystr(path)}`" if path else ""


def describe(value: Any) -> str:
    """A value of any kind: its shape if it has one, else its type."""
    numbers = (jax.Array, np.ndarray, np.generic, bool, int, float, complex)
    try:
        return show(value) if isinstance(value, numbers) else type(value).__name__
    except TypeError:
        return type(value).__name__

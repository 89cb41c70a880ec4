"""Unions of players."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ._show import describe, is_traced


def union_labels(value: Any) -> np.ndarray:
    """One integer label per player, numbered from 0 without gaps."""
    if is_traced(value):
        raise TypeError(
            "`unions` must be concrete, but is traced: it shapes the program. Bind it "
            "before `jax.jit`."
        )
    labels = np.asarray(value)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            f"`unions` must hold one label per player, but has shape {labels.shape}. "
            "Pass a list such as `unions=[0, 0, 1]`."
        )
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(
            f"`unions` must hold integers, but is {describe(value)}. Number the unions "
            "from 0."
        )
    found = np.unique(labels)
    if found[0] != 0 or found[-1] != len(found) - 1:
        raise ValueError(
            "`unions` must be numbered from 0 without gaps, but holds "
            f"{', '.join(map(str, found[:8]))}. `numpy.unique(unions, "
            "return_inverse=True)[1]` numbers them so."
        )
    return labels


def union_levels(value: Any) -> list[np.ndarray]:
    """One list of labels, or several from coarse to fine."""
    several = (
        isinstance(value, list | tuple) and len(value) > 0 and np.ndim(value[0]) == 1
    )
    return [union_labels(labels) for labels in (value if several else [value])]


def one_union_each(labels: np.ndarray, number: int) -> None:
    if len(labels) != number:
        raise ValueError(
            f"`unions` must hold one label per player, but has {len(labels)} for "
            f"{number} players. Players are the groups, or the entries of `x`."
        )

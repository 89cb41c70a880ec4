"""Unions of players."""

import itertools
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
    first = (
        value[0] if isinstance(value, list | tuple | np.ndarray) and len(value) else 0
    )
    levels = [union_labels(v) for v in (value if np.ndim(first) == 1 else [value])]
    for coarse, fine in itertools.pairwise(levels):
        pairs = set(zip(fine.tolist(), coarse.tolist()))
        if len(coarse) != len(fine) or len(pairs) > fine.max() + 1:
            raise ValueError(
                "`unions` must nest from coarse to fine, but a union of one level lies "
                "in several of the level before, or the levels differ in length. Order "
                "them from coarse to fine, one label per player in each."
            )
    return levels


def one_union_each(labels: np.ndarray, number: int) -> None:
    if len(labels) != number:
        raise ValueError(
            f"`unions` must hold one label per player, but has {len(labels)} for "
            f"{number} players. Players are the groups, or the entries of `x`."
        )

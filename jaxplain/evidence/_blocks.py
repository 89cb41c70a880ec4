"""Intervals and tests of many rows of scores, by two programs of one shape."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ._compare import sign_flip
from ._interval import Interval, interval

ROWS = 64  # at once: the number of rows does not change the program
PATTERNS = 10_000  # so that the smallest p-value survives the correction for many tests
CHUNK = 250


def intervals(rows: np.ndarray, key: Any, level: float) -> tuple[np.ndarray, ...]:
    """Mean, low and high of each row, without what is not finite."""
    return _in_blocks(partial(_intervals, key=key, level=level), rows)


def p_values(differences: np.ndarray, key: Any) -> np.ndarray:
    """Of each row of paired differences, without what is not finite."""
    return _in_blocks(partial(_p_values, key=key), differences)[0]


def _in_blocks(program: Callable[..., Any], rows: np.ndarray) -> tuple[np.ndarray, ...]:
    used = np.isfinite(rows)
    clean = np.where(used, rows, 0)
    parts = []
    for start in range(0, len(rows), ROWS):
        block = np.minimum(np.arange(start, start + ROWS), len(rows) - 1)
        out = program(jnp.asarray(clean[block]), jnp.asarray(used[block]))
        parts.append([np.asarray(leaf)[: len(rows) - start] for leaf in out])
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


@partial(jax.jit, static_argnames="level")
def _intervals(values: Array, used: Array, key: Any, level: float) -> Interval:
    def one(v: Array, w: Array) -> Interval:
        return interval(v, key=key, level=level, where=w, chunk_size=CHUNK)

    return jax.vmap(one)(values, used)


@jax.jit
def _p_values(differences: Array, used: Array, key: Any) -> tuple[Array]:
    one = lambda d, w: sign_flip(d, w, key, PATTERNS, CHUNK)
    return (jax.vmap(one)(differences, used),)

"""What the checks draw: inputs, baselines and keys, the same on every run."""

import enum
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


class Drawn(enum.Enum):
    """A keyword of the call that is drawn anew for every example."""

    KEY = "a random key"
    LIKE_X = "arrays like `x`"
    STACK = "a stack of arrays like `x`"


KEY = Drawn.KEY
LIKE_X = Drawn.LIKE_X
STACK = Drawn.STACK

NUM_STACKED = 5


def source(seed: int, example: int) -> np.random.Generator:
    return np.random.default_rng([seed, example])


def numbers(rng: np.random.Generator, *shape: int, dtype: Any = float) -> np.ndarray:
    """Eighths from -2 to 2: exact in any dtype, and easy to read in a message."""
    return (rng.integers(-16, 17, shape) / 8).astype(jnp.result_type(dtype))


def like(rng: np.random.Generator, x: PyTree, *lead: int) -> PyTree:
    def draw(leaf: Any) -> np.ndarray:
        shape = (*lead, *jnp.shape(leaf))
        return numbers(rng, *shape, dtype=jnp.result_type(leaf))

    return jax.tree.map(draw, x)


def directions(rng: np.random.Generator, x: PyTree) -> PyTree:
    """Like `x`, and nowhere zero: a zero would leave an entry out."""

    def draw(leaf: Any) -> np.ndarray:
        shape, dtype = jnp.shape(leaf), jnp.result_type(leaf)
        sizes, signs = rng.integers(1, 17, shape) / 8, rng.integers(2, size=shape)
        return np.asarray(np.where(signs, sizes, -sizes), dtype)

    return jax.tree.map(draw, x)


def fill(
    rng: np.random.Generator, refs: Mapping[str, Any], x: PyTree
) -> dict[str, Any]:
    """The keywords of a call, with a value for each that is to be drawn."""
    draw = {
        KEY: lambda: jax.random.key(int(rng.integers(2**31))),
        LIKE_X: lambda: like(rng, x),
        STACK: lambda: like(rng, x, NUM_STACKED),
    }
    return {
        name: draw[value]() if isinstance(value, Drawn) else value
        for name, value in refs.items()
    }

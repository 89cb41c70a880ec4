"""The function that the checks explain: its coefficients decide what holds of it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from . import _draw

NUM_FEATURES = 5
NUM_TERMS = 8

# Features 0 and 1 are alike where these coefficients are; feature 2 is in no other term
# than the last two.
ALIKE = [(2, 1), (4, 3)]
OF_DUMMY = [5, 6]
DUMMY = 2


def polynomial(
    x: Float[Array, "5"],
    c: Float[Array, "8"],
    scale: Float[Array, "5"],
    shift: Float[Array, "5"],
) -> Float[Array, ""]:
    """Eight terms, of degree four at most."""
    x = scale * x + shift
    terms = [
        x[0] * x[1],
        x[0] * x[3] ** 2,
        x[1] * x[3] ** 2,
        x[0] ** 2 * x[4],
        x[1] ** 2 * x[4],
        x[2] * x[4] ** 3,
        x[2] ** 2 * x[3],
        x[3],
    ]
    return jnp.stack(terms) @ c


def another_program(
    x: Float[Array, "5"],
    c: Float[Array, "8"],
    scale: Float[Array, "5"],
    shift: Float[Array, "5"],
) -> Float[Array, ""]:
    """The same polynomial: nested, with the last term as a difference of squares."""
    x0, x1, x2, x3, x4 = scale * x + shift
    by_scan = jax.lax.scan(lambda power, _: (power * x4, None), c[5], length=3)[0]
    return (
        x0 * (c[0] * x1 + c[1] * x3 * x3 + c[3] * x0 * x4)
        + x1 * (c[2] * x3 * x3 + c[4] * x1 * x4)
        + x2 * (by_scan + c[6] * x2 * x3)
        + c[7] * ((x3 + 1) ** 2 - x3**2 - 1) / 2
    )


class Call(NamedTuple):
    """What an explainer of the polynomial is called with."""

    x: np.ndarray
    args: tuple[np.ndarray, ...]
    refs: dict[str, Any]

    @property
    def scale(self) -> float:
        return size(self.args[0])


def size(c: np.ndarray) -> float:
    """What rounding is measured against: terms of drawn numbers are of order one.

    Attributions that cancel may be far smaller than what they are made of.
    """
    return 1 + float(np.abs(c).sum())


def call(rng: np.random.Generator, refs: dict[str, Any], dtype: Any = float) -> Call:
    draw = lambda number: _draw.numbers(rng, number, dtype=dtype)
    x, c = draw(NUM_FEATURES), draw(NUM_TERMS)
    unit = np.ones_like(x), np.zeros_like(x)
    return Call(x, (c, *unit), _draw.fill(rng, refs, x))

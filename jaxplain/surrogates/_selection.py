"""The few features that a short explanation keeps."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .. import _checks, _regression
from ._lasso import lasso_path
from ._types import Selection

Choose: TypeAlias = Callable[[Array, Array], tuple[Array, int]]
"""The Gram matrix and the moment to the features kept, and how many there may be."""


def chooser(selection: Selection, num_features: int | None) -> Choose | None:
    _checks.choice("selection", selection, get_args(Selection))
    if num_features is None:
        return None
    number = _checks.count("num_features", num_features)
    among = {
        "highest_weights": highest_weights,
        "forward": forward,
        "lasso_path": lasso_path,
    }[selection]

    def choose(gram: Array, moment: Array) -> tuple[Array, int]:
        at_most = min(number, len(moment))
        return among(gram, moment, at_most), at_most

    return choose


class Columns(NamedTuple):
    """A fixed number of columns, some of which may be empty."""

    take: Callable[[Array], Array]
    put: Callable[[Array, float], Array]


def columns(choose: Choose | None, gram: Array, moment: Array) -> Columns:
    if choose is None:
        return Columns(lambda a: a, lambda a, fill: a)
    # A choice has no derivative.
    chosen, number = choose(*jax.lax.stop_gradient((gram, moment)))
    index = jnp.argsort(~chosen, stable=True)[:number]
    filled = chosen[index]

    def take(a: Array) -> Array:
        empty = filled.reshape(-1, *(1,) * (a.ndim - 1))
        return jnp.where(jnp.broadcast_to(empty, (number, *a.shape[1:])), a[index], 0)

    def put(a: Array, fill: float) -> Array:
        every = jnp.full(len(moment), fill, a.dtype)
        return every.at[index].set(jnp.where(filled, a, jnp.asarray(fill, a.dtype)))

    return Columns(take, put)


def highest_weights(
    gram: Float[Array, "d d"], moment: Float[Array, " d"], number: int
) -> Bool[Array, " d"]:
    """The largest weights of a regression on all features.

    Its ridge of 0.01 is that of the `lime` package.
    """
    size = jnp.abs(_regression.spectral(gram, moment, 0.01).phi)
    order = jnp.argsort(-size, stable=True)
    return jnp.zeros(len(moment), bool).at[order[:number]].set(True)


def forward(
    gram: Float[Array, "d d"], moment: Float[Array, " d"], number: int
) -> Bool[Array, " d"]:
    """One feature after another: that which explains most of what is left."""
    tiny = 100 * jnp.finfo(gram.dtype).eps * jnp.diagonal(gram)

    def step(_: Int[Array, ""], state: tuple) -> tuple:
        gram, moment, chosen = state
        left = jnp.diagonal(gram)
        new = left > tiny  # no sum of what was chosen before
        gain = jnp.where(new, moment**2 / jnp.where(new, left, 1), 0)
        best = jnp.argmax(jnp.where(chosen, -1, gain))
        # What the new one shares with the others is explained from now on.
        share = jnp.where(new[best], gram[best] / left[best], 0)
        return (
            gram - jnp.outer(share, gram[best]),
            moment - share * moment[best],
            chosen.at[best].set(True),
        )

    start = gram, moment, jnp.zeros(len(moment), bool)
    return jax.lax.fori_loop(0, number, step, start)[2]

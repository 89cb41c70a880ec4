"""The order of features by attribution."""

from typing import Literal, TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .. import _checks

Order: TypeAlias = Literal["highest", "lowest"]


def known_order(order: str) -> None:
    _checks.choice("order", order, ("highest", "lowest"))


def ranks(scores: Float[Array, " number"], order: Order) -> Int[Array, " number"]:
    """The place of each feature in the order of its score, 0 for the first."""
    falling = -scores if order == "highest" else scores
    first_to_last = jnp.argsort(falling, stable=True)  # NaN goes last in both
    places = jnp.arange(scores.size, dtype=jnp.int32)
    return jnp.zeros_like(places).at[first_to_last].set(places)

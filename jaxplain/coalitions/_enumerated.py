"""Designs without chance."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from .. import _checks
from .._types import Draw


def exhaustive(num_groups: int) -> Draw:
    """All `2 ** num_groups` coalitions, in binary order; the first one is empty.

    Args:
        num_groups: Number of features, at most 31.

    Example:
        >>> jax.vmap(exhaustive(2))(jnp.arange(4)).astype(int)
        Array([[0, 0],
               [1, 0],
               [0, 1],
               [1, 1]], dtype=int32)
    """
    _checks.count("num_groups", num_groups)
    if num_groups > 31:
        raise ValueError(
            f"`num_groups` must be at most 31 to enumerate coalitions, but is "
            f"{num_groups}. Sample them with `coalitions.stratified`."
        )
    place = jnp.arange(num_groups, dtype=jnp.uint32)

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        return (jnp.asarray(i).astype(jnp.uint32) >> place) % 2 == 1

    return draw


def leave_one_out(num_groups: int) -> Draw:
    """Coalition `i` lacks feature `i` alone; coalition `num_groups` lacks none.

    Example:
        >>> jax.vmap(leave_one_out(2))(jnp.arange(3)).astype(int)
        Array([[0, 1],
               [1, 0],
               [1, 1]], dtype=int32)
    """
    _checks.count("num_groups", num_groups)
    return lambda i: jnp.arange(num_groups) != i

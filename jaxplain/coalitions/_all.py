"""Designs: which coalitions of features to evaluate.

A design is a function from the index of a sample to a mask, True where a feature is
present. It holds no table of masks, so any chunk of it can be drawn anywhere: the
same key gives the same coalitions for every chunk size and on every device.
"""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int

from . import _checks
from ._types import Draw, PRNGKey


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
            f"{num_groups}. Sample them with `coalitions.paired`."
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


def bernoulli(key: PRNGKey, num_groups: int) -> Draw:
    """Every feature present with probability 1/2, independently.

    Example:
        >>> masks = jax.vmap(bernoulli(jax.random.key(0), 3))(jnp.arange(1000))
        >>> masks.shape, masks.mean().round(1)
        ((1000, 3), Array(0.5, dtype=float32))
    """
    _checks.count("num_groups", num_groups)
    place = np.arange(num_groups)

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        # Random numbers are the price of a mask: one bit per feature, not one float.
        words = jr.bits(jr.fold_in(key, i), (-(-num_groups // 32),), jnp.uint32)
        return (words[place // 32] >> jnp.asarray(place % 32, jnp.uint32)) % 2 == 1

    return draw


def paired(key: PRNGKey, num_groups: int) -> Draw:
    r"""Coalitions drawn from the Shapley kernel, each followed by its complement.

    The size $s$ has probability proportional to $1 / (s\,(d - s))$, for `num_groups`
    $d$, and all coalitions of a size are equally likely; none is empty or full.
    Sums over pairs cancel the even part of a game, of which Shapley values are free.

    Args:
        key: Random key.
        num_groups: Number of features, at least 2.

    Example:
        >>> masks = jax.vmap(paired(jax.random.key(0), 4))(jnp.arange(6))
        >>> bool((masks[0::2] != masks[1::2]).all())
        True

    References:
        Covert and Lee (2021), *Improving KernelSHAP*, arXiv:2012.01536, on paired
        sampling.
    """
    _checks.count("num_groups", num_groups, 2)
    sizes = np.arange(1, num_groups)
    log_probability = jnp.asarray(-np.log(sizes * (num_groups - sizes)), jnp.float32)

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        size_key, order_key = jr.split(jr.fold_in(key, i // 2))
        size = 1 + jr.categorical(size_key, log_probability)
        # One sort, where `jr.permutation` compiles several.
        order = jnp.argsort(jr.bits(order_key, (num_groups,)))
        mask = order < size
        return mask ^ (i % 2 == 1)

    return draw

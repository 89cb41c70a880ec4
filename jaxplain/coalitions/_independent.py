"""Designs whose samples, or pairs of them, are independent of each other."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int

from .. import _checks
from .._types import Draw, PRNGKey
from ._subsets import random_subset


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
        return random_subset(order_key, size, num_groups) ^ (i % 2 == 1)

    return draw

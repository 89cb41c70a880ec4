"""Which coalitions a surrogate sees."""

import math

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .. import coalitions
from .._types import Draw, PRNGKey
from ..coalitions._subsets import random_subset
from ._types import Sampling


def around_the_input(
    sampling: Sampling,
    key: PRNGKey,
    num_groups: int,
    num_samples: int,
    log_weight_of_size: Float[np.ndarray, " sizes"] | None,
) -> Draw:
    """The design of a sampling law, after the input itself."""
    if sampling == "quasi_random":
        draw = coalitions.quasi_random(key, num_groups, num_samples)
    elif sampling == "text":
        draw = text(key, num_groups)
    elif log_weight_of_size is not None:
        draw = local(key, num_groups, log_weight_of_size)
    else:
        draw = coalitions.bernoulli(key, num_groups)
    return lambda i: draw(i) | (i == 0)


def text(key: PRNGKey, num_groups: int) -> Draw:
    """The law of the `lime` package for text: how many are absent is uniform, from 1.

    References:
        Ribeiro, Singh and Guestrin (2016), arXiv:1602.04938, section 3.3.
    """
    return _by_size(key, np.append(np.ones(num_groups), 0.0) / num_groups)


def local(
    key: PRNGKey, num_groups: int, log_weight_of_size: Float[np.ndarray, " sizes"]
) -> Draw:
    """Coalitions in proportion to their weight, so that all of them weigh the same.

    References:
        Tan, Tian and Li (2023), *GLIME: General, Stable and Local LIME Explanation*,
        arXiv:2311.15722, section 4.
    """
    d = num_groups
    ways = [-math.lgamma(s + 1) - math.lgamma(d - s + 1) for s in range(d + 1)]
    logs = np.array(ways) + log_weight_of_size
    probability = np.exp(logs - logs.max())
    return _by_size(key, probability / probability.sum())


def _by_size(key: PRNGKey, probability: Float[np.ndarray, " sizes"]) -> Draw:
    """Coalitions of a random size; those of one size are equally likely."""
    num_groups = len(probability) - 1
    # One random word per size is compared with these: no float rounds the law.
    bounds = np.cumsum(probability)[:-1] * 2.0**32
    bounds = jnp.asarray(np.minimum(bounds, 2.0**32 - 1).astype(np.uint32))

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        size_key, order_key = jr.split(jr.fold_in(key, i))
        size = jnp.sum(jr.bits(size_key, (), jnp.uint32) >= bounds)
        return random_subset(order_key, size, num_groups)

    return draw

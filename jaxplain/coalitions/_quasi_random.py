"""Coalitions that are balanced over every three features."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int

from .. import _checks
from .._types import Draw, PRNGKey
from ._subsets import random_order


def quasi_random(key: PRNGKey, num_groups: int, num_samples: int) -> Draw:
    r"""A scrambled binary net: any three features see all eight patterns equally often.

    A feature is present where the bits of the index that belong to it have odd parity,
    shifted at random. Each coalition is followed by its complement. Over the first
    $2^k \ge$ `num_samples` samples this is an orthogonal array of strength 3: half of
    them hold each feature, and no main effect is mixed up with a pairwise interaction.

    If $2^k$ samples are $2^d$ or more, for $d$ features, they hold every coalition.

    Args:
        key: Random key: of which bits belong to a feature, and of the shift.
        num_groups: Number of features.
        num_samples: Number of coalitions, best a power of 2: at least twice the number
            of features, and at most $2^{20}$.

    Returns:
        The design: an index below `num_samples` to a mask of shape `(num_groups,)`.

    Raises:
        ValueError: If `num_samples` is out of range.

    Example:
        >>> masks = jax.vmap(quasi_random(jax.random.key(0), 4, 8))(jnp.arange(8))
        >>> masks.mean(0)
        Array([0.5, 0.5, 0.5, 0.5], dtype=float32)

    References:
        Hedayat, Sloane and Stufken (1999), *Orthogonal Arrays*, chapter 4.
        Owen (1995), *Randomly Permuted (t,m,s)-Nets and (t,s)-Sequences*, on shifts.
    """
    _checks.count("num_groups", num_groups)
    _checks.count("num_samples", num_samples, 2 * num_groups)
    bits = int(np.ceil(np.log2(num_samples)))
    if bits > 20:
        raise ValueError(
            f"`num_samples` must be at most {2**20} for a quasi-random design, but is "
            f"{num_samples}. Draw independent ones with `coalitions.bernoulli`."
        )
    shift_key, choice_key, owner_key = jr.split(key, 3)
    # Distinct, and all odd: no two or three of them add up to nothing. The independent
    # ones come first: of those, none add up to nothing.
    words = jnp.arange(2 ** (bits - 1), dtype=jnp.uint32)
    place = jnp.maximum(jr.bits(choice_key, words.shape, jnp.uint32), 1)
    place = jnp.where(words & (words - 1) == 0, 0, place)
    chosen = jnp.argsort(place)[:num_groups][random_order(owner_key, num_groups)]
    own = 2 * chosen.astype(jnp.uint32) + 1
    shift = jr.bits(shift_key, (num_groups,), jnp.uint32) % 2 == 1

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        parity = jax.lax.population_count(jnp.asarray(i).astype(jnp.uint32) & own) % 2
        return (parity == 1) ^ shift

    return draw

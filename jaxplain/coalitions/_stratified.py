"""A fixed number of coalitions of every size, in pairs, without replacement."""

import math
from typing import Literal, TypeAlias, get_args

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int

from .. import _checks
from .._types import Draw, PRNGKey
from ._subsets import LIMIT, random_order, random_subset, unrank

Sizes: TypeAlias = Literal["leverage", "kernel", "binomial"]


def allocation(
    num_groups: int, num_samples: int, *, sizes: Sizes = "leverage"
) -> np.ndarray:
    """How many coalitions of each size `stratified` draws.

    Args:
        num_groups: Number of features $d$, at least 2.
        num_samples: Number of coalitions, even, and at most `2 ** d - 2`.
        sizes: The law of the size, see `stratified`.

    Returns:
        One count for each size from 0 to $d$; that of a size equals that of its
        complement. They sum to `num_samples`. None exceeds the number of coalitions
        of that size, and none is 0 where the budget allows it.

    Raises:
        ValueError: If `num_samples` is odd or too large, or `sizes` is unknown.

    Example:
        >>> allocation(4, 10)
        array([0, 3, 4, 3, 0])
    """
    d = _checks.count("num_groups", num_groups, 2)
    _checks.choice("sizes", sizes, get_args(Sizes))
    _checks.even_samples(num_samples, 2**d - 2)
    half = np.arange(1, d // 2 + 1)
    pairs = [_pairs(d, int(s)) for s in half]
    if num_samples >= 2**d - 2:
        drawn = pairs
    else:
        drawn = _round(_expected(_law(half, d, sizes), pairs, num_samples // 2), pairs)
    counts = [0] * (d + 1)
    for s, number in zip(half, drawn, strict=True):
        counts[s] += number
        counts[d - s] += number
    return np.array(counts)


def _pairs(num_groups: int, size: int) -> int:
    """How many pairs of complements have this size and the other one."""
    number = math.comb(num_groups, size)
    return number // 2 if 2 * size == num_groups else number


def _law(half: np.ndarray, d: int, sizes: Sizes) -> np.ndarray:
    """The probability of a pair to have each size, up to a factor."""
    if sizes == "binomial":
        logs = np.array([math.lgamma(s + 1) + math.lgamma(d - s + 1) for s in half])
        law = np.exp(logs.min() - logs)
    else:
        law = 1 / (half * (d - half)) if sizes == "kernel" else np.ones(len(half))
    # The middle size is its own complement.
    return np.where(2 * half == d, law / 2, law)


def _expected(law: np.ndarray, pairs: list[int], number: int) -> np.ndarray:
    """Shares of a number of pairs in proportion to a law, but for what is used up."""
    caps = np.array([min(p, number) for p in pairs], float)
    shares, free, left = np.zeros(len(law)), np.ones(len(law), bool), float(number)
    while free.any() and left > 0:
        shares[free] = left * law[free] / law[free].sum()
        over = free & (shares >= caps)
        if not over.any():
            break
        shares[over] = caps[over]
        left -= caps[over].sum()
        free &= ~over
    return shares


def _round(shares: np.ndarray, pairs: list[int]) -> list[int]:
    """Whole numbers with the sum of the shares: every size first, then the largest."""
    number = round(shares.sum())
    drawn = np.floor(shares + 1e-9).astype(int)
    if number >= len(shares):
        drawn = np.maximum(drawn, 1)
    while drawn.sum() > number:
        drawn[np.argmax(np.where(drawn > 1, drawn - shares, -np.inf))] -= 1
    while drawn.sum() < number:
        room = np.array([a < b for a, b in zip(drawn, pairs, strict=True)])
        drawn[np.argmax(np.where(room, shares - drawn, -np.inf))] += 1
    return drawn.tolist()


def stratified(
    key: PRNGKey, num_groups: int, num_samples: int, *, sizes: Sizes = "leverage"
) -> Draw:
    r"""Fixed numbers of coalitions of every size, without replacement, in pairs.

    Each coalition is followed by its complement; none is empty or full. The sizes are
    not left to chance: `allocation` says how many there are of each. Within a size all
    coalitions are equally likely, and the drawn ones are spread over their
    lexicographic order, in a random order of the features. They are distinct where
    there are fewer than $2^{32}$ of a size; in a larger crowd they are independent.

    Args:
        key: Random key.
        num_groups: Number of features $d$, at least 2.
        num_samples: Number of coalitions, even, and at most `2 ** d - 2`.
        sizes: The law of the size $s$. `"leverage"` is the same number of each, in
            proportion to the leverage scores of the Shapley regression; `"kernel"`
            follows $1 / (s\,(d - s))$, and `"binomial"` a fair coin per feature.

    Returns:
        The design: an index below `num_samples` to a mask of shape `(num_groups,)`.

    Raises:
        ValueError: If `num_samples` is odd or too large, or `sizes` is unknown.

    Example:
        >>> masks = jax.vmap(stratified(jax.random.key(0), 4, 10))(jnp.arange(10))
        >>> masks.sum(1)
        Array([1, 3, 1, 3, 1, 3, 2, 2, 2, 2], dtype=int32)
        >>> len(np.unique(masks, axis=0))
        10

    References:
        Musco and Witter (2025), *Provably Accurate Shapley Value Estimation via
        Leverage Score Sampling*, arXiv:2410.01917, section 3.
    """
    d, half = num_groups, num_groups // 2
    number = allocation(d, num_samples, sizes=sizes)[1 : half + 1]
    drawn = np.where(2 * np.arange(1, half + 1) == d, number // 2, number)
    size_of = np.repeat(np.arange(1, half + 1), drawn)
    place = np.concatenate([np.arange(n) for n in drawn])
    crowd = [_pairs(d, s) for s in range(1, half + 1)]
    ranked = np.array([n < LIMIT for n in crowd])[size_of - 1]
    largest = int(size_of[ranked].max(initial=0))
    # The interval of ranks that belongs to each pair: low, and how many.
    low, width = np.zeros_like(place), np.ones_like(place)
    for i in np.flatnonzero(ranked):
        total, n = crowd[size_of[i] - 1], int(drawn[size_of[i] - 1])
        low[i] = place[i] * total // n
        width[i] = (place[i] + 1) * total // n - low[i]
    tables = [jnp.asarray(t, jnp.uint32) for t in (low, width)]
    size_table = jnp.asarray(size_of, jnp.int32)
    order_key, sample_key = jr.split(key)
    order = random_order(order_key, d)

    def subset(k: PRNGKey, pair: Array, size: Array) -> Array:
        start, span = (t[pair] for t in tables)
        rank = start + jr.randint(k, (), 0, span, jnp.uint32)
        whole = unrank(rank, size, d, largest)
        if d % 2 == 0 and largest == half:
            # Of a pair in the middle, the one that holds the first feature.
            first = jnp.concatenate(
                [jnp.ones(1, bool), unrank(rank, size - 1, d - 1, largest)]
            )
            whole = jnp.where(size == half, first, whole)
        return whole[order]

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        pair, second = jnp.asarray(i) // 2, jnp.asarray(i) % 2 == 1
        k, size = jr.fold_in(sample_key, pair), size_table[pair]
        if not ranked.any():
            mask = random_subset(k, size, d)
        elif ranked.all():
            mask = subset(k, pair, size)
        else:
            is_ranked = jnp.asarray(ranked)[pair]
            mask = jnp.where(
                is_ranked, subset(k, pair, size), random_subset(k, size, d)
            )
        return mask ^ second

    return draw

r"""Values that treat all players alike, as means over the coalitions of each size.

$$\phi_j = \sum_s a_s\,\bar v(s, j \in S) - \sum_s b_s\,\bar v(s, j \notin S)$$

where the bar is the mean over the coalitions of size $s$ with, or without, player $j$.
"""

import functools
import math
from typing import NamedTuple

import numpy as np


class Semivalue(NamedTuple):
    """The weights of the means, for sizes from 0 to the number of players."""

    inside: np.ndarray
    outside: np.ndarray


def shapley(num_groups: int) -> Semivalue:
    """Every size alike, as in a random order of the players."""
    weights = np.full(num_groups + 1, 1 / num_groups)
    return Semivalue(_without(weights, 0), _without(weights, num_groups))


def banzhaf(num_groups: int) -> Semivalue:
    """Every coalition of the other players alike."""
    d = num_groups
    others = np.array([math.comb(d - 1, s) / 2 ** (d - 1) for s in range(d)])
    return Semivalue(np.append(0.0, others), np.append(others, 0.0))


def _without(weights: np.ndarray, size: int) -> np.ndarray:
    changed = weights.copy()
    changed[size] = 0
    return changed


def per_coalition(value: Semivalue) -> Semivalue:
    """The weight of one coalition of each size, in place of their mean's."""
    d = len(value.inside) - 1
    others = np.array([math.comb(d - 1, s) for s in range(d)], float)
    return Semivalue(
        value.inside / np.append(1.0, others), value.outside / np.append(others, 1.0)
    )


def gains_of_linear(value: Semivalue) -> tuple[float, float]:
    """What a player's own sign (-1 or 1) is worth to it, and what another's is."""
    own = float(value.inside.sum() + value.outside.sum())
    d = len(value.inside) - 1
    size, others = np.arange(d + 1), max(d - 1, 1)
    # The mean sign of another player, in coalitions with player j, and without.
    within = np.clip(2 * (size - 1) / others - 1, -1, 1)
    without = np.clip(2 * size / others - 1, -1, 1)
    return own, float(value.inside @ within - value.outside @ without)


def constant_of(value: Semivalue) -> float:
    """What a constant game is worth to each player."""
    return float(value.inside.sum() - value.outside.sum())


def covariances(
    value: Semivalue, table: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""What a value has in common with the game at one coalition $T$.

    `table[..., g]` is the covariance of a game at two coalitions that agree on $g$
    players; leading axes are several such tables.

    Returns the covariance of $\phi_j$ and $v(T)$ for each size of $T$, where $j$ is in
    it and where it is not, and the variance of $\phi_j$.
    """
    d = table.shape[-1] - 1
    with_j, without_j = np.zeros_like(table), np.zeros_like(table)
    for t in range(d):  # players of T among the other d - 1
        inside, outside = _mean_agreements(value, table, t)
        # T agrees with S on j where both have it, or neither.
        with_j[..., t + 1] = inside[1] - outside[0]
        without_j[..., t] = inside[0] - outside[1]
    variance = with_j @ value.inside - without_j @ value.outside
    return with_j, without_j, variance


def _mean_agreements(
    value: Semivalue, table: np.ndarray, t: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The weighted means of a table over S, as S and T agree on player j, or not."""
    d = table.shape[-1] - 1
    weights = np.stack([value.inside[1:], value.outside[:-1]])
    laws = agreement_laws(weights, d - 1, t)  # on the other players
    means = [[table[..., :d] @ w, table[..., 1:] @ w] for w in laws]
    return means[0], means[1]


@functools.lru_cache(4)
def _log_factorials(number: int) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, number + 1)))])


def agreement_laws(weights: np.ndarray, others: int, t: int) -> np.ndarray:
    """The law of the number of agreements of a set of size `t` with a random one.

    Its size is drawn by each row of `weights`, shape `(k, others + 1)`, and all sets of
    a size are alike. Returns shape `(k, others + 1)`.
    """
    log = _log_factorials(others)
    s, both = np.ogrid[: others + 1, : t + 1]
    s, both = np.broadcast_arrays(s, both)
    possible = (both <= s) & (s - both <= others - t)
    s, both = s[possible], both[possible]
    choose = lambda n, k: log[n] - log[k] - log[n - k]
    law = np.exp(choose(t, both) + choose(others - t, s - both) - choose(others, s))
    agreements = 2 * both + others - t - s
    return np.stack([np.bincount(agreements, w[s] * law, others + 1) for w in weights])

"""Series of known cause: a process of which a part counts, and two hidden states.

The recipes are those of Crabbé and van der Schaar (2021), arXiv:2106.05303, as the code
behind the published tables has them.
"""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

TIMES, FEATURES, SUBSET = 50, 50, 5  # of the ARMA process, and how many of them count
AR, MA = (2.0, 0.5, 0.2, 0.1), (2.0,)  # lag polynomials

STEPS, CHANNELS = 200, 3
STAY, LEAVE = 0.95, 0.05  # probability of state 1 next, after 1 and after 0
TIRING = 500  # after a run of n steps in state 1, staying there is n / 500 less likely
MEANS = np.array([[0.1, 1.6, 0.5], [-0.1, -0.4, -1.5]])
VARIANCE, COUPLING = 0.801, 0.01
TELLS = np.array([1, 2])  # the channel that tells the label, in each state
SLOPE = 2.0


class Additive(NamedTuple):
    """Series of the ARMA process, and the entries whose squares are summed."""

    x: np.ndarray  # (n, TIMES, FEATURES)
    salient: np.ndarray  # (n, TIMES, FEATURES), bool


class States(NamedTuple):
    """Series of the hidden Markov model, with a label and a cause at every step."""

    x: np.ndarray  # (n, STEPS, CHANNELS)
    labels: np.ndarray  # (n, STEPS), 0 or 1
    states: np.ndarray  # (n, STEPS), 0 or 1
    salient: np.ndarray  # (n, STEPS, CHANNELS), bool


def arma(rng: np.random.Generator, number: int) -> np.ndarray:
    """Independent channels of one autoregressive process."""
    noise = rng.standard_normal((number, TIMES, FEATURES))
    return lfilter(MA, AR, noise, axis=1).astype(np.float32)


def rare_features(rng: np.random.Generator, number: int) -> Additive:
    """Five channels count, in the middle half of the time."""
    salient = np.zeros((number, TIMES, FEATURES), bool)
    for mask in salient:
        chosen = rng.permutation(FEATURES)[:SUBSET]
        mask[TIMES // 4 : 3 * TIMES // 4, chosen] = True
    return Additive(arma(rng, number), salient)


def rare_times(rng: np.random.Generator, number: int) -> Additive:
    """Five consecutive steps count, in the middle half of the channels."""
    salient = np.zeros((number, TIMES, FEATURES), bool)
    for mask in salient:
        start = rng.integers(TIMES - SUBSET)
        mask[start : start + SUBSET, FEATURES // 4 : 3 * FEATURES // 4] = True
    return Additive(arma(rng, number), salient)


def states(rng: np.random.Generator, number: int) -> States:
    """Which channel tells the label depends on a state that has to be inferred."""
    found = _hidden(rng, number)
    noise = rng.standard_normal((number, STEPS, CHANNELS))
    roots = np.stack([np.linalg.cholesky(_covariance(channel)) for channel in TELLS])
    x = MEANS[found] + np.einsum("ntij,ntj->nti", roots[found], noise)
    salient = np.arange(CHANNELS) == TELLS[found][..., None]
    told = x[salient].reshape(number, STEPS)
    labels = rng.random((number, STEPS)) < 1 / (1 + np.exp(-SLOPE * told))
    return States(x.astype(np.float32), labels.astype(np.int32), found, salient)


def _hidden(rng: np.random.Generator, number: int) -> np.ndarray:
    previous, run = rng.integers(2, size=number), np.zeros(number)
    found = np.zeros((number, STEPS), np.int32)
    for t in range(STEPS):
        next_is_one = np.where(previous == 1, STAY - run / TIRING, LEAVE)
        state = (rng.random(number) < next_is_one).astype(np.int32)
        run = np.where(state == previous, run + 1, 0)
        found[:, t] = previous = state
    return found


def _covariance(channel: int) -> np.ndarray:
    """Channel 0 moves a little with the one that tells the label."""
    matrix = VARIANCE * np.eye(CHANNELS)
    matrix[channel, 0] = matrix[0, channel] = COUPLING
    return matrix

"""Nodes and weights of the rules that integrate over `[0, 1]`, in float64."""

import functools
from typing import Literal, TypeAlias, get_args

import numpy as np

from . import _checks

Rule: TypeAlias = Literal[
    "gauss_legendre", "riemann_left", "riemann_right", "riemann_middle", "trapezoid"
]


def nodes_and_weights(rule: Rule, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The rule's `steps` nodes in `[0, 1]`, and weights that sum to 1."""
    _checks.choice("rule", rule, get_args(Rule))
    steps = _checks.count("steps", steps, 2 if rule == "trapezoid" else 1)
    return _tables(rule, steps)


@functools.lru_cache(128)  # Gauss-Legendre takes seconds for a thousand nodes
def _tables(rule: Rule, steps: int) -> tuple[np.ndarray, np.ndarray]:
    if rule == "gauss_legendre":
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        nodes = (nodes + 1) / 2  # from [-1, 1] to [0, 1]
    elif rule == "trapezoid":
        nodes, weights = np.linspace(0, 1, steps), np.ones(steps)
        weights[[0, -1]] = 0.5
    else:
        shift = {"riemann_left": 0.0, "riemann_right": 1.0, "riemann_middle": 0.5}
        nodes, weights = (np.arange(steps) + shift[rule]) / steps, np.ones(steps)
    weights = _summing_to_one(weights)
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def _summing_to_one(weights: np.ndarray) -> np.ndarray:
    """Weights that add up to 1 without rounding in float64, in any order and chunks.

    They are whole multiples of `2 ** -50`, so the integral of a constant is exact.
    """
    total = np.cumsum(weights)
    return np.diff(np.rint(total / total[-1] * 2.0**50), prepend=0.0) / 2.0**50

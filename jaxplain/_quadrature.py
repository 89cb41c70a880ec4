"""Nodes and weights of the rules that integrate over `[0, 1]`, in float64."""

from typing import Literal, TypeAlias, get_args

import numpy as np

from . import _checks

Rule: TypeAlias = Literal[
    "gauss_legendre", "riemann_left", "riemann_right", "riemann_middle", "trapezoid"
]


def nodes_and_weights(rule: Rule, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The rule's `steps` nodes in `[0, 1]`, and weights that sum to 1."""
    _checks.choice("rule", rule, get_args(Rule))
    _checks.count("steps", steps, 2 if rule == "trapezoid" else 1)
    if rule == "gauss_legendre":
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        return (nodes + 1) / 2, weights / weights.sum()  # from [-1, 1] to [0, 1]
    if rule == "trapezoid":
        weights = np.ones(steps)
        weights[[0, -1]] = 0.5
        return np.linspace(0, 1, steps), weights / (steps - 1)
    shift = {"riemann_left": 0.0, "riemann_right": 1.0, "riemann_middle": 0.5}[rule]
    return (np.arange(steps) + shift) / steps, np.full(steps, 1 / steps)

r"""Gaussian-process priors on games, as covariances of two coalitions.

Coalitions are signs $x \in \{\pm 1\}^d$. A product of one factor per player,
$\prod_i (1 + \rho\, x_i t_i)$, gives an interaction of $s$ players the weight
$\rho^s$; its odd part under complements is all that Shapley values depend on. With
$\rho = \tanh a$ and $g$ players on which two coalitions agree, the odd part is
$\sinh(a\,(2g - d))$ and the even part $\cosh(a\,(2g - d))$, up to a factor.
"""

from collections.abc import Callable

import numpy as np

BANK = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75)
"""Values of rho, from games of few players at a time to games of many."""


def odd_table(num_groups: int, rho: float) -> np.ndarray:
    """The covariance for each number of agreements, without main effects.

    Main effects are estimated freely, so their prior does not matter; without them,
    the table stays well scaled where rho is small.
    """
    d = num_groups
    g = np.arange(d + 1)
    # Relative to (1 + rho) ** d, which would overflow.
    log_ratio = np.log1p(-rho) - np.log1p(rho)
    both = np.exp((d - g) * log_ratio) - np.exp(g * log_ratio)
    linear = 2 * rho * (2 * g - d) * np.exp(-d * np.log1p(rho))
    table = both - linear
    return _unit(table if d > 2 else np.zeros(d + 1))


def even_table(num_groups: int, rho: float) -> np.ndarray:
    """The same for the even part, without the constant."""
    d = num_groups
    g = np.arange(d + 1)
    log_ratio = np.log1p(-rho) - np.log1p(rho)
    both = np.exp((d - g) * log_ratio) + np.exp(g * log_ratio)
    return _unit(both - 2 * np.exp(-d * np.log1p(rho)))


def _unit(table: np.ndarray) -> np.ndarray:
    """Scaled to variance 1."""
    scaled = table / table[-1] if table[-1] > 0 else table
    # Numbers that float32 cannot hold in full would slow every product down.
    return np.where(np.abs(scaled) < 1e-30, 0, scaled)


TableOf = Callable[[int, float], np.ndarray]


def bank(table_of: TableOf, num_groups: int) -> np.ndarray:
    """One table per row, for every rho."""
    return np.stack([table_of(num_groups, rho) for rho in BANK])

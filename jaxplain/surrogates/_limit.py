"""What LIME converges to: a linear functional of the game."""

import math

import numpy as np
from jaxtyping import Float

from ._kernel import check, log_weight_of_size
from ._types import Distance


def limit_functional(
    num_groups: int,
    width: float | None = None,
    distance: Distance = "cosine",
    ridge_per_sample: float = 0.0,
) -> tuple[Float[np.ndarray, " sizes"], Float[np.ndarray, " sizes"]]:
    r"""How the limit of LIME weighs the means of a game over coalitions of each size.

    $$\beta_j = \sum_{s=0}^{d} a_s\, \bar v_s(j \in S) - b_s\, \bar v_s(j \notin S)$$

    Here $\bar v_s$ is the mean of the game over the coalitions of size $s$ that hold
    player $j$, or that lack it. The limit is that of more and more coalitions which
    hold each player with probability 1/2. All players are alike in it, so the Gram
    matrix is $\alpha I + \gamma J$, and its inverse is known.

    Args:
        num_groups: Number of players $d$.
        width: Kernel width, as in `regress`.
        distance: `"cosine"` or `"euclidean"`.
        ridge_per_sample: Penalty over the number of samples.

    Returns:
        `(a, b)`, for the sizes from 0 to `num_groups`. There is no coalition of size 0
        that holds a player, and no full one that lacks it: these entries are 0.
    """
    check(distance, width)
    name = closed_form(distance)
    d, size = num_groups, np.arange(num_groups + 1)
    ways = [-math.lgamma(s + 1) - math.lgamma(d - s + 1) for s in size]
    law = np.exp(np.array(ways) + math.lgamma(d + 1) - d * math.log(2))
    law = law * np.exp(log_weight_of_size(name, width, d))
    one = law @ size / d / law.sum()
    pairs = law @ (size * (size - 1)) / max(d * (d - 1), 1) / law.sum()
    two = pairs if d > 1 else one**2
    own = law.sum() * (one - two) + ridge_per_sample
    shared = law.sum() * (two - one**2)
    # Of the sum of all moments, which the inverse takes from each.
    common = shared / (own * (own + d * shared)) * (size - d * one)
    inside = law * (size / d) * ((1 - one) / own - common)
    outside = law * (1 - size / d) * (one / own + common)
    return inside, outside


def closed_form(distance: Distance) -> str:
    """The name of a distance, of which the weights of all sizes are known."""
    if callable(distance):
        raise TypeError(
            "`distance` must be 'cosine' or 'euclidean' to have a limit in closed "
            "form, but is a function. Fit `surrogates.regress` to all coalitions."
        )
    return distance

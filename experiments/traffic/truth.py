"""The exact Shapley values of a known function, by enumerating its coalitions.

Written without the library, from the definition, so that it can contradict it:

$$\\phi_i = \\sum_{S \\not\\ni i} \\frac{|S|!\\,(n - |S| - 1)!}{n!}
  \\bigl(v(S \\cup i) - v(S)\\bigr)$$
"""

from collections.abc import Callable
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np


def coalitions(num_players: int) -> np.ndarray:
    """Every coalition, as rows of booleans; row `s` is the binary form of `s`."""
    members = np.arange(2**num_players)[:, None] >> np.arange(num_players)
    return members % 2 == 1


def shapley_values(worth: np.ndarray) -> np.ndarray:
    """Shapley values of a game, from the worth of each row of `coalitions(n)`."""
    num_players = int(np.log2(len(worth)))
    index = np.arange(len(worth))
    size = coalitions(num_players).sum(axis=1)
    orders = np.array([factorial(s) for s in range(num_players + 1)], float)
    values = []
    for player in range(num_players):
        without = index[index >> player & 1 == 0]
        weight = orders[size[without]] * orders[num_players - size[without] - 1]
        gain = worth[without | 1 << player] - worth[without]
        values.append((weight * gain).sum() / orders[num_players])
    return np.array(values)


def true_shapley_values(
    f: Callable[[jax.Array], jax.Array],
    stack: np.ndarray,
    background: np.ndarray,
    labels: np.ndarray,
) -> np.ndarray:
    """Shapley values of `f` for each window: (windows, players).

    A coalition is worth the mean of `f` over the background windows, into which the
    columns of its members are copied from the window that is explained.
    """
    members = coalitions(int(labels.max()) + 1)

    @jax.jit
    def worth(window: jax.Array) -> jax.Array:
        def of_coalition(present: jax.Array) -> jax.Array:
            kept = present[labels]
            mixed = lambda other: f(jnp.where(kept, window, other))
            return jax.vmap(mixed)(jnp.asarray(background)).mean()

        return jax.lax.map(of_coalition, jnp.asarray(members), batch_size=64)

    return np.stack(
        [shapley_values(np.asarray(worth(jnp.asarray(x)), float)) for x in stack]
    )

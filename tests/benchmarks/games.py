"""Games whose Shapley values are known: sums of small games, each a table.

A model of a few players is one table of `2 ** d` values. Boosted trees of many players
are one table per tree, over the few players that the tree splits on. NumPy alone, so
that the peers' Python reads the same games.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]


class Game(NamedTuple):
    """The same game of several instances: a sum of terms, each of `k` players.

    Attributes:
        num_players: Number of players, of which any term sees only some.
        players: Shape `(terms, k)`: the players of each term.
        tables: Shape `(instances, terms, 2 ** k)`: bit `j` of the last index says
            whether player `j` of the term is present.
    """

    num_players: int
    players: np.ndarray
    tables: np.ndarray


def from_tables(tables: np.ndarray) -> Game:
    """Games that are one table each, shape `(instances, 2 ** d)`."""
    d = tables.shape[-1].bit_length() - 1
    return Game(d, np.arange(d)[None], tables[:, None].astype(np.float64))


def masks(num_players: int) -> np.ndarray:
    """All coalitions, in the order of the tables."""
    return np.arange(2**num_players)[:, None] >> np.arange(num_players) & 1 == 1


def value(game: Game, instance: int, coalitions: np.ndarray) -> np.ndarray:
    """The values of some coalitions, shape `(coalitions, players)`, of one instance."""
    terms, k = game.players.shape
    # A column at a time: all columns of all terms at once would not fit the cache.
    index = np.zeros((len(coalitions), terms), np.int64)
    for j in range(k):
        index |= (coalitions[:, game.players[:, j]] > 0.5).astype(np.int64) << j
    return game.tables[instance, np.arange(terms), index].sum(1)


def walsh(tables: np.ndarray) -> np.ndarray:
    r"""The coefficients of the last axis in products of signs, $\prod_{j \in A} x_j$.

    A player's sign $x_j$ is 1 where it is present and -1 where it is absent.
    """
    out = np.asarray(tables, np.float64)
    half = 1
    while half < out.shape[-1]:
        pairs = out.reshape(*tables.shape[:-1], -1, 2, half)
        absent, present = pairs[..., 0, :], pairs[..., 1, :]
        out = np.stack([absent + present, present - absent], -2).reshape(tables.shape)
        half *= 2
    return out / tables.shape[-1]


def shapley(game: Game) -> np.ndarray:
    r"""Exact values, shape `(instances, players)`.

    The players of a product of signs share it equally: it goes from $-1$ to $1$ with
    the first of them if their number is odd, and comes back if it is even.

    $$\phi_i = \sum_{A \ni i,\ |A|\ \mathrm{odd}} \frac{2}{|A|}\, \hat v(A)$$
    """
    inside = masks(game.players.shape[1])
    size = inside.sum(1)
    share = np.where(size % 2 == 1, 2 / np.maximum(size, 1), 0)
    of_terms = (walsh(game.tables) * share) @ inside
    phi = np.zeros((len(game.tables), game.num_players))
    for term, players in enumerate(game.players):
        phi[:, players] += of_terms[:, term]
    return phi


def interventional(
    predict: Predict, x: np.ndarray, background: np.ndarray, players: np.ndarray
) -> np.ndarray:
    """One table: the mean of `predict` with absent columns taken from a background.

    Columns that are not among the players are those of `x`.
    """
    present = np.ones((2 ** len(players), len(x)), bool)
    present[:, players] = masks(len(players))
    chunks = np.array_split(present, -(-len(present) * len(background) // 100_000))
    mixed = (np.where(m[:, None], x, background).reshape(-1, len(x)) for m in chunks)
    return np.concatenate(
        [predict(rows).reshape(-1, len(background)).mean(1) for rows in mixed]
    )


def save(path: Path, games: dict[str, Game]) -> None:
    fields: dict[str, Any] = {}
    for name, game in games.items():
        fields |= {f"{name}/{key}": field for key, field in game._asdict().items()}
    np.savez(path, **fields)


def load(path: Path) -> dict[str, Game]:
    with np.load(path) as file:
        names = dict.fromkeys(key.rpartition("/")[0] for key in file)
        return {
            name: Game(
                int(file[f"{name}/num_players"]),
                file[f"{name}/players"],
                file[f"{name}/tables"],
            )
            for name in names
        }

"""The games of the accuracy benchmark: what is called exact is."""

import math
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_close

from tests.benchmarks import games, shapley

R = np.random.default_rng(0)
WIDE = games.Game(6, np.array([[4, 1, 2], [5, 0, 4]]), R.normal(size=(3, 2, 8)))


def by_definition(v, d):
    """The weighted mean of what each player adds to the coalitions of the others."""
    phi = np.zeros(d)
    for i in range(d):
        for size in range(d):
            for others in combinations(set(range(d)) - {i}, size):
                mask = np.isin(np.arange(d), others)[None]
                ways = d * math.comb(d - 1, size)
                gain = v(mask | (np.arange(d) == i)) - v(mask)
                phi[i] += gain[0] / ways
    return phi


@pytest.mark.parametrize("game", [games.from_tables(R.normal(size=(2, 32))), WIDE])
def test_exact_values_are_those_of_the_definition(game):
    for i, phi in enumerate(games.shapley(game)):
        expected = by_definition(lambda m, i=i: games.value(game, i, m), len(phi))
        assert_close(phi, expected)


def test_walsh_coefficients_rebuild_the_table():
    table = R.normal(size=16)
    signs = np.where(games.masks(4), 1, -1)
    coefficients = games.walsh(table)
    products = [signs[:, inside].prod(1) for inside in games.masks(4)]
    assert_close(coefficients @ np.stack(products), table)


def test_the_value_of_a_coalition_is_its_entry_of_the_table():
    tables = R.normal(size=(2, 16))
    game = games.from_tables(tables)
    assert_close(games.value(game, 1, games.masks(4)), tables[1])


def test_columns_that_are_absent_come_from_the_background():
    x, background = R.normal(size=3), R.normal(size=(5, 3))
    table = games.interventional(lambda z: z @ [1, 10, 100], x, background, [0, 2])
    mean = background.mean(0)
    expected = [
        [mean[0], x[1], mean[2]],
        [x[0], x[1], mean[2]],
        [mean[0], x[1], x[2]],
        [x[0], x[1], x[2]],
    ]
    assert_close(table, np.array(expected) @ [1, 10, 100])


def test_games_survive_a_file(tmp_path):
    games.save(tmp_path / "games.npz", {"a, 6": WIDE})
    (name, read), *rest = games.load(tmp_path / "games.npz").items()
    assert (name, rest) == ("a, 6", [])
    for ours, theirs in zip(read, WIDE, strict=True):
        assert np.array_equal(ours, theirs)


def test_an_estimate_from_every_coalition_has_no_error():
    options = SimpleNamespace(instances=3, seeds=1)
    found = shapley.ours(WIDE, "kernel", 100, options)
    assert found.errors.shape == found.coverage.shape == (3, 1)
    assert found.errors.max() < shapley.EXACT
    assert found.coverage.min() == 1
    assert found.evaluations == 2**6


def test_a_peer_is_compared_on_the_instances_that_it_has():
    result = lambda errors: shapley.Result(np.array(errors), None, 0, "")
    own = result([[1.0, 5.0], [9.0, 9.0]])
    assert shapley.ratio(result([[6.0, 6.0]]), own) == 2

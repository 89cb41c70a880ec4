"""Estimates of Shapley values: exact where they can be, honest where they cannot."""

import functools
import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import shapley_oracles as slow
from explainers import quick_jit
from helpers import assert_close
from oracles import constrained_least_squares, shapley_kernel
from shapley_oracles import METHODS, fitted, look_up

import jaxplain as jx

KEY = jr.key(5)
each_method = pytest.mark.parametrize("method", METHODS)
by_method = slow.by_method(METHODS)


def random_table(d=6, seed=0):
    return np.random.RandomState(seed).randn(2**d)


def game_of_pairs(d=6, seed=0):
    random = np.random.RandomState(seed)
    own, bonds = random.randn(d), random.randn(d, d)
    return np.array([2 + m @ own + m @ bonds @ m for m in slow.masks(d)])


# What is evaluated.


@pytest.mark.slow
@by_method
def test_an_explainer_evaluates_what_its_fit_counts_and_gives_the_same_values(method):
    seen = []
    explain = METHODS[method](slow.recording(seen), num_samples=41)
    refs = {"baseline": 0.0, "key": KEY}
    values = quick_jit(lambda t: explain(jnp.ones(6), t, **refs))(random_table())
    jax.effects_barrier()
    found = fitted(method)(random_table(), KEY)
    assert_close(found.values, values)
    # Whole pairs of coalitions or of orders, and both ends.
    assert found.evaluations == len(seen) == 42
    assert {0, 63} <= set(seen)
    assert sorted(seen) == sorted(63 - s for s in seen)
    if method != "permutation":
        assert len(set(seen)) == len(seen)


@each_method
def test_a_budget_for_all_coalitions_is_exact(method):
    table = random_table(4)
    found = fitted(method, 4, 14)(table, KEY)
    assert_close(found.values, slow.shapley(4) @ table)
    assert (found.standard_error == 0).all()
    assert found.evaluations == 16


@pytest.mark.parametrize("method", ["kernel", "leverage"])
def test_regressions_solve_the_least_squares_of_their_coalitions(method):
    """Covert and Lee (2021), equation 7, weighted by the kernel over the draw."""
    d, seen, table = 5, [], random_table(5)
    fit = jx.shapley_fit(slow.recording(seen), method=method, num_samples=22)
    refs = {"baseline": 0.0, "key": KEY}
    found = quick_jit(lambda t: fit(jnp.ones(d), t, **refs))(table)
    jax.effects_barrier()
    masks = [slow.masks(d)[s] for s in seen if 0 < s < 2**d - 1]
    drawn = np.bincount([m.sum() for m in masks], minlength=d)
    law = [shapley_kernel(d, s) * math.comb(d, s) / drawn[s] for s in range(1, d)]
    weights = [law[m.sum() - 1] for m in masks]
    v = lambda mask: table[mask.astype(int) @ 2 ** np.arange(d)]
    expected = constrained_least_squares(v, masks, weights)
    # A condition number of 1e2, times rounding.
    assert_close(found.values, expected, tol=1e-11)


# Games that a few coalitions determine.


@each_method
@pytest.mark.parametrize("seed", range(3))
def test_games_of_pairs_are_exact_and_known_to_be(method, seed):
    table = game_of_pairs(seed=seed)
    found = fitted(method)(table, jr.key(seed))
    # The condition number of the regression, about 1e2, times rounding.
    assert_close(found.values, slow.shapley(6) @ table, tol=1e-11)
    assert found.standard_error.max() < 1e-10 * np.abs(table).max()


@each_method
def test_a_game_that_never_changes_is_worth_nothing(method):
    found = fitted(method)(np.full(64, 3.5), KEY)
    assert_close(found.values, jnp.zeros(6))
    assert_close(found.standard_error, jnp.zeros(6))


# Games that no few coalitions determine: networks of tanh with ten inputs.

D, GAMES, KEYS = 10, 24, 40


@functools.cache
def networks():
    params = slow.networks(GAMES, D)
    return params, slow.network_tables(*params) @ slow.shapley(D).T


@functools.cache
def errors(method, per_player):
    """The error and its standard error: one row per key and game."""
    params, exact = networks()
    fit = jx.shapley_fit(slow.tanh_network, method=method, num_samples=per_player * D)
    one = lambda params, key: fit(jnp.ones(D), *params, baseline=0.0, key=key)
    run = quick_jit(jax.vmap(jax.vmap(one, (0, None)), (None, 0)))
    found = run(tuple(map(jnp.asarray, params)), jr.split(KEY, KEYS))
    return np.asarray(found.values) - exact, np.asarray(found.standard_error)


def check_coverage(method, per_player):
    error, standard_error = errors(method, per_player)
    covered = (np.abs(error) <= 1.96 * standard_error).mean((0, 2))
    # The mean of 24 games: its own standard error is below 0.005.
    assert covered.std() / GAMES**0.5 < 0.005
    # The errors of MSR do not shrink as the coalitions run out: it covers more.
    most = 1.0 if method == "msr" else 0.99
    assert 0.90 < covered.mean() <= most
    assert covered.min() > 0.85


@by_method
def test_intervals_cover_with_ten_evaluations_per_player(method):
    check_coverage(method, 10)


@pytest.mark.slow
@each_method
def test_intervals_cover_with_twenty_evaluations_per_player(method):
    check_coverage(method, 20)


@pytest.mark.slow
@each_method
def test_twice_the_budget_halves_the_squared_error(method):
    few, many = ((errors(method, n)[0] ** 2).mean() for n in (10, 20))
    # In proportion to 1 / n, or faster; 960 estimates leave a tenth of noise.
    assert many < 0.6 * few


@pytest.mark.slow
def test_the_estimators_rank_as_they_are_documented():
    square = {m: (errors(m, 20)[0] ** 2).mean() for m in METHODS}
    assert square["gp"] < 0.8 * min(square["leverage"], square["kernel"])
    assert square["permutation"] > 2 * max(square["leverage"], square["gp"])


def test_permutations_are_unbiased():
    error = errors("permutation", 10)[0]
    z = error.mean(0) / (error.std(0) / KEYS**0.5)
    # 240 means of 40: their largest is below 4.5, and their squares have a mean of 1.
    assert np.abs(z).max() < 4.5
    assert abs((z**2).mean() - 1) < 4 * (2 / z.size) ** 0.5


# Interactions.


@functools.cache
def sampled_pairs(make, d=6, num_samples=40):
    explain = make(look_up, num_samples=num_samples)
    return quick_jit(lambda t, key: explain(jnp.ones(d), t, baseline=0.0, key=key))


@pytest.mark.slow
def test_sampled_faith_shap_of_a_game_of_pairs_is_exact():
    table = game_of_pairs()
    found = sampled_pairs(jx.faith_shap)(table, KEY)
    main, pairs = slow.faith(table)
    assert_close(found.main, main, tol=1e-9)  # 1e3 is its condition number
    assert_close(found.pairs, pairs, tol=1e-9)
    assert found.standard_error.max() < 1e-8
    assert found.evaluations == 42


@pytest.mark.parametrize("make", [jx.shapley_interactions, jx.faith_shap])
def test_sampled_interactions_share_out_the_whole(make):
    table = random_table()
    found = sampled_pairs(make)(table, KEY)
    assert_close(found.main.sum() + found.pairs.sum() / 2, table[-1] - table[0])
    assert (found.pairs == found.pairs.T).all()
    assert (jnp.diag(found.pairs) == 0).all()
    if make is jx.shapley_interactions:
        values = fitted("gp")(table, KEY).values
        assert_close(found.main + found.pairs.sum(1) / 2, values)


@pytest.mark.slow
def test_sampled_interactions_are_near_and_know_how_near():
    d, games, keys = 8, 12, 16
    params = slow.networks(games, d)
    exact = slow.network_tables(*params) @ slow.interactions(d).reshape(d * d, -1).T
    exact = exact.reshape(games, d, d)
    explain = jx.shapley_interactions(slow.tanh_network, num_samples=120)
    one = lambda params, key: explain(jnp.ones(d), *params, baseline=0.0, key=key)
    run = quick_jit(jax.vmap(jax.vmap(one, (0, None)), (None, 0)))
    found = run(tuple(map(jnp.asarray, params)), jr.split(KEY, keys))
    i, j = np.triu_indices(d, 1)
    error = (np.asarray(found.pairs) - exact)[..., i, j]
    assert (error**2).mean() < 0.2 * (exact[:, i, j] ** 2).mean()
    covered = np.abs(error) <= 1.96 * np.asarray(found.standard_error)[..., i, j]
    assert 0.88 < covered.mean() < 0.995

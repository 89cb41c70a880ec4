"""Estimates that go on: from statistics, and until a tolerance is reached."""

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
from shapley_oracles import look_up

import jaxplain as jx
from jaxplain.shapley import accumulate, estimate

D, SAMPLES = 6, 30
KEY = jr.key(2)
SEEN = []
TABLE = slow.network_tables(*slow.networks(1, D))[0]


@functools.cache
def first_round():
    observe = accumulate(slow.recording(SEEN), num_samples=SAMPLES)
    return quick_jit(lambda t, key: observe(jnp.ones(D), t, baseline=0.0, key=key))


@functools.cache
def next_round():
    observe = accumulate(slow.recording(SEEN), num_samples=SAMPLES)
    return quick_jit(
        lambda t, key, seen: observe(
            jnp.ones(D), t, baseline=0.0, key=key, statistics=seen
        )
    )


def rounds(number, table=TABLE, key=KEY):
    seen = first_round()(table, key)
    for _ in range(number - 1):
        seen = next_round()(table, key, seen)
    return seen


@functools.cache
def until(tolerance, max_samples=50 * SAMPLES):
    fit = jx.shapley_until(
        look_up, tolerance=tolerance, num_samples=SAMPLES, max_samples=max_samples
    )
    return quick_jit(lambda t, key: fit(jnp.ones(D), t, baseline=0.0, key=key))


def rounds_of(found):
    return int(found.evaluations) // (SAMPLES + 2)


@pytest.mark.slow
def test_an_estimate_of_two_rounds_is_that_of_the_union_of_their_coalitions():
    SEEN.clear()
    found = estimate(jax.block_until_ready(rounds(2)))
    jax.effects_barrier()
    assert len(SEEN) == found.evaluations == 2 * (SAMPLES + 2)
    assert SEEN[: SAMPLES + 2] != SEEN[SAMPLES + 2 :]
    masks = [slow.masks(D)[s] for s in SEEN if 0 < s < 2**D - 1]
    drawn = np.bincount([m.sum() for m in masks], minlength=D)
    law = [shapley_kernel(D, s) * math.comb(D, s) / drawn[s] for s in range(1, D)]
    v = lambda mask: TABLE[mask.astype(int) @ 2 ** np.arange(D)]
    weights = [law[m.sum() - 1] for m in masks]
    expected = constrained_least_squares(v, masks, weights)
    # A condition number of 1e2, times rounding.
    assert_close(found.values, expected, tol=1e-11)


def test_one_round_is_leverage_shap_with_errors_of_its_own():
    found = estimate(rounds(1))
    assert_close(found.values.sum(), TABLE[-1] - TABLE[0])
    assert found.standard_error.min() > 0
    assert found.evaluations == SAMPLES + 2


def test_statistics_have_one_size_for_any_number_of_rounds():
    few, many = rounds(1), rounds(4)
    assert jax.tree.map(jnp.shape, few) == jax.tree.map(jnp.shape, many)
    assert sum(leaf.size for leaf in many) == 2 * D**2 + D + 4
    assert (few.rounds, many.rounds) == (1, 4)
    assert many.evaluations == 4 * (SAMPLES + 2)


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [0.3, 0.1])
def test_until_repeats_rounds_with_the_same_key_up_to_its_tolerance(tolerance):
    found = until(tolerance)(TABLE, KEY)
    number = rounds_of(found)
    by_hand = [estimate(rounds(n)) for n in range(1, number + 1)]
    assert_close(found.values, by_hand[-1].values, tol=1e-11)
    assert_close(found.standard_error, by_hand[-1].standard_error, tol=1e-7)
    assert found.standard_error.max() <= tolerance
    # Not one round too many, but for the second.
    assert number >= 2
    assert all(e.standard_error.max() > tolerance for e in by_hand[1:-1])


@pytest.mark.slow
def test_until_is_done_at_its_budget():
    found = until(1e-9, max_samples=5 * SAMPLES + 3)(TABLE, KEY)
    assert rounds_of(found) == 5
    assert found.standard_error.max() > 1e-9
    assert rounds_of(until(1e-9, max_samples=SAMPLES)(TABLE, KEY)) == 1


@pytest.mark.slow
def test_under_vmap_each_input_stops_where_it_would_alone():
    tables = np.stack([TABLE, 0.2 * TABLE, 2 * TABLE, np.full(2**D, 2.0)])
    together = jax.vmap(until(0.1), (0, None))(tables, KEY)
    for k, table in enumerate(tables):
        alone = until(0.1)(table, KEY)
        assert together.evaluations[k] == alone.evaluations
        assert_close(together.values[k], alone.values, tol=1e-10)
    assert len(set(together.evaluations.tolist())) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_stops_at_once(bad):
    table = TABLE.copy()
    table[-1] = bad
    found = until(0.1)(table, KEY)
    assert np.isnan(found.values).all()
    assert rounds_of(found) <= 2  # one round says little of its error


@pytest.mark.slow
def test_more_rounds_err_less_and_know_it():
    """Four rounds for 20 games and 40 keys."""
    params = slow.networks(20, D)
    tables = slow.network_tables(*params)
    exact = tables @ slow.shapley(D).T
    observe = accumulate(look_up, num_samples=SAMPLES)

    def both(table, key):
        refs = {"baseline": 0.0, "key": key}
        again = lambda _, seen: observe(jnp.ones(D), table, **refs, statistics=seen)
        first = observe(jnp.ones(D), table, **refs)
        return estimate(first), estimate(jax.lax.fori_loop(0, 3, again, first))

    run = quick_jit(jax.vmap(jax.vmap(both, (0, None)), (None, 0)))
    one, four = run(tables, jr.split(KEY, 40))
    square = [((np.asarray(e.values) - exact) ** 2).mean() for e in (one, four)]
    assert square[1] < 0.4 * square[0]
    error = np.asarray(four.values) - exact
    covered = np.abs(error) <= 1.96 * np.asarray(four.standard_error)
    assert 0.90 < covered.mean() < 0.995


@pytest.mark.slow
@pytest.mark.parametrize("d", [4, 5])
def test_rounds_that_determine_little_go_on_until_they_determine_all(d):
    """The fewest samples per round: some first rounds miss a direction."""
    table = jnp.asarray(np.random.RandomState(1).randn(2**d))
    fit = jx.shapley_until(
        look_up, tolerance=0.3, num_samples=2 * (d - 1), max_samples=2000
    )
    run = lambda key: fit(jnp.ones(d), table, baseline=0.0, key=key)
    found = quick_jit(jax.vmap(run))(jr.split(jr.key(1), 100))
    assert np.isfinite(found.values).all()
    assert found.standard_error.max() <= 0.3


@pytest.mark.parametrize("chunk_size", [7])
def test_rounds_in_chunks_are_the_same(chunk_size):
    observe = accumulate(look_up, num_samples=SAMPLES, chunk_size=chunk_size)
    refs = {"baseline": 0.0, "key": KEY}
    seen = quick_jit(lambda t: observe(jnp.ones(D), t, **refs))(TABLE)
    assert_close(estimate(seen).values, estimate(rounds(1)).values, tol=1e-11)

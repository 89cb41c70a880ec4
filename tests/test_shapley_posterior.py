"""The Gaussian process of `gp_shap`: its posterior, and what inputs share of it."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import shapley_oracles as slow
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain.shapley._kernels import BANK

pytestmark = pytest.mark.slow

D, SAMPLES = 7, 28
SEEN = []


@pytest.fixture(scope="module")
def fit():
    """Estimates of a table and a key, and the coalitions that they are made from."""
    of_game = jx.shapley_fit(slow.recording(SEEN), num_samples=SAMPLES)
    run = quick_jit(lambda t, key: of_game(jnp.ones(D), t, baseline=0.0, key=key))

    def call(table, key):
        SEEN.clear()
        found = jax.block_until_ready(run(table, key))
        jax.effects_barrier()
        return found, list(SEEN)

    return call


GAMES = {
    "noise": lambda: np.random.RandomState(0).randn(2**D),
    "smooth": lambda: slow.network_tables(*slow.networks(1, D))[0],
    "large_and_far_from_zero": lambda: 1e3 + 50 * np.random.RandomState(1).rand(2**D),
}


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES.keys())
@pytest.mark.parametrize("seed", range(2))
def test_the_posterior_is_that_of_a_dense_process_averaged_by_evidence(fit, game, seed):
    table = game()
    found, seen = fit(table, jr.key(seed))
    one_of_each_pair = sorted(s for s in seen if s % 2)
    assert len(one_of_each_pair) == 1 + SAMPLES // 2
    mean, deviation = slow.gaussian_process(table, one_of_each_pair, BANK)
    # A jitter of 4e-10 on matrices with a condition number of about 1e3.
    assert_close(found.values, mean, tol=1e-6)
    assert_close(found.standard_error, deviation, tol=1e-5)


def test_the_posterior_grows_as_the_game_and_forgets_what_is_added(fit):
    table = GAMES["smooth"]()
    found, _ = fit(table, jr.key(2))
    for factor in (-3.0, 1e-6, 1e9):
        other, _ = fit(factor * (table + 1), jr.key(2))
        assert_close(other.values, factor * found.values, tol=1e-9)
        expected = abs(factor) * found.standard_error
        assert_close(other.standard_error, expected, tol=1e-7)


def factorised(keys_too):
    """The shapes of all factorisations, for a batch of three inputs."""
    explain = jx.gp_shap(lambda x: jnp.tanh(x.sum()) * x[0], num_samples=40)
    one = lambda x, key: explain(x, baseline=0.0, key=key)
    keys = jr.split(jr.key(0), 3) if keys_too else jr.key(0)
    program = jax.make_jaxpr(jax.vmap(one, (0, 0 if keys_too else None)))
    shapes = re.findall(
        r"\w+:f64\[([\d,]*)\](?: \w+:f64\[[\d,]*\])? = (?:cholesky|eigh)",
        str(program(jnp.ones((3, 10)), keys)),
    )
    assert shapes
    return {tuple(map(int, shape.split(","))) for shape in shapes}


def test_inputs_that_share_a_key_share_every_factorisation():
    n = 1 + 40 // 2
    assert factorised(keys_too=False) == {(n, n), (10, 10)}
    assert factorised(keys_too=True) == {(3, n, n), (3, 10, 10)}


@pytest.mark.parametrize(("d", "num_samples"), [(4, 8), (4, 12)])
def test_a_process_that_sees_too_little_says_so(d, num_samples):
    """With up to two observations to spare, a Student deviation is infinite."""
    table = np.random.RandomState(0).randn(2**d)
    found = slow.fitted("gp", d, num_samples)(table, jr.key(0))
    assert jnp.isfinite(found.values).all()
    spare = 1 + num_samples // 2 - d
    assert (jnp.isinf(found.standard_error) == (spare <= 2)).all()


# A rate for each player.


@pytest.mark.slow
def test_rates_per_player_are_an_option_of_the_explainer():
    table, key = GAMES["smooth"]()[:64], jr.key(3)
    explain = jx.gp_shap(slow.look_up, per_player=True, num_samples=40)
    run = quick_jit(lambda t: explain(jnp.ones(6), t, baseline=0.0, key=key))
    found = slow.fitted("gp_per_player")(table, key)
    # Sixty steps of Adam, in programs that round differently.
    assert_close(run(table), found.values, tol=1e-6)
    assert_close(found.values.sum(), table[-1] - table[0])
    alike = slow.fitted("gp")(table, key).values
    assert np.abs(found.values - alike).max() > 1e-6


@pytest.mark.slow
def test_rates_per_player_leave_games_of_pairs_exact():
    bonds = np.random.RandomState(5).randn(6, 6)
    table = np.array([m @ bonds @ m for m in slow.masks(6)])
    found = slow.fitted("gp_per_player")(table, jr.key(4))
    assert_close(found.values, slow.shapley(6) @ table, tol=1e-10)
    assert found.standard_error.max() < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("factor", [-2.0, 1e6])
def test_rates_per_player_do_not_depend_on_units(factor):
    table, key = GAMES["smooth"]()[:64], jr.key(5)
    found = slow.fitted("gp_per_player")(table, key)
    other = slow.fitted("gp_per_player")(factor * (table + 1), key)
    # Sixty steps of Adam carry the rounding along.
    assert_close(other.values, factor * found.values, tol=1e-5)

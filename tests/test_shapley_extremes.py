"""Shapley values of very large and very small games, and of too few coalitions."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import shapley_oracles as slow
from helpers import assert_close

import jaxplain as jx
from jaxplain.shapley import _least_squares, _per_player, _sample, _semivalues

pytestmark = pytest.mark.slow

X = jnp.ones(8, jnp.float32)
KEY = jr.key(1)
METHODS = "gp gp_per_player leverage kernel msr permutation".split()
by_method = slow.by_method(METHODS)


def curved(x, scale):
    return scale * jnp.tanh(x @ jnp.linspace(-1, 1, 8, dtype=x.dtype)) * x[0]


def fitted(method, f=curved, num_samples=80):
    return partial(
        jx.shapley_fit(f, method=method, num_samples=num_samples), baseline=0.0, key=KEY
    )


@pytest.mark.slow
@by_method
def test_the_unit_of_f_does_not_matter(method):
    scales = jnp.array([1, 2.0**90, 2.0**-100], jnp.float32)
    found = jax.jit(jax.vmap(fitted(method), (None, 0)))(X, scales)
    assert (found.standard_error[0] > 0).any()
    for i in (1, 2):
        # Powers of 2 change no digit.
        assert_close(found.values[i] / scales[i], found.values[0], tol=1e-6)
        error = found.standard_error[i] / scales[i]
        assert_close(error, found.standard_error[0], tol=1e-6)


@pytest.mark.slow
@by_method
def test_a_loss_at_a_game_of_zeros_has_a_gradient(method):
    linear = lambda x, w: w @ x
    fit = fitted(method, linear, num_samples=32)
    loss = lambda w: fit(X, w).values @ jnp.arange(8, dtype=w.dtype)
    slope = jax.jit(jax.grad(loss))(jnp.zeros(8, jnp.float32))
    # The value of a feature of a linear game is its weight.
    assert_close(slope, jnp.arange(8, dtype=jnp.float32), tol=1e-4)


@slow.by_method(["msr", "leverage", "gp"])
@pytest.mark.slow
def test_few_coalitions_are_exact_for_an_additive_game_or_say_that_they_are_not(method):
    linear = lambda x, w: w @ x
    fit = jx.shapley_fit(linear, method=method, num_samples=21)
    w = jnp.linspace(-20, 20, 8, dtype=jnp.float32)
    many = jax.jit(jax.vmap(lambda key: fit(X, w, baseline=0.0, key=key)))
    found = many(jr.split(KEY, 100))
    known = jnp.isfinite(found.values)
    assert known.mean() > 0.5
    # Float32, and a regression that is nearly singular for some keys.
    error = jnp.where(known, jnp.abs(found.values - w[None]), 0)
    assert error.max() < 0.05


@pytest.mark.slow
def test_an_error_that_cannot_be_known_is_infinite():
    """As many pairs as unknowns leave no residual to judge by."""
    fit = jx.shapley_fit(curved, method="leverage", num_samples=14)
    found = fit(X, 1.0, baseline=0.0, key=jr.key(3))
    known = jnp.isfinite(found.values)
    assert known.any()
    assert jnp.isinf(found.standard_error[known]).any()


@pytest.mark.slow
def test_rates_per_player_are_finite_for_many_players():
    d = 100
    x = jnp.where(jr.bernoulli(KEY, 0.5, (40, d)), 1, -1).astype(jnp.float32)
    prior = _per_player._prior(x, jnp.full(d, 0.9, jnp.float32))
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in prior)
    assert_close(jnp.diagonal(prior.gram), jnp.ones(40, jnp.float32), tol=1e-4)


def test_the_share_of_coalitions_drawn_is_known_for_a_thousand_players():
    d = 1100
    counts = np.full(d + 1, 2)
    sample = _sample.Sample(*[jnp.zeros(1)] * 3, lambda i: i, counts, d, None)
    share = _least_squares.drawn_share(sample)
    assert jnp.isfinite(share).all()
    assert share[1] == 2 / d


def test_unions_of_many_members_are_too_many_coalitions():
    explain = jx.owen_values(jnp.sum, unions=np.repeat([0, 1], [64, 1]))
    with pytest.raises(ValueError, match="must leave at most"):
        explain(jnp.ones(65), baseline=0.0)


@pytest.mark.parametrize("number", [5, 6])
def test_laws_of_agreement_are_those_of_all_sets(number):
    weights = np.eye(number + 1)
    codes = np.arange(2**number)
    sets = (codes[:, None] >> np.arange(number)) % 2
    for t in range(number + 1):
        agree = (sets == (np.arange(number) < t)).sum(1)
        found = _semivalues.agreement_laws(weights, number, t)
        for s in range(number + 1):
            of_size = agree[sets.sum(1) == s]
            law = np.bincount(of_size, minlength=number + 1) / len(of_size)
            assert_close(found[s], law)


def test_until_enumerates_a_small_game():
    fit = jx.shapley_until(lambda x: x[0] * x[1], tolerance=1e-9)
    found = fit(jnp.ones(2), baseline=0.0, key=KEY)
    assert_close(found.values, jnp.array([0.5, 0.5]))
    assert (found.standard_error == 0).all()


@pytest.mark.slow
def test_statistics_of_another_game_are_refused():
    seen = jx.shapley.accumulate(jnp.sum, num_samples=14)(X, baseline=0.0, key=KEY)
    observe = jx.shapley.accumulate(jnp.sum, num_samples=14)
    with pytest.raises(ValueError, match="of a game of 6 players, but are of one of 8"):
        observe(jnp.ones(6), baseline=0.0, key=KEY, statistics=seen)

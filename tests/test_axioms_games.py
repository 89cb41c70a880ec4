"""Axioms of games: Shapley values, occlusion, LIME and the game itself."""

import functools
import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from hypothesis import given
from hypothesis import strategies as st
from properties import close, fixed, numbers, seeds

import jaxplain as jx
from jaxplain import testing


@pytest.mark.parametrize("d", range(1, 7))
def test_kernel_shap_of_any_small_game_is_the_shapley_value(d):
    explain_of = lambda v: quick_jit(jx.kernel_shap(v))
    testing.check_shapley(explain_of, num_players=d, baseline=0.0, key=testing.KEY)


@pytest.mark.parametrize("labels", [(0, 0, 0), (1, 0, 0, 1), (2, 0, 1, 3, 0, 2)])
def test_kernel_shap_of_groups_is_the_shapley_value_of_their_game(labels):
    d, groups = max(labels) + 1, np.array(labels)

    def explain_of(v):
        def of_groups(x, table):
            present = [jnp.prod(x[groups == g]) for g in range(d)]
            return v(jnp.stack(present), table)

        def explain(_, table, **refs):
            explain = jx.kernel_shap(of_groups, num_groups=d)
            return explain(jnp.ones(len(labels)), table, groups=groups, **refs)

        return quick_jit(explain)

    testing.check_shapley(explain_of, num_players=d, baseline=0.0, key=testing.KEY)


def additive(x, slopes, powers):
    return jnp.sum(slopes * x + powers * x**3)


def additive_parts(x, slopes, powers):
    return slopes * x + powers * x**3


def pairwise(x, slopes, powers, bonds):
    return additive(x, slopes, powers) + x @ bonds @ jnp.sin(x)


@functools.cache
def compiled(name):
    """40 samples of 6 features: too few to enumerate, enough pairs to span them."""
    return quick_jit(
        {
            "occlusion": jx.occlusion(additive),
            "kernel_shap": jx.kernel_shap(additive, num_samples=40),
            "pairwise": jx.kernel_shap(pairwise, num_samples=40),
            "all_coalitions": jx.kernel_shap(pairwise),
            "surrogate": jx.surrogate(additive, num_samples=60, ridge=0.0),
        }[name]
    )


@fixed
@given(x=numbers(6), b=numbers(6), slopes=numbers(6), powers=numbers(6))
def test_occlusion_of_an_additive_game_is_exact(x, b, slopes, powers):
    phi = compiled("occlusion")(x, slopes, powers, baseline=b)
    close(phi, additive_parts(x, slopes, powers) - additive_parts(b, slopes, powers))


@fixed
@given(x=numbers(6), b=numbers(6), slopes=numbers(6), powers=numbers(6), seed=seeds)
def test_sampled_kernel_shap_of_an_additive_game_is_exact(x, b, slopes, powers, seed):
    phi = compiled("kernel_shap")(x, slopes, powers, baseline=b, key=jr.key(seed))
    close(phi, additive_parts(x, slopes, powers) - additive_parts(b, slopes, powers))


@fixed
@given(x=numbers(6), b=numbers(6), slopes=numbers(6), bonds=numbers(6, 6), seed=seeds)
def test_sampled_kernel_shap_of_pairs_is_exact(x, b, slopes, bonds, seed):
    args = x, slopes, slopes, bonds
    refs = {"baseline": b, "key": jr.key(seed)}
    phi = compiled("pairwise")(*args, **refs)
    close(phi, compiled("all_coalitions")(*args, **refs))


@fixed
@given(x=numbers(6), b=numbers(6), slopes=numbers(6), powers=numbers(6), seed=seeds)
def test_lime_without_ridge_of_an_additive_game_is_exact(x, b, slopes, powers, seed):
    fit = compiled("surrogate")(x, slopes, powers, baseline=b, key=jr.key(seed))
    parts = additive_parts(x, slopes, powers) - additive_parts(b, slopes, powers)
    close(fit.weights, parts)
    close(fit.intercept, additive(b, slopes, powers))
    close(fit.standard_error, 0)
    # Residuals are nothing but rounding; so is the variance where nothing matters.
    assert abs(fit.r2 - 1) < 1e-9 or np.abs(parts).max() < 1e-6


floats = st.floats(-(2.0**99), 2.0**99, allow_subnormal=False, width=32)
rows = st.lists(floats, min_size=4, max_size=4)
ENDS = np.array([1, 0, 1, 0])


@jax.jit
def what_f_sees(x, b, mask):
    """The input that a game passes on, entry by entry, with groups and without."""

    def entry(i):
        read = lambda x: x[i]
        of_groups = jx.game(read, x, baseline=b, groups=ENDS)
        return jx.game(read, x, baseline=b)(mask[ENDS]), of_groups(mask)

    return jax.vmap(entry)(jnp.arange(4))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@fixed
@given(x=rows, b=rows)
def test_f_sees_what_is_present_and_what_is_absent_bit_for_bit(dtype, x, b):
    x, b = jnp.array(x, dtype), jnp.array(b, dtype)
    for mask in itertools.product([0.0, 1.0], repeat=2):
        expected = jnp.where(np.array(mask)[ENDS] == 1, x, b)
        for seen in what_f_sees(x, b, jnp.array(mask)):
            np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("hidden", [np.nan, np.inf, -np.inf])
@fixed
@given(x=rows, b=rows)
def test_what_is_hidden_leaves_no_trace(hidden, x, b):
    x, b = jnp.array(x), jnp.array(b)
    for mask in itertools.product([0.0, 1.0], repeat=2):
        present = np.array(mask)[ENDS] == 1
        poisoned = jnp.where(present, x, hidden), jnp.where(present, hidden, b)
        for seen in what_f_sees(*poisoned, jnp.array(mask)):
            np.testing.assert_array_equal(seen, jnp.where(present, x, b))


def smooth(x, c):
    return jnp.tanh(x @ c) + x[0] * x[1] * c[2] - jnp.sin(x[2] * x[3])


LABELS = np.array([2, 0, 0, 1])


@functools.cache
def path_values():
    """Integrated gradients of `f`, of its game, and of its game between groups."""

    def all_three(x, b, c):
        ig = functools.partial(jx.integrated_gradients, steps=16)
        v = jx.game(smooth, x, c, baseline=b)
        w = jx.game(smooth, x, c, baseline=b, groups=LABELS)
        return (
            ig(smooth)(x, c, baseline=b),
            ig(v)(jnp.ones(4), baseline=0.0),
            ig(w)(jnp.ones(3), baseline=0.0),
        )

    return quick_jit(all_three)


@fixed
@given(x=numbers(4), b=numbers(4), c=numbers(4))
def test_integrated_gradients_of_a_game_are_those_of_f(x, b, c):
    by_input, by_player, _ = path_values()(x, b, c)
    close(by_player, by_input)


@fixed
@given(x=numbers(4), b=numbers(4), c=numbers(4))
def test_aumann_shapley_values_of_groups_are_sums_over_their_features(x, b, c):
    by_input, _, by_group = path_values()(x, b, c)
    close(by_group, np.bincount(LABELS, by_input))


def mean_game(mask, x, b, *args):
    games = [jx.game(pairwise, x, *args, baseline=row) for row in b]
    return (games[0](mask) + games[1](mask)) / 2


@functools.cache
def over_a_background():
    refs = {"num_samples": 20}
    marginal = jx.expected(jx.kernel_shap(pairwise, **refs))
    of_mean = jx.kernel_shap(mean_game, **refs)

    def both(x, b, key, *args):
        ones = jnp.ones(6)
        return (
            marginal(x, *args, baseline=b, key=key),
            of_mean(ones, x, b, *args, baseline=0.0, key=key),
        )

    return quick_jit(both)


@fixed
@given(
    x=numbers(6), b=numbers(2, 6), slopes=numbers(6), bonds=numbers(6, 6), seed=seeds
)
def test_expected_shapley_values_are_those_of_the_mean_game(x, b, slopes, bonds, seed):
    both = over_a_background()(x, b, jr.key(seed), slopes, slopes, bonds)
    close(*both)

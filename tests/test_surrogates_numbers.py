"""Surrogates against the `lime` package, written again, and against their limits."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import lime_oracles as oracles
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from oracles import hc3

import jaxplain as jx
from jaxplain import _regression, coalitions, surrogates
from jaxplain.surrogates._kernel import log_weight_of_size
from jaxplain.surrogates._limit import limit_functional
from jaxplain.surrogates._sampling import around_the_input
from jaxplain.surrogates._selection import chooser

NUM, D = 40, 6
SEEDS = [0, 1, 33, 47, 78]  # on the paths of the last three a feature leaves again
ORACLES = {
    "highest_weights": oracles.highest_weights,
    "forward": oracles.forward,
    "lasso_path": oracles.lasso_path,
}


def kernel(masks):
    """Ribeiro et al. (2016): the cosine distance of masks, and a width of 1/4."""
    return np.exp(-((1 - np.sqrt(masks.mean(1))) ** 2) / (2 * 0.25**2))


def neighbourhood(seed):
    """Correlated coalitions and noise, which are hard to choose from."""
    random = np.random.default_rng(seed)
    shared = random.random((NUM, 1)) < 0.5
    masks = np.where(
        random.random((NUM, D)) < 0.6, shared, random.random((NUM, D)) < 0.5
    )
    masks[0] = True
    return masks, random.normal(size=NUM)


def regression(seed):
    """Coalitions, values, weights; the Gram matrix and the moment of centred ones."""
    masks, values = neighbourhood(seed)
    weights = kernel(masks)
    z = masks - weights @ masks / weights.sum()
    weighted = (z * weights[:, None]).T
    return (masks.astype(float), values, weights), (weighted @ z, weighted @ values)


@functools.cache
def choosing(selection, number):
    choose = chooser(selection, number)
    return quick_jit(lambda gram, moment: choose(gram, moment)[0])


@pytest.mark.parametrize("selection", ORACLES)
@pytest.mark.parametrize("number", [1, 3, 4])
def test_few_features_are_chosen_as_the_package_does(selection, number):
    for seed in SEEDS:
        data, sums = regression(seed)
        found = np.flatnonzero(choosing(selection, number)(*sums))
        assert found.tolist() == ORACLES[selection](*data, number)


@functools.cache
def fitted(selection, num_features):
    def fit(masks, values):
        # The value of a mask is that of its first row, as if it were looked up.
        row = lambda mask: values[jnp.argmax((masks == mask[None]).all(1))]
        return surrogates.regress(
            row,
            lambda i: masks[i],
            D,
            num_samples=NUM,
            num_features=num_features,
            selection=selection,
        )

    return quick_jit(fit)


def looked_up(masks, values):
    return np.array([values[np.argmax((masks == mask).all(1))] for mask in masks])


def test_the_chosen_features_are_fitted_as_if_there_were_no_others():
    for seed in SEEDS[:2]:
        masks, values = neighbourhood(seed)
        found = fitted("forward", 3)(masks, values)
        values, weights = looked_up(masks, values), kernel(masks)
        chosen = oracles.forward(masks.astype(float), values, weights, 3)
        alone = masks[:, chosen].astype(float), values, weights
        intercept, slope, unexplained = oracles.least_squares(*alone, 1.0)
        expected, error = np.zeros(D), np.full(D, np.nan)
        expected[chosen] = slope
        error[chosen] = hc3(*alone, 1.0)
        assert_close(found.weights, expected)
        assert_close(found.intercept, intercept)
        variance = weights @ (values - weights @ values / weights.sum()) ** 2
        assert_close(found.r2, 1 - unexplained / variance)
        np.testing.assert_allclose(found.standard_error, error, rtol=1e-10)


def test_effective_samples_and_condition_are_those_of_the_weights():
    masks, values = neighbourhood(2)
    found = fitted("highest_weights", None)(masks, values)
    weights = kernel(masks)
    assert_close(found.effective_samples, weights.sum() ** 2 / (weights**2).sum())
    z = masks - weights @ masks / weights.sum()
    gram = (z * weights[:, None]).T @ z
    assert_close(found.condition, np.linalg.cond(gram + np.eye(D)))


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_units_whose_squares_are_out_of_range_do_not_matter(unit):
    def fit(unit):
        value = lambda mask: unit * mask.astype(jnp.float32)[:3].prod()
        design = coalitions.bernoulli(jr.key(0), D)
        return surrogates.regress(
            value, design, D, num_samples=NUM, num_features=3, selection="forward"
        )

    fit, unit = quick_jit(fit), jnp.float32(unit)
    once, other = fit(jnp.float32(1)), fit(unit)
    assert 0 < once.r2 < 1
    assert_close(other.r2, once.r2)
    assert_close(other.weights / unit, once.weights)
    assert_close(other.intercept / unit, once.intercept)
    assert_close(other.standard_error[:3] / unit, once.standard_error[:3])


def test_where_f_is_constant_the_errors_have_no_slope():
    def error(scale):
        value = lambda mask: scale * mask.prod(dtype=float)
        design = coalitions.exhaustive(2)
        fit = surrogates.regress(value, design, 2, num_samples=4)
        return fit.standard_error.sum()

    assert quick_jit(jax.grad(error))(0.0) == 0


def test_nothing_to_tell_features_by_is_an_infinite_condition():
    zeros = jnp.zeros((2, 2))
    assert _regression.spectral(zeros, zeros[0], 0.0).condition == np.inf


def test_choosing_all_features_is_choosing_none():
    masks, values = neighbourhood(1)
    every = fitted("forward", 99)(masks, values)
    assert_close(every.weights, fitted("highest_weights", None)(masks, values).weights)


# Limits.

EVERY = jax.vmap(coalitions.exhaustive(D))(jnp.arange(2**D))


def play(mask):
    """A game with interactions of all orders."""
    m = jnp.asarray(mask).astype(float)
    slopes = jnp.array([1.0, -2.0, 0.5, 3.0, 0.0, -1.0])
    return jnp.tanh(m @ slopes) + m[0] * m[1] * m[4] + m[3] * m[5]


@functools.cache
def fit_to_all(distance, width, ridge):
    fit = lambda: surrogates.regress(
        play,
        coalitions.exhaustive(D),
        D,
        num_samples=2**D,
        distance=distance,
        width=width,
        ridge=ridge,
    )
    return quick_jit(lambda: fit().weights)()


@pytest.mark.parametrize(
    ("distance", "width", "ridge"),
    [("cosine", None, 0.0), ("cosine", 0.2, 0.03), ("euclidean", 1.1, 0.01)],
)
def test_the_limit_of_lime_is_its_fit_to_all_coalitions(distance, width, ridge):
    found = fit_to_all(distance, width, ridge * 2**D)  # a penalty per sample
    inside, outside = limit_functional(D, width, distance, ridge)
    values, masks = np.asarray(jax.vmap(play)(EVERY)), np.asarray(EVERY)
    sizes, expected = masks.sum(1), np.zeros(D)
    for j in range(D):
        for s in range(D + 1):
            here = sizes == s
            if (here & masks[:, j]).any():
                expected[j] += inside[s] * values[here & masks[:, j]].mean()
            if (here & ~masks[:, j]).any():
                expected[j] -= outside[s] * values[here & ~masks[:, j]].mean()
    assert_close(found, expected)


def test_a_single_player_has_a_limit():
    inside, outside = limit_functional(1)
    assert_close(inside, np.array([0.0, 1.0]))
    assert_close(outside, np.array([1.0, 0.0]))


def test_tabular_lime_is_a_difference_of_conditional_means():
    found = fit_to_all("euclidean", None, 0.0)
    values = dict(zip(map(bytes, np.asarray(EVERY)), np.asarray(jax.vmap(play)(EVERY))))
    lookup = lambda mask: values[bytes(mask)]
    assert_close(found, oracles.tabular_limit(lookup, D, 0.75 * D**0.5))


# Sampling.


@pytest.mark.parametrize(
    ("sampling", "distance"),
    [("local", "cosine"), ("local", "euclidean"), ("text", "cosine")],
)
def test_a_sampling_law_draws_what_it_says(sampling, distance):
    num = 4000
    logs = log_weight_of_size(distance, None, D)
    law = logs if sampling == "local" else None
    draw = around_the_input(sampling, jr.key(3), D, num + 1, law)
    masks = np.asarray(jax.vmap(draw)(jnp.arange(num + 1)))
    assert masks[0].all()
    masks = masks[1:]
    ways = np.array([1, 6, 15, 20, 15, 6, 1])
    law = ways * np.exp(logs) if sampling == "local" else np.arange(D + 1) < D
    law = law / law.sum()
    found = np.bincount(masks.sum(1), minlength=D + 1) / num
    # Four standard errors of a share of `num` independent draws.
    assert (abs(found - law) <= 4 * np.sqrt(law * (1 - law) / num) + 1e-12).all()
    share = law @ np.arange(D + 1) / D
    assert (abs(masks.mean(0) - share) <= 4 * np.sqrt(0.25 / num)).all()


@pytest.mark.slow
def test_a_balanced_design_is_closer_to_the_limit_than_a_random_one(getkey):
    limit = fit_to_all("cosine", None, 0.0)
    keys = jr.split(getkey(), 100)

    def error(sampling):
        explain = jx.lime(
            play, num_samples=32, ridge=0.0, sampling=sampling, num_groups=D
        )
        groups = np.arange(D)
        each = lambda key: explain(jnp.ones(D), baseline=0.0, groups=groups, key=key)
        found = np.asarray(quick_jit(jax.vmap(each))(keys))
        return ((found - np.asarray(limit)) ** 2).sum(1)

    gain = error("bernoulli") - error("quasi_random")
    # Four standard errors of the mean gain.
    assert gain.mean() > 4 * gain.std() / 10


@pytest.mark.parametrize("size", [3, 5000])  # on CPU a maximum of many skips NaN
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_values_of_which_one_is_not_finite_are_not_constant(size, odd):
    assert _regression.constant(jnp.ones(size))
    assert not _regression.constant(jnp.ones(size).at[1].set(odd))
    assert not _regression.constant(jnp.full(size, odd))

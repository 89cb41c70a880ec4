"""Explainers against slow transcriptions of their papers, on small random models."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import oracles
import pytest
from helpers import assert_close

import jaxplain as jx

SEEDS = pytest.mark.parametrize("seed", range(3))
SHAPE, NUM_GROUPS = (4, 3), 6


def network(x, weights, a, c):
    return a @ jnp.tanh(weights @ x.ravel() + c)


class Case:
    """A random network in NumPy, with its gradient by hand, and what to explain."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.W = random.normal(size=(7, 12)) / 2
        self.a, self.c = random.normal(size=(2, 7))
        self.x, self.baseline = random.normal(size=(2, *SHAPE))
        self.baselines = random.normal(size=(5, *SHAPE))
        labels = np.arange(12) % NUM_GROUPS
        self.groups = random.permutation(labels).reshape(SHAPE)

    def f(self, x):
        return self.a @ np.tanh(self.W @ x.ravel() + self.c)

    def gradient(self, x):
        slope = 1 - np.tanh(self.W @ x.ravel() + self.c) ** 2
        return (self.W.T @ (self.a * slope)).reshape(x.shape)

    def play(self, mask):
        return oracles.play(self.f, self.x, self.baseline, self.groups, mask)

    def explained(self, explain, *names, **refs):
        """By a compiled explainer, with the named references of this case."""
        refs |= {name: getattr(self, name) for name in names}
        return explain(self.x, self.W, self.a, self.c, **refs)


def compiled(explain):
    # Compiled once for all seeds: the network is an argument.
    return jax.jit(explain)


@functools.cache
def masks_of(make, num_samples):
    """The masks of `make(key, NUM_GROUPS)`, by key."""
    draw = lambda key: jax.vmap(make(key, NUM_GROUPS))(jnp.arange(num_samples))
    return jax.jit(draw)


# Gradients.

saliency = compiled(jx.saliency(network))
input_x_gradient = compiled(jx.input_x_gradient(network))
middle_9 = jx.integrated_gradients(network, steps=9, rule="riemann_middle")
ig_9 = compiled(middle_9)
expected_ig_9 = compiled(jx.expected(middle_9))
ig_64 = compiled(jx.integrated_gradients(network, steps=64))


@SEEDS
def test_saliency_is_the_gradient_by_hand(seed):
    case = Case(seed)
    gradient = case.gradient(case.x)
    assert_close(case.explained(saliency), gradient)
    assert_close(case.explained(input_x_gradient), case.x * gradient)


@SEEDS
def test_the_middle_rule_is_the_midpoint_rule(seed):
    case = Case(seed)
    expected = oracles.integrated_gradients(case.gradient, case.x, case.baseline, 9)
    assert_close(case.explained(ig_9, "baseline"), expected)


@SEEDS
def test_integrated_gradients_are_the_limit_of_a_fine_midpoint_rule(seed):
    case = Case(seed)
    expected = oracles.integrated_gradients(
        case.gradient, case.x, case.baseline, 10_000
    )
    # The midpoint rule is off by the third derivative over 24 * steps^2, about 1e-9.
    assert_close(case.explained(ig_64, "baseline"), expected, tol=1e-8)


@SEEDS
def test_expected_gradients_are_the_mean_over_baselines(seed):
    case = Case(seed)
    expected = oracles.expected_gradients(case.gradient, case.x, case.baselines, 9)
    found = case.explained(expected_ig_9, baseline=case.baselines)
    assert_close(found, expected)


# What was drawn, as callbacks see it, in any order.

drawn = []


def record(value):
    jax.debug.callback(lambda value: drawn.append(np.asarray(value)), value)


def drawn_by(compute):
    drawn.clear()
    found = np.asarray(compute())
    jax.effects_barrier()
    return found, list(drawn)


def recorded_saliency(x, *args):
    record(x)
    return jx.saliency(network)(x, *args)


smoothgrad = compiled(jx.smooth(recorded_saliency, std=0.3, num_samples=10))


@SEEDS
def test_smoothgrad_is_the_mean_gradient_over_its_noise(seed, getkey):
    case = Case(seed)
    found, noisy = drawn_by(lambda: case.explained(smoothgrad, key=getkey()))
    assert len({x.tobytes() for x in noisy}) == 10
    assert_close(found, np.mean([case.gradient(x) for x in noisy], axis=0))


def test_the_noise_of_smoothgrad_is_normal_with_the_given_deviation(getkey):
    # The mean of explanations that are moments of the noise, of 12 entries.
    x, std, n = jnp.full(SHAPE, 5.0), 0.5, 4000
    moments = lambda x: jnp.stack([((x - 5.0) / std) ** k for k in (1, 2, 3, 4)])
    found = jax.jit(jx.smooth(moments, std=std, num_samples=n))(x, key=getkey())
    means = np.mean(np.asarray(found), axis=(1, 2))
    # Means and variances of z, z^2, z^3 and z^4 for a standard normal z.
    expected, variance = np.array([0.0, 1, 0, 3]), np.array([1.0, 2, 15, 96])
    standard_error = np.sqrt(variance / (n * x.size))
    assert (np.abs(means - expected) <= 4 * standard_error).all()


def draw_rise(x, *args, key, baseline):
    mask = jr.bernoulli(key, 0.5, x.shape)
    record(mask)
    mask = mask.astype(x.dtype)
    return mask * jx.game(network, x, *args, baseline=baseline)(mask)


rise = compiled(jx.monte_carlo(draw_rise, num_samples=12))


@SEEDS
def test_rise_is_the_mean_of_masks_weighed_by_the_value_of_f(seed, getkey):
    case = Case(seed)
    found, masks = drawn_by(lambda: case.explained(rise, "baseline", key=getkey()))
    assert len({mask.tobytes() for mask in masks}) == 12
    assert_close(found, oracles.rise(case.f, case.x, case.baseline, masks))


# Games.

GAME = "baseline", "groups"
occlusion = compiled(jx.occlusion(network, num_groups=NUM_GROUPS))
shap = partial(jx.kernel_shap, network, num_groups=NUM_GROUPS)
shap_62, shap_40 = compiled(shap(num_samples=62)), compiled(shap(num_samples=40))


@SEEDS
def test_occlusion_is_the_drop_without_each_group(seed):
    case = Case(seed)
    args = case.x, case.baseline, case.groups, NUM_GROUPS
    expected = oracles.occlusion(case.f, *args)
    assert_close(case.explained(occlusion, *GAME), expected)


@SEEDS
def test_kernel_shap_of_every_coalition_is_the_shapley_value(seed, getkey):
    case = Case(seed)
    found = case.explained(shap_62, *GAME, key=getkey())  # 2^6 - 2 coalitions
    assert_close(found, oracles.shapley_by_subsets(case.play, NUM_GROUPS))
    assert_close(found, oracles.shapley_by_permutations(case.play, NUM_GROUPS))


@SEEDS
def test_kernel_shap_of_a_sample_is_its_constrained_least_squares(seed, getkey):
    case, key = Case(seed), getkey()
    by_size = lambda *args: jx.coalitions.stratified(*args, 40, sizes="kernel")
    masks = np.asarray(masks_of(by_size, 40)(key))
    # The Shapley kernel of each size, shared by those that were drawn of it.
    size = masks.sum(1)
    drawn = np.bincount(size)[size]
    weights = 1 / (size * (NUM_GROUPS - size) * drawn)
    expected = oracles.constrained_least_squares(case.play, masks, weights)
    assert_close(case.explained(shap_40, *GAME, key=key), expected)


@SEEDS
def test_least_squares_with_the_shapley_kernel_gives_shapley_values(seed):
    # The theorem that `kernel_shap` rests on, for the oracle that judges it.
    case = Case(seed)
    every = jax.vmap(jx.coalitions.exhaustive(NUM_GROUPS))(jnp.arange(1, 63))
    weights = [oracles.shapley_kernel(NUM_GROUPS, mask.sum()) for mask in every]
    found = oracles.constrained_least_squares(case.play, np.asarray(every), weights)
    assert_close(found, oracles.shapley_by_subsets(case.play, NUM_GROUPS))


@pytest.mark.slow
@pytest.mark.parametrize("num_samples", [80, 81])  # an odd one has no partner
def test_kernel_shap_of_pairs_is_exact_for_pairwise_interactions(num_samples, getkey):
    random = np.random.default_rng(0)
    A, b = random.normal(size=(12, 12)), random.normal(size=12)
    f = lambda x: x @ A @ x + b @ x
    explain = jx.kernel_shap(f, num_samples=num_samples)  # of 4094 coalitions
    found = jax.jit(explain)(jnp.ones(12), baseline=0.0, key=getkey())
    # Each player has its own terms, and half of those that it shares.
    assert_close(found, b + (A.sum(0) + A.sum(1)) / 2)


# LIME.

OPTIONS = pytest.mark.parametrize(
    ("width", "ridge"), [(0.25, 1.0), (0.25, 0.0), (0.6, 0.1)]
)
NUM_SAMPLES = 50


@functools.cache
def surrogate(width, ridge):
    options = {"num_samples": NUM_SAMPLES, "num_groups": NUM_GROUPS}
    return compiled(jx.surrogate(network, **options, width=width, ridge=ridge))


def lime_case(seed, key, width, ridge):
    case = Case(seed)
    found = case.explained(surrogate(width, ridge), *GAME, key=key)
    masks = np.array(masks_of(jx.coalitions.bernoulli, NUM_SAMPLES)(key))
    masks[0] = True  # the input itself
    values = np.array([case.play(mask) for mask in masks])
    weights = np.array([oracles.lime_kernel(mask, width) for mask in masks])
    return found, (masks.astype(float), values, weights)


@SEEDS
@OPTIONS
def test_lime_is_weighted_ridge_regression(seed, width, ridge, getkey):
    found, data = lime_case(seed, getkey(), width, ridge)
    intercept, slope, _ = oracles.weighted_ridge(*data, ridge)
    assert_close(found.weights, slope)
    assert_close(found.intercept, intercept)
    assert_close(found.r2, oracles.weighted_r2(*data, intercept, slope))
    assert found.evaluations == NUM_SAMPLES


@SEEDS
@OPTIONS
def test_the_standard_errors_of_lime_are_hc3(seed, width, ridge, getkey):
    found, data = lime_case(seed, getkey(), width, ridge)
    assert_close(found.standard_error, oracles.hc3(*data, ridge))
    assert_close(found.standard_error, oracles.jackknife(*data, ridge))


def test_the_standard_errors_of_lime_are_its_spread_over_keys(getkey):
    case, num_keys = Case(0), 400
    fit = jx.surrogate(
        network, num_samples=300, num_groups=NUM_GROUPS, width=0.5, ridge=0.0
    )
    fits = jax.jit(jax.vmap(lambda key: case.explained(fit, *GAME, key=key)))
    found = fits(jr.split(getkey(), num_keys))
    spread = np.std(np.asarray(found.weights), axis=0)
    stated = np.sqrt(np.mean(np.asarray(found.standard_error) ** 2, axis=0))
    # A deviation of 400 draws has a relative standard error of 1 / sqrt(800).
    assert (np.abs(spread / stated - 1) <= 4 / np.sqrt(2 * num_keys)).all()

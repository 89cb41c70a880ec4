"""Maps, curves and designs against slow transcriptions and stated laws."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import oracles
import pytest
from helpers import assert_close

import jaxplain as jx
from jaxplain import coalitions

SEEDS = pytest.mark.parametrize("seed", range(3))


# Maps.


@SEEDS
def test_grad_cam_is_the_loop_over_channels_and_pixels(seed):
    random = np.random.default_rng(seed)
    features, linear, square = random.normal(size=(3, 4, 5, 3))

    def f(x):
        layer = jx.tap(x, "layer")
        return (linear * layer + square * layer**2).sum()

    expected = oracles.grad_cam(features, linear + 2 * square * features)
    found = jx.grad_cam(f, at="layer")(jnp.asarray(features))
    assert_close(found, expected)
    rectified = jx.grad_cam(f, at="layer", relu=True)(jnp.asarray(features))
    assert_close(rectified, np.maximum(expected, 0))
    assert (expected < 0).any()  # so that the two differ


@pytest.mark.parametrize("shape", [(8, 8), (7, 11), (3, 4), (2, 9), (1, 1)])
def test_upsample_is_linear_between_half_pixel_centres(shape):
    heatmap = np.random.default_rng(0).normal(size=(3, 4))
    found = jx.cam.upsample(jnp.asarray(heatmap), shape)
    assert_close(found, oracles.upsample(heatmap, shape))


# Curves.


@functools.cache
def metric(name, steps):
    # Compiled once for all seeds: what is random is an argument.
    make = getattr(jx.metrics, name)
    return jax.jit(make(lambda x, a: jnp.tanh((a * x).sum()), steps=steps))


@SEEDS
@pytest.mark.parametrize("steps", [1, 5, 48])
@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_a_curve_is_the_loop_over_steps(name, steps, seed):
    random = np.random.default_rng(seed)
    x, baseline, a = random.normal(size=(3, 6, 8))
    attribution = random.integers(0, 4, (6, 8)) / 2.0  # with many ties
    found = metric(name, steps)(x, a, attribution=attribution, baseline=baseline)
    values, area = oracles.curve(
        lambda x: np.tanh((a * x).sum()),
        x,
        baseline,
        attribution,
        steps,
        insert=name == "insertion",
    )
    assert_close(found.value, values)
    assert_close(found.area, area)
    assert_close(found.fraction, np.arange(steps + 1) / steps)


def test_a_map_of_pixels_deletes_all_their_channels():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    ranking = np.random.default_rng(1).normal(size=(2, 3))
    deletion = jax.jit(jx.metrics.deletion(lambda x: (x**2).sum(), steps=6))
    found = deletion(x, attribution=ranking, baseline=0.0)
    energy = (x**2).sum(-1)
    expected, _ = oracles.curve(
        lambda e: e.sum(), energy, np.zeros((2, 3)), ranking, 6, insert=False
    )
    assert_close(found.value, expected)


# Designs.


N = 20_000


@functools.cache
def masks_by_key(make, num_groups):
    """Some thousands of masks of `make(key, num_groups)`, by key."""
    return jax.jit(lambda key: jax.vmap(make(key, num_groups))(jnp.arange(2 * N)))


def masks_of(make, num_groups, key):
    return np.asarray(masks_by_key(make, num_groups)(key))


def test_the_exhaustive_design_counts_in_binary():
    expected = [[i >> j & 1 for j in range(4)] for i in range(16)]
    masks = jax.vmap(coalitions.exhaustive(4))(jnp.arange(16))
    assert (np.asarray(masks) == expected).all()


def test_the_last_coalition_of_leave_one_out_is_full():
    expected = [[i != j for j in range(4)] for i in range(5)]
    masks = jax.vmap(coalitions.leave_one_out(4))(jnp.arange(5))
    assert (np.asarray(masks) == expected).all()


def within_four_standard_errors(counts, num_draws, probability):
    """Binomial counts, against their probability."""
    deviation = np.sqrt(num_draws * probability * (1 - probability))
    return (np.abs(counts - num_draws * probability) <= 4 * deviation).all()


@pytest.mark.parametrize("num_groups", [2, 7, 40])
def test_the_sizes_of_pairs_follow_the_shapley_kernel(num_groups, getkey):
    first = masks_of(coalitions.paired, num_groups, getkey())[::2]
    counts = np.bincount(first.sum(1), minlength=num_groups + 1)
    kernel = [
        math.comb(num_groups, size) * oracles.shapley_kernel(num_groups, size)
        for size in range(1, num_groups)
    ]
    probability = np.array(kernel) / sum(kernel)
    assert counts[0] == counts[num_groups] == 0
    assert within_four_standard_errors(counts[1:-1], N, probability)


def test_all_coalitions_of_a_size_are_equally_likely_in_pairs(getkey):
    first = masks_of(coalitions.paired, 7, getkey())[::2]
    for size in (1, 2, 3):
        chosen = first[first.sum(1) == size]
        _, counts = np.unique(chosen, axis=0, return_counts=True)
        assert len(counts) == math.comb(7, size)
        assert within_four_standard_errors(counts, len(chosen), 1 / len(counts))


def test_every_second_coalition_of_pairs_is_the_complement_of_the_one_before(getkey):
    masks = masks_of(coalitions.paired, 7, getkey())
    assert (masks[1::2] == ~masks[::2]).all()


@pytest.mark.parametrize("num_groups", [3, 70])  # 70 bits are more than two words
def test_bernoulli_features_are_fair_and_independent(num_groups, getkey):
    masks = masks_of(coalitions.bernoulli, num_groups, getkey())[:N]
    assert within_four_standard_errors(masks.sum(0), N, 0.5)
    signs = 2.0 * masks - 1.0
    others = (signs.T @ signs)[~np.eye(num_groups, dtype=bool)]
    # Each is a sum of N signs. Five deviations: of 2415 pairs, chance gives one four.
    assert (np.abs(others) <= 5 * np.sqrt(N)).all()
    # One sample says nothing about the next.
    follow = (masks[1:] == masks[:-1]).sum(0)
    assert within_four_standard_errors(follow, N - 1, 0.5)

"""Maps, curves and designs against slow transcriptions and stated laws."""

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


@SEEDS
@pytest.mark.parametrize("steps", [1, 5, 12])
@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_a_curve_is_the_loop_over_steps(name, steps, seed):
    random = np.random.default_rng(seed)
    x, baseline, a = random.normal(size=(3, 3, 4))
    attribution = random.integers(0, 4, (3, 4)) / 2.0  # with ties
    metric = getattr(jx.metrics, name)(lambda x: jnp.tanh((a * x).sum()), steps=steps)
    found = metric(jnp.asarray(x), attribution=attribution, baseline=baseline)
    values, area = oracles.curve(
        lambda x: np.tanh((a * x).sum()),
        x,
        baseline,
        attribution,
        steps,
        insert=name == "insertion",
    )
    assert_close(found.value, values)
    assert_close(found.area, np.array(area))
    assert_close(found.fraction, np.arange(steps + 1) / steps)


def test_a_map_of_pixels_deletes_all_their_channels():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    ranking = np.random.default_rng(1).normal(size=(2, 3))
    metric = jx.metrics.deletion(lambda x: (x**2).sum(), steps=6)
    found = metric(jnp.asarray(x), attribution=ranking, baseline=0.0)
    energy = (x**2).sum(-1)
    expected, _ = oracles.curve(
        lambda e: e.sum(), energy, np.zeros((2, 3)), ranking, 6, insert=False
    )
    assert_close(found.value, expected)


# Designs.


def masks_of(design, num_samples):
    return np.asarray(jax.jit(jax.vmap(design))(jnp.arange(num_samples)))


def test_the_exhaustive_design_counts_in_binary():
    expected = [[i >> j & 1 for j in range(4)] for i in range(16)]
    assert (masks_of(coalitions.exhaustive(4), 16) == np.array(expected)).all()


def test_the_last_coalition_of_leave_one_out_is_full():
    expected = [[i != j for j in range(4)] for i in range(5)]
    assert (masks_of(coalitions.leave_one_out(4), 5) == np.array(expected)).all()


def within_four_standard_errors(counts, num_draws, probability):
    """Binomial counts, against their probability."""
    deviation = np.sqrt(num_draws * probability * (1 - probability))
    return (np.abs(counts - num_draws * probability) <= 4 * deviation).all()


@pytest.mark.parametrize("num_groups", [2, 3, 7, 40])
def test_the_sizes_of_pairs_follow_the_shapley_kernel(num_groups, getkey):
    n = 20_000
    first = masks_of(coalitions.paired(getkey(), num_groups), 2 * n)[::2]
    counts = np.bincount(first.sum(1), minlength=num_groups + 1)
    sizes = np.arange(1, num_groups)
    kernel = [
        math.comb(num_groups, int(s)) * oracles.shapley_kernel(num_groups, int(s))
        for s in sizes
    ]
    probability = np.array(kernel) / sum(kernel)
    assert counts[0] == counts[num_groups] == 0
    assert within_four_standard_errors(counts[1:-1], n, probability)


def test_all_coalitions_of_a_size_are_equally_likely_in_pairs(getkey):
    n, num_groups, size = 20_000, 5, 2
    first = masks_of(coalitions.paired(getkey(), num_groups), 2 * n)[::2]
    chosen = first[first.sum(1) == size]
    _, counts = np.unique(chosen, axis=0, return_counts=True)
    assert len(counts) == math.comb(num_groups, size)
    assert within_four_standard_errors(counts, len(chosen), 1 / len(counts))


def test_every_second_coalition_of_pairs_is_the_complement_of_the_one_before(getkey):
    masks = masks_of(coalitions.paired(getkey(), 9), 200)
    assert (masks[1::2] == ~masks[::2]).all()


@pytest.mark.parametrize("num_groups", [3, 32, 70])
def test_bernoulli_features_are_fair_and_independent(num_groups, getkey):
    n = 20_000
    masks = masks_of(coalitions.bernoulli(getkey(), num_groups), n)
    assert within_four_standard_errors(masks.sum(0), n, 0.5)
    agree = (masks[:, :, None] == masks[:, None, :]).sum(0)
    others = ~np.eye(num_groups, dtype=bool)
    # 2415 pairs of 70 features: five deviations, for four would be met by chance.
    deviation = np.sqrt(n) / 2
    assert (np.abs(agree[others] - n / 2) <= 5 * deviation).all()
    # One sample says nothing about the next.
    follow = (masks[1:] == masks[:-1]).sum(0)
    assert within_four_standard_errors(follow, n - 1, 0.5)

"""Removal without a trace: the imputation, and the curve over it."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import metric_oracles
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import fixed, seeds

from jaxplain import metrics
from jaxplain.baselines import noisy_linear

KEY = jr.key(0)
fill = quick_jit(partial(noisy_linear, std=0.0))
noisy = quick_jit(jax.vmap(partial(noisy_linear, std=0.5), (0, None, None)))
KEYS = jr.split(KEY, 200)

# Conjugate gradients stop at a residual of eps ** 0.75 = 2e-12 of the right-hand side;
# the systems of an image of 6 by 7 have condition numbers below 100.
SOLVED = 2e-10


def drawn(seed, share=0.5):
    random = np.random.default_rng(seed)
    present = random.uniform(size=(6, 7)) < share
    present[random.integers(6), random.integers(7)] = True  # of none, see below
    return random.normal(size=(6, 7, 2)), present


@fixed
@given(seed=seeds)
def test_absent_pixels_solve_the_equations_of_the_paper(seed):
    image, present = drawn(seed, share=0.3)
    expected = metric_oracles.noisy_linear(image, present)
    assert_close(fill(KEY, image, present), expected, tol=SOLVED)


def test_a_plane_is_filled_exactly_in_the_inside():
    rows, columns = np.mgrid[:6, :7]
    plane = np.stack([1 + 2.0 * rows - columns, columns - 3.0], -1)
    present = np.ones((6, 7), bool)
    present[1:5, 1:6] = False
    assert_close(fill(KEY, plane, present), plane, tol=SOLVED)


def test_a_constant_is_filled_exactly_everywhere():
    _, present = drawn(0, share=0.1)
    image = np.full((6, 7, 2), 3.0)
    assert_close(fill(KEY, image, present), image, tol=SOLVED)


def test_what_is_absent_does_not_count_even_if_it_is_nan():
    image, present = drawn(1)
    holes = np.where(present[..., None], image, np.nan)
    assert_close(fill(KEY, holes, present), fill(KEY, image, present))


def test_with_nothing_absent_nothing_changes():
    image, _ = drawn(2)
    found = noisy(KEYS, image, np.ones((6, 7), bool))
    assert np.all(np.asarray(found) == image)


def test_with_nothing_present_the_fill_is_the_mean():
    image, _ = drawn(3)
    found = fill(KEY, image, np.zeros((6, 7), bool))
    assert_close(found, np.broadcast_to(image.mean((0, 1)), image.shape))


def test_the_noise_has_its_deviation_and_spares_what_is_present():
    image, present = drawn(4)
    filled = fill(KEY, image, present)
    noise = np.asarray(noisy(KEYS, image, present)) - np.asarray(filled)
    assert np.all(noise[:, present] == 0)
    number = noise[:, ~present].size
    # The standard error of a deviation is its size by sqrt(2 n); four of them.
    assert abs(noise[:, ~present].std() - 0.5) <= 4 * 0.5 / np.sqrt(2 * number)


def test_a_series_is_filled_along_straight_lines():
    series = jnp.array([[1.0], [0.0], [0.0], [4.0], [0.0]])
    found = fill(KEY, series, np.array([1, 0, 0, 1, 0]))
    assert_close(found.ravel(), np.array([1.0, 2.0, 3.0, 4.0, 4.0]), tol=SOLVED)


def test_channels_are_filled_whatever_the_units_of_the_others():
    line = np.linspace(0, 1, 12)
    nan = np.where(line == 1, np.nan, line)
    series = np.stack([np.full(12, 1e9), line, 1e-200 * line, 1e200 * line, nan], -1)
    present = np.ones(12, bool)
    present[3:9] = False
    found = fill(KEY, series, present)
    for channel in range(4):
        assert_close(found[:, channel], series[:, channel], tol=SOLVED)
    assert np.all(np.isnan(found[3:9, 4]))


def test_pixels_go_in_the_order_of_an_attribution_of_any_dtype():
    image, third = jnp.arange(1.0, 5).reshape(2, 2, 1), np.array([[0, 0], [1, 0]])
    measure = metrics.road(lambda x: x[1, 0, 0], fractions=(0.25,), std=0.0)
    run = quick_jit(lambda phi: measure(image, attribution=phi, key=KEY).value)
    for phi in (third.astype(np.uint8), third[..., None].astype(bool)):
        assert abs(run(phi)[0] - 3.0) > 0.1  # it is filled


def test_a_curve_is_f_of_each_fill():
    image, _ = drawn(5)
    phi = np.random.default_rng(6).normal(size=(6, 7))
    f = lambda x, a: jnp.tanh(a * x).sum()
    measure = metrics.road(f, fractions=(0.01, 0.5, 0.8), order="lowest", std=0.0)
    found = quick_jit(measure)(image, 2.0, attribution=phi, key=KEY)
    rank = np.argsort(np.argsort(phi.ravel())).reshape(6, 7)
    fills = [metric_oracles.noisy_linear(image, rank >= k) for k in (1, 21, 34)]
    values = [np.tanh(2 * filled).sum() for filled in fills]
    assert_close(found.value, values, tol=SOLVED)
    area = 0.49 * (values[0] + values[1]) / 2 + 0.3 * (values[1] + values[2]) / 2
    assert_close(found.area, area / 0.79, tol=SOLVED)


@pytest.mark.slow
def test_a_hole_of_one_colour_is_seen_and_one_filled_smoothly_is_not():
    image = np.ones((6, 7, 2))
    image[2:4, 2:4] = 0.0
    ink = lambda x: (1.0 - x).sum()  # what is dark counts, and so does a black hole
    where = (1.0 - image)[..., 0]
    hole = metrics.deletion(ink, steps=9)
    road = quick_jit(metrics.road(ink, fractions=(4 / 42, 8 / 42), std=0.0))
    assert quick_jit(hole)(image, attribution=where, baseline=0.0).value[-1] == 84
    assert_close(road(image, attribution=where, key=KEY).value, np.zeros(2), tol=1e-6)

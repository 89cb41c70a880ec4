"""RISE, beside its own expectation over every mask that there is."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import check

from jaxplain.perturbations import _rise, rise, rise_fit

pytestmark = pytest.mark.slow

KEY = jr.key(3)


def f(x):
    return 10.0 + x[0] * x[1] + 2.0 * x[3]


def masks_and_probabilities(length, cells, probability):
    """Every mask of one axis: all coins, and all shifts."""
    side = -(-length // cells)
    for coins in itertools.product([0.0, 1.0], repeat=cells):
        present = sum(coins)
        chance = probability**present * (1 - probability) ** (cells - present) / side
        for shift in range(side):
            place = np.arange(length) + shift + 0.5
            centre = place * cells / (side * (cells + 1)) - 0.5
            yield np.interp(centre, np.arange(cells), coins), chance


def test_estimates_lie_around_the_expectation_as_their_standard_errors_say():
    x, probability, num_runs = jnp.array([1.0, -2.0, 1.0, 0.5, 3.0]), 0.3, 300
    above, below = np.zeros(5), np.zeros(5)
    for mask, chance in masks_and_probabilities(5, 2, probability):
        above += chance * float(f(x * mask)) * mask
        below += chance * mask
    assert_close(below, np.full(5, probability))
    fit = rise_fit(f, num_samples=200, grid=2, probability=probability)
    runs = jax.vmap(lambda key: fit(x, baseline=0.0, key=key))
    estimate = quick_jit(runs)(jr.split(KEY, num_runs))
    z = (np.asarray(estimate.values) - above / below) / estimate.standard_error
    # The mean of 300 numbers of standard deviation 1 has 1 / sqrt(300), and their mean
    # square sqrt(2 / 300): four of each.
    assert np.abs(z.mean(0)).max() < 4 / num_runs**0.5
    assert np.abs((z**2).mean(0) - 1).max() < 4 * (2 / num_runs) ** 0.5
    assert np.all(estimate.evaluations == 200)


def test_of_a_constant_every_entry_gets_the_constant():
    constant = lambda x: 7.0 + 0.0 * x.sum()
    phi = quick_jit(rise(constant, num_samples=10, grid=3))(
        jnp.ones((6, 5, 2)), baseline=0.0, key=KEY
    )
    assert_close(phi, np.full((6, 5, 2), 7.0))


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_units_whose_squares_are_out_of_range_do_not_matter(unit):
    fit = quick_jit(
        lambda x, unit: rise_fit(lambda x: unit * f(x), num_samples=20, grid=2)(
            x, baseline=0.0, key=KEY
        )
    )
    x, unit = jnp.ones(5, jnp.float32), jnp.float32(unit)
    once, other = fit(x, jnp.float32(1)), fit(x, unit)
    assert np.ptp(once.standard_error) > 0
    # The mean of 10 costs the values and the errors one digit.
    assert_close(other.values / unit, once.values, tol=6e-5)
    assert_close(other.standard_error / unit, once.standard_error, tol=6e-5)


def test_one_value_that_is_not_finite_makes_every_entry_nan():
    far = lambda x: jnp.where(x.min() > 0.9, jnp.inf, x.sum())
    phi = quick_jit(rise(far, num_samples=40, grid=2))(
        jnp.ones(5), baseline=0.0, key=KEY
    )
    assert np.isnan(phi).all()


@pytest.mark.parametrize(("shape", "grid"), [((7, 12), (3, 5)), ((4,), (6,))])
def test_a_mask_is_a_stretched_grid_cut_at_a_shift(shape, grid):
    cells = jr.uniform(KEY, grid, jnp.float32)
    sides = [-(-length // count) for length, count in zip(shape, grid)]
    size = [side * (count + 1) for side, count in zip(sides, grid)]
    whole = np.asarray(jax.image.resize(cells, size, "linear"))
    stretch = quick_jit(lambda shifts: _rise.stretched(cells, shifts, shape))
    for shift in {tuple(side - 1 for side in sides), (0,) * len(sides)}:
        box = tuple(slice(a, a + length) for a, length in zip(shift, shape))
        assert_close(stretch(jnp.array(shift, jnp.int32)), whole[box])


def test_the_axes_that_the_grid_leaves_out_share_the_mask():
    weights = jnp.arange(24.0).reshape(4, 3, 2)
    f = lambda x: (x * weights).sum()

    @quick_jit
    def by_grid(x):
        makes = [rise(f, num_samples=6, grid=grid) for grid in ((2,), 2, (2, 2))]
        return [explain(x, baseline=0.0, key=KEY) for explain in makes]

    of_rows, alone, two = by_grid(jnp.ones((4, 3, 2)))
    assert np.ptp(of_rows, (1, 2)).max() == 0 < np.ptp(of_rows)
    np.testing.assert_array_equal(alone, two)
    assert np.ptp(alone, 2).max() == 0 < np.ptp(alone, 1).min()


def test_options_out_of_range_are_errors():
    check(
        lambda: rise(f, probability=1.0),
        ValueError,
        "`probability` must be below 1, but is 1.0: nothing would ever be absent. The "
        "paper takes 0.5.",
    )
    check(
        lambda: rise(f, num_samples=1),
        ValueError,
        "`num_samples` must be at least 2, but is 1.",
    )
    check(lambda: rise(f, grid=0), ValueError, "`grid` must be at least 1, but is 0.")
    check(
        lambda: rise(f)(jnp.ones(5), baseline=0.0),
        TypeError,
        "`key` is missing: rise draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )
    check(
        lambda: rise_fit(f)(jnp.ones(5), baseline=0.0),
        TypeError,
        "`key` is missing: rise_fit draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )
    check(
        lambda: rise(f)({"a": jnp.ones(5)}, baseline=0.0, key=KEY),
        ValueError,
        "`x` must be one array with axes for `grid`, but is {'a': 'float64[5]'}. Bind "
        "the other inputs to `f`, or explain groups of features with `num_groups` and "
        "`groups`.",
    )

"""Accumulated local effects, and the grids they stand on."""

from fractions import Fraction
from math import ceil

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import close, fixed, numbers

from jaxplain.effects import ale, partial_dependence, quantile_grid

ROWS = np.asarray(jr.normal(jr.key(3), (12, 3)))


def model(row, scale):
    return scale * row[0] * row[1] + jnp.sin(row[2])


local = quick_jit(ale(model))


def test_local_effects_are_the_changes_within_bins_added_up():
    edges = np.array([-4.0, -0.5, 0.3, 4.0])
    x = ROWS[:, 0]
    bins = np.searchsorted(edges, x) - 1
    g, spread = [0.0], []
    for k in range(3):
        low, high = (
            [2 * z * row[1] + np.sin(row[2]) for row in ROWS[bins == k]]
            for z in edges[k : k + 2]
        )
        change = np.subtract(high, low)
        g.append(g[-1] + change.mean())
        spread.append(change.var(ddof=1) / len(change))
    g = np.array(g)
    expected = g - np.interp(x, edges, g).mean()
    out = local(ROWS, 2.0, feature=0, edges=edges)
    assert_close(out.values, expected)
    assert_close(out.slopes, np.diff(g))
    assert np.array_equal(out.counts, np.bincount(bins))
    # Errors carry over from the slopes, to which all else is linear.
    reach = np.array(
        [[np.interp(z, edges, step) for step in np.tri(4, 3, -1).T] for z in edges]
    )
    reach = reach - np.mean(
        [[np.interp(v, edges, step) for step in np.tri(4, 3, -1).T] for v in x], 0
    )
    assert_close(out.standard_error, np.sqrt(reach**2 @ np.array(spread)))


linear = quick_jit(ale(lambda row, slopes: row @ slopes))


@fixed
@given(numbers(3), numbers(20, 3))
def test_local_effects_of_a_linear_function_are_slopes_times_distances(slopes, rows):
    edges = np.array([-3.0, 0.0, 3.0])
    out = linear(rows, slopes, feature=1, edges=edges)
    if np.all(out.counts > 0):
        close(out.values, slopes[1] * (edges - rows[:, 1].mean()))
    else:
        assert np.isnan(out.values).all()


@pytest.mark.slow
def test_local_effects_follow_the_data_where_dependence_does_not():
    # The second feature follows the first: f is 0 on the data, and nowhere else.
    x = np.linspace(0, 1, 40)
    rows = np.stack([x, x], 1)
    f = lambda row: (row[0] - row[1]) * 10
    edges = quantile_grid(x, num_points=9)
    out = quick_jit(ale(f))(rows, feature=0, edges=edges)
    assert_close(out.values[-1] - out.values[0], 10.0)
    gate = lambda row: jnp.where(jnp.abs(row[0] - row[1]) > 0.3, 100.0, row[0])
    assert np.max(np.abs(quick_jit(ale(gate))(rows, feature=0, edges=edges).values)) < 1
    far = quick_jit(partial_dependence(gate))(rows, feature=0, grid=edges)
    assert np.min(far.mean) > 20


def test_an_edge_ends_a_bin_and_rows_outside_are_left_out():
    rows = np.array([[0.0], [1.0], [1.5], [2.0], [3.0], [np.nan]])
    f = lambda row: jnp.where(row[0] > 2.5, jnp.nan, row[0] ** 2)
    out = quick_jit(ale(f))(rows, feature=0, edges=np.array([0.0, 1.0, 2.0]))
    assert np.array_equal(out.counts, [2, 2])
    # The mean of 0, 1, 2.5 and 4, on lines from (0, 0) to (1, 1) to (2, 4).
    assert_close(out.values, np.array([0.0, 1.0, 4.0]) - 7.5 / 4)


@fixed
@given(numbers(30))
def test_a_grid_ascends_from_the_least_to_the_largest_value_within_the_data(values):
    grid = quantile_grid(values, num_points=6)
    assert grid[0] == values.min()
    assert grid[-1] == values.max()
    assert np.all(np.diff(grid) > 0)
    assert np.isin(grid, values).all()
    counts, _ = np.histogram(values, grid) if len(grid) > 1 else (np.ones(1), None)
    assert np.all(counts > 0)


def test_a_grid_has_as_many_values_between_any_two_points_as_it_can():
    assert np.array_equal(
        quantile_grid(np.arange(100), num_points=5), [0, 24, 49, 74, 99]
    )
    assert np.array_equal(quantile_grid([3, 3, 3]), [3])
    # Where ranks in floating point round to the wrong side of an integer.
    for size, num in ((36, 29), (50, 23)):
        ranks = {max(ceil(Fraction(k * size, num - 1)) - 1, 0) for k in range(num)}
        assert set(quantile_grid(np.arange(size), num_points=num)) == ranks
    assert quantile_grid(np.float32([1, 2])).dtype == np.float32

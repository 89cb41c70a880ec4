"""The H statistic, beside a loop over all pairs of rows."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

from jaxplain.effects import h_statistic

ROWS = np.asarray(jr.normal(jr.key(3), (12, 3)))


def model(row, scale):
    return scale * row[0] * row[1] + jnp.sin(row[2])


def test_h_is_that_of_a_loop_over_all_pairs_of_rows():
    n, f = len(ROWS), lambda row: 2 * row[0] * row[1] + np.sin(row[2]) + row[0]

    def centred(columns):
        mean = np.zeros(n)
        for i in range(n):
            for row in ROWS:
                mixed = row.copy()
                mixed[columns] = ROWS[i, columns]
                mean[i] += f(mixed) / n
        return mean - mean.mean()

    out = quick_jit(h_statistic(lambda row, a: model(row, a) + row[0], chunk_size=7))(
        ROWS, 2.0
    )
    alone = [centred([j]) for j in range(3)]
    whole = centred([0, 1, 2])
    for j in range(3):
        rest = centred([k for k in range(3) if k != j])
        left = whole - alone[j] - rest
        expected = np.sqrt((left**2).sum() / (whole**2).sum())
        # The root of a sum that is 0 up to rounding.
        assert_close(out.overall[j], expected, tol=1e-7)
        assert_close(out.overall_size[j], np.sqrt((left**2).mean()), tol=1e-7)
        for k in range(j):
            both = centred([j, k])
            left = both - alone[j] - alone[k]
            for h, size in (
                (out.pairs[j, k], out.pair_size[j, k]),
                (out.pairs[k, j], out.pair_size[k, j]),
            ):
                expected = np.sqrt((left**2).sum() / (both**2).sum())
                assert_close(h, expected, tol=1e-7)
                assert_close(size, np.sqrt((left**2).mean()), tol=1e-7)
    assert np.array_equal(np.diag(out.pairs), np.zeros(3))


def test_effects_that_add_up_do_not_interact_in_any_grouping():
    f = lambda row: jnp.exp(row[0]) + row[1] ** 2 + 5
    several = [[0], [1, 2]]
    for features in (None, several):
        out = quick_jit(partial(h_statistic(f), features=features))(ROWS)
        assert np.max(out.pairs) < 1e-12
        assert np.max(out.overall) < 1e-12
    nothing = quick_jit(h_statistic(lambda row: 0 * row[0] + 0.7))(ROWS)
    assert all(np.all(part == 0) for part in nothing)


def test_columns_that_turn_out_to_overlap_are_nan():
    interact = lambda j: h_statistic(model)(ROWS, 2.0, features=[j, [1, 2]]).pairs
    out = quick_jit(jax.vmap(interact))(jnp.array([0, -3, -1, 1, 3]))
    bad = np.isnan(out[:, 0, 1])
    assert np.array_equal(bad, [False, False, True, True, True])


def test_the_program_of_h_does_not_grow_with_the_number_of_features():
    program = jax.make_jaxpr(h_statistic(lambda row: row.sum()))
    few, many = (program(np.ones((4, p))).eqns for p in (3, 12))
    assert len(few) == len(many)


@pytest.mark.slow
def test_units_whose_squares_are_out_of_range_do_not_matter_to_h():
    rows = ROWS.astype(np.float32)
    f = lambda row, unit: unit * (row[0] * row[1] + row[2])

    @quick_jit
    def at(unit):
        out = h_statistic(f)(rows, unit)
        return out.pairs, out.overall, out.pair_size / unit

    for unit in (1e-20, 1e20):
        assert_close(at(jnp.float32(unit)), at(jnp.float32(1)))

"""Intervals cover, tests keep their level, and corrections are the textbook's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given
from hypothesis import strategies as st
from properties import fixed

from jaxplain import evidence
from jaxplain.evidence._compare import sign_flip

SETS = 1000  # of simulated data
KEY = jax.random.key(0)
SIX = np.array([0.1, 0.2, 0.2, 0.3, 0.9, 0.4])
# Compiled once each for the tests that need no other shape.
interval = jax.jit(lambda v, w=None: evidence.interval(v, key=KEY, where=w))
compare = jax.jit(lambda a, b: evidence.compare(a, b, key=KEY, num_samples=100))
holm = jax.jit(evidence.holm)


def over_data_sets(draw, judge):
    """`judge(values, key)` of each of many data sets, in one program."""

    def one(key):
        data, statistics = jax.random.split(key)
        return judge(draw(data), statistics)

    program = jax.jit(lambda keys: jax.lax.map(one, keys, batch_size=100))
    return program(jax.random.split(KEY, SETS))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "mean", "least"),
    [
        (lambda key: jax.random.normal(key, (20,)), 0.0, 0.92),
        (lambda key: jax.random.exponential(key, (20,)), 1.0, 0.92),
        (lambda key: jax.random.beta(key, 0.5, 3.0, (20,)), 1 / 7, 0.92),
        (lambda key: jax.random.exponential(key, (50,)), 1.0, 0.93),
    ],
)
def test_intervals_of_95_percent_cover_about_as_often(draw, mean, least):
    found = over_data_sets(draw, lambda v, key: evidence.interval(v, key=key))
    covered = np.mean((found.low <= mean) & (mean <= found.high))
    # Four standard errors of a share of 1,000 are 0.028 at 0.95.
    assert least - 0.028 < covered < 0.95 + 0.028


@pytest.mark.slow
def test_intervals_of_skewed_scores_cover_where_those_of_t_do_not():
    """The half-width of Student's interval at 95 % and n = 8 is 2.365 errors."""
    draw = lambda key: jnp.exp(jax.random.normal(key, (8,)))

    def judge(values, key):
        ours = evidence.interval(values, key=key, num_samples=400)
        half = 2.365 * values.std(ddof=1) / np.sqrt(8)
        mean = np.exp(0.5)
        return (
            (ours.low <= mean) & (mean <= ours.high),
            jnp.abs(values.mean() - mean) <= half,
        )

    ours, students = (np.mean(hits) for hits in over_data_sets(draw, judge))
    assert ours > students + 0.028


@fixed
@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_intervals_move_and_scale_with_the_scores(shift, scale):
    own, moved = interval(SIX), interval(shift + scale * SIX)
    expected = jax.tree.map(lambda end: shift + scale * end, own)
    # The mean is taken away before anything else, which costs digits.
    assert_close(moved, expected, tol=1e-9)


def test_examples_that_are_left_out_change_nothing():
    used = np.array([True, False, True, True, False, True])
    values = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 4.0])
    other = np.where(used, values, np.nan)
    assert_close(interval(other, used), interval(values, used))
    assert np.isclose(interval(values, used).mean, 3.25)  # (1 + 3 + 5 + 4) / 4


def test_tiny_scores_have_the_interval_of_large_ones():
    """Whose squares are below the smallest number."""
    assert_close(
        jax.tree.map(lambda end: end * 2.0**600, interval(SIX * 2.0**-600)),
        interval(SIX),
    )


def test_equal_scores_have_an_interval_of_one_point():
    assert_close(interval(np.ones(6)), evidence.Interval(*[1.0] * 3))


def test_one_score_has_no_interval():
    found = interval(SIX, np.arange(6) == 4)
    assert found.mean == SIX[4]
    assert np.isnan(found.low)
    assert np.isnan(found.high)


@pytest.mark.parametrize(  # all patterns, and a sample of them
    "number", [6, pytest.param(40, marks=pytest.mark.slow)]
)
def test_p_values_are_uniform_where_nothing_differs(number):
    draw = lambda key: jax.random.normal(key, (2, number))
    program = lambda v, key: evidence.compare(*v, key=key, num_samples=200).p_value
    p = np.sort(over_data_sets(draw, program))
    for level in (0.05, 0.1, 0.25, 0.5):
        error = np.sqrt(level * (1 - level) / SETS)
        # At most the level, and less only by the grain: one pattern of 2 ** (n - 1).
        grain = 1 / 32 if number == 6 else 1 / 201
        share = np.mean(p <= level)
        assert level - grain - 4 * error < share < level + 4 * error


def test_a_clear_difference_has_the_smallest_p_value():
    found = compare(SIX + 5, np.zeros(6))
    assert found.p_value == 2 / 64  # all signs as they are, and all of them turned
    assert found.low > 0


def test_the_order_of_a_comparison_turns_its_sign_only():
    there, back = compare(SIX, SIX[::-1]), compare(SIX[::-1], SIX)
    assert_close(there.difference, -back.difference)
    assert there.p_value == back.p_value


def test_chunks_change_no_statistic():
    run = lambda a, b: evidence.compare(a, b, key=KEY, num_samples=100, chunk_size=7)
    assert_close(jax.jit(run)(SIX, SIX[::-1]), compare(SIX, SIX[::-1]))


def test_holm_adjusts_the_example_of_the_textbook():
    """By hand: 4 x .005, 3 x .01, 2 x .03, and .04 raised to what came before."""
    found = holm(jnp.array([0.01, 0.04, 0.03, 0.005]))
    assert_close(found, jnp.array([0.03, 0.06, 0.06, 0.02]))


def test_the_signs_do_not_depend_on_the_width_of_numbers():
    d, used = jnp.asarray(SIX - 0.3, jnp.float32), jnp.ones(6, bool)
    run = jax.jit(lambda d, w: sign_flip(d, w, KEY, 30, None))  # of 64: drawn
    own = run(d, used)
    with jax.enable_x64(False):
        assert run(d, used) == own


def test_scores_of_two_precisions_are_compared():
    shape = jax.eval_shape(compare, SIX, SIX.astype(np.float32))
    assert shape.difference.dtype == jnp.float64


def test_holm_leaves_out_what_is_no_test():
    found = np.asarray(holm(jnp.array([0.02, jnp.nan, 0.5, 0.03])))
    assert_close(found[[0, 2, 3]], np.array([0.06, 0.5, 0.06]))
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: evidence.interval(jnp.ones((2, 2)), key=KEY), "one axis"),
        (lambda: evidence.interval(jnp.ones(0), key=KEY), "at least one score"),
        (lambda: evidence.interval(jnp.ones(3), key=KEY, level=95), "between 0 and 1"),
        (lambda: evidence.compare(jnp.ones(3), jnp.ones(4), key=KEY), "same examples"),
        (
            lambda: evidence.interval(jnp.ones(3), key=KEY, where=[True]),
            "one truth value per score",
        ),
    ],
)
def test_wrong_scores_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_missing_key_is_named():
    with pytest.raises(TypeError, match="`key` is missing"):
        evidence.interval(jnp.ones(3))

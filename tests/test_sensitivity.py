"""Elementary effects and Sobol indices, beside closed forms and loops over a design."""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import fixed, numbers

from jaxplain.sensitivity import (
    _design,
    morris,
    sobol_indices,
    sobol_interactions,
)

KEY = jr.key(5, impl="rbg")  # which compiles faster
A, B, PI = 7.0, 0.1, math.pi


def ishigami(x):
    return jnp.sin(x[0]) * (1 + B * x[2] ** 4) + A * jnp.sin(x[1]) ** 2


# Ishigami and Homma (1990), with E sin^2 = 1/2, E sin^4 = 3/8, E x^4 = pi^4 / 5 and
# E x^8 = pi^8 / 9: the variance given the first factor alone, that given the second,
# and what the first and the third have together.
ALONE, SECOND = (1 + B * PI**4 / 5) ** 2 / 2, A**2 * (3 / 8 - 1 / 4)
TOGETHER = B**2 * PI**8 * (1 / 9 - 1 / 25) / 2
ISHIGAMI = ALONE + SECOND + TOGETHER

COSTS = np.array([0.0, 0.5, 3.0, 9.0])


def sobol_g(u):
    return jnp.prod((jnp.abs(4 * u - 2) + COSTS) / (1 + COSTS))


# Each factor of the product has mean 1 and variance 1 / (3 (1 + a)^2).
SHARES = 1 / (3 * (1 + COSTS) ** 2)
G = np.prod(1 + SHARES) - 1


def within(actual, expected, error, num_errors, at_most):
    assert np.max(error) < at_most
    assert np.all(np.abs(actual - expected) <= num_errors * error + 1e-12)


# Student's t with 31 degrees of freedom leaves 4e-4 outside of 4.
MANY = {"num_replicates": 32, "num_samples": 2048}


def test_indices_of_ishigami_are_those_in_closed_form():
    out = quick_jit(sobol_indices(ishigami, **MANY))(-PI, jnp.full(3, PI), key=KEY)
    first = np.array([ALONE, SECOND, 0]) / ISHIGAMI
    total = np.array([ALONE + TOGETHER, SECOND, TOGETHER]) / ISHIGAMI
    within(out.first, first, out.first_error, 4, 0.04)
    within(out.total, total, out.total_error, 4, 0.04)
    # 4,096 values with kurtosis 3.5: a standard error below 3 %.
    assert abs(out.variance / ISHIGAMI - 1) < 0.12
    assert out.evaluations == 2048 * 5


@pytest.mark.slow
def test_indices_of_the_g_function_are_those_in_closed_form():
    out = quick_jit(sobol_indices(sobol_g, **MANY))(0.0, jnp.ones(4), key=KEY)
    total = SHARES * np.prod(1 + SHARES) / (1 + SHARES) / G
    within(out.first, SHARES / G, out.first_error, 4, 0.03)
    within(out.total, total, out.total_error, 4, 0.03)


def test_second_order_indices_are_those_in_closed_form():
    analyse = quick_jit(sobol_interactions(ishigami, **MANY))
    out = analyse(-PI, jnp.full(3, PI), key=KEY)
    expected = np.zeros((3, 3))
    expected[0, 2] = expected[2, 0] = TOGETHER / ISHIGAMI
    within(out.second, expected, out.second_error, 4, 0.06)
    assert np.array_equal(out.second, out.second.T)
    assert out.evaluations == 2048 * 8


def quadratic(x, slopes, q):
    """A polynomial whose terms are orthogonal on [-1, 1]^3."""
    return x @ slopes + q[0] * x[0] * x[1] + q[1] * x[0] * x[2] + q[2] * x[1] * x[2]


of_quadratic = quick_jit(sobol_indices(quadratic, num_samples=512, num_replicates=32))


@fixed
@given(numbers(3), numbers(3))
def test_indices_of_polynomials_are_those_in_closed_form(slopes, q):
    # E x^2 = 1/3.
    alone, pairs = slopes**2 / 3, q**2 / 9
    variance = alone.sum() + pairs.sum()
    out = of_quadratic(-1.0, jnp.ones(3), slopes, q, key=KEY)
    with_all = alone + np.array(
        [pairs[0] + pairs[1], pairs[0] + pairs[2], pairs[1:].sum()]
    )
    scale = variance or 1.0
    # 150 comparisons with 31 degrees of freedom: 5 errors leave out 0.3 % of all.
    within(out.first, alone / scale, out.first_error, 5, 0.2)
    within(out.total, with_all / scale, out.total_error, 5, 0.2)
    assert np.all(out.total >= 0)
    assert np.all(out.first <= out.total + 5 * (out.first_error + out.total_error))
    assert out.first.sum() <= 1 + 5 * out.first_error.sum()


@pytest.mark.slow
def test_first_and_total_indices_of_an_additive_function_agree():
    f = lambda x: jnp.exp(x[0]) + jnp.abs(x[1]) + x[2] ** 3
    out = quick_jit(sobol_indices(f, **MANY))(-1.0, jnp.ones(3), key=KEY)
    within(out.first, out.total, out.first_error + out.total_error, 4, 0.02)
    within(out.first.sum(), 1, out.first_error.sum(), 4, 0.05)


@pytest.mark.parametrize("design", ["sobol", "random"])
def test_indices_are_those_of_a_loop_over_the_design(design):
    n, d, labels = 8, 3, np.array([1, 0, 1])
    f = lambda x: x[0] * x[1] + x[2] ** 3
    options = {"num_samples": n, "num_replicates": 2, "design": design}
    parts = _design.replicates(n, 2, design)
    draw = quick_jit(lambda: jax.vmap(_design.pairs(KEY, n, parts, d))(jnp.arange(n)))
    a, b = np.asarray(draw(), np.float64).swapaxes(0, 1)
    assert a.shape == (n, d)
    value = lambda points: np.array([f(2 * x - 1) for x in points])
    ends = value(a), value(b)
    mean, variance = np.mean(ends), np.var(ends, ddof=1)

    @quick_jit
    def both(low, high):
        given, options["num_groups"] = {"key": KEY, "groups": labels}, 2
        out = sobol_indices(f, **options)(low, high, **given)
        return out, sobol_interactions(f, **options)(low, high, **given).second

    out, second = both(-1.0, jnp.ones(3))
    moved = [value(np.where(labels == g, b, a)) for g in (0, 1)]
    back = [value(np.where(labels == g, a, b)) for g in (0, 1)]
    for g in (0, 1):
        total = np.mean((ends[0] - moved[g]) ** 2) / 2
        first = np.mean((ends[1] - mean) * (moved[g] - ends[0]))
        assert_close(out.total[g], total / variance)
        assert_close(out.first[g], first / variance)
    one = (moved[0] - ends[0]) * (back[1] - ends[1])
    other = (moved[1] - ends[0]) * (back[0] - ends[1])
    assert_close(second[0, 1], np.mean(one + other) / 2 / variance)
    assert_close(out.variance, variance)


def test_a_factor_without_effect_gets_exactly_nothing():
    f = lambda x, a: a * x[0] * jnp.exp(x[1])
    few = {"num_samples": 16, "num_replicates": 4}

    @quick_jit
    def all_of(a):
        given = (0.0, jnp.ones(3), a)
        return (
            sobol_indices(f, **few)(*given, key=KEY),
            sobol_interactions(f, **few)(*given, key=KEY),
            morris(f)(*given, key=KEY),
        )

    indices, pairs, effects = all_of(1.0)
    of_third = [*indices[:4], *effects[:4], pairs.second[0], pairs.second_error[1]]
    assert [float(part[2]) for part in of_third] == [0.0] * 10
    assert np.all(indices.total[:2] > 0)
    assert np.all(effects.mu_star[:2] > 0)
    nothing = all_of(0.0)
    assert all(np.all(part == 0) for part in (*nothing[0][:5], *nothing[1][:2]))


def test_the_units_of_f_do_not_matter_to_indices_and_scale_effects():
    f = lambda x, a, b: a * jnp.exp(x).prod() + b
    few = {"num_samples": 16, "num_replicates": 4}

    @quick_jit
    def all_of(a, b):
        given = (0.0, jnp.ones(2), a, b)
        indices = sobol_indices(f, **few)(*given, key=KEY)
        pairs = sobol_interactions(f, **few)(*given, key=KEY)
        return (indices[:4], pairs[:2]), morris(f)(*given, key=KEY)[:4]

    once, effects = all_of(1.0, 0.0)
    # A shift by 10 costs one digit.
    other, scaled = all_of(-3.0, 10.0)
    assert_close(other, once, tol=1e-10)
    signs = (-3, 3, 3, 3)
    assert_close(scaled, tuple(s * e for s, e in zip(signs, effects)), tol=1e-10)


@pytest.mark.slow
def test_units_whose_squares_are_out_of_range_do_not_matter():
    f = lambda x, unit: unit * x.prod()
    few = {"num_samples": 8, "num_replicates": 2}

    @quick_jit
    def all_of(unit):
        low, high = jnp.full(2, -1, jnp.float32), jnp.full(2, 1, jnp.float32)
        return (
            sobol_indices(f, **few)(low, high, unit, key=KEY)[:4],
            sobol_interactions(f, **few)(low, high, unit, key=KEY)[:2],
        ), [e / unit for e in morris(f)(low, high, unit, key=KEY)[:4]]

    one = all_of(jnp.float32(1))
    for unit in (1e-20, 1e20):
        assert_close(all_of(jnp.float32(unit)), one)


def test_labels_in_another_order_are_the_same_indices_in_that_order():
    f = lambda x: x[0] * x[1] + jnp.exp(x[2]) * x[0]
    analyse = sobol_indices(f, num_groups=4, num_samples=16, num_replicates=4)

    @quick_jit
    def at(groups):
        return analyse(0.0, jnp.ones(3), key=KEY, groups=groups)[:4]

    order = np.array([2, 0, 3])
    # Group 1 has no factor; it is there so that inputs can share a program.
    out, plain = at(order), at(np.arange(3))
    assert_close([part[order] for part in out], [part[:3] for part in plain])
    assert all(part[1] == 0 for part in out)
    assert all(np.isnan(part).all() for part in at(np.array([0, 1, 4])))


def test_a_group_has_the_indices_of_its_factors_if_they_add_up():
    f = lambda x: x["a"].sum() + 2 * x["b"][0]
    high = {"a": jnp.ones(2), "b": jnp.ones(1)}
    groups = {"a": np.array([0, 1]), "b": np.array([1])}
    analyse = sobol_indices(f, num_groups=2, **MANY)
    out = quick_jit(analyse)(0.0, high, key=KEY, groups=groups)
    # Variances in the ratio of the squared slopes: 1 to 1 + 4.
    within(out.first, np.array([1, 5]) / 6, out.first_error, 4, 0.02)
    alone = quick_jit(sobol_indices(f, **MANY))(0.0, high, key=KEY)
    assert jax.tree.map(jnp.shape, alone.first) == {"a": (2,), "b": (1,)}
    total, error = alone.total["b"][0], alone.total_error["b"][0]
    within(total, 4 / 6, error, 4, 0.02)


def first_indices_of_g(keys, **options):
    analyse = sobol_indices(sobol_g, **options)
    one = lambda key: analyse(0.0, jnp.ones(4), key=key)
    out = quick_jit(lambda keys: jax.lax.map(one, keys))(keys)
    return np.asarray(out.first) - SHARES / G, np.asarray(out.first_error)


@pytest.mark.slow
def test_95_percent_intervals_hold_what_they_should():
    error, stated = first_indices_of_g(jr.split(jr.key(0), 300), num_samples=128)
    # Student's t with 7 degrees of freedom.
    held = np.abs(error) <= 2.365 * stated
    # The standard error of 300 is 1.3 %; ratios of few samples are not quite normal.
    assert np.all((held.mean(0) > 0.89) & (held.mean(0) < 0.99))


@pytest.mark.slow
def test_sobol_sequences_leave_less_error_than_independent_samples():
    keys = jr.split(jr.key(1), 24)
    even, random = (
        (first_indices_of_g(keys, num_samples=1024, design=design)[0] ** 2).mean()
        for design in ("sobol", "random")
    )
    # A fifth of the squared error on docs/concepts/sensitivity.md, with room for 24.
    assert even < random / 3


# At 1,024 samples compiled maxima pass over NaN.
@pytest.mark.parametrize("num", [64, 1024])
def test_a_value_that_is_not_finite_shows(num):
    f = lambda x: jnp.where(x[0] > 0.9, jnp.nan, x.sum())

    @quick_jit
    def all_of(one, two):
        few = {"num_samples": num, "num_replicates": 2}
        indices = [sobol_indices(f, **few)(0.0, x, key=KEY) for x in (one, two)]
        return (
            [out.total for out in indices],
            sobol_interactions(f, **few)(0.0, two, key=KEY).second[0, 1],
            morris(f)(0.0, two, key=KEY).mu_star[0],
        )

    parts = jax.tree.leaves(all_of(jnp.ones(1), jnp.ones(2)))
    assert all(np.isnan(part).all() for part in parts)


# The interactions share all but their last step with the indices.
LAST = pytest.param(sobol_interactions, marks=pytest.mark.slow)
analyses = pytest.mark.parametrize("make", [morris, sobol_indices, LAST])


def few(make):
    if make is morris:
        return {"num_trajectories": 4}
    return {"num_samples": 8, "num_replicates": 2}


@analyses
def test_chunks_and_maps_over_keys_change_nothing(make):
    f = lambda x, a: a * x[0] * x[1] + jnp.sin(x[2])
    low, high, keys = jnp.zeros(3), jnp.ones(3), jr.split(jr.key(5), 2)
    analyse, chunked = make(f, **few(make)), make(f, **few(make), chunk_size=5)
    plain = quick_jit(analyse)(low, high, 2.0, key=keys[1])
    of_keys = jax.vmap(lambda key: chunked(low, high, 2.0, key=key))
    mapped = quick_jit(of_keys)(keys)
    # A spread of 0 is the root of rounding.
    assert_close([part[1] for part in mapped[:-1]], [*plain[:-1]], tol=1e-7)
    assert np.any(mapped[0][0] != mapped[0][1])


@pytest.mark.slow
@analyses
def test_answers_have_the_dtype_of_the_input(make):
    f = lambda x: x[0] * x[1]

    @quick_jit
    def all_of(*highs):
        analyse = make(f, **few(make))
        return [analyse(0.0, high, key=KEY)[:2] for high in highs]

    outs = all_of(*(jnp.ones(2, name) for name in ("float32", "bfloat16", "float64")))
    for out, name in zip(outs, ("float32", "bfloat16")):
        assert {part.dtype.name for part in out} == {name}
        # The points are the same, and the product has 2 digits.
        assert_close(out[0], outs[2][0], tol=0.1 if name == "bfloat16" else 1e-5)

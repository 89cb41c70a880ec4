"""Axioms of gradients, of their averages along a line, and of averages over noise."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from hypothesis import given
from properties import close, fixed, numbers

import jaxplain as jx

RULES = [
    "gauss_legendre",
    "riemann_left",
    "riemann_right",
    "riemann_middle",
    "trapezoid",
]


@pytest.mark.parametrize("rule", RULES)
def test_integrated_gradients_of_3x_from_0_to_1_are_3(rule):
    def in_chunks(x):
        explain = functools.partial(jx.integrated_gradients, lambda x: 3 * x, rule=rule)
        sizes = [None, 1, 7, 32]
        return [explain(chunk_size=size)(x, baseline=0.0) for size in sizes]

    assert [float(phi) for phi in quick_jit(in_chunks)(jnp.array(1.0))] == [3.0] * 4


def power_of_line(x, direction, degree):
    """A polynomial along every line: of the given degree, with its lower terms."""
    along = x @ direction
    return sum(along**k for k in range(1, degree + 1))


@functools.cache
def along_line(steps, degree, rule="gauss_legendre"):
    f = functools.partial(power_of_line, degree=degree)
    return quick_jit(jx.integrated_gradients(f, steps=steps, rule=rule)), f


@pytest.mark.parametrize("steps", [1, 2, 3])
@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_n_nodes_are_exact_for_polynomials_of_degree_2n(steps, x, b, direction):
    x, b = x / 4, b / 4
    explain, f = along_line(steps, 2 * steps)
    phi = explain(x, direction, baseline=b)
    close(phi.sum(), f(x, direction) - f(b, direction))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_n_nodes_are_not_exact_for_polynomials_of_a_higher_degree(steps):
    explain, f = along_line(steps, 2 * steps + 1)
    x = direction = np.array([1.0, 0.5, -0.5])
    gap = explain(x, direction, baseline=0.0).sum() - f(x, direction)
    assert abs(gap) > 1e-3


@pytest.mark.parametrize("rule", ["riemann_middle", "trapezoid"])
@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_symmetric_rules_are_exact_for_quadratic_functions(rule, x, b, direction):
    explain, f = along_line(4, 2, rule)
    phi = explain(x, direction, baseline=b)
    close(phi.sum(), f(x, direction) - f(b, direction))


@pytest.mark.parametrize("rule", ["gauss_legendre", "riemann_middle", "trapezoid"])
@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_the_way_back_takes_back_every_attribution(rule, x, b, direction):
    explain, _ = along_line(3, 3, rule)
    there = explain(x, direction, baseline=b)
    close(explain(b, direction, baseline=x), -there)


@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_left_and_right_sums_swap_on_the_way_back(x, b, direction):
    left, _ = along_line(3, 3, "riemann_left")
    right, _ = along_line(3, 3, "riemann_right")
    there = left(x, direction, baseline=b)
    close(right(b, direction, baseline=x), -there)


@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_the_trapezoid_is_the_mean_of_the_left_and_right_sums(x, b, direction):
    trapezoid, left, right = (
        along_line(steps, 3, rule)[0](x, direction, baseline=b)
        for steps, rule in [(4, "trapezoid"), (3, "riemann_left"), (3, "riemann_right")]
    )
    close(trapezoid, (left + right) / 2)


@fixed
@given(x=numbers(3), b=numbers(3), direction=numbers(3))
def test_left_and_middle_sums_make_a_left_sum_of_twice_the_steps(x, b, direction):
    twice, left, middle = (
        along_line(steps, 3, rule)[0](x, direction, baseline=b)
        for steps, rule in [
            (6, "riemann_left"),
            (3, "riemann_left"),
            (3, "riemann_middle"),
        ]
    )
    close(twice, (left + middle) / 2)


def homogeneous(x, weights, bias):
    """Piecewise linear; without a bias, of degree one."""
    return jnp.sum(jax.nn.relu(weights @ x + bias)) - jnp.abs(x[0])


@functools.cache
def compiled_product():
    return quick_jit(jx.input_x_gradient(homogeneous))


@fixed
@given(x=numbers(3), weights=numbers(4, 3))
def test_input_x_gradient_is_complete_where_f_has_degree_one(x, weights):
    phi = compiled_product()(x, weights, 0.0)
    close(phi.sum(), homogeneous(x, weights, 0.0))


def smoothed(num_samples):
    """The mean of `x ** 2`, in place of an explanation, over noise around `x`."""
    return jx.smooth(lambda x: x**2, std=0.5, num_samples=num_samples)


def test_noise_has_the_given_mean_and_deviation(getkey):
    x, n = jnp.linspace(-1.0, 1.0, 5), 4096
    mean = quick_jit(smoothed(n))(x, key=getkey())
    # (x + s e) ** 2 has mean x ** 2 + s ** 2 and variance 4 x ** 2 s ** 2 + 2 s ** 4.
    error = np.sqrt((4 * x**2 * 0.5**2 + 2 * 0.5**4) / n)
    assert np.all(np.abs(mean - (x**2 + 0.5**2)) < 4 * error)


def test_the_error_of_an_average_falls_with_the_root_of_its_samples(getkey):
    x, keys = jnp.zeros(1), jr.split(getkey(), 400)

    @quick_jit
    def many_times(keys):
        draw = lambda n: jax.vmap(lambda key: smoothed(n)(x, key=key))(keys)
        return draw(4), draw(64)

    few, many = many_times(keys)
    # A ratio of variances of 400 draws each, of numbers that are nearly normal for 64
    # samples and have a kurtosis of 3 + 12 / 4 for 4, has a relative standard error of
    # sqrt((6 - 1) / 400 + 2 / 400) = 0.13.
    ratio = few.var() / many.var()
    assert abs(ratio / 16 - 1) < 4 * 0.13


def draw_normal(x, *, key):
    return jr.normal(key, x.shape)


def test_the_samples_of_a_short_run_are_the_first_of_a_longer_one(getkey):
    x, key = jnp.zeros(3), getkey()
    mean = lambda n, key: jx.monte_carlo(draw_normal, num_samples=n)(x, key=key)

    @quick_jit
    def both(key):
        third = draw_normal(x, key=jr.fold_in(key, 2))
        return 3 * mean(3, key) - 2 * mean(2, key), third

    close(*both(key))


def test_rise_finds_the_mean_of_f_where_a_feature_is_present(getkey):
    slopes, n = np.array([1.0, 2.0, -3.0]), 4096
    f = lambda x: slopes @ x

    def rise(x, *, key):
        mask = jr.bernoulli(key, 0.5, x.shape).astype(x.dtype)
        return mask * jx.game(f, x, baseline=0.0)(mask)

    explain = quick_jit(jx.monte_carlo(rise, num_samples=n))
    phi = explain(jnp.ones(3), key=getkey())
    # m_i v(m) is, for m_i = 1, the sum of w_i and half of each of the others.
    rest = slopes.sum() - slopes
    mean = (slopes + rest / 2) / 2
    spread = (jnp.sum(slopes**2) - slopes**2) / 4  # variance of the others
    second = ((slopes + rest / 2) ** 2 + spread) / 2
    error = np.sqrt((second - mean**2) / n)
    assert np.all(np.abs(phi - mean) < 4 * error)

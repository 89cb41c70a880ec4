"""Sobol indices, beside those known in closed form and loops over the designs."""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import check

import jaxplain as jx
from jaxplain.perturbations import _sobol, sobol, sobol_fit

KEY = jr.key(4)


def latin_hypercube(num, dim):
    points = quick_jit(lambda key: _sobol.latin_hypercube(key, num, dim))(KEY)
    return np.asarray(points, np.float64)


def within_four_errors(actual, expected, error, at_most):
    assert np.max(error) < at_most
    assert np.all(np.abs(actual - expected) <= 4 * error + 1e-12)


def test_indices_of_ishigami_are_those_in_closed_form():
    # Ishigami and Homma (1990): variances of sin(x1) + 7 sin(x2)^2 + 0.1 x3^4 sin(x1).
    a, b, pi = 7.0, 0.1, math.pi
    alone = (1 + b * pi**4 / 5) ** 2 / 2
    second = a**2 / 8
    together = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = alone + second + together
    first = np.array([alone, second, 0]) / variance
    total = np.array([alone + together, second, together]) / variance

    def f(x):
        return jnp.sin(x[0]) * (1 + b * x[2] ** 4) + a * jnp.sin(x[1]) ** 2

    fit = quick_jit(sobol_fit(f, num_designs=3000))
    out = fit(jnp.full(3, pi), baseline=-pi, key=KEY)
    within_four_errors(out.total, total, out.total_error, 0.03)
    within_four_errors(out.first, first, out.first_error, 0.06)
    # 6,000 values with kurtosis 3.5: a standard error of 2 %.
    assert abs(out.variance / variance - 1) < 0.08
    assert out.evaluations == 3000 * 5


def test_an_index_is_that_of_a_loop_over_the_designs():
    n, d = 4, 3
    points = latin_hypercube(n, 2 * d)
    f = lambda x: x[0] * x[1] + x[2] ** 3
    ends = [[float(f(row)) for row in half] for half in (points[:, :d], points[:, d:])]
    mean, variance = np.mean(ends), np.var(ends, ddof=1)
    total, first = np.zeros(d), np.zeros(d)
    for j in range(n):
        for i in range(d):
            mixed = points[j, :d].copy()
            mixed[i] = points[j, d + i]
            value = float(f(mixed))
            total[i] += (ends[0][j] - value) ** 2 / (2 * n)
            first[i] += (ends[1][j] - mean) * (value - ends[0][j]) / n
    fit = quick_jit(sobol_fit(f, num_designs=n))
    out = fit(jnp.ones(d), baseline=0.0, key=KEY)
    assert_close(out.total, total / variance)
    assert_close(out.first, first / variance)
    assert_close(out.variance, variance)


def test_a_feature_without_effect_gets_exactly_nothing():
    explain = quick_jit(sobol(lambda x, a: a * x[0] * x[1], num_designs=5))
    phi = explain(jnp.ones(3), 1.0, baseline=0.0, key=KEY)
    assert phi[2] == 0 < phi[0]
    assert np.all(explain(jnp.ones(3), 0.0, baseline=0.0, key=KEY) == 0)


def test_the_units_of_f_do_not_matter():
    explain = quick_jit(sobol(lambda x, a, b: a * jnp.exp(x).sum() + b, num_designs=5))
    given = {"baseline": 0.0, "key": KEY}
    once = explain(jnp.arange(3.0), 1.0, 0.0, **given)
    # A shift by 10 costs one digit.
    other = explain(jnp.arange(3.0), -3.0, 10.0, **given)
    assert_close(other, once, tol=1e-11)


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_units_whose_squares_are_out_of_range_do_not_matter(unit):
    fit = quick_jit(
        lambda x, unit: sobol_fit(lambda x: unit * x.prod(), num_designs=5)(
            x, baseline=-1.0, key=KEY
        )
    )
    x, unit = jnp.ones(3, jnp.float32), jnp.float32(unit)
    assert_close(fit(x, unit)[:4], fit(x, jnp.float32(1))[:4])


def test_nobody_has_a_share_of_what_only_rounding_moves():
    total = lambda x: 0.7 * jax.nn.softmax(x).sum()
    fit = quick_jit(sobol_fit(total, num_designs=20))
    out = fit(jnp.arange(4.0), baseline=0.0, key=KEY)
    for share in out[:5]:
        np.testing.assert_array_equal(share, np.zeros_like(share))


def test_one_value_that_is_not_finite_makes_every_index_nan():
    n = 5
    points = latin_hypercube(n, 4)
    # The mask A with one entry of B: neither A nor B knows of it.
    worst = jnp.asarray(np.r_[points[0, 2], points[0, 1]])
    far = lambda x: jnp.where(jnp.abs(x - worst).max() < 1e-6, jnp.inf, x.sum())
    phi = quick_jit(sobol(far, num_designs=n))(jnp.ones(2), baseline=0.0, key=KEY)
    assert np.isnan(phi).all()


def test_a_group_is_faded_as_one():
    f = lambda x: (x[0, 0] + x[0, 1]) * x[1].sum()
    of_rows = sobol(f, num_groups=2, num_designs=6)
    alone = sobol(lambda rows: f(jnp.stack([rows, rows], 1)), num_designs=6)
    given, labels = {"baseline": 0.0, "key": KEY}, np.array([[0], [1]])

    @quick_jit
    def both(x):
        return of_rows(x, **given, groups=labels), alone(x[0], **given)

    assert_close(*both(jnp.ones((2, 2))))


def test_a_latin_hypercube_has_one_point_in_each_part_of_each_axis():
    points = latin_hypercube(9, 4)
    parts = np.floor(points * 9).astype(int)
    assert np.array_equal(np.sort(parts, 0), np.repeat(np.arange(9)[:, None], 4, 1))
    assert len(np.unique(parts, axis=1).T) == 4


def test_sobol_of_patches_finds_the_one_that_matters():
    labels, n = jx.groups.patches((4, 4), size=2)
    f = lambda x: jnp.tanh(x[2:, :2].sum()) + 0.1 * x.mean()
    explain = quick_jit(sobol(f, num_groups=n, num_designs=8))
    phi = explain(jnp.ones((4, 4, 3)), baseline=0.0, key=KEY, groups=labels)
    assert phi.shape == (4,)
    assert int(phi.argmax()) == labels[3, 0]


def test_options_out_of_range_are_errors():
    f = jnp.sum
    check(
        lambda: sobol(f, num_designs=1),
        ValueError,
        "`num_designs` must be at least 2, but is 1.",
    )
    check(
        lambda: sobol(f)(jnp.ones(2), baseline=0.0),
        TypeError,
        "`key` is missing: sobol draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )
    check(
        lambda: sobol_fit(f)(jnp.ones(2), baseline=0.0),
        TypeError,
        "`key` is missing: sobol_fit draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )
    check(
        lambda: sobol(f, num_groups=2)(jnp.ones(2), baseline=0.0, key=KEY),
        TypeError,
        "`groups` is missing: sobol was made with num_groups=2. Pass the label of each "
        "feature, for example `groups=jaxplain.groups.patches((32, 32), size=8)[0]`.",
    )

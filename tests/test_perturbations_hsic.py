"""The Hilbert-Schmidt criterion, beside its matrices."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import check

from jaxplain import coalitions
from jaxplain.perturbations import hsic

pytestmark = pytest.mark.slow

KEY = jr.key(6)
GIVEN = {"baseline": 0.0, "key": KEY}


def f(x, scale, shift):
    return scale * (3.0 * x[0] + x[1] * x[2]) + shift


def by_matrices(values, masks):
    """Novello et al. (2022), section 3: the trace of four matrices for each mask."""
    n = len(values)
    centring = np.eye(n) - 1 / n
    scaled = values / np.std(values)
    outputs = np.exp(-((scaled[:, None] - scaled[None]) ** 2) / 2)
    criteria = []
    for column in masks.T:
        inputs = 0.5 - (column[:, None] - column[None]) ** 2
        product = inputs @ centring @ outputs @ centring
        criteria.append(np.trace(product) / (n - 1) ** 2)
    return np.array(criteria)


def test_the_criterion_is_the_trace_of_its_matrices():
    n, x = 40, np.array([1.0, 2.0, -1.0, 5.0])
    draw = quick_jit(jax.vmap(coalitions.bernoulli(KEY, 4)))
    masks = np.asarray(draw(jnp.arange(n)), float)
    values = np.array([f(mask * x, 1.0, 0.0) for mask in masks])
    phi = quick_jit(hsic(f, num_samples=n))(x, 1.0, 0.0, **GIVEN)
    assert_close(phi, by_matrices(values, masks))


def test_features_are_ranked_by_what_they_do_and_a_dummy_fades_as_one_over_n():
    explain = lambda n: hsic(f, num_samples=n)(jnp.ones(4), 1.0, 0.0, **GIVEN)
    few, many = quick_jit(lambda: [explain(60), explain(960)])()
    assert few.argmax() == many.argmax() == 0
    assert many[3] < many[1:3].min()
    # By 16 in the mean; it is a square of something normal, so it scatters.
    assert many[3] < few[3]


def test_the_units_of_f_do_not_matter():
    explain = quick_jit(hsic(f, num_samples=20))
    once = explain(jnp.ones(4), 1.0, 0.0, **GIVEN)
    # A shift by 10 costs one digit.
    assert_close(explain(jnp.ones(4), -3.0, 10.0, **GIVEN), once, tol=1e-11)


def test_nothing_depends_on_a_constant():
    phi = quick_jit(hsic(f, num_samples=9))(jnp.ones(4), 0.0, 2.0, **GIVEN)
    assert_close(phi, np.zeros(4))


def test_a_group_is_present_as_one():
    groups = np.array([1, 0, 0, 1])
    explain = hsic(lambda x: f(x, 1.0, 0.0), num_groups=2, num_samples=12)
    alone = hsic(lambda m: f(m[groups], 1.0, 0.0), num_samples=12)

    @quick_jit
    def both(x):
        return explain(x, **GIVEN, groups=groups), alone(x[:2], **GIVEN)

    assert_close(*both(jnp.ones(4)))


def test_options_out_of_range_are_errors():
    check(
        lambda: hsic(f, num_samples=1),
        ValueError,
        "`num_samples` must be at least 2, but is 1.",
    )
    check(
        lambda: hsic(f)(jnp.ones(4), 1.0, 0.0, baseline=0.0),
        TypeError,
        "`key` is missing: hsic draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_units_whose_squares_are_out_of_range_do_not_matter(unit):
    explain = quick_jit(hsic(f, num_samples=20))
    x, zero = jnp.ones(4, jnp.float32), jnp.float32(0)
    once = explain(x, jnp.float32(1), zero, **GIVEN)
    assert_close(explain(x, jnp.float32(unit), zero, **GIVEN), once)


def test_nothing_depends_on_what_only_rounding_moves():
    total = lambda x: 0.7 * jax.nn.softmax(x).sum()
    phi = quick_jit(hsic(total, num_samples=60))(jnp.arange(4.0), **GIVEN)
    np.testing.assert_array_equal(phi, np.zeros(4))


def test_where_f_is_constant_the_derivative_is_nothing():
    explain = hsic(f, num_samples=9)
    slope = jax.grad(lambda scale: explain(jnp.ones(4), scale, 2.0, **GIVEN).sum())
    assert quick_jit(slope)(0.0) == 0

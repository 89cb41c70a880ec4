"""DeepLIFT and LRP where numbers are large, small, missing or of another kind."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx

rules = jx.rules
FAR = jnp.array([300.0, 1.0, 2.0, 299.0], jnp.float32)


def gap(f, x, baseline):
    phi = rules.deep_lift(f)(x, baseline=baseline)
    return float(phi.sum()), float(f(x) - f(baseline + jnp.zeros_like(x)))


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("k", [0, 3])
def test_a_softmax_far_from_its_baseline_is_finite_and_complete(scale, k):
    found, wanted = gap(lambda x: jax.nn.softmax(x)[k], scale * FAR, 0.0)
    assert abs(found - wanted) <= 1e-3  # of a probability, in float32


def test_a_logarithm_of_a_sum_far_from_its_baseline_is_complete():
    assert_close(*gap(lambda x: jax.nn.logsumexp(x), FAR, 0.0), tol=1e-6)


def test_float16_is_enough_for_a_softmax():
    x = jnp.array([30, 1, 2, 29], jnp.float16)
    f = lambda x: jax.nn.softmax(x) @ jnp.arange(4, dtype=jnp.float16)
    assert_close(*gap(f, x, jnp.float16(0)), tol=1e-2)


MASKS = {
    "select_least": lambda s, m: jnp.where(m, s, jnp.finfo(s.dtype).min),
    "select_infinity": lambda s, m: jnp.where(m, s, -jnp.inf),
    "add_infinity": lambda s, m: s + jnp.where(m, 0.0, -jnp.inf).astype(s.dtype),
}


@pytest.mark.parametrize("masked", MASKS.values(), ids=MASKS)
def test_causal_attention_is_complete(masked):
    causal = np.tril(np.ones((4, 4), bool))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))

    def f(x):
        return jnp.sum((jax.nn.softmax(masked(x @ x.T, causal)) @ x)[:, 0])

    assert_close(*gap(f, x, 0.25), tol=1e-9)
    assert jnp.isfinite(rules.lrp(f)(x)).all()


def test_attention_may_be_masked_altogether():
    seen = jnp.array([True, True, False])
    x = jnp.asarray(np.random.default_rng(0).normal(size=(3, 3)))

    def f(x):
        scores = MASKS["select_least"](x @ x.T, seen[:, None] & seen[None])
        return jnp.sum((jax.nn.softmax(scores) @ x)[:2])

    assert_close(*gap(f, x, 0.25), tol=1e-9)


def test_a_straight_through_estimator_is_explained_by_its_value():
    f = lambda x: jnp.sum((x + jax.lax.stop_gradient(jnp.round(x) - x)) ** 2)
    assert_close(*gap(f, jnp.array([0.9, 1.6]), 0.0))


SINGULAR = {
    "log1p": (jnp.log1p, -0.9999, -0.99),
    "arctanh": (jnp.arctanh, 0.9999, 0.99),
    "erfinv": (jax.lax.erf_inv, 0.9999, 0.99),
    "arcsin": (jnp.arcsin, 1.0, 0.99),
    "arccosh": (jnp.arccosh, 1.0, 1.01),
    "high_power": (lambda x: x**50, 1.01, 1.0),
    "exp": (jnp.exp, 1e-4, 0.0),
    "sine": (lambda x: jnp.sin(x), 6.2832, 0.0),
    "root_at_zero": (jnp.sqrt, 0.0, 0.0),
}


@pytest.mark.parametrize(("fn", "x", "b"), SINGULAR.values(), ids=SINGULAR)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_a_step_near_a_singularity_is_complete(fn, x, b, dtype):
    x, b = jnp.asarray([x], dtype), jnp.asarray([b], dtype)
    # The middle of a short step is off by the cube of `(24 eps) ** (1 / 3)`.
    assert_close(*gap(lambda x: jnp.sum(fn(x)), x, b), tol=1e-5)


def test_a_square_root_that_stays_at_zero_does_not_spoil_the_others():
    phi = rules.deep_lift(lambda x: jnp.sqrt(x).sum())(
        jnp.array([0.0, 4.0]), baseline=0.0
    )
    np.testing.assert_array_equal(phi, [0.0, 2.0])


def test_an_absolute_value_of_complex_numbers_is_explained():
    f = lambda x: jnp.sum(jnp.abs(jnp.fft.rfft(x)))
    x = jnp.array([2.0, 3.0, 5.0, 1.0])
    # The kinks of the fallback's line are its error.
    assert_close(*gap(f, x, 1.0), tol=0.05)


@pytest.mark.parametrize("rule", [rules.epsilon(), rules.zplus(), rules.gamma()])
def test_relevance_of_units_that_are_off_is_finite_in_float16(rule):
    w = jnp.asarray(np.random.default_rng(0).normal(size=(4, 4)), jnp.float16)
    f = lambda x: jnp.sum(jax.nn.relu(x) + jax.nn.relu(x @ w))
    x = jnp.array([-1, 0, 0, 0], jnp.float16)
    assert jnp.isfinite(rules.lrp(f, rule)(x)).all()


def test_a_scale_of_several_axes_folds_into_its_product():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=4), rng.normal(size=(4, 2, 3))
    scale = rng.normal(size=(2, 3))
    apart = lambda x: jnp.sum(jax.nn.relu(jnp.einsum("d,dhk->hk", x, w) * scale))
    fused = lambda x: jnp.sum(jax.nn.relu(jnp.einsum("d,dhk->hk", x, w * scale)))
    for rule in (rules.zplus(), rules.gamma(), rules.zbox(-3.0, 3.0)):
        assert_close(rules.lrp(apart, rule)(x), rules.lrp(fused, rule)(x))

"""What becomes of NaN and infinity: left out and counted, passed on, or refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx

X = jnp.array([1.0, 2.0, 4.0, 8.0])
ZERO = {"baseline": 0.0}
KEY = jax.random.key(0)
BAD = jnp.array([jnp.nan, jnp.inf, -jnp.inf])
CHUNKS = pytest.mark.parametrize("chunk_size", [None, 16])


def each_bad(explain):
    """`explain(bad)` for NaN and both infinities, compiled once."""
    return list(map(jax.jit(explain), BAD))


def broken_without_the_first(bad):
    """A sum, but where the first feature is absent and the last is present."""
    gone = lambda x: (x[0] == 0) & (x[3] > 0)
    return lambda x: jnp.where(gone(x), bad, jnp.sum(x))


def masks(num_samples):
    draw = jx.coalitions.bernoulli(KEY, 4)
    return jax.vmap(lambda i: draw(i) | (i == 0))(jnp.arange(num_samples))


@CHUNKS
def test_lime_leaves_out_what_is_not_finite_and_counts_the_rest(chunk_size):
    def explain(bad):
        f = broken_without_the_first(bad)
        fit = jx.surrogate(f, num_samples=100, ridge=0.0, chunk_size=chunk_size)
        return fit(X, key=KEY, **ZERO)

    drawn = masks(100)
    for fit in each_bad(explain):
        assert fit.evaluations == 100 - (~drawn[:, 0] & drawn[:, 3]).sum()
        # The rest is a linear function, which the finite coalitions determine.
        assert_close(fit.weights, X, tol=1e-8)
        assert_close(fit.r2, jnp.asarray(1.0), tol=1e-8)
        assert jnp.isfinite(fit.standard_error).all()


def test_all_coalitions_are_counted_where_all_are_finite():
    fit = jax.jit(partial(jx.surrogate(jnp.sum, num_samples=64), **ZERO))(X, key=KEY)
    assert fit.evaluations == 64


@pytest.mark.slow
@CHUNKS
def test_if_no_value_is_finite_every_field_of_a_surrogate_is_nan(chunk_size):
    def explain(bad):
        f = lambda x: bad + 0 * jnp.sum(x)
        fit = jx.surrogate(f, num_samples=64, chunk_size=chunk_size)
        return fit(X, key=KEY, **ZERO)

    for fit in each_bad(explain):
        assert fit.evaluations == 0
        for field in (fit.weights, fit.intercept, fit.r2, fit.standard_error):
            assert jnp.isnan(field).all()


def test_a_weight_that_the_finite_values_do_not_determine_is_nan():
    def explain(bad):
        # Where the first feature is absent nothing is finite: its effect is unknown.
        f = lambda x: jnp.where(x[0] == 0, bad, jnp.sum(x))
        return jx.surrogate(f, num_samples=100)(X, key=KEY, **ZERO)

    for fit in each_bad(explain):
        assert jnp.isnan(fit.weights[0])
        assert jnp.isnan(fit.standard_error[0])
        assert jnp.isfinite(fit.weights[1:]).all()


def test_a_surrogate_is_derived_where_some_values_are_left_out():
    def slope(bad):
        f = lambda x: jnp.where((x[0] == 0) & (x[3] > 0), bad, jnp.sum(x**2))
        weights = lambda x: jx.lime(f, num_samples=64)(x, key=KEY, **ZERO).sum()
        return jax.grad(weights)(X)

    for gradient in each_bad(slope):
        assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize("num_samples", [14, 8], ids=["exhaustive", "sampled"])
def test_kernel_shap_is_nan_if_one_value_is_not_finite(num_samples):
    def explain(bad):
        shap = jx.kernel_shap(broken_without_the_first(bad), num_samples=num_samples)
        return shap(X, key=KEY, **ZERO)

    for phi in each_bad(explain):
        assert jnp.isnan(phi).all()


@pytest.mark.parametrize("end", [0.0, 15.0], ids=["baseline", "input"])
def test_kernel_shap_is_nan_if_the_function_is_not_finite_at_an_end(end):
    def explain(bad):
        f = lambda x: jnp.where(jnp.sum(x) == end, bad, jnp.sum(x))
        return jx.kernel_shap(f)(X, key=KEY, **ZERO)

    for phi in each_bad(explain):
        assert jnp.isnan(phi).all()


def test_occlusion_passes_on_what_is_not_finite():
    f = lambda x: jnp.where(x[1] == 0, jnp.inf, jnp.sum(x))
    phi = jx.occlusion(f)(X, **ZERO)
    assert_close(phi[jnp.array([0, 2, 3])], jnp.array([1.0, 4.0, 8.0]))
    assert phi[1] == -jnp.inf


def test_integrated_gradients_pass_on_nan_to_the_features_that_have_it():
    f = lambda x: jnp.where(x[0] > 0.5, jnp.nan, 1.0) * x[0] + x[1]
    phi = jax.jit(partial(jx.integrated_gradients(f), **ZERO))(X)
    assert jnp.isnan(phi[0])
    assert_close(phi[1:], jnp.array([2.0, 0.0, 0.0]))


def test_a_baseline_of_nan_is_not_hidden():
    phi = jx.integrated_gradients(jnp.sum)(X, baseline=jnp.nan)
    assert jnp.isnan(phi).all()


def test_means_over_noise_and_baselines_pass_on_nan():
    f = lambda x: jnp.sqrt(x[0]) + x[1]
    smooth = jx.smooth(jx.saliency(f), std=10.0, num_samples=16)
    assert jnp.isnan(jax.jit(smooth)(X, key=KEY)[0])
    expected = jx.expected(jx.integrated_gradients(f))
    phi = jax.jit(expected)(X, baseline=jnp.stack([X, -X]))
    assert jnp.isnan(phi[0])
    assert_close(phi[1], 2.0)


def test_deletion_removes_features_of_nan_last():
    attribution = jnp.array([1.0, jnp.nan, 3.0, 2.0])
    curve = jx.metrics.deletion(jnp.sum, steps=4)(X, attribution=attribution, **ZERO)
    assert_close(curve.value, jnp.array([15.0, 11.0, 3.0, 2.0, 0.0]))


def test_curves_pass_on_what_is_not_finite():
    f = lambda x: jnp.where(jnp.sum(x) == 3, jnp.nan, jnp.sum(x))
    curve = jx.metrics.insertion(f, steps=4)(X, attribution=-X, **ZERO)
    np.testing.assert_array_equal(curve.value, [0.0, 1.0, np.nan, 7.0, 15.0])
    assert jnp.isnan(curve.area)
    gap = jx.metrics.completeness_gap(f)(X, attribution=X * jnp.nan, **ZERO)
    assert jnp.isnan(gap)


def test_grad_cam_of_zero_gradients_is_zero():
    f = lambda x: 0.0 * jnp.sum(jx.tap(x, "x"))
    for relu in (False, True):
        heatmap = jx.grad_cam(f, at="x", relu=relu)(X[None])
        assert_close(heatmap, jnp.zeros(1))


def test_guided_passes_nan_through_its_value():
    f = jx.rules.guided(lambda x: jax.nn.relu(x).sum())
    assert jnp.isnan(f(X.at[0].set(jnp.nan)))

"""Axioms of class activation maps, of stretching them, and of curves and gaps."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from hypothesis import given
from hypothesis import strategies as st
from properties import ROUNDING, close, fixed, numbers

import jaxplain as jx

pytestmark = pytest.mark.slow


def pooled(features, weights):
    """A head of global average pooling and one linear unit."""
    return jx.tap(features, "features").mean((0, 1)) @ weights


@functools.cache
def compiled_map(relu):
    return quick_jit(jx.grad_cam(pooled, at="features", relu=relu))


@fixed
@given(features=numbers(3, 4, 2), weights=numbers(2))
def test_grad_cam_of_a_pooled_linear_head_is_the_class_activation_map(
    features, weights
):
    heatmap = features @ weights / 12
    close(compiled_map(False)(features, weights), heatmap)
    close(compiled_map(True)(features, weights), np.maximum(heatmap, 0))


@fixed
@given(features=numbers(3, 4, 2), weights=numbers(2))
def test_grad_cam_of_a_pooled_linear_head_sums_to_the_score(features, weights):
    heatmap = compiled_map(False)(features, weights)
    close(heatmap.sum(), pooled(features, weights))


@fixed
@given(features=numbers(3, 4, 2), weights=numbers(2))
def test_grad_cam_commutes_with_turning_the_image(features, weights):
    turned = np.ascontiguousarray(features[::-1])
    close(
        compiled_map(False)(turned, weights),
        compiled_map(False)(features, weights)[::-1],
    )


stretch = functools.cache(
    lambda shape: quick_jit(lambda heatmap: jx.cam.upsample(heatmap, shape))
)


@pytest.mark.parametrize("shape", [(6, 8), (3, 4), (7, 9), (2, 3), (1, 1)])
@fixed
@given(value=numbers())
def test_a_constant_map_stays_constant(shape, value):
    close(stretch(shape)(np.full((3, 4), value)), value)


@pytest.mark.parametrize("factors", [(2, 2), (3, 3), (4, 1), (5, 2)])
@fixed
@given(heatmap=numbers(3, 4))
def test_stretching_by_whole_factors_keeps_the_mean(factors, heatmap):
    shape = tuple(int(a * b) for a, b in zip(heatmap.shape, factors))
    close(stretch(shape)(heatmap).mean(), heatmap.mean())


@fixed
@given(heatmap=numbers(3, 4))
def test_stretching_stays_within_the_range_of_the_map(heatmap):
    out = stretch((7, 9))(heatmap)
    assert out.min() >= heatmap.min() - ROUNDING
    assert out.max() <= heatmap.max() + ROUNDING


@fixed
@given(heatmap=numbers(3, 4))
def test_stretching_to_the_same_shape_changes_nothing(heatmap):
    close(stretch((3, 4))(heatmap), heatmap)


def f(x, c):
    return jnp.tanh(x @ c) + x[0] * x[1] - x[2] * x[3] * x[4] * x[5]


@functools.cache
def curves(steps):
    """Deletion and insertion by an attribution."""

    def both(x, b, c, attribution):
        refs = {"attribution": attribution, "baseline": b}
        deletion = jx.metrics.deletion(f, steps=steps)(x, c, **refs)
        insertion = jx.metrics.insertion(f, steps=steps)(x, c, **refs)
        return deletion, insertion

    return quick_jit(both)


def of_game(present, x, b, c):
    return float(f(jnp.where(present, x, b), c))


orders = st.permutations(range(6))


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
@fixed
@given(x=numbers(6), b=numbers(6), c=numbers(6), order=orders)
def test_deletion_is_insertion_of_the_opposite_run_backwards(steps, x, b, c, order):
    attribution = np.array(order, float)
    deletion, _ = curves(steps)(x, b, c, attribution)
    _, insertion = curves(steps)(x, b, c, -attribution)
    close(deletion.value, insertion.value[::-1])
    close(deletion.area, insertion.area)


@pytest.mark.parametrize("steps", [1, 4, 6])
@fixed
@given(x=numbers(6), b=numbers(6), c=numbers(6), order=orders)
def test_curves_run_between_the_input_and_the_baseline(steps, x, b, c, order):
    deletion, insertion = curves(steps)(x, b, c, np.array(order, float))
    ends = np.array([f(x, c), f(b, c)])
    close(deletion.value[np.array([0, -1])], ends)
    close(insertion.value[np.array([0, -1])], ends[::-1])
    for curve in (deletion, insertion):
        close(curve.fraction, np.linspace(0, 1, steps + 1))
        close(curve.area, np.trapezoid(curve.value, curve.fraction))


@fixed
@given(x=numbers(6), b=numbers(6), c=numbers(6), order=orders)
def test_deletion_removes_the_highest_attribution_first(x, b, c, order):
    deletion, _ = curves(6)(x, b, c, np.array(order, float))
    for count in range(7):
        present = np.array(order) < 6 - count
        close(deletion.value[count], of_game(present, x, b, c))


@fixed
@given(x=numbers(6), b=numbers(6), c=numbers(6), order=orders)
def test_curves_depend_on_the_order_of_the_attribution_alone(x, b, c, order):
    attribution = np.array(order, float)
    same_order = np.exp(attribution) - 100
    for one, other in zip(
        curves(6)(x, b, c, attribution), curves(6)(x, b, c, same_order)
    ):
        np.testing.assert_array_equal(one.value, other.value)


@fixed
@given(x=numbers(4), b=numbers(4), slopes=numbers(4), order=st.permutations(range(4)))
def test_no_order_deletes_an_additive_score_faster_than_occlusion(x, b, slopes, order):
    parts = slopes * (x - b)
    areas = [of_additive()(x, b, slopes, a) for a in (parts, np.array(order, float))]
    assert areas[0] <= areas[1] + ROUNDING


@functools.cache
def of_additive():
    deletion = jx.metrics.deletion(lambda x, slopes: slopes @ x, steps=4)

    def area(x, b, slopes, attribution):
        return deletion(x, slopes, attribution=attribution, baseline=b).area

    return quick_jit(area)


@functools.cache
def gap():
    return quick_jit(jx.metrics.completeness_gap(f))


@fixed
@given(x=numbers(6), b=numbers(6), c=numbers(6), attribution=numbers(6))
def test_the_completeness_gap_is_what_is_claimed_beyond_the_difference(
    x, b, c, attribution
):
    found = gap()(x, c, attribution=attribution, baseline=b)
    close(found, attribution.sum() - (f(x, c) - f(b, c)))


def test_the_gap_of_integrated_gradients_closes_and_that_of_saliency_does_not():
    x, c = jnp.arange(6) / 3 - 1, jr.normal(jr.key(0), (6,))
    ig = jax.jit(jx.integrated_gradients(f, steps=16))(x, c, baseline=0.0)
    close(gap()(x, c, attribution=ig, baseline=0.0), 0)
    saliency = jx.saliency(f)(x, c)
    assert abs(gap()(x, c, attribution=saliency, baseline=0.0)) > 0.1

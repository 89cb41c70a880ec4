"""What holds for class activation maps, whatever the model: axioms, and no NaN."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import close, fixed, numbers

import jaxplain as jx
from jaxplain import cam

REDUCERS = {
    "grad_cam": cam.reducers.grad_cam,
    "grad_cam_plus_plus": cam.reducers.grad_cam_plus_plus,
    "xgrad_cam": cam.reducers.xgrad_cam,
    "hires_cam": cam.reducers.hires_cam,
    "layer_cam": cam.reducers.layer_cam,
    "eigen_cam": cam.reducers.eigen_cam,
    "eigen_grad_cam": cam.reducers.eigen_grad_cam,
}
EIGEN = ("eigen_cam", "eigen_grad_cam")

every = pytest.mark.parametrize("name", REDUCERS)
every_gradient = pytest.mark.parametrize(
    "name", [n for n in REDUCERS if n not in EIGEN]
)


@functools.cache
def compiled(name):
    return quick_jit(REDUCERS[name])


# Axioms.


def pooled(features, weights):
    """A head of global average pooling and one linear unit."""
    return jx.tap(features, "features").mean((0, 1)) @ weights


@functools.cache
def map_of_pooled(make):
    return quick_jit(make(pooled, at="features"))


@fixed
@given(features=numbers(3, 4, 2), weights=numbers(2))
def test_hires_cam_of_a_pooled_linear_head_is_grad_cam(features, weights):
    hires = map_of_pooled(cam.hires_cam)(features, weights)
    close(hires, map_of_pooled(jx.grad_cam)(features, weights))


def without_biases(features, into, out):
    """A piecewise linear head, whose score at zero is zero."""
    hidden = jax.nn.relu(jx.tap(features, "features").ravel() @ into)
    return hidden @ out


@functools.cache
def map_and_score(make):
    explain = make(without_biases, at="features")
    return quick_jit(lambda *args: (explain(*args).sum(), without_biases(*args)))


@pytest.mark.parametrize("make", [cam.hires_cam, cam.xgrad_cam])
@fixed
@given(features=numbers(2, 3, 2), into=numbers(12, 3), out=numbers(3))
def test_a_map_of_a_head_without_biases_sums_to_the_score(make, features, into, out):
    # Sums of channels from 1, as after a ReLU: those of X-Grad-CAM may not cancel.
    total, score = map_and_score(make)(np.abs(features) + 1, into, out)
    close(total, score)


@every_gradient
@fixed
@given(features=numbers(3, 2), gradients=numbers(3, 2))
def test_the_units_of_a_channel_do_not_matter(name, features, gradients):
    # A head that undoes the change of units has gradients in the inverse ones.
    units = np.array([[8.0, 0.25]])
    other = compiled(name)(units * features, gradients / units)
    # Near cancellation X-Grad-CAM grows by 1 / sqrt(eps), and its rounding with it.
    expected = compiled(name)(features, gradients)
    np.testing.assert_allclose(other, expected, rtol=1e-7, atol=1e-10)


@every
@fixed
@given(features=numbers(4, 3), gradients=numbers(4, 3))
def test_maps_of_turned_series_are_turned(name, features, gradients):
    order = np.array([2, 0, 3, 1])
    turned = compiled(name)(features[order], gradients[order])
    expected = compiled(name)(features, gradients)
    # Eigenvectors turn by rounding over the gap to the second eigenvalue, and may be
    # any where there is none: their lengths are compared.
    if name in EIGEN:
        turned, expected = (np.sum(np.square(a)) for a in (turned, expected))
    else:
        expected = expected[order]
    close(turned, expected)


@pytest.mark.parametrize("name", EIGEN)
@fixed
@given(features=numbers(4, 3), gradients=numbers(4, 3))
def test_a_first_component_is_centred_and_on_the_side_of_the_channels(
    name, features, gradients
):
    heatmap = compiled(name)(features, gradients)
    values = features if name == "eigen_cam" else features * gradients
    close(heatmap.sum(), 0)
    assert (heatmap * values.sum(-1)).sum() >= -1e-10


@fixed
@given(features=numbers(4, 3), gradients=numbers(4, 3))
def test_the_weights_of_grad_cam_plus_plus_are_never_negative(features, gradients):
    each = [features * (np.arange(3) == k) for k in range(3)]
    for k, channel in enumerate(each):
        heatmap = compiled("grad_cam_plus_plus")(channel, gradients)
        assert (heatmap * channel[:, k] >= 0).all()


# Numbers.


@every
@pytest.mark.parametrize("shape", [(3, 4), (5, 2)], ids=["wide", "tall"])
def test_zeros_are_safe_in_value_and_in_derivative(name, shape):
    @quick_jit
    def value_and_slopes(features, gradients):
        out, pull = jax.vjp(REDUCERS[name], features, gradients)
        return out, pull(jnp.cos(jnp.arange(shape[0], dtype=jnp.float32)))

    features, gradients = jr.normal(jr.key(0), (2, *shape), jnp.float32)
    zero = jnp.zeros(shape, jnp.float32)
    blank = [(zero, gradients), (zero, zero)]
    if name != "eigen_cam":  # it does not ask for gradients
        blank.append((features, zero))
    for each in blank:
        heatmap, slopes = value_and_slopes(*each)
        assert (heatmap == 0).all()
        assert all(np.isfinite(a).all() for a in slopes)
    dead = features.at[:, 0].set(0.0)
    heatmap, slopes = value_and_slopes(dead, gradients)
    assert all(np.isfinite(a).all() for a in (heatmap, *slopes))


@every
@pytest.mark.parametrize("size", [1e-25, 1e15])
def test_features_and_gradients_of_any_size_have_a_map(name, size):
    # Squares of the first vanish in float32, and so do cubes of gradients.
    features, gradients = jnp.abs(jr.normal(jr.key(0), (2, 5, 3), jnp.float32))
    expected = compiled(name)(features, gradients)
    scaled = compiled(name)(features * jnp.float32(size), gradients)
    factor = 1.0
    if name == "grad_cam_plus_plus":  # its weights depend on the size of features
        expected = compiled(name)(
            features.astype(float) * size, gradients.astype(float)
        ).astype(jnp.float32)
    else:
        factor = size
    assert_close(scaled / jnp.float32(factor), expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_a_map_has_the_dtype_of_the_features(dtype):
    features = jnp.ones((4, 5, 3), dtype)
    f = lambda x: jx.tap(x, "x").sum()
    makers = [getattr(cam, name) for name in REDUCERS] + [cam.ablation_cam]
    makers.append(lambda f, at: partial(cam.score_cam(f, at=at), baseline=0.0))
    makers.append(lambda f, at: cam.full_grad(f, at=[at]))
    makers.append(lambda f, at: cam.over_layers(jx.grad_cam, f, at=[at]))
    for make in makers:
        out = jax.eval_shape(make(f, at="x"), features)
        assert (out.shape, out.dtype) == ((4, 5), jnp.dtype(dtype))
    for reducer in REDUCERS.values():
        out = jax.eval_shape(reducer, features, features)
        assert (out.shape, out.dtype) == ((4, 5), jnp.dtype(dtype))


def test_a_reducer_of_yours_computes_in_float32():
    seen = []

    def mine(features, gradients):
        seen.append((features.dtype.name, gradients.dtype.name))
        return jnp.sum(features * gradients, -1)

    f = lambda x: jx.tap(x, "x").sum()
    x = jnp.ones((3, 300), jnp.bfloat16)
    heatmap = cam.activation_map(f, at="x", reducer=mine)(x)
    assert seen == [("float32", "float32")]
    assert heatmap.dtype == jnp.bfloat16
    assert (heatmap == 300).all()  # in bfloat16, 256 + 1 is 256


@pytest.mark.parametrize("name", EIGEN)
@pytest.mark.parametrize("shape", [(4, 6), (6, 4)], ids=["wide", "tall"])
def test_derivatives_of_a_component_are_right_although_channels_are_dead(name, shape):
    inputs = jr.normal(jr.key(1), (2, *shape)).at[:, :, :2].set(0.0)
    direction = jr.normal(jr.key(2), (2, *shape)).at[:, :, :2].set(0.0)
    heatmap = lambda both: REDUCERS[name](*both)
    step = 1e-5  # its square is the error of the difference, and eps / step = 2e-11

    @quick_jit
    def slopes(a, d):
        change = heatmap(a + step * d) - heatmap(a - step * d)
        return jax.jvp(heatmap, (a,), (d,))[1], change / (2 * step)

    slope, difference = slopes(inputs, direction)
    assert_close(slope, difference, tol=1e-7)

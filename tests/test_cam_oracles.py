"""Class activation maps against slow transcriptions of the papers."""

import cam_oracles
import jax.numpy as jnp
import numpy as np
import oracles
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain import cam

# A series, images with more positions and with more channels, a volume, one position.
SHAPES = [(7, 3), (3, 4, 2), (2, 3, 9), (2, 3, 2, 3)]
REDUCERS = [
    "grad_cam",
    "grad_cam_plus_plus",
    "xgrad_cam",
    "hires_cam",
    "layer_cam",
    "eigen_cam",
    "eigen_grad_cam",
]


def features_and_gradients(shape, seed=0):
    """Features after a ReLU, some of them zero, and gradients of both signs."""
    features, gradients = np.random.default_rng(seed).normal(size=(2, *shape))
    return np.maximum(features + 0.5, 0), gradients


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", REDUCERS)
def test_a_reducer_is_the_loop_of_its_paper(name, shape):
    given = features_and_gradients(shape)
    found = quick_jit(getattr(cam.reducers, name))(*given)
    # The Gram matrix squares the condition number of the two that decompose.
    tol = 1e-10 if "eigen" in name else None
    assert_close(found, getattr(cam_oracles, name)(*given), tol=tol)


@pytest.mark.parametrize("name", REDUCERS)
def test_an_explainer_is_its_reducer_at_a_layer(name):
    features, slopes = features_and_gradients((3, 4, 2))
    f = lambda x, slopes: (jx.tap(x, "layer") ** 2 * slopes).sum()
    make = getattr(cam, name)
    expected = getattr(cam.reducers, name)(features, 2 * features * slopes)
    given = jnp.asarray(features), jnp.asarray(slopes)
    assert_close(make(f, at="layer")(*given), expected)
    rectified = make(f, at="layer", relu=True)(*given)
    assert_close(rectified, np.maximum(expected, 0))


def test_gradients_and_features_of_any_sign_have_an_x_grad_cam():
    given = np.random.default_rng(1).normal(size=(2, 3, 4, 2))
    # The sums of these channels are a tenth of their sizes or more: the weights lose
    # 100 times the rounding that keeps them finite.
    found = cam.reducers.xgrad_cam(*map(jnp.asarray, given))
    assert_close(found, cam_oracles.xgrad_cam(*given), tol=1e-12)


MIX = np.random.default_rng(2).normal(size=(3, 5))
READ = np.random.default_rng(3).normal(size=(3, 2, 5))


def small_cnn(image):
    """6 x 4 pixels of 3 channels, 3 x 2 features of 5 channels, one score."""
    pooled = image.reshape(3, 2, 2, 2, 3).mean((1, 3))
    features = jx.tap(jnp.tanh(pooled @ MIX), "features")
    return head(features)


def head(features):
    return jnp.tanh(0.3 * (features * READ).sum()) + (features**2).mean()


IMAGE = np.random.default_rng(4).uniform(size=(6, 4, 3))


@pytest.fixture(scope="module")
def features():
    return np.asarray(jx.cut(small_cnn, jnp.asarray(IMAGE), at="features")[0])


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
def test_ablation_cam_is_the_loop_over_channels(features, chunk_size):
    explain = quick_jit(
        cam.ablation_cam(small_cnn, at="features", chunk_size=chunk_size)
    )
    expected = cam_oracles.ablation_cam(features, lambda a: float(head(a)))
    assert_close(explain(IMAGE), expected)


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
def test_score_cam_is_the_loop_over_channels(features, chunk_size):
    explain = quick_jit(cam.score_cam(small_cnn, at="features", chunk_size=chunk_size))
    f = lambda x: float(small_cnn(jnp.asarray(x)))
    expected = cam_oracles.score_cam(features, f, IMAGE, 0.25, oracles.upsample)
    assert_close(explain(IMAGE, baseline=0.25), expected)


@pytest.mark.parametrize("shape", [(6, 8), (3, 4), (9, 4), (2, 3)])
def test_the_nearest_centre_gives_its_value(shape):
    heatmap = np.random.default_rng(0).normal(size=(3, 4))
    found = cam.upsample(jnp.asarray(heatmap), shape, method="nearest")
    rows, columns = (
        ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, heatmap.shape)
    )
    assert_close(found, heatmap[np.ix_(rows, columns)])

"""Maps from evaluations of the score, and maps that are made of others."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain import cam

# Maps without gradients.


def scored(x, scale):
    """Three features, of which the last is the same everywhere."""
    features = jx.tap(jnp.stack([x, x**2, jnp.ones_like(x)], -1), "features")
    return scale * (features[:, 0] + 0.5 * features[:, 1]).sum()


X = jnp.array([0.5, 2.0, -1.0, 0.25])
BASE = {"baseline": 0.0}


def test_score_cam_skips_a_channel_that_is_the_same_everywhere():
    explain = quick_jit(cam.score_cam(scored, at="features"))
    without = lambda x, s: scored(x, s) + 0.0 * jnp.log(jnp.abs(x).max())
    # The mask of a constant channel is zero, where this score is infinite.
    spoiled = quick_jit(cam.score_cam(without, at="features"))(X, 1.0, **BASE)
    assert_close(spoiled, explain(X, 1.0, **BASE))
    two = lambda x, s: (
        scored(x, s) + 0.0 * jx.tap(jnp.stack([x, x**2], -1), "two").sum()
    )
    expected = quick_jit(cam.score_cam(two, at="two"))(X, 1.0, **BASE)
    assert_close(explain(X, 1.0, **BASE), expected)


def test_score_cam_of_constant_channels_is_zero_and_so_is_its_derivative():
    f = lambda x: (jx.tap(jnp.ones((4, 2)), "flat") * x[:, None]).sum()
    for temperature in (1.0, "std"):
        explain = cam.score_cam(f, at="flat", temperature=temperature)
        total = lambda x, explain=explain: explain(x, **BASE).sum()
        value, slope = quick_jit(jax.value_and_grad(total))(X)
        assert value == 0.0
        assert_close(slope, 0 * X)


def test_one_channel_is_its_own_score_cam_with_no_slope_through_its_weight():
    f = lambda x: (jx.tap(x[:, None], "one") ** 3).sum()
    for temperature in (1.0, "std"):
        explain = cam.score_cam(f, at="one", temperature=temperature)
        both = lambda x, d, e=explain: jax.jvp(partial(e, **BASE), (x,), (d,))
        out, slope = quick_jit(both)(X, jnp.cos(X))
        assert_close(out, X)
        assert_close(slope, jnp.cos(X))


def test_a_temperature_of_std_makes_score_cam_blind_to_the_scale_of_the_score():
    explain = quick_jit(cam.score_cam(scored, at="features", temperature="std"))
    plain = quick_jit(cam.score_cam(scored, at="features"))
    assert_close(explain(X, 100.0, **BASE), explain(X, 1.0, **BASE))
    gap = plain(X, 100.0, **BASE) - plain(X, 1.0, **BASE)
    assert jnp.abs(gap).max() > 0.1


def test_a_hot_score_cam_is_the_mean_of_its_channels():
    explain = quick_jit(cam.score_cam(scored, at="features", temperature=1e15))
    assert_close(explain(X, 1.0, **BASE), (X + X**2) / 2)


def test_score_cam_takes_a_pytree_whose_arrays_share_their_axes_of_space():
    def f(x):
        pooled = x["image"].reshape(2, 2, 3, 2, 3).mean((1, 3, 4))
        more = x["depth"].reshape(2, 4, 3).mean(1)
        return (jx.tap(jnp.stack([pooled, more], -1), "features") ** 2).sum()

    keys = jr.split(jr.key(0))
    x = {"image": jr.normal(keys[0], (4, 6, 3)), "depth": jr.normal(keys[1], (8, 3))}
    heatmap = quick_jit(cam.score_cam(f, at="features"))(x, baseline=0.0)

    def score(k, features):
        masked = {}
        for name, leaf in x.items():
            mask = cam.upsample(features[..., k], leaf.shape[:2])
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            masked[name] = leaf * jnp.broadcast_to(
                mask.reshape(*mask.shape, *(1,) * (leaf.ndim - 2)), leaf.shape
            )
        return f(masked)

    def expected(x):
        features, _ = jx.cut(f, x, at="features")
        scores = jnp.stack([score(k, features) for k in range(2)])
        return features @ jax.nn.softmax(scores)

    assert_close(heatmap, quick_jit(expected)(x))


def test_ablation_cam_of_a_negative_score_is_that_of_the_positive_one_turned_around():
    explain = quick_jit(cam.ablation_cam(scored, at="features"))
    assert_close(explain(X, -3.0), -3.0 * explain(X, 1.0))


# Maps made of others.


def two_layers(image, gain):
    fine = jx.tap(image, "fine")
    coarse = fine.reshape(2, 2, 2, 2, 3).mean((1, 3))
    return gain * (jx.tap(gain * coarse, "coarse") ** 2).sum() + fine[0, 0, 0]


def test_no_layer_drowns_the_others_in_an_average():
    image = jr.normal(jr.key(0), (4, 4, 3))
    explain = quick_jit(
        cam.over_layers(cam.hires_cam, two_layers, at=["fine", "coarse"])
    )
    scaled = lambda h: h / jnp.abs(h).max()

    @quick_jit
    def expected(*args):
        fine, coarse = (
            scaled(cam.hires_cam(two_layers, at=at)(*args)) for at in ("fine", "coarse")
        )
        return (fine + cam.upsample(coarse, (4, 4))) / 2

    assert_close(explain(image, 9.0), expected(image, 9.0))


def test_layers_are_averaged_at_the_shape_that_is_asked_for():
    image = jnp.ones((4, 4, 3))
    make = partial(cam.layer_cam, relu=True)
    explain = cam.over_layers(make, two_layers, at=["fine", "coarse"], shape=(8, 6))
    assert jax.eval_shape(explain, image, 1.0).shape == (8, 6)


def test_layers_without_evidence_average_to_zero_and_so_does_the_derivative():
    explain = cam.over_layers(jx.grad_cam, two_layers, at=["coarse", "coarse"])
    total = lambda image: explain(image, 0.0).sum()
    value, slope = quick_jit(jax.value_and_grad(total))(jnp.zeros((4, 4, 3)))
    assert value == 0
    assert (slope == 0).all()


def test_layers_of_explainers_with_baselines_are_averaged_too():
    image = jr.normal(jr.key(0), (4, 4, 3))
    at = ["fine", "coarse"]
    explain = cam.over_layers(cam.score_cam, two_layers, at=at)
    assert jax.eval_shape(explain, image, 1.0, **BASE).shape == (4, 4)


def test_guided_grad_cam_is_zero_where_grad_cam_is_negative():
    x = jr.normal(jr.key(0), (5, 6, 2))
    f = lambda x: (jax.nn.relu(jx.tap(x, "x")) @ jnp.array([1.0, -1.0])).sum()
    out = quick_jit(cam.guided_grad_cam(f, at="x"))(x)
    heatmap = quick_jit(jx.grad_cam(f, at="x", relu=True))(x)
    assert (heatmap == 0).any()
    assert (heatmap > 0).any()
    guided = quick_jit(jx.saliency(jx.rules.guided(f)))(x)
    assert_close(out, heatmap[..., None].repeat(2, -1) * guided)

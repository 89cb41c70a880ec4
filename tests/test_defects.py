"""Defects of other libraries, and complaints of their users, that must not be ours.

D1 to D15 are those of captum, PAIR saliency, pytorch-grad-cam, xplique, shap, lime and
flax_gradcam; numbers after a repository are its issues. What cannot exist here is
tested by its nearest relative: we have no LRP (D4, so an input that is used twice, for
the methods that we have), no blur path (D6, so paths of their own in a batch), no
Grad-CAM++ and no overlapping windows (D12, so the one convention of upsampling), no
hooks to leave behind (D7, D11) and no CUDA branch (D15, so chunks and devices).
`facts.json` holds the numbers of D1, D5, D8 and D12.
"""

import math
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx
from helpers import assert_close
from tiny_models import multi_layer, one_conv

import jaxplain as jx
from jaxplain import _quadrature

KEY = jr.key(0)
X = jnp.array([1.0, -2.0, 0.5])
RULES = get_args(_quadrature.Rule)
EPS = float(jnp.finfo(jnp.float64).eps)


def bent(x):
    """Smooth, and neither additive nor zero at zero."""
    return jnp.sin(x[0] * x[1]) + jnp.exp(x[2]) * (1.0 + x[0])


# D1, D2: quadrature.


@pytest.mark.parametrize("rule", RULES)
def test_the_weights_of_a_rule_sum_to_one(rule):  # D1
    for steps in [*range(2, 34), 100]:
        nodes, weights = _quadrature.nodes_and_weights(rule, steps)
        # Each weight is rounded by half a unit of its last place: EPS / 2 in all.
        assert abs(math.fsum(weights) - 1) <= EPS
        assert nodes.dtype == weights.dtype == np.float64  # D2
        assert nodes.min() >= 0
        assert nodes.max() <= 1


@pytest.mark.parametrize("rule", RULES)
def test_integrated_gradients_of_a_line_are_exact_in_float64(rule):  # D1, D2
    explain = jx.integrated_gradients(lambda x: 3.0 * x, steps=5, rule=rule)
    # Captum gives 2.40 by the trapezoid and 3.00000004 by the middle rule.
    assert abs(explain(jnp.ones(()), baseline=0.0) - 3.0) <= 8 * EPS


def test_the_completeness_gap_of_a_smooth_function_vanishes_with_steps():
    # captum#1334, #1413: a gap that grows with the steps.
    def gap(steps):
        phi = jax.jit(jx.integrated_gradients(bent, steps=steps))(X, baseline=0.25)
        measure = jx.metrics.completeness_gap(bent)
        return abs(measure(X, attribution=phi, baseline=0.25))

    assert gap(2) > 1e-4
    assert gap(4) < gap(2)
    assert gap(16) < 1e-14  # a few roundings of numbers near 1


# D3: one group.


def test_one_group_takes_the_whole_difference():  # D3
    alone = {"baseline": 0.0, "groups": np.zeros(3, int)}
    difference = bent(X) - bent(0.0 * X)
    occlusion = jx.occlusion(bent, num_groups=1)(X, **alone)
    assert_close(occlusion, difference[None])
    shap = jx.kernel_shap(bent, num_groups=1)(X, **alone, key=KEY)
    assert_close(shap, difference[None])
    fit = jx.surrogate(bent, num_groups=1, num_samples=50, ridge=0.0)
    fit = jax.jit(partial(fit, **alone))(X, key=KEY)
    assert_close(fit.weights, difference[None])
    assert_close(fit.intercept, bent(0.0 * X))


def test_one_feature_takes_the_whole_difference():  # D3, without groups
    f = lambda x: jnp.exp(x[0])
    x, difference = jnp.array([2.0]), jnp.array([math.exp(2.0) - 1.0])
    shap = jx.kernel_shap(f)(x, baseline=0.0, key=KEY)
    assert_close(shap, difference)
    lime = jax.jit(jx.lime(f, num_samples=50, ridge=0.0))
    assert_close(lime(x, baseline=0.0, key=KEY), difference)


# D4: double counting.


def test_an_input_that_is_used_twice_is_counted_once():  # D4
    f = lambda x1, x2: multi_layer(x1 + x2)[0]
    x = jnp.array([1.0, 2.0, 3.0])
    both = lambda x: f(x, 3.0 * x)  # captum's LRP is off by -104 here
    ig = jx.integrated_gradients(both, steps=500)(x, baseline=0.0)
    shap = jax.jit(jx.kernel_shap(both))(x, baseline=0.0, key=KEY)
    gap = partial(jx.metrics.completeness_gap(both), x, baseline=0.0)
    assert abs(gap(attribution=shap)) <= 1e-12
    # The kink at s = 10 of 24 may be missed by a step of 24 / 500.
    assert abs(gap(attribution=ig)) <= 24 / 500


def test_smoothgrad_keeps_the_sign():  # D5: PAIR squares by default
    f = lambda x: -2.0 * x.sum()
    smooth = jx.smooth(jx.saliency(f), std=0.1, num_samples=3)
    assert_close(smooth(X, key=KEY), jnp.full(3, -2.0))


# D6: a batch.


def test_each_example_of_a_batch_has_a_path_of_its_own():  # D6
    xs = jnp.stack([X, 10.0 * X, -0.1 * X])
    baselines = jnp.stack([0.0 * X, X, -5.0 + X])
    ig = jx.integrated_gradients(bent, steps=4)
    batch = jax.vmap(lambda x, b: ig(x, baseline=b))(xs, baselines)
    alone = [ig(x, baseline=b) for x, b in zip(xs, baselines, strict=True)]
    assert_close(batch, jnp.stack(alone))


# D8, D9: KernelSHAP.


def test_hundreds_of_features_keep_their_shapley_values_and_their_sum():
    # D8: xplique lets the sum float. D9: shap keeps ten features. captum#619: the
    # kernel underflows, for 1 / comb(150, 75) is no number in float32.
    slopes = jnp.linspace(-1.0, 1.0, 150)
    f = lambda x, a: slopes @ x + a * (x.prod() - (1.0 - x).prod())
    explain = jax.jit(jx.kernel_shap(f, num_samples=4 * 150))
    explain = partial(explain, jnp.ones(150), baseline=0.0, key=KEY)
    # Normal equations of 150 unknowns lose a digit more than the default allows.
    assert_close(explain(0.0), slopes, tol=1e-10)
    # All that is new lies in the end points: no coalition shows it, but the sum does.
    assert_close(explain(100.0).sum(), jnp.array(200.0), tol=1e-10)


def test_a_budget_that_is_accepted_determines_an_additive_function():
    # Shapley values of a line need no more than its slopes: these, or a refusal.
    slopes = jnp.arange(1.0, 11.0)
    explain = jax.jit(jx.kernel_shap(lambda x: slopes @ x, num_samples=18))
    for key in map(jr.key, range(4)):
        try:
            phi = explain(jnp.ones(10), baseline=0.0, key=key)
        except ValueError:
            return
        known = ~jnp.isnan(phi)  # a NaN is an answer too
        assert_close(phi[known], slopes[known])


# D10: LIME.


def test_one_explainer_gives_one_answer_per_key():  # D10; lime#67 ... lime#767
    explain = jax.jit(jx.lime(bent, num_samples=64))
    first, again = (explain(X, baseline=0.0, key=KEY) for _ in range(2))
    assert (first == again).all()
    other = explain(X, baseline=0.0, key=jr.key(1))
    assert (first != other).all()


@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_a_kernel_too_narrow_for_any_neighbour_says_that_it_knows_nothing(ridge):
    # xplique#138: every similarity is zero but that of the input itself.
    fit = jx.surrogate(bent, num_samples=20, width=1e-3, ridge=ridge)
    fit = jax.jit(fit)(X, baseline=0.0, key=KEY)
    assert jnp.isnan(fit.weights).all()
    assert jnp.isnan(fit.standard_error).all()


def test_an_intercept_that_depends_on_an_unknown_weight_is_unknown():
    # The first feature is never absent where `f` is finite: nobody saw it leave.
    f = lambda x: jnp.where(x[0] < 0.5, jnp.nan, 5.0) + 2.0 * x[1] - x[2]
    fit = jax.jit(jx.surrogate(f, num_samples=64, ridge=0.0))
    fit = fit(jnp.ones(3), baseline=0.0, key=KEY)
    assert jnp.isnan(fit.weights[0])
    assert_close(fit.weights[1:], jnp.array([2.0, -1.0]))
    assert jnp.isnan(fit.intercept)


# D7, D14: Grad-CAM.


def heatmap_of(f):
    return jax.jit(jax.vmap(jx.grad_cam(f, at="conv1")))


def test_dead_examples_of_a_batch_have_maps_of_zeros_and_spare_the_others():  # D14
    alive = jnp.arange(16.0).reshape(4, 4)
    images = jnp.stack([alive, 0.0 * alive, -alive, 2.0 * alive])
    f = lambda image: one_conv(image)[0]  # its ReLUs are off for dark images
    maps = heatmap_of(f)(images)
    assert (maps[1:3] == 0.0).all()
    for image, heatmap in zip(images[::3], maps[::3], strict=True):
        assert_close(heatmap, jx.grad_cam(f, at="conv1")(image))
        assert (heatmap > 0).all()


def test_a_grad_cam_keeps_size_and_sign():  # D7; captum#740, pytorch-grad-cam#42
    image = jnp.arange(16.0).reshape(1, 4, 4)
    maps = heatmap_of(lambda image: one_conv(image)[0])(image)
    against = heatmap_of(lambda image: -3.0 * one_conv(image)[0])(image)
    assert_close(against, -3.0 * maps)
    rectified = jx.grad_cam(lambda image: -one_conv(image)[0], at="conv1", relu=True)
    assert (rectified(image[0]) == 0.0).all()  # all evidence is against, and no NaN


def test_a_model_is_not_put_in_another_mode():  # D7: eval() in the constructor
    class Model(nnx.Module):
        def __init__(self):
            rngs = nnx.Rngs(0)
            self.conv = nnx.Conv(1, 2, (3, 3), rngs=rngs)
            self.norm = nnx.BatchNorm(2, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, image):
            out = self.norm(self.conv(image[None]), use_running_average=True)
            return self.drop(out, deterministic=True).mean()

    model = Model()
    model.train()
    before = jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(model, nnx.Param)))
    jx.grad_cam(model, at="conv")(jnp.ones((4, 4, 1), jnp.float32))
    assert model.norm.use_running_average is False
    assert model.drop.deterministic is False
    after = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), before, after))


# D11: functional activations, and layers that are reused.

RELUS = {
    "jax.nn.relu": jax.nn.relu,
    "nn.relu": nn.relu,
    "maximum(x, 0)": lambda x: jnp.maximum(x, 0.0),
}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_an_inline_relu_is_guided_however_it_is_written(relu):  # D11; captum#1082
    f = lambda x: (relu(x) * jnp.array([1.0, -1.0, 1.0])).sum()
    x = jnp.array([2.0, 3.0, -1.0])
    assert_close(jx.saliency(f)(x), jnp.array([1.0, -1.0, 0.0]))
    guided = jx.rules.guided(f)
    assert_close(guided(x), f(x))
    # The second gradient is negative, and the third ReLU is off.
    assert_close(jx.saliency(guided)(x), jnp.array([1.0, 0.0, 0.0]))


def test_a_relu_that_is_used_twice_is_guided_twice():  # D11; captum#199, #578, #934
    relu = jax.jit(jax.nn.relu)  # one compiled function, two calls
    f = lambda x: -relu(3.0 - relu(x)) + relu(x)
    # By hand: the outer ReLU would pass back a negative gradient, so it stops it.
    assert_close(jx.saliency(jx.rules.guided(f))(jnp.ones(())), jnp.ones(()))
    assert_close(jx.saliency(f)(jnp.ones(())), jnp.full((), 2.0))


def test_a_layer_that_is_used_twice_can_be_explained():  # D11; captum#578
    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            layer = nn.Dense(3, param_dtype=jnp.float64, name="shared")
            return jnp.tanh(layer(jnp.tanh(layer(x)))).sum()

    params = Model().init(KEY, X)
    f = lambda x: Model().apply(params, x)
    values, head = jx.cut(f, X, at="shared")
    assert len(values) == 2
    assert_close(head(values), f(X))
    phi = jx.integrated_gradients(f, steps=32)(X, baseline=0.0)
    gap = jx.metrics.completeness_gap(f)(X, attribution=phi, baseline=0.0)
    assert abs(gap) <= 1e-12  # 32 nodes are exact for a network as smooth as this

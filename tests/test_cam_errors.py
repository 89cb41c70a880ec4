"""What class activation maps say to those who ask for what there is not."""

import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx
from jaxplain import cam

IMAGE = jnp.ones((4, 6, 3), jnp.float32)
ZERO = {"baseline": 0.0}
INTEGERS = (
    "layer 'tokens' must be floating-point, but is int32[4,3]. Integers have no "
    "gradient: choose a later layer, such as the embedding of tokens."
)


def f(x):
    jx.tap(jnp.ones((4, 3), jnp.int32), "tokens")
    jx.tap(jnp.ones(3), "dense")
    jx.tap(x[None], "batch")
    return (jx.tap(x, "image") ** 2).sum()


def of_dense(make):
    return lambda: make(f, at="dense")(IMAGE)


DENSE = (
    "layer 'dense' must have channels and at least one other axis, but is float64[3]. "
    "Choose a layer before the pooling; `jaxplain.taps(f, x)` lists them with their "
    "shapes."
)


@cases(
    activation_map=(
        of_dense(lambda f, at: cam.activation_map(f, at=at, reducer=jnp.add)),
        ValueError,
        DENSE,
    ),
    eigen_cam=(of_dense(cam.eigen_cam), ValueError, DENSE),
    ablation_cam=(of_dense(cam.ablation_cam), ValueError, DENSE),
    score_cam=(
        lambda: cam.score_cam(f, at="dense")(IMAGE, **ZERO),
        ValueError,
        DENSE,
    ),
    guided_grad_cam=(of_dense(cam.guided_grad_cam), ValueError, DENSE),
    full_grad=(lambda: cam.full_grad(f, at=["dense"])(IMAGE), ValueError, DENSE),
    integers=(lambda: jx.grad_cam(f, at="tokens")(IMAGE), TypeError, INTEGERS),
    integers_of_score_cam=(
        lambda: cam.score_cam(f, at="tokens")(IMAGE, **ZERO),
        TypeError,
        INTEGERS,
    ),
    integers_of_full_gradients=(
        lambda: cam.full_gradients(f, at=["tokens"])(IMAGE),
        TypeError,
        INTEGERS,
    ),
)
def test_a_layer_without_a_map_is_an_error(call, error, message):
    check(call, error, message)


def begin(at, shape, x):
    return (
        f"`x` must begin with the axes of space of layer {at!r}, which are {shape}, at "
        f"another resolution, but is {x}. If the first of them is a batch of one that "
        "`f` adds, add it to `x` instead: pass `x[None]`. If `x` has no channels, give "
        "it a last axis of length 1."
    )


@cases(
    batch=(
        lambda: cam.guided_grad_cam(f, at="batch")(IMAGE),
        ValueError,
        begin("batch", "(1, 4, 6)", "float32[4,6,3]"),
    ),
    batch_of_score_cam=(
        lambda: cam.score_cam(f, at="batch")(IMAGE, **ZERO),
        ValueError,
        begin("batch", "(1, 4, 6)", "float32[4,6,3]"),
    ),
    batch_of_full_grad=(
        lambda: cam.full_grad(f, at=["batch"])(IMAGE),
        ValueError,
        begin("batch", "(1, 4, 6)", "float32[4,6,3]"),
    ),
    too_few=(
        lambda: cam.score_cam(lambda x: f(jnp.outer(x, x)[..., None]), at="image")(
            jnp.ones(4, jnp.float32), **ZERO
        ),
        ValueError,
        begin("image", "(4, 4)", "float32[4]"),
    ),
)
def test_an_input_that_a_map_does_not_cover_is_an_error(call, error, message):
    check(call, error, message)


@cases(
    baseline=(
        lambda: cam.score_cam(f, at="image")(IMAGE),
        TypeError,
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`.",
    ),
    temperature=(
        lambda: cam.score_cam(f, at="image", temperature=0.0),
        ValueError,
        "`temperature` must be a positive number, but is 0.0.",
    ),
    temperature_name=(
        lambda: cam.score_cam(f, at="image", temperature="var"),
        TypeError,
        "`temperature` must be a positive number, or 'std' for the standard deviation "
        "of the scores, but is 'var'.",
    ),
    chunk_size=(
        lambda: cam.ablation_cam(f, at="image", chunk_size=0),
        ValueError,
        "`chunk_size` must be at least 1, but is 0.",
    ),
    method=(
        lambda: cam.upsample(np.ones((2, 2)), (4, 4), method="linaer"),
        ValueError,
        "`method` must be one of 'linear', 'nearest', but is 'linaer'. Did you mean "
        "'linear'?",
    ),
    method_of_guided=(
        lambda: cam.guided_grad_cam(f, at="image", method="cubic"),
        ValueError,
        "`method` must be one of 'linear', 'nearest', but is 'cubic'.",
    ),
    layers=(
        lambda: cam.over_layers(jx.grad_cam, f, at="image"),
        TypeError,
        "`at` must be a sequence of names of layers, but is 'image'. Name at least "
        'one, for example `at=["block1", "block2"]`.',
    ),
    no_layers=(
        lambda: cam.over_layers(jx.grad_cam, f, at=[]),
        ValueError,
        "`at` must be a sequence of names of layers, but is []. Name at least one, for "
        'example `at=["block1", "block2"]`.',
    ),
    no_layers_of_full_grad=(
        lambda: cam.full_grad(f, at=[])(IMAGE),
        ValueError,
        "`full_grad` stretches layers over one array: they must have one number of "
        "axes, but are [], for `x` of float32[4,6,3]. Take the parts as they are, from "
        "`jaxplain.cam.full_gradients`.",
    ),
)
def test_an_option_that_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)


def test_an_empty_map_has_nothing_to_stretch():
    with pytest.raises(ValueError, match=r"must not be empty, but has shape \(0, 2\)"):
        jx.cam.upsample(jnp.zeros((0, 2)), (4, 4))

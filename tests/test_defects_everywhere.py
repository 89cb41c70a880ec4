"""Complaints that concern every explainer: memory, devices, and errors of the user.

D7 (an `IndexError` in user code is swallowed), D13 (no chunks where they are needed)
and D15 (chunks that crash on another device), for each explainer.
"""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close

import jaxplain as jx

pytestmark = pytest.mark.slow

KEY = jr.key(0)
IMAGE = jnp.linspace(-1.0, 1.0, 64).reshape(8, 8)
PATCHES, NUM_PATCHES = jx.groups.patches((8, 8), size=(2, 4))  # 8 of them
BASELINES = jnp.multiply.outer(jnp.linspace(-1.0, 1.0, 16), IMAGE)

ABSENT = {"baseline": 0.0}
GROUPED = {"baseline": 0.0, "groups": PATCHES}
DRAWN = {"key": KEY}
of_patches = {"num_groups": NUM_PATCHES}


def layer_ig(f, **options):
    def explain(x, *, baseline):
        value, head = jx.cut(f, x, at="layer")
        return jx.integrated_gradients(head, **options)(value, baseline=baseline)

    return explain


def rise(f, **options):
    def draw(x, *, key, baseline):
        mask = jr.bernoulli(key, 0.5, x.shape).astype(x.dtype)
        return mask * jx.game(f, x, baseline=baseline)(mask)

    return jx.monte_carlo(draw, num_samples=64, **options)


def expected_ig(f, **options):
    return jx.expected(jx.integrated_gradients(f, steps=4), **options)


def smoothgrad(f, **options):
    return jx.smooth(jx.saliency(f), std=0.1, num_samples=64, **options)


def deletion(f, **options):
    metric = jx.metrics.deletion(f, steps=32, **options)
    return partial(metric, attribution=IMAGE)


# How an explainer is made of `f`, what its call takes, and what it can chunk.
CHUNKED = {
    "integrated_gradients": (partial(jx.integrated_gradients, steps=64), ABSENT),
    "integrated_gradients of a layer": (partial(layer_ig, steps=64), ABSENT),
    "occlusion of patches": (partial(jx.occlusion, **of_patches), GROUPED),
    "kernel_shap": (partial(jx.kernel_shap, **of_patches), GROUPED | DRAWN),
    "lime": (partial(jx.lime, num_samples=64, **of_patches), GROUPED | DRAWN),
    "smooth": (smoothgrad, DRAWN),
    "expected": (expected_ig, {"baseline": BASELINES}),
    "monte_carlo": (rise, ABSENT | DRAWN),
    "deletion": (deletion, ABSENT),
}
WHOLE = {
    "saliency": (jx.saliency, {}),
    "input_x_gradient": (jx.input_x_gradient, {}),
    "guided": (lambda f: jx.saliency(jx.rules.guided(f)), {}),
    "grad_cam": (partial(jx.grad_cam, at="layer"), {}),
    "game": (lambda f: lambda x, **refs: jx.game(f, x, **refs)(0.5), ABSENT),
    "completeness_gap": (
        lambda f: partial(jx.metrics.completeness_gap(f), attribution=IMAGE),
        ABSENT,
    ),
}


def each(table):
    return pytest.mark.parametrize(("make", "refs"), table.values(), ids=table)


def f(x):
    return jnp.tanh(jx.tap(jnp.sin(3.0 * x + 1.0), "layer")).sum() ** 2


class UserError(IndexError):
    """An error of the user's own, of the kind that pytorch-grad-cam swallows."""


@each(CHUNKED | WHOLE)
def test_an_error_in_the_function_of_the_user_comes_out_as_it_is(make, refs):  # D7
    error = UserError("in user code")

    def broken(x):
        raise error

    with pytest.raises(UserError) as caught:
        jax.jit(make(broken))(IMAGE, **refs)
    assert caught.value is error


@pytest.mark.parametrize("kind", [KeyError, ValueError, TypeError, StopIteration])
def test_no_kind_of_error_is_taken_for_one_of_ours(kind):
    # Those that the library itself catches somewhere, or that end a loop.
    class Own(kind):
        pass

    def broken(x):
        raise Own

    with pytest.raises(Own):
        jx.cut(broken, IMAGE, at="layer")
    with pytest.raises(Own):
        jx.occlusion(broken, **of_patches)(IMAGE, **GROUPED)


def test_an_error_leaves_no_patch_on_the_classes_of_a_framework():
    original = nnx.Linear.__call__

    def broken(x):
        assert nnx.Linear.__call__ is not original  # it is listened to, inside
        raise UserError

    with pytest.raises(UserError):
        jx.taps(broken, IMAGE)
    assert nnx.Linear.__call__ is original


@pytest.mark.parametrize("chunk_size", [1, 7, 64, 65, 1000])  # of 65 coalitions
def test_occlusion_in_chunks_of_any_size_is_the_same(chunk_size):  # D15
    whole = jax.jit(jx.occlusion(f))(IMAGE, **ABSENT)
    chunked = jax.jit(jx.occlusion(f, chunk_size=chunk_size))(IMAGE, **ABSENT)
    assert_close(chunked, whole)


@each(CHUNKED)
def test_memory_follows_the_chunk(
    make, refs
):  # D13; captum#538, #632, #1350, shap#1977
    weights = np.linspace(-1.0, 1.0, 64 * 4096).reshape(64, 4096)

    def hungry(x):  # 4096 numbers that no fusion can avoid
        hidden = jnp.sin(jx.tap(x, "layer").ravel() @ weights)
        return hidden @ jnp.cos(hidden)

    def peak(**options):
        compiled = jax.jit(partial(make(hungry, **options), **refs)).lower(IMAGE)
        return compiled.compile().memory_analysis().temp_size_in_bytes

    # At least 9 samples at once against one: 4 leaves room for what both hold.
    assert peak(chunk_size=1) * 4 <= peak()


ON_DEVICES = ["integrated_gradients", "occlusion of patches", "smooth", "grad_cam"]


@pytest.mark.parametrize("name", ON_DEVICES)
def test_an_explanation_stays_on_the_device_of_its_input(name):
    # D15; captum#203, #316, #1879. Without `jit`, where a detour would go unnoticed.
    make, refs = (CHUNKED | WHOLE)[name]
    device = jax.devices()[1]
    found = make(f)(jax.device_put(IMAGE, device), **refs)
    assert all(leaf.devices() == {device} for leaf in jax.tree.leaves(found))


def test_every_output_is_explained_by_one_map_over_labels():
    # captum#612: "for most methods this isn't directly possible".
    scores = lambda x, label: jnp.stack([f(x), x.sum() * x[0, 0], (x**3).sum()])[label]
    labels = jnp.arange(3)
    for make, refs in [
        (partial(jx.integrated_gradients, steps=4), ABSENT),
        (partial(jx.kernel_shap, **of_patches), GROUPED | DRAWN),
    ]:
        explain = jax.jit(partial(make(scores), **refs))
        every = jax.vmap(explain, (None, 0))(IMAGE, labels)
        alone = [explain(IMAGE, label) for label in labels]
        assert_close(every, jnp.stack(alone), tol=1e-11)  # sums in another order


def test_labels_that_are_arrays_of_jax_can_be_closed_over_inside_jit():
    labels = jnp.asarray(PATCHES)
    occlusion = jx.occlusion(f, **of_patches)
    compiled = jax.jit(lambda x: occlusion(x, baseline=0.0, groups=labels))
    assert_close(compiled(IMAGE), occlusion(IMAGE, **GROUPED))
    spread = jax.jit(lambda values: jx.groups.spread(values, labels))
    values = jnp.arange(float(NUM_PATCHES))
    assert (spread(values) == jx.groups.spread(values, PATCHES)).all()

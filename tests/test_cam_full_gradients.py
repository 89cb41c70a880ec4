"""Full gradients: the parts of a score add up to it, and are what they say."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import cam


class CNN(nn.Module):
    """Two convolutions around a shortcut, and a dense layer."""

    norm: bool
    activation: str = "relu"

    @nn.compact
    def __call__(self, x):
        activate = getattr(nn, self.activation)
        x = nn.Conv(4, (3, 3), name="conv1")(x[None])
        if self.norm:
            x = nn.BatchNorm(True, name="norm1")(x)
        x = activate(x)
        x = nn.max_pool(x, (2, 2), (2, 2))
        branch = nn.Conv(4, (3, 3), name="conv2")(x)
        if self.norm:
            branch = nn.BatchNorm(True, name="norm2")(branch)
        x = activate(x + branch)
        return nn.Dense(3, name="dense")(x.reshape(-1))


IMAGE = jr.normal(jr.key(0), (6, 8, 2))


def variables_of(model):
    """Random biases and statistics too: zeros would prove nothing."""
    like = jax.eval_shape(model.init, jr.key(0), IMAGE.astype(jnp.float32))
    leaves, treedef = jax.tree.flatten_with_path(like)
    keys = jr.split(jr.key(1), len(leaves))

    def draw(path, leaf, key):
        value = 0.3 * jr.normal(key, leaf.shape)
        return jnp.exp(value) if "var" in jax.tree_util.keystr(path) else value

    random = lambda *keys: [draw(*leaf, key) for leaf, key in zip(leaves, keys)]
    return treedef.unflatten(quick_jit(random)(*keys))


def score_of(model):
    variables = variables_of(model)
    return lambda x: model.apply(variables, x)[1], variables


LAYERS = ["conv1", "conv2", "dense"]
NORMS = ["conv1", "norm1", "conv2", "norm2", "dense"]


def total(parts):
    return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(parts))


@pytest.mark.parametrize("norm", [False, True], ids=["plain", "batch_norm"])
def test_the_full_gradients_of_a_relu_network_sum_to_its_score(norm):
    f, _ = score_of(CNN(norm))
    at = NORMS if norm else LAYERS
    parts = quick_jit(cam.full_gradients(f, at=at))(IMAGE)
    value, slope = quick_jit(jax.value_and_grad(f))(IMAGE)
    assert_close(total(parts), value)
    assert_close(parts.rest, 0.0)
    assert_close(parts.input, IMAGE * slope)


def test_the_parts_of_layers_are_biases_times_gradients():
    f, variables = score_of(CNN(norm=False))
    parts = quick_jit(cam.full_gradients(f, at=LAYERS))(IMAGE)
    assert parts.biases[0].shape == (1, 6, 8, 4)
    biases = {name: variables["params"][name]["bias"] for name in LAYERS}

    def of_biases(biases):
        kernels = variables["params"]
        params = {name: {**kernels[name], "bias": biases[name]} for name in LAYERS}
        return CNN(norm=False).apply({"params": params}, IMAGE)[1]

    slopes = quick_jit(jax.grad(of_biases))(biases)
    for part, name in zip(parts.biases, LAYERS, strict=True):
        found = part.sum(range(part.ndim - 1))
        assert_close(found, biases[name] * slopes[name])


@pytest.mark.slow
def test_batch_normalisation_has_the_implicit_bias_of_its_statistics():
    f, variables = score_of(CNN(norm=True))
    parts = quick_jit(cam.full_gradients(f, at=NORMS))(IMAGE)
    params, stats = variables["params"]["norm2"], variables["batch_stats"]["norm2"]
    deviation = np.sqrt(stats["var"] + nn.BatchNorm.epsilon)
    bias = params["bias"] - stats["mean"] * params["scale"] / deviation
    value, head = jx.cut(f, IMAGE, at="norm2")
    gradient = jax.grad(head)(value)
    expected = jnp.broadcast_to(bias, gradient.shape) * gradient
    assert_close(parts.biases[3], expected)


@pytest.mark.slow
@pytest.mark.parametrize("at", [["dense"], ["conv2", "conv1"], []], ids=str)
def test_the_parts_of_any_network_at_any_layers_sum_to_its_score(at):
    f, _ = score_of(CNN(norm=True, activation="gelu"))
    parts = quick_jit(cam.full_gradients(f, at=at))(IMAGE)
    assert_close(total(parts), f(IMAGE))
    assert [part.shape[-1] for part in parts.biases] == [
        {"dense": 3}.get(a, 4) for a in at
    ]


def test_the_order_of_layers_is_that_of_their_names():
    f, _ = score_of(CNN(norm=False))
    parts = quick_jit(cam.full_gradients(f, at=LAYERS))(IMAGE)
    turned = quick_jit(cam.full_gradients(f, at=LAYERS[::-1]))(IMAGE)
    assert_close(turned.biases, parts.biases[::-1])


def test_full_gradients_reach_into_loops_and_repeated_layers():
    def f(x):
        def step(h, x):
            h = jax.nn.relu(jx.tap(0.5 * h + x + 0.1, "state"))
            return h, h

        h, hs = jax.lax.scan(step, jnp.ones(2), x)
        for _ in range(2):
            h = jax.nn.relu(jx.tap(2 * h - 0.3, "twice"))
        return h.sum() + hs[0, 0]

    x = jr.uniform(jr.key(0), (3, 2))
    at = ["twice@1", "state", "twice@0"]
    parts = quick_jit(cam.full_gradients(f, at=at))(x)
    assert_close(total(parts), f(x))
    assert_close(parts.rest, 0.0)
    assert [part.shape for part in parts.biases] == [(2,), (3, 2), (2,)]
    assert_close(parts.biases[0], jnp.full(2, -0.3))  # the slope of the sum is 1
    assert_close(parts.biases[2], jnp.full(2, -0.6))


def test_full_gradients_of_a_pytree_have_its_structure_under_vmap():
    f = lambda x, scale: scale * (jx.tap(x["a"] * x["b"][0] + 1.0, "z") ** 2).sum()
    x = {"a": jr.normal(jr.key(0), (5, 2)), "b": (jr.normal(jr.key(1), (5, 2)),)}
    scales = jnp.arange(5.0)
    parts = quick_jit(jax.vmap(cam.full_gradients(f, at=["z"])))(x, scales)
    assert jax.tree.structure(parts.input) == jax.tree.structure(x)
    sums = jax.vmap(total)(parts)
    assert_close(sums, jax.vmap(f)(x, scales))


# The map.


def one_image(model):
    """Without the axis of the batch, which is no axis of space."""
    variables = variables_of(model)

    def f(x):
        z = jx.tap(convolve(x, variables["params"]["conv1"]), "z1")
        z = nn.max_pool(jax.nn.relu(z)[None], (2, 2), (2, 2))[0]
        z = jx.tap(convolve(z, variables["params"]["conv2"]), "z2")
        return jax.nn.relu(z).sum()

    return f


def convolve(x, params):
    conv = nn.Conv(4, (3, 3))
    return conv.apply({"params": params}, x[None])[0]


def test_the_map_sums_the_sizes_of_the_parts():
    f = one_image(CNN(norm=False))
    heatmap = quick_jit(cam.full_grad(f, at=["z1", "z2"]))(IMAGE)
    parts = quick_jit(cam.full_gradients(f, at=["z1", "z2"]))(IMAGE)
    first, second = (jnp.abs(part).sum(-1) for part in parts.biases)
    expected = jnp.abs(parts.input).sum(-1) + first
    expected += cam.upsample(second, (6, 8)) / 4
    assert_close(heatmap, expected)
    assert_close(heatmap.sum(), sum(jnp.abs(a).sum() for a in (parts[0], *parts[1])))


@cases(
    string=(
        lambda: cam.full_gradients(jnp.sum, at="z"),
        TypeError,
        "`at` must be a sequence of names, but is 'z'. For one layer, pass `at=['z']`.",
    ),
    repeated=(
        lambda: cam.full_gradients(lambda x: jx.tap(x, "z").sum(), at=["z", "z@0"])(
            IMAGE
        ),
        ValueError,
        "`at` must name each layer once, but is ['z', 'z@0'].",
    ),
    custom=(
        lambda: cam.full_gradients(custom, at=["z"])(IMAGE),
        jx.LayerError,
        "one of the layers ['z'] is inside of a function with a derivative of its own, "
        "which full gradients do not open. Name what it returns with `jaxplain.tap`.",
    ),
    ranks=(
        lambda: cam.full_grad(two_ranks, at=["image", "row"])(IMAGE),
        ValueError,
        "`full_grad` stretches layers over one array: they must have one number of "
        "axes, but are ['float64[6,8,2]', 'float64[8,2]'], for `x` of float64[6,8,2]. "
        "Take the parts as they are, from `jaxplain.cam.full_gradients`.",
    ),
)
def test_what_cannot_be_taken_apart_is_an_error(call, error, message):
    check(call, error, message)


def custom(x):
    @jax.custom_jvp
    def inside(x):
        return jx.tap(x, "z")

    inside.defjvps(lambda t, out, x: t)
    return inside(x).sum()


def two_ranks(x):
    return jx.tap(jx.tap(x, "image")[0], "row").sum()

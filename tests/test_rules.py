"""Rules: the same value, another gradient, wherever the equation is."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close

import jaxplain as jx

guided = jx.rules.guided
X = np.array([2.0, 3.0, -1.0])
SIGNS = np.array([1.0, -1.0, 1.0])
PLAIN, GUIDED = np.array([1.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0])

RELUS = {
    "jax.nn.relu": jax.nn.relu,
    "linen.relu": nn.relu,
    "nnx.relu": nnx.relu,
    "maximum": lambda x: jnp.maximum(x, 0),
    "maximum_of_float": lambda x: jnp.maximum(x, 0.0),
    "lax.max": lambda x: jax.lax.max(x, 0.0),
    "jit": lambda x: jax.jit(jax.nn.relu)(x),
    "jit_of_maximum": lambda x: jax.jit(lambda x: jnp.maximum(x, 0))(x),
    "checkpoint": lambda x: jax.checkpoint(jax.nn.relu)(x),
    "vmap": lambda x: jax.vmap(jax.nn.relu)(x),
    "vmap_of_jit": lambda x: jax.vmap(jax.jit(jax.nn.relu))(x),
    "scan": lambda x: jax.lax.scan(lambda _, y: (0, jax.nn.relu(y)), 0, x)[1],
    "map": lambda x: jax.lax.map(jax.nn.relu, x),
    "cond": lambda x: jax.lax.cond(x[0] > 0, jax.nn.relu, lambda y: y, x),
    "linen.Sequential": lambda x: nn.Sequential([nn.relu]).apply({}, x),
    "inside_a_larger_jit": jax.jit(lambda x: jax.nn.relu(x) + 0 * x),
}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_a_relu_passes_back_positive_gradients_only(relu):
    f = lambda x: jnp.sum(relu(x) * SIGNS)
    assert_close(jax.grad(f)(X), PLAIN)
    assert_close(jax.grad(guided(f))(X), GUIDED)
    assert_close(jax.jit(jax.grad(guided(f)))(X), GUIDED)
    assert float(guided(f)(X)) == float(f(X))


def layer_norm(x):
    """As in linen, which keeps a variance from being negative by a maximum."""
    variance = jnp.maximum(0.0, jnp.mean(x**2) - jnp.mean(x) ** 2)
    return (x - jnp.mean(x)) / jnp.sqrt(variance + 1e-6)


OTHERS = {
    "leaky_relu": jax.nn.leaky_relu,
    "gelu": jax.nn.gelu,
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "tanh": jnp.tanh,
    "abs": jnp.abs,
    "maximum_of_two": lambda x: jnp.maximum(x, x[::-1]),
    "maximum_of_one": lambda x: jnp.maximum(x, 1.0),
    "minimum": lambda x: jnp.minimum(x, 0.0),
    "clip": lambda x: jnp.clip(x, -1.0, 2.5),
    "relu6": jax.nn.relu6,
    "hard_swish": jax.nn.hard_swish,
    "maximum_of_zero_and_x": lambda x: jnp.maximum(0, x),
    "logaddexp": lambda x: jnp.logaddexp(x, 0.0),
    "log_sigmoid": jax.nn.log_sigmoid,
    "softmax": jax.nn.softmax,
    "LayerNorm": layer_norm,
}


@pytest.mark.parametrize("activation", OTHERS.values(), ids=OTHERS)
def test_another_activation_keeps_its_gradient(activation):
    f = lambda x: jnp.sum(activation(x) * SIGNS)
    assert_close(guided(f)(X), f(X))
    assert_close(jax.grad(guided(f))(X), jax.grad(f)(X))


def test_a_relu_inside_another_activation_is_guided():
    f = lambda x: jnp.sum(jax.nn.celu(x) * SIGNS)  # max(x, 0) + expm1(min(x, 0))
    expected = jnp.where(X > 0, GUIDED, jax.grad(f)(X))
    assert_close(jax.grad(guided(f))(X), expected)


def test_a_derivative_of_ones_own_is_kept():
    @jax.custom_vjp
    def odd(x):
        return 1.0 + jax.nn.relu(x)

    odd.defvjp(lambda x: (odd(x), None), lambda _, g: (100 * g,))
    f = lambda x: jnp.sum(odd(x) * SIGNS)
    assert_close(jax.grad(guided(f))(X), 100 * SIGNS)


def test_max_pooling_keeps_its_gradient():
    image = jnp.asarray(np.sin(np.arange(16.0)).reshape(4, 4, 1))
    weights = jnp.asarray([[[1.0], [-1.0]], [[-1.0], [1.0]]])
    f = lambda x: jnp.sum(nn.max_pool(x, (2, 2), (2, 2)) * weights)
    assert_close(jax.grad(guided(f))(image), jax.grad(f)(image))


def test_guided_backpropagation_of_two_layers_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(5, 3)), rng.normal(size=(4, 5))
    last, relu = rng.normal(size=4), lambda x: np.maximum(x, 0)
    f = lambda x: jnp.dot(last, jax.nn.relu(second @ jax.nn.relu(first @ x)))
    hidden = first @ X
    deep = second @ relu(hidden)
    gradient = relu(last) * (deep > 0)  # equation of section 3.4, layer by layer
    gradient = relu(gradient @ second) * (hidden > 0)
    assert_close(jax.grad(guided(f))(X), gradient @ first)


def test_guided_functions_are_explained_like_any_other():
    f = lambda x, scale: scale * jnp.sum(jax.nn.relu(x) * SIGNS)
    rule = guided(f)
    assert_close(jx.saliency(rule)(X, 2.0), 2 * GUIDED)
    ig = jax.jit(jx.integrated_gradients(rule, steps=4, chunk_size=2))
    assert_close(ig(X, 2.0, baseline=0.0), 2 * GUIDED * X)
    smooth = jx.smooth(jx.saliency(rule), std=1e-3, num_samples=4)
    assert_close(jax.jit(smooth)(X, 2.0, key=jax.random.key(0)), 2 * GUIDED)
    batch = jax.vmap(jx.saliency(rule), in_axes=(0, None))(np.stack([X, X]), 2.0)
    assert_close(batch, np.stack([2 * GUIDED] * 2))


def test_a_guided_function_keeps_its_layers():
    f = lambda x: jnp.sum(jx.tap(jax.nn.relu(x), "relu") * SIGNS)
    assert list(jx.taps(guided(f), X)) == ["relu"]
    value, head = jx.cut(guided(f), X, at="relu")
    assert_close(head(value), f(X))


def test_a_layer_is_guided_after_a_cut():
    f = lambda x: jnp.sum(jax.nn.relu(jx.tap(x * 1.0, "scaled")) * SIGNS)
    value, head = jx.cut(f, X, at="scaled")
    assert_close(jx.saliency(guided(head))(value), GUIDED)


def test_the_gradient_of_a_guided_gradient_exists():
    f = lambda x: jnp.sum(jax.nn.relu(x) ** 3 * SIGNS)
    penalty = lambda x: jnp.sum(jax.grad(guided(f))(x) ** 2)
    assert_close(jax.grad(penalty)(X), np.array([2 * 12.0 * 12.0, 0.0, 0.0]))


def test_guided_keeps_arguments_names_and_pytrees():
    def score(x, params, label):
        """The score."""
        return {"a": jax.nn.relu(x["a"] @ params)[label], "b": x["b"]}

    rule = guided(score)
    assert rule.__name__ == "score"
    x, params = {"a": X, "b": 1.0}, np.eye(3)
    assert_close(rule(x, params, 0), score(x, params, 0))
    assert_close(rule(x, params, jnp.array(1)), score(x, params, 1))


# Rewrites of one's own.


def straight_through(eqn):
    if eqn.primitive.name == "round":
        return lambda x: x + jax.lax.stop_gradient(jnp.round(x) - x)
    return None


@pytest.mark.parametrize(
    "rounded",
    [
        jnp.round,
        jax.jit(jnp.round),
        jax.checkpoint(jnp.round),
        jax.vmap(jnp.round),
        lambda x: jax.lax.map(jnp.round, x),
        lambda x: jax.lax.cond(x[0] > 0, jnp.round, jnp.floor, x),
        lambda x: jax.lax.fori_loop(0, 2, lambda _, y: jnp.round(y) + 0.25, x),
    ],
    ids=["plain", "jit", "checkpoint", "vmap", "map", "cond", "loop"],
)
def test_a_rewrite_reaches_every_equation(rounded):
    f = lambda x: jnp.sum(3 * rounded(x))
    rewritten = jx.rules.rewrite(f, straight_through)
    assert_close(rewritten(X + 0.2), f(X + 0.2))
    assert not jax.grad(f)(X + 0.2).any()
    assert_close(jax.grad(rewritten)(X + 0.2), np.full(3, 3.0))


def test_a_rewrite_reaches_a_while_loop():
    f = lambda n: jax.lax.while_loop(lambda c: c < n, lambda c: jnp.round(c + 1.6), 0.0)
    floors = lambda eqn: jnp.floor if eqn.primitive.name == "round" else None
    assert_close(f(2.5), 4.0)  # 2, 4
    assert_close(jx.rules.rewrite(f, floors)(2.5), 3.0)  # 1, 2, 3


def test_a_jitted_function_can_be_replaced_whole():
    @jax.jit
    def activation(x):
        return jnp.sin(jnp.cos(x))

    def replace(eqn):
        return jnp.tanh if eqn.params.get("name") == "activation" else None

    rewritten = jx.rules.rewrite(lambda x: 2 * activation(x), replace)
    assert_close(rewritten(X), 2 * np.tanh(X))


def test_a_rewrite_reaches_into_functions_with_custom_derivatives():
    @jax.custom_vjp
    def odd(x):
        return jnp.sin(x)

    odd.defvjp(lambda x: (odd(x), None), lambda _, g: (100 * g,))
    cosine = lambda eqn: jnp.cos if eqn.primitive.name == "sin" else None
    rewritten = jx.rules.rewrite(lambda x: odd(x).sum(), cosine)
    assert_close(rewritten(X), np.cos(X).sum())


def test_a_rewrite_of_nothing_keeps_custom_derivatives():
    @jax.custom_vjp
    def odd(x):
        return jnp.sin(x)

    odd.defvjp(lambda x: (odd(x), None), lambda _, g: (100 * g,))
    rewritten = jx.rules.rewrite(lambda x: odd(x).sum(), lambda _: None)
    assert_close(jax.grad(rewritten)(X), np.full(3, 100.0))

"""Activations and gates: the same function is the same, however it is written."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from rule_operations import ELEMENTWISE, MATRIX, B, X

import jaxplain as jx

rules = jx.rules
OUT = jnp.array([1.0, -2.0, 0.5, 3.0])


def inside(activation):
    """An activation between two layers, without biases."""
    return lambda x: activation(x @ MATRIX) @ OUT


# Of these, a constant belongs to the layer before, as its bias.
SHIFTED = {"log", "log1p", "sqrt", "lgamma", "power", "reciprocal", "rsqrt"}
PASSING = {name: op for name, op in ELEMENTWISE.items() if name not in SHIFTED}


@functools.cache
def passed():
    explain = lambda op, x: rules.lrp(inside(op), rules.epsilon(1e-9))(x)
    return quick_jit(lambda x: {n: explain(op, x) for n, op in PASSING.items()})(X)


@pytest.mark.parametrize("name", PASSING)
def test_relevance_passes_an_activation_unchanged(name):
    z = X @ MATRIX
    relevance = PASSING[name](z) * OUT
    # Denominators above 1e-2, which 1e-9 keeps from zero.
    assert_close(passed()[name], X * (MATRIX @ (relevance / z)), tol=1e-7)


# The same function of one number, in other words.

IN_OTHER_WORDS = {
    "maximum": (jax.nn.relu, lambda x: jnp.maximum(x, 0)),
    "maximum_0": (jax.nn.relu, lambda x: jnp.maximum(0.0, x)),
    "where": (jax.nn.relu, lambda x: jnp.where(x > 0, x, 0.0)),
    "where_zeros": (jax.nn.relu, lambda x: jnp.where(x > 0, x, jnp.zeros_like(x))),
    "mask": (jax.nn.relu, lambda x: x * (x > 0).astype(x.dtype)),
    "clip": (jax.nn.relu, lambda x: jnp.clip(x, 0.0)),
    "half_of_abs": (jax.nn.relu, lambda x: (x + jnp.abs(x)) / 2),
    "select": (jax.nn.relu, lambda x: jax.lax.select(x > 0, x, jnp.zeros_like(x))),
    "vmap": (jax.nn.relu, jax.vmap(lambda a: jnp.maximum(a, 0))),
    "scan": (jax.nn.relu, lambda x: jax.lax.map(jax.nn.relu, x)),
    "silu": (jax.nn.silu, lambda x: x * jax.nn.sigmoid(x)),
    "silu_by_exp": (jax.nn.silu, lambda x: x / (1 + jnp.exp(-x))),
    "leaky": (jax.nn.leaky_relu, lambda x: jnp.where(x >= 0, x, 0.01 * x)),
    "leaky_by_maximum": (jax.nn.leaky_relu, lambda x: jnp.maximum(x, 0.01 * x)),
    "elu": (jax.nn.elu, lambda x: jnp.where(x > 0, x, jnp.expm1(jnp.minimum(x, 0)))),
    "square": (jnp.square, lambda x: x * x),
    "cube": (lambda x: x**3, lambda x: x * x * x),
    "gelu": (
        lambda x: jax.nn.gelu(x, approximate=False),
        lambda x: x * 0.5 * (1 + jax.lax.erf(x / np.sqrt(2))),
    ),
}
IN_OTHER_WORDS["hard_swish"] = (
    jax.nn.hard_swish,
    lambda x: jnp.where(x < -3, 0.0, jnp.where(x > 3, x, x * (x + 3) / 6)),
)
each_pair = pytest.mark.parametrize("name", IN_OTHER_WORDS)
LRP_0 = rules.epsilon(1e-9)
SIGMOIDS = {
    "by_exp": lambda x: 1 / (1 + jnp.exp(-x)),
    "by_tanh": lambda x: (1 + jnp.tanh(x / 2)) / 2,
}


@functools.cache
def in_both_words():
    """Multipliers and relevances of what has a name, and of what is spelt out."""

    def explain(f):
        lift, share = rules.multipliers(inside(f)), rules.lrp(inside(f), LRP_0)
        return lambda x, b: (lift(x, baseline=b), share(x))

    pairs = {name: [*map(explain, fs)] for name, fs in IN_OTHER_WORDS.items()}
    both = lambda x, b: {n: [fn(x, b) for fn in fns] for n, fns in pairs.items()}
    return quick_jit(both)(X, B)


@each_pair
def test_a_function_of_one_number_is_lifted_the_same_however_it_is_written(name):
    # Completeness leaves one multiplier only.
    (named, _), (spelt, _) = in_both_words()[name]
    assert_close(spelt, named, tol=1e-11)


@each_pair
def test_relevance_passes_an_activation_the_same_however_it_is_written(name):
    (_, named), (_, spelt) = in_both_words()[name]
    assert_close(spelt, named, tol=1e-7)  # stabilised sums inside


@pytest.mark.parametrize("other", SIGMOIDS.values(), ids=SIGMOIDS)
def test_a_sigmoid_is_lifted_the_same_however_it_is_written(other):
    lift = lambda f: quick_jit(rules.multipliers(inside(f)))(X, baseline=B)
    assert_close(lift(other), lift(jax.nn.sigmoid), tol=1e-11)


def test_relevance_of_a_product_of_two_signals_is_shared_equally():
    phi = quick_jit(rules.lrp(lambda x: 3 * x[0] * x[1]))(jnp.array([2.0, 5.0]))
    assert_close(phi, np.array([15.0, 15.0]), tol=1e-6)  # the epsilon of the default


GATES = {
    "sigmoid": jax.nn.sigmoid,
    "softmax": jax.nn.softmax,
    "one_minus_sigmoid": lambda z: 1 - jax.nn.sigmoid(z),
    "sigmoid_by_exp": lambda z: 1 / (1 + jnp.exp(-z)),
}


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_a_gate_receives_nothing_and_its_signal_everything(gate):
    f = lambda x: jnp.sum(gate(x["gate"]) * x["signal"])
    x = {"gate": X[:3], "signal": X[3:]}
    phi = quick_jit(rules.lrp(f))(x)
    signal = gate(x["gate"]) * x["signal"]
    assert_close(phi, {"gate": np.zeros(3), "signal": signal}, tol=1e-5)


def test_what_a_softmax_weighs_receives_everything():
    f = lambda x: jax.nn.softmax(x["q"] @ x["k"].T) @ x["v"]
    x = {"q": X[:2], "k": X.reshape(3, 2), "v": B[:3]}
    phi = quick_jit(rules.lrp(f))(x)
    expected = jax.nn.softmax(x["k"] @ x["q"]) * x["v"]
    assert_close(phi["v"], expected, tol=1e-5)
    assert not phi["q"].any()
    assert not phi["k"].any()

"""LRP against the papers: its rules at one layer, and sweeps of several."""

import functools
import itertools
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rule_oracles as oracle
import tiny_models
from explainers import quick_jit
from flax import nnx
from helpers import assert_close
from rule_models import LSTMS, average_pool

import jaxplain as jx

rules = jx.rules
RNG = np.random.default_rng(0)
X = RNG.normal(size=4)
W, B = RNG.normal(size=(4, 3)), RNG.normal(size=3)
LOW, HIGH = X - RNG.uniform(size=4), X + RNG.uniform(size=4)

# Oracles keep the same denominators from zero, but not the sum of all outputs: by 1e-9.
STABILISED = 1e-8

RULES = {
    "LRP-0": (rules.epsilon(1e-9), oracle.epsilon),
    "epsilon": (rules.epsilon(0.1), partial(oracle.epsilon, epsilon=0.1)),
    "gamma": (rules.gamma(0.5), partial(oracle.gamma, gamma=0.5)),
    "zplus": (rules.zplus(), oracle.zplus),
    "alpha2beta1": (
        rules.alphabeta(2.0, 1.0),
        partial(oracle.alphabeta, alpha=2.0, beta=1.0),
    ),
    "alpha1beta0": (
        rules.alphabeta(1.0, 0.0),
        partial(oracle.alphabeta, alpha=1.0, beta=0.0),
    ),
    "zbox": (rules.zbox(-3.0, 3.0), partial(oracle.zbox, low=-3.0, high=3.0)),
    "wsquare": (rules.wsquare(), oracle.wsquare),
    "flat": (rules.flat(), oracle.flat),
}
each_rule = pytest.mark.parametrize(("rule", "slow"), RULES.values(), ids=RULES)


def relevance(f, x, rule):
    return quick_jit(jx.rules.lrp(f, rule))(x)


@each_rule
@pytest.mark.parametrize("bias", [0.0, 1.0], ids=["no_bias", "bias"])
def test_a_dense_layer_is_that_of_the_paper(rule, slow, bias):
    layer = oracle.dense(W, bias * B)
    f = lambda x: jnp.sum(x @ W + bias * B)  # each output has its value for relevance
    assert_close(relevance(f, X, rule), slow(layer, X, layer(X)), tol=STABILISED)


@each_rule
def test_one_output_of_a_dense_layer_is_explained_alone(rule, slow):
    layer = oracle.dense(W[:, 1:2], B[1:2])
    f = lambda x: (x @ W + B)[1]
    assert_close(relevance(f, X, rule), slow(layer, X, layer(X)), tol=STABILISED)


def test_bounds_of_a_box_may_differ_from_feature_to_feature():
    layer = oracle.dense(W, B)
    expected = oracle.zbox(layer, X, layer(X), LOW, HIGH)
    f = lambda x: jnp.sum(x @ W + B)
    assert_close(relevance(f, X, rules.zbox(LOW, HIGH)), expected, tol=STABILISED)


def test_nothing_that_brings_a_positive_share_receives_nothing():
    f = lambda x: jnp.sum(x @ -np.ones((4, 1)))
    assert_close(relevance(f, np.ones(4), rules.zplus()), np.zeros(4))


def test_an_output_of_zero_is_stabilised_upwards():
    x = np.array([1.0, -1.0, 2.0])  # 1 - 1 is the first output, 2 the second
    f = lambda x: 4.0 * x[2] + jnp.array([1.0, 1.0, 0.0]) @ x
    phi = relevance(f, x, rules.epsilon(0.5))
    assert np.all(np.isfinite(phi))
    assert_close(phi[:2], np.zeros(2))


# Convolutions.

IMAGE = RNG.normal(size=(5, 4, 2))
GEOMETRIES = {
    "valid": {},
    "padded": {"padding": 1},
    "strided": {"strides": 2, "padding": 1},
    "dilated": {"dilation": 2, "padding": 2},
    "grouped": {"groups": 2, "padding": 1},
    "depthwise": {"groups": 2, "padding": 0},
}


def geometry(name):
    options = GEOMETRIES[name]
    groups = options.get("groups", 1)
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 2, 2 // groups, 2 if name == "depthwise" else 4))
    return kernel, rng.normal(size=kernel.shape[-1]), options


def convolve(kernel, bias, *, strides=1, padding=0, dilation=1, groups=1):
    module = nn.Conv(
        kernel.shape[-1],
        kernel.shape[:2],
        strides,
        padding,
        kernel_dilation=dilation,
        feature_group_count=groups,
        param_dtype=jnp.float64,
    )
    params = {"params": {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}}
    return partial(module.apply, params)


@functools.cache
def every_rule_of_a_convolution(name):
    kernel, bias, options = geometry(name)
    f = lambda x: jnp.sum(convolve(kernel, bias, **options)(x))
    every = {name: jx.rules.lrp(f, rule) for name, (rule, _) in RULES.items()}
    return quick_jit(lambda x: {name: lrp(x) for name, lrp in every.items()})(IMAGE)


@functools.cache
def slow_convolution(name):
    kernel, bias, options = geometry(name)
    return oracle.conv(IMAGE.shape, kernel, bias, **options)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("shape", GEOMETRIES)
def test_a_convolution_is_that_of_the_paper_patch_by_patch(shape, name):
    layer = slow_convolution(shape)
    expected = RULES[name][1](layer, IMAGE.ravel(), layer(IMAGE.ravel()))
    phi = every_rule_of_a_convolution(shape)[name]
    assert_close(phi.ravel(), expected, tol=STABILISED)


# Pooling.


def test_average_pooling_shares_by_size():
    layer = oracle.average_pool(IMAGE.shape, 2, 1)
    f = lambda x: jnp.sum(average_pool(x, 2, 1))
    expected = oracle.epsilon(layer, IMAGE.ravel(), layer(IMAGE.ravel()))
    phi = relevance(f, IMAGE, rules.epsilon(1e-9))
    # Sums of a few hundredths, where the oracle stabilises their means.
    assert_close(phi.ravel(), expected, tol=1e-7)


POOLS = {
    "linen": lambda x: nn.max_pool(x, (2, 2), (1, 1)),
    "nnx": lambda x: nnx.max_pool(x, (2, 2), (1, 1)),
    "of maxima": lambda x: functools.reduce(
        jnp.maximum, [x[i : i + 4, j : j + 3] for i in (0, 1) for j in (0, 1)]
    ),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_max_pooling_gives_all_to_the_winner(pool):
    pools = list(oracle.windows(IMAGE.shape, 2, 1))
    values = np.array([IMAGE.ravel()[i].max() for i in pools])
    expected = oracle.lrp_max_pool(IMAGE.ravel(), values, pools)
    phi = relevance(lambda x: jnp.sum(pool(x)), IMAGE, rules.epsilon(1e-9))
    assert_close(phi.ravel(), expected, tol=STABILISED)


# Networks.

WIDTHS = (4, 5, 4, 3)
LAYERS = [
    oracle.dense(RNG.normal(size=(m, n)), 0.2 * RNG.normal(size=n))
    for m, n in itertools.pairwise(WIDTHS)
]


def mlp(x):
    for k, layer in enumerate(LAYERS):
        with jax.named_scope(f"layer{k}"):
            x = x @ layer.weight + layer.bias
        x = x if k == len(LAYERS) - 1 else jax.nn.relu(x)
    return x[1]


COMPOSITES = [
    ["zbox", "gamma", "epsilon"],
    ["wsquare", "alpha2beta1", "LRP-0"],
    ["flat", "zplus", "gamma"],
    ["gamma", "gamma", "gamma"],
    ["alpha1beta0", "epsilon", "alpha2beta1"],
]


@pytest.mark.parametrize("names", COMPOSITES, ids="-".join)
def test_a_network_is_swept_from_its_score_to_its_input_with_a_rule_per_layer(names):
    ours, slow = zip(*(RULES[name] for name in names), strict=True)
    phi = relevance(mlp, X, {f"layer{k}": rule for k, rule in enumerate(ours)})
    expected = oracle.lrp_network(LAYERS, list(slow), X, 1)
    assert_close(phi, expected, tol=STABILISED)


def test_a_convolutional_network_is_swept_the_same_way():
    kernel, bias, options = geometry("padded")
    weight = RNG.normal(size=(16, 2))
    pool = lambda x: nn.max_pool(x, (2, 2), (2, 2))

    def f(x):
        with jax.named_scope("conv"):
            x = jax.nn.relu(convolve(kernel, bias, **options)(x))
        with jax.named_scope("dense"):
            return (pool(x).ravel() @ weight)[0]

    conv, dense = slow_convolution("padded"), oracle.dense(weight)
    z = conv(IMAGE.ravel())
    hidden = np.maximum(z, 0)
    pools = list(oracle.windows((5, 5, 4), 2, 2))
    pooled = np.array([hidden[i].max() for i in pools])
    got = oracle.epsilon(dense, pooled, np.array([(pooled @ weight)[0], 0.0]))
    got = oracle.lrp_max_pool(hidden, got, pools)
    expected = oracle.gamma(conv, IMAGE.ravel(), got, 0.5)
    phi = relevance(f, IMAGE, {"conv": rules.gamma(0.5), "dense": rules.epsilon(1e-9)})
    assert_close(phi.ravel(), expected, tol=STABILISED)


@pytest.mark.parametrize("make", LSTMS.values(), ids=LSTMS)
def test_an_lstm_is_that_of_arras(make):
    lstm, x = make(), tiny_models.LSTM_X
    weights = tiny_models.W_IN, tiny_models.W_STATE, tiny_models.BIAS
    expected = oracle.lstm_lrp(x, *weights, tiny_models.W_OUT, tiny_models.B_OUT, 1)
    phi = relevance(lambda x: lstm(x)[1], x, rules.epsilon(1e-9))
    # Each of the two products that a gate adds is stabilised, not only their sum.
    assert_close(phi, expected, tol=1e-7)

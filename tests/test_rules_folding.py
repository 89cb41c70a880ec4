"""A layer and the batch norm after it are one affine map for a rule."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rule_oracles as oracle
from explainers import quick_jit
from flax import nnx
from helpers import assert_close
from test_rules_lrp import RULES, STABILISED

import jaxplain as jx

WIDE = {"param_dtype": jnp.float64}
RNG = np.random.default_rng(2)
SCALE, SHIFT = np.array([1.5, -0.75, 0.5, -2.0]), RNG.normal(size=4)  # both signs
MEAN, VARIANCE = RNG.normal(size=4), RNG.uniform(0.5, 2.0, size=4)
NORM = {"scale": SCALE, "bias": SHIFT}, {"mean": MEAN, "var": VARIANCE}
IMAGE, VECTOR = RNG.normal(size=(4, 4, 2)), RNG.normal(size=5)
KERNEL, BIAS = RNG.normal(size=(3, 3, 2, 4)), RNG.normal(size=4)
WEIGHT = RNG.normal(size=(5, 4))
EPSILON = 1e-5  # of `nn.BatchNorm` and `nnx.BatchNorm`


class Linen(nn.Module):
    """A layer and its norm."""

    layer: nn.Module

    @nn.compact
    def __call__(self, x):
        norm = nn.BatchNorm(use_running_average=True, name="norm", **WIDE)
        return norm(self.layer(x))


def linen(layer, params):
    scale, statistics = NORM
    variables = {
        "params": {"layer": params, "norm": scale},
        "batch_stats": {"norm": statistics},
    }
    variables = jax.tree.map(jnp.asarray, variables)
    return lambda x: Linen(layer).apply(variables, x)


def by_linen_conv(bias, padding="SAME"):
    layer = nn.Conv(4, (3, 3), padding=padding, use_bias=bias, **WIDE)
    return linen(layer, {"kernel": KERNEL} | ({"bias": BIAS} if bias else {}))


def by_linen_dense(bias):
    layer = nn.Dense(4, use_bias=bias, **WIDE)
    return linen(layer, {"kernel": WEIGHT} | ({"bias": BIAS} if bias else {}))


def by_nnx_conv():
    rngs = nnx.Rngs(0)
    conv = nnx.Conv(2, 4, (3, 3), rngs=rngs, **WIDE)
    norm = nnx.BatchNorm(4, use_running_average=True, rngs=rngs, **WIDE)
    for variable, value in [
        (conv.kernel, KERNEL),
        (conv.bias, BIAS),
        (norm.scale, SCALE),
        (norm.bias, SHIFT),
        (norm.mean, MEAN),
        (norm.var, VARIANCE),
    ]:
        variable.set_value(jnp.asarray(value))
    return lambda x: norm(conv(x[None]))[0]


def by_hand(x):
    """A batch of one, a bias, a norm as at its paper, and a scale once more."""
    row = lambda a: jnp.asarray(a).reshape(1, 4)
    z = x[None] @ WEIGHT + row(BIAS)
    z = (z - row(MEAN)) / jnp.sqrt(row(VARIANCE) + EPSILON)
    return (2.0 * (row(SCALE / 2) * z + row(SHIFT / 2)))[0]


def transposed(x):
    """Channels first after the convolution, and back after the norm."""
    z = nn.Conv(4, (3, 3), **WIDE).apply(
        {"params": {"kernel": jnp.asarray(KERNEL), "bias": jnp.asarray(BIAS)}}, x
    )
    column = lambda a: jnp.asarray(a).reshape(4, 1, 1)
    z = (z.transpose(2, 0, 1) - column(MEAN)) * column(
        SCALE / np.sqrt(VARIANCE + EPSILON)
    )
    return (z + column(SHIFT)).transpose(1, 2, 0)


def fused(layer):
    return oracle.batch_norm(layer, SCALE, SHIFT, MEAN, VARIANCE, EPSILON)


def conv(bias, padding=1):
    return oracle.conv(IMAGE.shape, KERNEL, bias * BIAS, padding=padding)


SUBJECTS = {
    "linen.Conv": (lambda: by_linen_conv(True), IMAGE, lambda: conv(1)),
    "linen.Conv without bias": (lambda: by_linen_conv(False), IMAGE, lambda: conv(0)),
    "linen.Conv, valid": (
        lambda: by_linen_conv(True, "VALID"),
        IMAGE,
        lambda: conv(1, padding=0),
    ),
    "nnx.Conv": (by_nnx_conv, IMAGE, lambda: conv(1)),
    "transposed": (lambda: transposed, IMAGE, lambda: conv(1)),
    "linen.Dense": (
        lambda: by_linen_dense(True),
        VECTOR,
        lambda: oracle.dense(WEIGHT, BIAS),
    ),
    "linen.Dense without bias": (
        lambda: by_linen_dense(False),
        VECTOR,
        lambda: oracle.dense(WEIGHT),
    ),
    "by hand": (lambda: by_hand, VECTOR, lambda: oracle.dense(WEIGHT, BIAS)),
}


@functools.cache
def every_rule(subject):
    make, x, slow = SUBJECTS[subject]
    layer = make()
    f = lambda x: jnp.sum(layer(x))
    every = {name: jx.rules.lrp(f, rule) for name, (rule, _) in RULES.items()}
    relevances = quick_jit(lambda x: {name: lrp(x) for name, lrp in every.items()})(x)
    return relevances, fused(slow())


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_batch_norm_folds_into_the_layer_before_it(subject, name):
    relevances, layer = every_rule(subject)
    x = SUBJECTS[subject][1].ravel()
    np.testing.assert_allclose(
        layer(x),
        np.ravel(SUBJECTS[subject][0]()(x.reshape(SUBJECTS[subject][1].shape))),
    )
    expected = RULES[name][1](layer, x, layer(x))
    assert_close(relevances[name].ravel(), expected, tol=STABILISED)


def test_a_norm_after_an_activation_is_a_layer_of_its_own():
    weight = jnp.asarray(WEIGHT)
    f = lambda x: jnp.sum(jax.nn.relu(x @ weight) * SCALE + SHIFT)
    hidden = np.maximum(VECTOR @ WEIGHT, 0)
    of_norm = oracle.epsilon(
        oracle.dense(np.diag(SCALE), SHIFT), hidden, hidden * SCALE + SHIFT
    )
    expected = oracle.gamma(oracle.dense(WEIGHT), VECTOR, of_norm, 0.5)
    phi = quick_jit(jx.rules.lrp(f, jx.rules.gamma(0.5)))(VECTOR)
    assert_close(phi, expected, tol=STABILISED)


def test_a_norm_does_not_fold_into_a_layer_that_is_read_elsewhere_too():
    weight, scale = jnp.asarray(WEIGHT), jnp.asarray(SCALE)

    def f(x):
        z = x @ weight
        return jnp.sum(jax.nn.relu(z)) + jnp.sum(jnp.tanh(z * scale))

    z = VECTOR @ WEIGHT
    of_layer = np.maximum(z, 0) + np.tanh(z * SCALE)
    expected = oracle.gamma(oracle.dense(WEIGHT), VECTOR, of_layer, 0.5)
    phi = quick_jit(jx.rules.lrp(f, jx.rules.gamma(0.5)))(VECTOR)
    assert_close(phi, expected, tol=STABILISED)

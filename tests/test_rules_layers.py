"""The same linear layer gets the same relevance, however it is written."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
import rule_oracles as oracle
from explainers import quick_jit
from flax import nnx
from helpers import assert_close
from test_rules_lrp import RULES, STABILISED, B, W, X

import jaxplain as jx

KERNEL, BIAS = jnp.asarray(W), jnp.asarray(B)
PARAMS = {"params": {"kernel": KERNEL, "bias": BIAS}}
WIDE = {"param_dtype": jnp.float64}


def by_nnx(x):
    layer = nnx.Linear(4, 3, rngs=nnx.Rngs(0), **WIDE)
    layer.kernel.set_value(KERNEL)
    layer.bias.set_value(BIAS)
    return layer(x)


def by_scan(x):
    columns = (KERNEL.T, BIAS)
    return jax.lax.scan(lambda _, wb: (None, wb[0] @ x + wb[1]), None, columns)[1]


def by_rows_of_a_batch(x):
    rows = jnp.broadcast_to(x, (2, 4)) @ KERNEL
    return (rows + jnp.broadcast_to(BIAS, rows.shape))[0]


DENSE = {
    "transposed": lambda x: KERNEL.T @ x + BIAS,
    "bias first": lambda x: BIAS + x @ KERNEL,
    "bias subtracted": lambda x: x @ KERNEL - (-BIAS),
    "two biases": lambda x: x @ KERNEL + 0.25 * BIAS + 0.75 * BIAS,
    "negated": lambda x: -(x @ -KERNEL - BIAS),
    "scaled": lambda x: (x @ (KERNEL / 4) + BIAS / 4) * 4,
    "divided": lambda x: (x @ (KERNEL * 4) + BIAS * 4) / 4,
    "scaled by channel": lambda x: (x @ (KERNEL / BIAS[None]) + 1.0) * BIAS,
    "einsum": lambda x: jnp.einsum("i,ij->j", x, KERNEL) + BIAS,
    "matrix": lambda x: (x[None] @ KERNEL + BIAS[None])[0],
    "row of a batch": by_rows_of_a_batch,
    "column": lambda x: (KERNEL.T @ x[:, None])[:, 0] + BIAS,
    "reshaped": lambda x: (x @ KERNEL).reshape(1, 3).ravel() + BIAS,
    "einsum of two axes": lambda x: (
        jnp.einsum("ab,abj->j", x.reshape(2, 2), KERNEL.reshape(2, 2, 3)) + BIAS
    ),
    "vmap": lambda x: jax.vmap(lambda w, b: w @ x + b)(KERNEL.T, BIAS),
    "scan": by_scan,
    "jit": jax.jit(lambda x: x @ KERNEL + BIAS),
    "jit of the product": lambda x: jax.jit(jnp.matmul)(x, KERNEL) + BIAS,
    "checkpoint": jax.checkpoint(lambda x: x @ KERNEL + BIAS),
    "linen": lambda x: nn.Dense(3, **WIDE).apply(PARAMS, x),
    "nnx": by_nnx,
    "1x1 convolution": lambda x: nn.Conv(3, (1,), **WIDE).apply(
        {"params": {"kernel": KERNEL[None], "bias": BIAS}}, x[None]
    )[0],
    "tapped": lambda x: jx.tap(x @ KERNEL, "product") + BIAS,
}


TELLING = ["gamma", "alpha2beta1", "zbox"]  # rules that see signs of weights and bias


@functools.cache
def every_layer():
    """One program for all of them: it compiles several times as fast."""

    def explain(layer, name):
        return jx.rules.lrp(lambda x: jnp.sum(layer(x)), RULES[name][0])

    every = {(k, name): explain(DENSE[k], name) for k in DENSE for name in TELLING}
    return quick_jit(lambda x: [lrp(x) for lrp in every.values()])(X), list(every)


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("layer", DENSE)
def test_a_layer_may_be_written_in_any_way(layer, name):
    relevances, names = every_layer()
    dense = oracle.dense(W, B)
    expected = RULES[name][1](dense, X, dense(X))
    assert_close(relevances[names.index((layer, name))], expected, tol=STABILISED)

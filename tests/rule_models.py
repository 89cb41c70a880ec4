"""Small networks for rules: a score of one example, with or without biases.

`held` is the same network with what relevance does not pass through held constant:
gates, attention weights, the deviations of layer norms, and the slope `f(z) / z` of
each activation. LRP-0 is then input x gradient (Montavon et al., 2019, section 10.2.3;
Ali et al., 2022, arXiv:2202.07304, section 4).
"""

import functools
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import tiny_models
from flax import nnx

hold = jax.lax.stop_gradient


def held_slope(f):
    return lambda z: z * hold(f(z) / z)


def average_pool(x, size, stride):
    """`nn.avg_pool`, which divides by an integer: not allowed by strict promotion."""
    sums = nn.pooling.pool(x, 0.0, jax.lax.add, (size,) * 2, (stride,) * 2, "VALID")
    return sums / size**2


class CNN(nn.Module):
    """Batch norms, a strided convolution, a residual block, and both kinds of pooling.

    Piecewise linear, so LRP-0 needs nothing to be held.
    """

    dtype: Any
    held: bool = False

    @nn.compact
    def __call__(self, image):
        norm = partial(nn.BatchNorm, use_running_average=True, param_dtype=self.dtype)
        conv = partial(nn.Conv, param_dtype=self.dtype)
        x = nn.relu(norm()(conv(3, (3, 3))(image)))
        x = nn.max_pool(x, (2, 2), (2, 2))
        y = nn.relu(norm()(conv(4, (3, 3), 2)(x)))
        y = norm()(conv(3, (1, 1))(y))
        x = nn.leaky_relu(nn.max_pool(x, (2, 2), (1, 1)) + y)
        return nn.Dense(3, param_dtype=self.dtype)(average_pool(x, 2, 1).ravel())


class Recurrent(nn.Module):
    """A recurrent layer over all steps, and a linear score of its last state."""

    cell: Any
    dtype: Any
    held: bool = False

    @nn.compact
    def __call__(self, x):
        functions = {}
        if self.held:
            functions["gate_fn"] = lambda z: hold(nn.sigmoid(z))
            functions["activation_fn"] = held_slope(jnp.tanh)
        cell = self.cell(3, param_dtype=self.dtype, name="cell", **functions)
        return nn.Dense(3, param_dtype=self.dtype)(nn.RNN(cell)(x)[-1])


class HeldNorm(nn.Module):
    """`nn.LayerNorm`, whose deviation is a constant."""

    param_dtype: Any

    @nn.compact
    def __call__(self, x):
        scale = self.param(
            "scale", nn.initializers.ones, x.shape[-1:], self.param_dtype
        )
        bias = self.param("bias", nn.initializers.zeros, x.shape[-1:], self.param_dtype)
        centred = x - x.mean(-1, keepdims=True)
        deviation = jnp.sqrt(x.var(-1, keepdims=True) + 1e-6)
        row = lambda a: jnp.broadcast_to(a, x.shape)
        return centred / hold(deviation) * row(scale) + row(bias)


def held_attention(query, key, value, **_):
    weights = hold(nn.dot_product_attention_weights(query, key))
    return jnp.einsum("hqk,khd->qhd", weights, value)


class Transformer(nn.Module):
    """One block: attention, layer norms, residuals, and an activation."""

    dtype: Any
    held: bool = False

    @nn.compact
    def __call__(self, x):
        dense = partial(nn.Dense, param_dtype=self.dtype)
        # Strict promotion forbids its reductions in float32 to meet a float64.
        layer_norm = partial(nn.LayerNorm, force_float32_reductions=False)
        norm = partial(HeldNorm if self.held else layer_norm, param_dtype=self.dtype)
        attend = held_attention if self.held else nn.dot_product_attention
        activation = held_slope if self.held else lambda f: f
        gelu, silu = activation(nn.gelu), activation(nn.silu)
        attention = nn.MultiHeadDotProductAttention(
            2, param_dtype=self.dtype, attention_fn=attend
        )
        x = x + attention(norm(name="norm_0")(x))
        y = gelu(dense(5)(norm(name="norm_1")(x)))
        x = x + dense(4)(silu(dense(5)(y)))
        return dense(3)(norm(name="norm_2")(x).mean(0))


MODELS = {
    "CNN": (CNN, (6, 6, 2)),
    "LSTM": (partial(Recurrent, nn.LSTMCell), (4, 2)),
    "GRU": (partial(Recurrent, nn.GRUCell), (4, 2)),
    "Transformer": (Transformer, (3, 4)),
}


def noise(seed, shape):
    """Normal numbers; from here on, no score of the networks below is near zero."""
    return np.random.default_rng(100 + seed).normal(size=shape)


def example(shape, dtype=jnp.float64, seed=1):
    return jnp.asarray(noise(seed, shape), dtype)


def variables(module, shape, dtype, *, biases):
    """Random everywhere, of a size that keeps activations near one.

    Scales of norms take both signs. Without biases, a norm shifts nothing either.
    """
    # In float32, as batch norms keep their statistics.
    abstract = jax.eval_shape(
        module.init, jax.random.key(0), jnp.zeros(shape, jnp.float32)
    )
    leaves, treedef = jax.tree_util.tree_flatten_with_path(abstract)

    def fill(seed, path, like):
        name = path[-1].key
        values = noise(seed, like.shape)
        if name == "kernel":
            inputs = like.shape[0] if len(like.shape) == 3 else like.shape[:-1]
            return 1.5 * values / np.sqrt(np.prod(inputs))
        if name == "var":
            return 0.5 + values**2
        if name == "scale":
            return np.sign(values) * (0.5 + abs(values))
        return 0.5 * values * biases

    filled = [fill(seed, *leaf) for seed, leaf in enumerate(leaves)]
    return treedef.unflatten([jnp.asarray(array, dtype) for array in filled])


def network(name, *, biases, dtype=jnp.float64):
    """`f(x, variables) -> scalar`, the same with what is held, variables, and `x`."""
    make, shape = MODELS[name]
    values = variables(make(jnp.float32), shape, dtype, biases=biases)

    def score(module):
        return lambda x, variables: module.apply(variables, x)[1]

    f, held = (score(make(dtype, held=held)) for held in (False, True))
    return f, held, values, example(shape, dtype)


# The LSTM of the facts, in plain JAX and in both Flaxes.

LSTMS = {
    "lax.scan": lambda: tiny_models.lstm_scan,
    "linen": lambda: tiny_models.lstm_linen,
    "nnx": functools.cache(tiny_models.lstm_nnx),
}


# nnx.


class NNXNetwork(nnx.Module):
    """One layer twice, between two others."""

    def __init__(self, rngs):
        start = lambda _, shape, dtype: jnp.asarray(noise(sum(shape), shape), dtype)
        functions = {"kernel_init": start, "bias_init": start}
        wide = {"param_dtype": jnp.float64, "rngs": rngs, **functions}
        self.first = nnx.Linear(4, 5, **wide)
        self.shared = nnx.Linear(5, 5, **wide)
        self.last = nnx.Linear(5, 2, **wide)

    def __call__(self, x):
        x = nnx.relu(self.first(x))
        for _ in range(2):
            x = nnx.relu(self.shared(x))
        return self.last(x)

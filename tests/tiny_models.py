"""Models small enough to write down: every parameter is listed.

The published numbers of `facts.json` belong to them. Layers carry the names that they
have at their source, as taps.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxplain import tap

relu = jax.nn.relu


# B1, B2 and B3: one or two numbers, and kinks.


def b1(x):
    return 1.0 - relu(1.0 - x)


def b2(x):
    return relu(relu(x[0]) - 1.0 - relu(x[1]))


def b3(x):
    return relu(relu(x[0] - 1.0) - relu(x[1]))


# ML: captum's `BasicModel_MultiLayer`, out = (relu(s-10) + 3 relu(s+1) - 1, that + 2).


def multi_layer(x):
    x = tap(x, "linear0")
    h = jnp.ones((4, 3)) @ x + jnp.array([-10.0, 1.0, 1.0, 1.0])
    return _top(tap(relu(tap(h, "linear1")), "relu"))


def multi_layer_of_two(x):
    """ML with `multi_input_module`: two equal ReLUs, whose outputs are added."""
    h = jnp.ones((4, 3)) @ x + jnp.array([-10.0, 1.0, 1.0, 1.0])
    first, second = tap((relu(h), relu(h)), "multi_relu")
    return _top(first + second)


def _top(r):
    return tap(jnp.ones((2, 4)) @ r + jnp.array([-1.0, 1.0]), "linear2")


def multi_layer_multidim(x, add_input):
    """ML with `multidim_output`: output (c, j, k) is (j + 1) (3 k + 1) of output c."""
    out = multi_layer(x + add_input)
    out = jnp.stack([out, 2.0 * out], axis=1)
    return jnp.stack([out, 4.0 * out], axis=2)


def multi_input(xs, *args):
    """MLMI: ML of the scaled sum of its inputs, `(*xs, *args)` but for the last."""
    *more, scale = args
    return multi_layer(scale * sum((*xs, *more)))


# OC: captum's `BasicModel_ConvNet_One_Conv`, channels last but for the flattening.


def one_conv(image):
    x = tap(image[..., None], "input")
    x = jax.lax.conv_general_dilated(
        x[None], jnp.ones((3, 3, 1, 2)), (1, 1), "VALID", None, None, _NHWC
    )[0]
    x = tap(x + jnp.broadcast_to(jnp.array([-50.0, -75.0]), x.shape), "conv1")
    x = tap(relu(x), "relu1")
    flat = x.transpose(2, 0, 1).ravel()  # the source flattens channels first
    fc1 = jnp.tile(jnp.array([1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0]), (4, 1))
    return relu(tap(fc1 @ flat, "fc1"))


_NHWC = ("NHWC", "HWIO", "NHWC")


# RL, RD and LP: the models of the tests of DeepLIFT and LRP.


def relu_linear(x1, x2, x3):
    first = jnp.array([3.0, 1.0, 0.0]) @ x1
    second = jnp.array([2.0, 3.0, 0.0]) @ x2
    return relu(first) + relu(x3 * second)


def relu_deeplift(x):
    return 2.0 * relu(x[0]) + 2.0 * relu(x[1] - 1.5)


def simple_lrp(x):
    return jnp.full(3, 3.0) @ relu(jnp.full((3, 3), 2.0) @ x)


# The LSTM of the facts: 4 steps of 2 features, 3 units, gates in the order i, f, g, o.

STEPS, FEATURES, UNITS = 4, 2, 3


def _wave(shape, phase):
    return 0.8 * np.sin(np.arange(np.prod(shape)) + phase).reshape(shape)


LSTM_X = np.cos(0.5 * np.arange(STEPS * FEATURES)).reshape(STEPS, FEATURES)
W_IN = _wave((4 * UNITS, FEATURES), 0.1)
W_STATE = _wave((4 * UNITS, UNITS), 0.7)
BIAS = _wave((4 * UNITS,), 1.3)
W_OUT, B_OUT = _wave((2, UNITS), 2.1), np.array([0.1, -0.2])


def lstm_scan(x):
    def step(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(W_IN @ x + W_STATE @ h + BIAS, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros(UNITS, x.dtype)
    (h, _), _ = jax.lax.scan(step, (zero, zero), x)
    return W_OUT @ h + B_OUT


class _LinenLSTM(nn.Module):
    @nn.compact
    def __call__(self, x):
        cell = nn.LSTMCell(UNITS, param_dtype=jnp.float64, name="cell")
        h = nn.RNN(cell, name="rnn")(x[None])[0, -1]
        return nn.Dense(2, name="out", param_dtype=jnp.float64)(h)


def lstm_linen(x):
    cell = {}
    for gate, w, u, b in _gates():
        cell[f"i{gate}"] = {"kernel": w.T}
        cell[f"h{gate}"] = {"kernel": u.T, "bias": b}
    out = {"kernel": W_OUT.T, "bias": B_OUT}
    return _LinenLSTM().apply({"params": {"cell": cell, "out": out}}, x)


class _NNXLSTM(nnx.Module):
    def __init__(self):
        wide = {"param_dtype": jnp.float64, "rngs": nnx.Rngs(0)}
        cell = nnx.LSTMCell(FEATURES, UNITS, **wide)
        for gate, w, u, b in _gates():
            at_input = getattr(cell, "if_" if gate == "f" else f"i{gate}")
            at_state = getattr(cell, f"h{gate}")
            at_input.kernel.set_value(jnp.asarray(w.T))
            at_state.kernel.set_value(jnp.asarray(u.T))
            at_state.bias.set_value(jnp.asarray(b))
        self.rnn = nnx.RNN(cell)
        self.out = nnx.Linear(UNITS, 2, **wide)
        self.out.kernel.set_value(jnp.asarray(W_OUT.T))
        self.out.bias.set_value(jnp.asarray(B_OUT))

    def __call__(self, x):
        return self.out(self.rnn(x[None])[0, -1])


def lstm_nnx():
    """A function of `x`. To be made outside of traces, so that parameters are arrays.

    Merged at every call: `nnx.RNN` changes its own random state, which a `jax.grad` of
    a module from outside does not allow, here or without us.
    """
    definition, state = nnx.split(_NNXLSTM())
    return lambda x: nnx.merge(definition, state, copy=True)(x)


def _gates():
    split = (np.split(a, 4) for a in (W_IN, W_STATE, BIAS))
    return zip("ifgo", *split, strict=True)

"""LRP and DeepLIFT, transcribed from the papers in NumPy: loops over connections.

Nothing here knows of JAX, nor of how a program is propagated through.
"""

import math
from typing import NamedTuple

import numpy as np

# Layers: every linear layer is a table of connections.


class Layer(NamedTuple):
    """`z[j] = sum_i x[i] * weight[i, j] + bias[j]`, over the connected pairs."""

    weight: np.ndarray
    bias: np.ndarray
    connected: np.ndarray

    def __call__(self, x):
        return x @ self.weight + self.bias


def dense(weight, bias=None):
    weight = np.asarray(weight, float)
    bias = np.zeros(weight.shape[1]) if bias is None else np.asarray(bias, float)
    return Layer(weight, bias, np.ones(weight.shape, bool))


def conv(shape, kernel, bias, *, strides=1, padding=0, dilation=1, groups=1):
    """A convolution of `(height, width, channels)`, patch by patch, both flattened."""
    reach = [dilation * (n - 1) + 1 for n in kernel.shape[:2]]
    rows, cols = (
        (n + 2 * padding - r) // strides + 1 for n, r in zip(shape[:2], reach)
    )
    per_group, outputs = kernel.shape[2:]
    weight = np.zeros((*shape, rows, cols, outputs))
    connected = np.zeros(weight.shape, bool)
    for y, x, k in np.ndindex(rows, cols, outputs):
        first = k // (outputs // groups) * per_group
        for dy, dx, c in np.ndindex(kernel.shape[:3]):
            at = y * strides + dy * dilation - padding
            to = x * strides + dx * dilation - padding
            if 0 <= at < shape[0] and 0 <= to < shape[1]:
                weight[at, to, first + c, y, x, k] = kernel[dy, dx, c, k]
                connected[at, to, first + c, y, x, k] = True
    flat = (math.prod(shape), rows * cols * outputs)
    bias = np.tile(bias, rows * cols)
    return Layer(weight.reshape(flat), bias, connected.reshape(flat))


def windows(shape, size, stride):
    """The inputs of each output of a pooling layer, in order, all by flat index."""
    index = np.arange(math.prod(shape)).reshape(shape)
    rows, cols = ((n - size) // stride + 1 for n in shape[:2])
    for y, x, k in np.ndindex(rows, cols, shape[2]):
        top, left = y * stride, x * stride
        yield index[top : top + size, left : left + size, k].ravel()


def average_pool(shape, size, stride):
    pools = list(windows(shape, size, stride))
    weight = np.zeros((math.prod(shape), len(pools)))
    for j, inputs in enumerate(pools):
        weight[inputs, j] = 1 / size**2
    return Layer(weight, np.zeros(len(pools)), weight > 0)


def batch_norm(layer, scale, bias, mean, variance, epsilon):
    """A layer and its inference batch norm as one layer: per output channel, by hand.

    z' = scale (z - mean) / sqrt(variance + epsilon) + bias.
    """
    repeat = len(layer.bias) // len(scale)
    scale = np.tile(scale / np.sqrt(variance + epsilon), repeat)
    shifted = layer.bias - np.tile(mean, repeat)
    return layer._replace(
        weight=layer.weight * scale, bias=shifted * scale + np.tile(bias, repeat)
    )


# Rules: what a connection brings to its output, and what the bias does.


def positive(z):
    return max(z, 0.0)


def negative(z):
    return min(z, 0.0)


STABILISER = 1e-9  # what keeps a denominator from zero where a rule has no epsilon


def propagate(layer, x, relevance, brings, of_bias, epsilon=STABILISER):
    """R_i = sum_j z_ij / (z_j + epsilon sign(z_j)) R_j, where z_j sums z_ij and b_j."""
    received = np.zeros(len(x))
    for j, r in enumerate(relevance):
        inputs = np.flatnonzero(layer.connected[:, j])
        z = {i: brings(x[i], layer.weight[i, j], i) for i in inputs}
        total = sum(z.values()) + of_bias(layer.bias[j])
        total += epsilon if total >= 0 else -epsilon
        for i in inputs:
            received[i] += z[i] / total * r
    return received


def epsilon(layer, x, relevance, epsilon=STABILISER):
    """Bach et al. (2015), equation 58; as good as LRP-0 without an `epsilon`."""
    return propagate(layer, x, relevance, lambda x, w, _: x * w, lambda b: b, epsilon)


def gamma(layer, x, relevance, gamma):
    """Montavon et al. (2019), table 10.1: the bias is the weight of an input of one."""
    favour = lambda w: w + gamma * positive(w)
    return propagate(layer, x, relevance, lambda x, w, _: x * favour(w), favour)


def zplus(layer, x, relevance):
    """Montavon et al. (2017), the z+ rule; of positive products, as in `alphabeta`."""
    return propagate(layer, x, relevance, lambda x, w, _: positive(x * w), positive)


def alphabeta(layer, x, relevance, alpha, beta):
    """Bach et al. (2015), equation 60."""
    inhibits = lambda x, w, _: negative(x * w)
    against = propagate(layer, x, relevance, inhibits, negative)
    return alpha * zplus(layer, x, relevance) - beta * against


def zbox(layer, x, relevance, low, high):
    """Montavon et al. (2017), the z^B rule: inputs between `low` and `high`."""
    low, high = np.broadcast_to(low, x.shape), np.broadcast_to(high, x.shape)
    brings = lambda x, w, i: x * w - low[i] * positive(w) - high[i] * negative(w)
    return propagate(layer, x, relevance, brings, lambda b: b)


def wsquare(layer, x, relevance):
    """Montavon et al. (2017), the w^2 rule, which has no bias."""
    return propagate(layer, x, relevance, lambda x, w, _: w**2, lambda _: 0.0)


def flat(layer, x, relevance):
    """Lapuschkin et al. (2019): as if all weights were one, without a bias."""
    return propagate(layer, x, relevance, lambda *_: 1.0, lambda _: 0.0)


def lrp_network(layers, rules, x, label):
    """ReLUs between the layers; one rule for each, from the last score to the input.

    Montavon et al. (2019), section 10.1: the relevance of the output is its value.
    """
    inputs = [x]
    for layer in layers[:-1]:
        inputs.append(np.maximum(layer(inputs[-1]), 0))
    score = layers[-1](inputs[-1])
    relevance = np.where(np.arange(len(score)) == label, score, 0)
    for layer, rule, a in zip(layers[::-1], rules[::-1], inputs[::-1], strict=True):
        relevance = rule(layer, a, relevance)
    return relevance


def lrp_max_pool(x, relevance, pools):
    """Winner takes all (Montavon et al., 2019, section 10.3)."""
    received = np.zeros(len(x))
    for inputs, r in zip(pools, relevance, strict=True):
        received[inputs[np.argmax(x[inputs])]] += r
    return received


# LSTM: gates in the order i, f, g, o.


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(x, w_in, w_state, bias):
    """All states of Hochreiter and Schmidhuber's cell with forget gates, from zero."""
    units = w_state.shape[1]
    h = c = np.zeros(units)
    steps = []
    for row in x:
        z = w_in @ row + w_state @ h + bias
        i, f, o = (sigmoid(z[k * units : (k + 1) * units]) for k in (0, 1, 3))
        g = np.tanh(z[2 * units : 3 * units])
        step = {"z": z, "i": i, "f": f, "g": g, "o": o, "h_before": h, "c_before": c}
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append(step | {"c": c, "h": h})
    return steps


def lstm_lrp(x, w_in, w_state, bias, w_out, b_out, label):
    """Arras et al. (2017), section 3: gates get nothing, sums are split by their terms.

    The epsilon rule of the linear layers, with a tiny epsilon; biases keep their share.
    """
    units = w_state.shape[1]
    steps = lstm(x, w_in, w_state, bias)
    out = dense(w_out[label][:, None], b_out[label : label + 1])
    relevance_h = epsilon(out, steps[-1]["h"], out(steps[-1]["h"]))
    relevance_c, received = np.zeros(units), np.zeros(x.shape)
    signal = slice(2 * units, 3 * units)
    both = dense(np.concatenate([w_in, w_state], 1)[signal].T, bias[signal])
    for t in reversed(range(len(x))):
        s = steps[t]
        relevance_c = relevance_c + relevance_h  # h = o * tanh(c): to the signal
        of_g = s["i"] * s["g"] / s["c"] * relevance_c
        inputs = np.concatenate([x[t], s["h_before"]])
        split = epsilon(both, inputs, of_g)
        received[t], relevance_h = split[: x.shape[1]], split[x.shape[1] :]
        relevance_c = s["f"] * s["c_before"] / s["c"] * relevance_c
    return received


# DeepLIFT, rescale rule: multipliers m, chained from the output to the input.


def secant(f, x, baseline):
    """Shrikumar et al. (2017), section 3.5.2: m = (f(x) - f(b)) / (x - b)."""
    return (f(x) - f(baseline)) / (x - baseline)


def of_product(other, other_baseline, m):
    """a b - a0 b0 = (a - a0) (b + b0) / 2 + (b - b0) (a + a0) / 2, for `a`."""
    return (other + other_baseline) / 2 * m


def lift_network(layers, f, x, baseline, label):
    """Sections 3.2 (chain rule), 3.5.1 (linear) and 3.5.2 (rescale); `f` in between."""
    inputs, inputs_0, z, z_0 = [x], [baseline], [], []
    for layer in layers:
        z.append(layer(inputs[-1]))
        z_0.append(layer(inputs_0[-1]))
        inputs.append(f(z[-1]))
        inputs_0.append(f(z_0[-1]))
    m = np.where(np.arange(len(z[-1])) == label, 1.0, 0)
    for k in reversed(range(len(layers))):
        if k < len(layers) - 1:
            m = secant(f, z[k], z_0[k]) * m
        m = layers[k].weight @ m
    return m


def lift_max_pool(x, baseline, m, pools):
    """Contributions, not multipliers: a maximum rises because its winner at `x` does,
    and falls because its winner at the baseline does."""
    credit = np.zeros(len(x))
    for inputs, slope in zip(pools, m, strict=True):
        now, before = x[inputs], baseline[inputs]
        change = now.max() - before.max()
        winner = np.argmax(now) if change > 0 else np.argmax(before)
        credit[inputs[winner]] += change * slope
    return credit


def lstm_lift(x, baseline, w_in, w_state, bias, w_out, label):
    """The rescale rule step by step; products by `of_product`."""
    now, before = (lstm(a, w_in, w_state, bias) for a in (x, baseline))
    m_h, m_c, m_x = w_out[label], np.zeros(w_state.shape[1]), np.zeros(x.shape)
    for t in reversed(range(len(x))):
        s, s0 = now[t], before[t]
        m_o = of_product(np.tanh(s["c"]), np.tanh(s0["c"]), m_h)
        m_tanh = of_product(s["o"], s0["o"], m_h)
        m_c = m_c + m_tanh * secant(np.tanh, s["c"], s0["c"])
        of_gates = {
            "i": of_product(s["g"], s0["g"], m_c),
            "f": of_product(s["c_before"], s0["c_before"], m_c),
            "g": of_product(s["i"], s0["i"], m_c),
            "o": m_o,
        }
        z, z0 = (np.split(step["z"], 4) for step in (s, s0))
        functions = [sigmoid, sigmoid, np.tanh, sigmoid]
        m_z = np.concatenate(
            [
                secant(f, a, b) * of_gates[name]
                for f, a, b, name in zip(functions, z, z0, "ifgo", strict=True)
            ]
        )
        m_x[t], m_h = w_in.T @ m_z, w_state.T @ m_z
        m_c = of_product(s["f"], s0["f"], m_c)
    return m_x

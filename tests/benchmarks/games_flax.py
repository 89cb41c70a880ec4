"""Games of small networks, trained in seconds: a ReLU CNN and an LSTM.

Absent patches of a digit are black, absent windows of a series zero.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from . import games

PATCHES, WINDOWS = 16, 12


class CNN(nn.Module):
    """Four convolutions on 8 x 8 images, and ten logits."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in (16, 32):
            x = nn.relu(nn.Conv(width, (3, 3))(x))
            x = nn.relu(nn.Conv(width, (3, 3))(x))
            x = nn.avg_pool(x, (2, 2), (2, 2))
        return nn.Dense(10)(nn.relu(nn.Dense(64)(x.reshape(len(x), -1))))


class LSTM(nn.Module):
    """The last state of an LSTM, and three logits."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(3)(nn.RNN(nn.OptimizedLSTMCell(32))(x)[:, -1])


def series(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two bumps in coloured noise; the class is where and in which order they come."""
    r = np.random.default_rng(seed)
    time = np.arange(48)
    x = np.zeros((num, len(time), 4))
    noise = 0.4 * r.normal(size=x.shape)
    for t in time[1:]:
        x[:, t] = 0.6 * x[:, t - 1] + noise[:, t]
    labels = r.integers(0, 3, num)
    first = r.integers(6, 30, num)
    second = first + r.integers(8, 12, num)
    bump = lambda centre: 2 * np.exp(-(((time - centre[:, None]) / 2) ** 2) / 2)
    early, late = bump(first), bump(second)
    for label, channels in enumerate([(0, 1), (1, 0), (2, 2)]):
        sign = -1 if label == 2 else 1
        at = labels == label
        x[at, :, channels[0]] += early[at]
        x[at, :, channels[1]] += sign * late[at]
    return x.astype(np.float32), labels


def trained(model: nn.Module, x: np.ndarray, y: np.ndarray, steps: int) -> Any:
    params = model.init(jax.random.key(0), x[:1])
    optimiser = optax.adam(optax.cosine_decay_schedule(4e-3, steps))

    @jax.jit
    def step(params: Any, state: Any, x: jax.Array, y: jax.Array) -> Any:
        def loss(params: Any) -> jax.Array:
            logits = model.apply(params, x)
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        updates, state = optimiser.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    state, r = optimiser.init(params), np.random.default_rng(0)
    for _ in range(steps):
        batch = r.integers(0, len(x), 64)
        params, state = step(params, state, x[batch], y[batch])
    return params


def with_an_event(model: nn.Module, params: Any, x: np.ndarray) -> np.ndarray:
    """Series of another class than the empty one, whose class needs no explaining."""
    label = lambda x: np.asarray(model.apply(params, x)).argmax(-1)
    return x[label(x) != label(np.zeros_like(x[:1]))]


def logits_of_all(
    model: nn.Module,
    params: Any,
    x: np.ndarray,
    num_players: int,
    spread: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Logits of every coalition of every instance, with absent entries zero."""
    forward = jax.jit(lambda x, present: model.apply(params, x * present))
    present = spread(games.masks(num_players).astype(np.float32))
    chunks = np.split(present, len(present) // 4096)
    rows = [[np.asarray(forward(one, chunk)) for chunk in chunks] for one in x]
    return np.stack([np.concatenate(row) for row in rows]).astype(np.float64)


def of_predicted_class(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logit and the probability of the class that the full coalition has."""
    label = logits[:, -1].argmax(-1)[:, None, None]
    exponential = np.exp(logits - logits.max(-1, keepdims=True))
    probability = exponential / exponential.sum(-1, keepdims=True)
    pick = lambda values: np.take_along_axis(values, label, -1)[..., 0]
    return pick(logits), pick(probability)


def build(digits: Path, num: int) -> dict[str, games.Game]:
    """The games of the first `num` held-out images and series.

    `digits` is the file of 8 x 8 images that the peers' Python leaves.
    """
    with np.load(digits) as data:
        images = {k: (data[k] / 16).astype(np.float32) for k in ("x", "held_out")}
        labels = data["y"]
    images = {k: v.reshape(-1, 8, 8, 1) for k, v in images.items()}
    cnn, lstm = CNN(), LSTM()
    patches = lambda m: m.reshape(-1, 4, 4, 1).repeat(2, 1).repeat(2, 2)
    windows = lambda m: m.repeat(48 // WINDOWS, 1)[..., None]
    params = trained(cnn, images["x"], labels, 600)
    digit = of_predicted_class(
        logits_of_all(cnn, params, images["held_out"][:num], PATCHES, patches)
    )
    params = trained(lstm, *series(2400, seed=0), 700)
    held_out = with_an_event(lstm, params, series(4 * num, seed=1)[0])[:num]
    event = of_predicted_class(logits_of_all(lstm, params, held_out, WINDOWS, windows))
    return {
        "LSTM probability, 12": games.from_tables(event[1]),
        "CNN logit, 16": games.from_tables(digit[0]),
        "CNN probability, 16": games.from_tables(digit[1]),
    }


def accuracy(model: nn.Module, params: Any, x: jax.Array, y: np.ndarray) -> float:
    return float(jnp.mean(model.apply(params, x).argmax(-1) == y))

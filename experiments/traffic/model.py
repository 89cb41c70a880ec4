"""A recurrent forecaster: one week of hours in, the volume of the next hour out."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

from experiments.traffic.series import WINDOW


class LSTM(nn.Module):
    """An LSTM over (batch, hours, columns), and a linear layer on its last state."""

    num_units: int

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        states = nn.RNN(nn.OptimizedLSTMCell(self.num_units), name="rnn")(inputs)
        return nn.Dense(1, name="volume")(states[:, -1])[:, 0]


class Scale(NamedTuple):
    """The affine map from the units of the table to those of the network."""

    offset: np.ndarray
    width: np.ndarray


class Forecaster(NamedTuple):
    """Everything learnt: a pytree, so that it is an argument of the jitted forecast."""

    params: dict
    inputs: Scale
    volume: Scale


class Training(NamedTuple):
    """How long and how fast to train; `num_units` is the width of the network."""

    num_units: int = 32
    num_steps: int = 1500
    batch_size: int = 64
    learning_rate: float = 5e-3
    chunk: int = 250


def standard(values: np.ndarray) -> Scale:
    """Zero mean, unit variance."""
    return Scale(values.mean(axis=0), values.std(axis=0))


def min_max(values: np.ndarray) -> Scale:
    """From zero to one."""
    low, high = values.min(axis=0), values.max(axis=0)
    return Scale(low, high - low)


def forecast(window: jax.Array, forecaster: Forecaster) -> jax.Array:
    """The volume of the hour after one window, in vehicles/hour.

    The window is in the units of the table. Scaling is part of the function to explain,
    so that attributions come out in vehicles/hour whatever the network was fed.
    """
    params, inputs, volume = forecaster
    scaled = (window - inputs.offset[None]) / inputs.width[None]
    # The parameters know the width of the network; a forecaster needs no other record.
    num_units = params["params"]["volume"]["kernel"].shape[0]
    return volume.offset + volume.width * LSTM(num_units).apply(params, scaled[None])[0]


@jax.jit
def _forecast_batch(
    inputs: jax.Array, targets: jax.Array, forecaster: Forecaster
) -> jax.Array:
    window = partial(jax.lax.dynamic_slice_in_dim, inputs, slice_size=WINDOW)
    one = lambda target: forecast(window(start_index=target - WINDOW), forecaster)
    return jax.lax.map(one, targets, batch_size=512)


def predict(
    inputs: np.ndarray, targets: np.ndarray, forecaster: Forecaster
) -> np.ndarray:
    """Forecasts of the target rows of a table."""
    return np.asarray(_forecast_batch(inputs, targets, forecaster))


def train(
    inputs: np.ndarray,
    volume: np.ndarray,
    targets: np.ndarray,
    scales: tuple[Scale, Scale],
    config: Training,
    key: jax.Array,
    report: Callable[[int, Forecaster], None] = lambda *_: None,
) -> Forecaster:
    """Fit the LSTM by least squares on windows drawn at random.

    Args:
        inputs: The whole table, in its own units: (rows, columns).
        volume: What is to be forecast, for each row.
        targets: The rows to train on.
        scales: Of the inputs and of the volume.
        config: Width, number of steps and their size.
        key: Draws the initial parameters and the batches.
        report: Called every `config.chunk` steps with the step and the forecaster.
    """
    scaled = jnp.asarray((inputs - scales[0].offset) / scales[0].width)
    wanted = jnp.asarray((volume - scales[1].offset) / scales[1].width)
    rows = jnp.asarray(targets)
    network = LSTM(config.num_units)
    init_key, key = jr.split(key)
    params = network.init(init_key, scaled[None, :WINDOW])
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, config.num_steps // 20, config.num_steps
    )
    # Backpropagation through 168 steps sometimes explodes; clipping costs nothing.
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))

    def loss(params: dict, chosen: jax.Array) -> jax.Array:
        hours = chosen[:, None] + jnp.arange(-WINDOW, 0)[None]
        return jnp.mean((network.apply(params, scaled[hours]) - wanted[chosen]) ** 2)

    def step(carry: tuple, key: jax.Array) -> tuple[tuple, jax.Array]:
        params, state = carry
        chosen = jr.choice(key, rows, (config.batch_size,))
        value, gradient = jax.value_and_grad(loss)(params, chosen)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(params, updates), state), value

    steps = jax.jit(partial(jax.lax.scan, step))
    carry = params, optimizer.init(params)
    forecaster = Forecaster(params, *scales)
    for start in range(0, config.num_steps, config.chunk):
        stop = min(start + config.chunk, config.num_steps)
        keys = jr.split(jr.fold_in(key, start), stop - start)
        carry, _ = steps(carry, keys)
        forecaster = Forecaster(carry[0], *scales)
        report(stop, forecaster)
    return forecaster


def score(predicted: np.ndarray, volume: np.ndarray) -> dict[str, float]:
    """Root mean squared error, vehicles/hour, and the share of variance explained."""
    error = np.mean((predicted - volume) ** 2, dtype=float)
    variance = np.var(volume, dtype=float)
    return {"rmse": float(np.sqrt(error)), "r2": float(1 - error / variance)}

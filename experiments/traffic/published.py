"""The forecaster of the textbook chapter, with the weights that its author published.

An LSTM of 168 units over a week of scaled hours, and a dense layer with a ReLU. It was
trained, and is scored in the chapter, as a *stateful* layer of Keras: the windows come
in order, in batches of 24, and each starts from the state in which the window 24 hours
before it ended.
"""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.traffic import model, series
from experiments.traffic.series import WINDOW

FILE = "traffic_lstm168_1e.npz"
BATCH = 24
HELD_OUT = 2184  # rows of the validation, and of the test, in the chapter

# What the notebook of the chapter prints for this network.
PRINTED = {"train_rmse": 473.4279, "test_rmse": 561.8984, "test_r2": 0.9187}


class Network(NamedTuple):
    """Weights; the gates as Keras has them: input, forget, candidate, output."""

    kernel: jax.Array
    recurrent_kernel: jax.Array
    bias: jax.Array
    head: jax.Array
    head_bias: jax.Array
    inputs: model.Scale
    volume: model.Scale


State = tuple[jax.Array, jax.Array]


def load(folder: Path, table: series.Table) -> Network:
    """The weights, and the scales of the whole prepared table, as in the chapter."""
    names = ("lstm/kernel", "lstm/recurrent_kernel", "lstm/bias")
    with np.load(folder / FILE) as archive:
        weights = [archive[name] for name in (*names, "dense/kernel", "dense/bias")]
    scales = model.min_max(table.inputs), model.min_max(table.volume)
    return jax.tree.map(
        lambda a: jnp.asarray(a, jnp.float32), Network(*weights, *scales)
    )


def _run(windows: jax.Array, state: State, network: Network) -> tuple[State, jax.Array]:
    """The states in which a batch of windows ends, and the volumes after them."""
    offset, width = (a[None, None] for a in network.inputs)
    # All hours at once: only the recurrent product has to wait for the hour before.
    driven = (windows - offset) / width @ network.kernel + network.bias[None, None]

    def step(state: State, drive: jax.Array) -> tuple[State, None]:
        hidden, cell = state
        gates = jnp.split(drive + hidden @ network.recurrent_kernel, 4, axis=-1)
        enter, forget, candidate, leave = gates
        sigmoid = jax.nn.sigmoid
        cell = sigmoid(forget) * cell + sigmoid(enter) * jnp.tanh(candidate)
        return (sigmoid(leave) * jnp.tanh(cell), cell), None

    state, _ = jax.lax.scan(step, state, driven.swapaxes(0, 1))
    scaled = jax.nn.relu(state[0] @ network.head + network.head_bias[None])[:, 0]
    return state, network.volume.offset + network.volume.width * scaled


def rest(size: int, network: Network) -> State:
    """The state before the first hour."""
    zero = jnp.zeros((size, len(network.head)), network.head.dtype)
    return zero, zero


def forecast(window: jax.Array, network: Network) -> jax.Array:
    """The volume of the hour after one window, from rest: the function to explain."""
    return _run(window[None], rest(1, network), network)[1][0]


@jax.jit
def stateful(
    inputs: jax.Array, state: State, network: Network
) -> tuple[State, jax.Array]:
    """Forecasts of the rows of one period, but for the first 168, batch after batch.

    What does not fill a batch is left out.
    """
    hours = jnp.arange(BATCH)[:, None] + jnp.arange(WINDOW)[None]

    def step(state: State, batch: jax.Array) -> tuple[State, jax.Array]:
        return _run(inputs[BATCH * batch + hours], state, network)

    num_batches = (len(inputs) - WINDOW) // BATCH
    state, volumes = jax.lax.scan(step, state, jnp.arange(num_batches))
    return state, volumes.ravel()

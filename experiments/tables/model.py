"""A small network that predicts the rentals of a day."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.common import fit, minibatches
from experiments.tables.data import Days


class MLP(nn.Module):
    """Two hidden layers; smooth, for a table of a few hundred rows has no kinks."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.tanh(nn.Dense(32)(x))
        x = nn.tanh(nn.Dense(16)(x))
        return nn.Dense(1)(x)[..., 0]


class Predictor(NamedTuple):
    """Everything learnt, with the scales of the table: a pytree."""

    params: Any
    offset: np.ndarray
    width: np.ndarray
    mean: np.ndarray
    std: np.ndarray


def predict(row: jax.Array, predictor: Predictor) -> jax.Array:
    """Rentals per day. Scaling is part of the function, so that its units are ours."""
    scaled = (row - predictor.offset) / predictor.width
    return predictor.mean + predictor.std * MLP().apply(predictor.params, scaled)


def train(
    days: Days,
    rows: np.ndarray,
    rng: np.random.Generator,
    steps: int,
    report: Callable[[int, float], None],
) -> Predictor:
    """Least squares in minibatches.

    The weight decay was chosen within the training days.
    """
    x, y = days.rows[rows], days.rentals[rows]
    params = MLP().init(jax.random.key(int(rng.integers(2**31))), x[0])
    predictor = Predictor(params, x.mean(0), x.std(0), y.mean(), y.std())
    scaled = (x - predictor.offset) / predictor.width
    wanted = (y - predictor.mean) / predictor.std

    def loss(params: Any, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        return jnp.mean((MLP().apply(params, inputs) - targets) ** 2)

    schedule = optax.cosine_decay_schedule(5e-3, steps)
    params = fit(
        loss,
        params,
        minibatches(rng, (scaled, wanted), 64, steps),
        optax.adamw(schedule, weight_decay=1.0),
        report,
        every=250,
    )
    return predictor._replace(params=params)


def score(days: Days, rows: np.ndarray, predictor: Predictor) -> dict[str, float]:
    """Root mean squared error, in rentals, and the share of the variance explained."""
    predicted = np.asarray(jax.vmap(predict, (0, None))(days.rows[rows], predictor))
    error = np.mean((predicted - days.rentals[rows]) ** 2, dtype=float)
    variance = np.var(days.rentals[rows], dtype=float)
    return {"rmse": float(np.sqrt(error)), "r2": float(1 - error / variance)}

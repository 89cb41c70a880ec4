"""The network, the smaller one, and how they learn."""

from collections.abc import Callable
from functools import cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.common import minibatches
from experiments.compression.data import NUM_CLASSES

BATCH, RATE = 64, 3e-3
TEMPERATURE = 4.0
ADAM = optax.scale_by_adam()


class CNN(nn.Module):
    """Logits of the digits: convolutions, a mean over four pixels, a hidden layer."""

    features: tuple[int, ...]
    hidden: int

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        x = image[..., None]
        for width in self.features:
            x = nn.relu(nn.Conv(width, (3, 3))(x))
        x = nn.avg_pool(x, (2, 2), (2, 2))
        x = x.reshape(*x.shape[:-3], -1)
        return nn.Dense(NUM_CLASSES)(nn.relu(nn.Dense(self.hidden)(x)))


TEACHER = CNN((16, 32), 64)
STUDENT = CNN((8,), 24)


def initial(net: CNN, seed: int, size: int) -> Any:
    """Untrained parameters."""
    return net.init(jax.random.key(seed), jnp.zeros((size, size)))


def label_loss(net: CNN, params: Any, images: jax.Array, labels: jax.Array) -> Any:
    logits = net.apply(params, images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def soft_loss(net: CNN, params: Any, images: jax.Array, logits: jax.Array) -> Any:
    """Hinton, Vinyals and Dean (2015), arXiv:1503.02531, section 2."""
    targets = jax.nn.softmax(logits / TEMPERATURE)
    own = net.apply(params, images) / TEMPERATURE
    # The square keeps the size of the gradient, whatever the temperature.
    return TEMPERATURE**2 * optax.softmax_cross_entropy(own, targets).mean()


@cache
def stepper(net: CNN, loss: Callable[..., Any]) -> Callable[..., Any]:
    """One step of Adam on what the masks leave: one program for all trainings."""

    @jax.jit
    def step(params: Any, state: Any, masks: Any, rate: Any, *batch: Any) -> Any:
        left = lambda params: jax.tree.map(jnp.multiply, params, masks)
        slope = jax.grad(lambda params: loss(net, left(params), *batch))(params)
        change, state = ADAM.update(slope, state)
        return jax.tree.map(lambda p, c: p - rate * c, params, change), state

    return step


def train(
    net: CNN,
    params: Any,
    arrays: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
    steps: int,
    loss: Callable[..., Any] = label_loss,
    masks: Any = None,
) -> Any:
    """Fit a network to labels or to logits; what the masks leave out stays at 0."""
    ones = lambda leaf: jnp.ones(leaf.shape, bool)
    masks = jax.tree.map(ones, params) if masks is None else masks
    step, state = stepper(net, loss), ADAM.init(params)
    rates = optax.cosine_decay_schedule(RATE, steps)(np.arange(steps))
    batches = minibatches(rng, arrays, BATCH, steps)
    for rate, batch in zip(np.asarray(rates), batches, strict=True):
        params, state = step(params, state, masks, rate, *batch)
    return jax.tree.map(jnp.multiply, params, masks)

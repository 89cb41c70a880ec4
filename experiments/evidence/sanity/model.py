"""A small convolutional network that reads a digit."""

from functools import cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.common import minibatches
from experiments.evidence.programs import fit
from experiments.evidence.sanity.data import NUM_CLASSES, SIZE, Digits

BATCH, RATE = 64, 2e-3
STEPS, QUICK_STEPS = 400, 120
BY_HEART_STEPS, QUICK_BY_HEART_STEPS = 2000, 100  # random labels take longer
TOP = "conv_2"  # the layer of Grad-CAM


class Block(nn.Module):
    """A convolution of 3 x 3 pixels and its ReLU."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.relu(nn.Conv(self.features, (3, 3), name="conv")(x))


class CNN(nn.Module):
    """Three convolutions, two maxima over four pixels, a hidden layer."""

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        x = Block(16, name="conv_0")(image[..., None])
        x = nn.max_pool(Block(32, name="conv_1")(x), (2, 2), (2, 2))
        x = nn.max_pool(Block(32, name=TOP)(x), (2, 2), (2, 2))
        x = nn.relu(nn.Dense(64, name="dense")(x.reshape(*x.shape[:-3], -1)))
        return nn.Dense(NUM_CLASSES, name="logits")(x)


NET = CNN()


def score(image: jax.Array, params: Any, label: jax.Array) -> jax.Array:
    """What is explained: the logit of one digit."""
    return NET.apply(params, image)[label]


def initial(key: jax.Array) -> Any:
    """Untrained parameters."""
    return NET.init(key, jnp.zeros((SIZE, SIZE)))


def loss(params: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """Cross-entropy."""
    logits = NET.apply(params, images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def train(rng: np.random.Generator, key: jax.Array, digits: Digits, steps: int) -> Any:
    """Fit the network to random batches."""
    batches = minibatches(rng, digits, BATCH, steps)
    return fit(loss, initial(key), batches, optimizer(steps))


@cache
def optimizer(steps: int) -> optax.GradientTransformation:
    """Adam, whose steps fade out."""
    return optax.adam(optax.cosine_decay_schedule(RATE, steps))


@jax.jit
def predict(params: Any, images: jax.Array) -> jax.Array:
    """The likeliest digit of each picture."""
    return NET.apply(params, images).argmax(-1)


def accuracy(params: Any, digits: Digits) -> float:
    """How often the likeliest digit is the true one."""
    return float((np.asarray(predict(params, digits.images)) == digits.labels).mean())

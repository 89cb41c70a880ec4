"""One network, trained in four ways."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxplain as jx
from experiments.compression.data import NUM_CLASSES
from experiments.evidence.shortcut import data
from jaxplain import priors

BATCH, RATE = 64, 3e-3
STEPS, QUICK_STEPS = 300, 100
REASONS, EXPECTED = 0.1, 10.0  # prices of the two penalties
ADAM = optax.scale_by_adam()

PLAIN, RIGHT, PRIOR, CLEAN = (
    "plain",
    "right reasons",
    "expected gradients",
    "no shortcut",
)


class Batch(NamedTuple):
    """Pictures, their labels, a reference for each, and a key for each."""

    images: Any
    labels: Any
    references: Any
    keys: Any


class CNN(nn.Module):
    """Logits of a picture `(side, side)`."""

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3))(image[..., None]))
        x = nn.relu(nn.Conv(32, (3, 3), name="features")(x))
        x = nn.avg_pool(x, (2, 2), (2, 2))
        x = x.reshape(*x.shape[:-3], -1)
        return nn.Dense(NUM_CLASSES)(nn.relu(nn.Dense(64)(x)))


def initial(seed: int, side: int) -> Any:
    return CNN().init(jax.random.key(seed), jnp.zeros((side, side)))


def score(image: jax.Array, params: Any, label: Any) -> jax.Array:
    """What is explained: the log-probability of a class."""
    return jax.nn.log_softmax(CNN().apply(params, image))[label]


def all_classes(image: jax.Array, params: Any) -> jax.Array:
    """The sum that Ross et al. (2017) restrain."""
    return jax.nn.log_softmax(CNN().apply(params, image)).sum()


def task(params: Any, batch: Batch) -> jax.Array:
    return -jax.vmap(score, (0, None, 0))(batch.images, params, batch.labels).mean()


def right_reasons(params: Any, batch: Batch, mask: Any) -> jax.Array:
    """The input gradient in the strip."""
    penalty = partial(priors.right_reasons(all_classes), mask=mask)
    return jax.vmap(penalty, (0, None))(batch.images, params).mean()


def expected_gradients(params: Any, batch: Batch, mask: Any) -> jax.Array:
    """The attribution of the strip, by one draw for each picture and step."""
    explain = jx.paths.expected_gradients(score, num_samples=1)

    def one(image: Any, label: Any, reference: Any, key: Any) -> jax.Array:
        phi = explain(image, params, label, baseline=reference[None], key=key)
        return ((mask * phi) ** 2).sum()

    return jax.vmap(one)(
        batch.images, batch.labels, batch.references, batch.keys
    ).mean()


def loss(way: str, params: Any, batch: Batch, mask: Any) -> jax.Array:
    """What each way of training minimises."""
    value = task(params, batch)
    if way == RIGHT:
        value += REASONS * right_reasons(params, batch, mask)
    if way == PRIOR:
        value += EXPECTED * expected_gradients(params, batch, mask)
    return value


@cache
def stepper(way: str) -> Callable[..., Any]:
    """One step of Adam, compiled once for all seeds."""

    @jax.jit
    def step(params: Any, state: Any, rate: Any, batch: Batch, mask: Any) -> Any:
        slope = jax.grad(partial(loss, way))(params, batch, mask)
        change, state = ADAM.update(slope, state)
        return jax.tree.map(lambda p, c: p - rate * c, params, change), state

    return step


def train(
    way: str,
    seed: int,
    arrays: tuple[np.ndarray, np.ndarray],
    mask: np.ndarray,
    steps: int,
) -> Any:
    """The same initial weights and the same batches for every way."""
    images, labels = arrays
    params = initial(seed, images.shape[1])
    step, state = stepper(PLAIN if way == CLEAN else way), ADAM.init(params)
    rng = np.random.default_rng(seed)
    keys = jax.random.split(jax.random.key(seed), (steps, BATCH))
    rates = optax.cosine_decay_schedule(RATE, steps)(np.arange(steps))
    for rate, key in zip(np.asarray(rates), keys, strict=True):
        rows, others = rng.integers(len(labels), size=(2, BATCH))
        batch = Batch(
            data.noisy(images[rows], rng),
            labels[rows],
            data.noisy(images[others], rng),
            key,
        )
        params, state = step(params, state, rate, batch, mask)
    return params


@jax.jit
def right(params: Any, images: Any, labels: Any) -> jax.Array:
    """Whether each picture is read right."""
    logits = jax.vmap(partial(CNN().apply, params))(images)
    return logits.argmax(-1) == labels


def accuracies(
    params: Any, pictures: Mapping[str, np.ndarray], labels: np.ndarray
) -> dict[str, float]:
    return {
        name: float(right(params, images, labels).mean())
        for name, images in pictures.items()
    }

"""A small convolutional network that says which classes a picture holds."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.common import fit, minibatches
from experiments.pictures.data import (
    BLANK,
    CLASSES,
    CLUTTER,
    CONTRAST,
    GREY,
    SIZE,
    Mosaics,
    Sources,
    draw_mosaics,
    draw_tiles,
    random_kinds,
)

NUM_TILES, NUM_MOSAICS = 8000, 6000
TILE_STEPS, MOSAIC_STEPS = 400, 450
QUICK_STEPS = 220, 160  # as few as see every class
PRIOR = -8.0  # log-odds at each place, before anything is seen there


class Block(nn.Module):
    """A convolution and its ReLU, so that the output of the block is the rectified."""

    features: int
    kernel: int
    stride: int = 1

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = (self.kernel, self.kernel)
        # Without biases, a blank picture has no features: absence is zero throughout.
        conv = nn.Conv(self.features, kernel, self.stride, use_bias=False, name="conv")
        return nn.relu(conv(x))


class CNN(nn.Module):
    """Log-odds that each class is somewhere in the picture, whatever its size."""

    @nn.compact
    def __call__(self, image: jax.Array) -> jax.Array:
        x = (image[..., None] - GREY) / CONTRAST
        x = Block(16, 7, stride=2, name="edges")(x)
        x = nn.avg_pool(x, (2, 2), (2, 2))
        x = Block(32, 3, name="parts")(x)
        x = Block(48, 3, name="features")(x)
        evidence = nn.Dense(
            len(CLASSES), bias_init=nn.initializers.constant(PRIOR), name="evidence"
        )(x)
        # A soft maximum over places: a class counts once it is seen anywhere.
        return jax.nn.logsumexp(evidence, axis=(-3, -2))


def score(image: jax.Array, params: Any, label: jax.Array) -> jax.Array:
    """What is explained: the log-odds of one class."""
    return CNN().apply(params, image)[label]


def initial(seed: int) -> Any:
    """Untrained parameters."""
    return CNN().init(jax.random.key(seed), jnp.zeros((SIZE, SIZE)))


def tile_loss(params: Any, tiles: jax.Array, kinds: jax.Array) -> jax.Array:
    """Cross-entropy of single tiles, with "no class" as the category of reference."""
    logits = jnp.pad(CNN().apply(params, tiles), ((0, 0), (0, 1)))
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, kinds)
    return losses.mean()


def mosaic_loss(params: Any, images: jax.Array, present: jax.Array) -> jax.Array:
    """Cross-entropy of each class being in the mosaic. Where it is, is never told."""
    logits = CNN().apply(params, images)
    return optax.sigmoid_binary_cross_entropy(logits, present).mean()


def train(
    rng: np.random.Generator,
    params: Any,
    pictures: Sources,
    say: Callable[[str], None],
    steps: tuple[int, int] = (TILE_STEPS, MOSAIC_STEPS),
) -> Any:
    """Learn the classes from single tiles, then what "somewhere" means from mosaics.

    Mosaics alone would teach both, in several times the steps.
    """
    kinds = rng.integers(CLUTTER + 1, size=NUM_TILES)
    kinds[: NUM_TILES // 50] = BLANK
    tiles = draw_tiles(rng, kinds, pictures)
    kinds = np.minimum(kinds, CLUTTER)
    params = fit(
        tile_loss,
        params,
        minibatches(rng, (tiles, kinds), 128, steps[0]),
        optimizer(5e-3, steps[0]),
        lambda i, loss: say(f"tiles, step {i}: loss {loss:.3f}"),
    )
    mosaics = draw_mosaics(rng, random_kinds(rng, (NUM_MOSAICS, 2, 2)), pictures)
    return fit(
        mosaic_loss,
        params,
        minibatches(rng, (mosaics.images, mosaics.present), 64, steps[1]),
        optimizer(6e-3, steps[1]),
        lambda i, loss: say(f"mosaics, step {i}: loss {loss:.3f}"),
    )


def optimizer(rate: float, steps: int) -> optax.GradientTransformation:
    """AdamW with a short warm-up and a cosine decay."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, 30, steps)
    return optax.adamw(schedule, weight_decay=1e-3)


def accuracy(params: Any, mosaics: Mosaics) -> dict[str, float]:
    """How often the sign of the log-odds is right: by class, and for whole mosaics."""
    logits = np.asarray(jax.jit(CNN().apply)(params, mosaics.images))
    right = (logits > 0) == (mosaics.present > 0)
    by_class = dict(zip(CLASSES, right.mean(0).tolist(), strict=True))
    every = {"all_five": float(right.all(1).mean()), "mean": float(right.mean())}
    return by_class | every

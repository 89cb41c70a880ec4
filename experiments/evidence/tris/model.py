"""Three networks for pictures of 8 x 8 pixels: linear, dense and convolutional."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from experiments.evidence.tris.data import SIZE

BATCH = 128


class LLR(nn.Module):
    """Linear logistic regression."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(2, use_bias=False, name="logits")(x.ravel())


class MLP(nn.Module):
    """Three hidden layers."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = x.ravel()
        for i, width in enumerate((64, 64, 32)):
            x = nn.relu(nn.Dense(width, name=f"hidden_{i}")(x))
        return nn.Dense(2, name="logits")(x)


class Conv(nn.Module):
    """A convolution of 3 x 3 pixels and its ReLU.

    Written as a product with shifted copies: under `vmap` over networks, XLA on a CPU
    runs this several times faster than its convolution.
    """

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        height, width, _ = x.shape
        padded = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
        shifted = [
            padded[i : i + height, j : j + width] for i in range(3) for j in range(3)
        ]
        x = nn.Dense(self.features, name="kernel")(jnp.concatenate(shifted, -1))
        return nn.relu(x)


class CNN(nn.Module):
    """A convolution large enough for a tetromino, a maximum, and two more."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = Conv(16, name="conv_0")(x[..., None])
        x = nn.max_pool(x, (2, 2), (2, 2))
        x = Conv(16, name="conv_1")(x)
        x = Conv(16, name="conv_2")(x)
        return nn.Dense(2, name="logits")(x.ravel())


class Recipe(NamedTuple):
    """A network, and how it is trained."""

    network: nn.Module
    hidden: tuple[str, ...]  # the layers below the logits
    rate: float
    steps: int
    quick_steps: int


RECIPES = {
    "LLR": Recipe(LLR(), (), 5e-2, 1500, 1500),
    "MLP": Recipe(MLP(), ("hidden_0", "hidden_1", "hidden_2"), 3e-3, 3000, 1000),
    "CNN": Recipe(CNN(), ("conv_0", "conv_1", "conv_2"), 1e-2, 600, 150),
}


def score(network: nn.Module) -> Any:
    """What is explained: `(image, params, label) -> log-odds` of the class."""

    def log_odds(image: jax.Array, params: Any, label: jax.Array) -> jax.Array:
        logits = network.apply(params, image)
        return (logits[1] - logits[0]) * (2 * label - 1)

    return log_odds


def trainer(recipe: Recipe, steps: int) -> Any:
    """`(images, labels, keys) -> parameters` of one network per key, in one program.

    Pictures and labels have the networks along their first axis.
    """
    log_odds = jax.vmap(score(recipe.network), (0, None, 0))
    schedule = optax.warmup_cosine_decay_schedule(0.0, recipe.rate, 50, steps)
    optimizer = optax.adamw(schedule, weight_decay=1e-3)

    def loss(params: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
        return jax.nn.softplus(-log_odds(images, params, labels)).mean()

    def train(images: jax.Array, labels: jax.Array, key: jax.Array) -> Any:
        first, rest = jax.random.split(key)
        params = recipe.network.init(first, jnp.zeros((SIZE, SIZE)))

        def step(carry: Any, key: jax.Array) -> tuple[Any, None]:
            params, state = carry
            rows = jax.random.randint(key, (BATCH,), 0, len(images))
            gradient = jax.grad(loss)(params, images[rows], labels[rows])
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), None

        begin = params, optimizer.init(params)
        return jax.lax.scan(step, begin, jax.random.split(rest, steps))[0][0]

    return jax.jit(jax.vmap(train))


def recogniser(recipe: Recipe) -> Any:
    """`(images, params, labels) -> whether` each network is right on each picture."""
    log_odds = jax.vmap(score(recipe.network), (0, None, 0))
    return jax.jit(jax.vmap(lambda *args: log_odds(*args) > 0))

"""A recurrent network that says the label of every step from the series up to it."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.evidence.programs import fit
from experiments.evidence.series.data import CHANNELS, States

WIDTH, UPDATES, BATCH = 100, 250, 32
RATE, DECAY, DROPOUT = 1e-3, 1e-3, 0.5
OPTIMIZER = optax.adamw(RATE, weight_decay=DECAY)


class Classifier(nn.Module):
    """A GRU, and logits of its rectified state."""

    width: int = WIDTH

    def setup(self) -> None:
        self.gru = nn.GRUCell(self.width)
        self.head = nn.Dense(2)

    def __call__(self, state: jax.Array, row: jax.Array) -> jax.Array:
        """The logits after one more step."""
        return self.logits(self.advance(state, row))

    def advance(self, state: jax.Array, row: jax.Array) -> jax.Array:
        """The next state."""
        return self.gru(state, row)[0]

    def logits(self, state: jax.Array) -> jax.Array:
        """The logits of a state."""
        return self.head(nn.relu(state))


NET = Classifier()
START = np.zeros(WIDTH, np.float32)


def step(
    state: jax.Array, row: jax.Array, params: Any, label: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The next state, and the logit of a label: a step for `series.last_step`."""
    state = NET.apply(params, state, row, method="advance")
    return state, NET.apply(params, state, method="logits")[label]


def states(params: Any, x: jax.Array) -> jax.Array:
    """The state before every step of a series, and the last one."""
    advance = lambda h, row: (NET.apply(params, h, row, method="advance"), h)
    last, before = jax.lax.scan(advance, jnp.zeros((*x.shape[1:-1], WIDTH)), x)
    return jnp.concatenate([before, last[None]])


def logits(params: Any, x: jax.Array) -> jax.Array:
    """The logits at every step of a series, or of a batch on its second axis."""
    return NET.apply(params, states(params, x)[1:], method="logits")


def initial(seed: int) -> Any:
    """Untrained parameters."""
    return NET.init(jax.random.key(seed), jnp.zeros(WIDTH), jnp.zeros(CHANNELS))


def loss(params: Any, x: jax.Array, labels: jax.Array, key: jax.Array) -> jax.Array:
    """Cross-entropy of all steps of all series, with dropout before the logits."""
    after = states(params, jnp.swapaxes(x, 0, 1))[1:]
    kept = jax.random.bernoulli(key, 1 - DROPOUT, after.shape) / (1 - DROPOUT)
    found = NET.apply(params, after * kept, method="logits")
    losses = optax.softmax_cross_entropy_with_integer_labels(found, labels.T)
    return losses.mean()


def train(rng: np.random.Generator, seed: int, data: States, updates: int) -> Any:
    """Fit the network to random batches."""
    keys = jax.random.split(jax.random.key(seed), updates)

    def batches() -> Any:
        for key in keys:
            rows = rng.integers(len(data.x), size=BATCH)
            yield data.x[rows], data.labels[rows], key

    return fit(loss, initial(seed), batches(), OPTIMIZER)


@jax.jit
def predict(params: Any, x: jax.Array) -> jax.Array:
    """The likelier label of every step, `(n, steps)`."""
    return logits(params, jnp.swapaxes(x, 0, 1)).argmax(-1).T


def accuracy(params: Any, data: States) -> float:
    """How often the likelier label is the true one."""
    return float((np.asarray(predict(params, data.x)) == data.labels).mean())


def best_accuracy(data: States) -> float:
    """That of the rule behind the labels, for someone who sees the state."""
    told = data.x[data.salient].reshape(data.labels.shape)
    return float(((told > 0) == data.labels).mean())

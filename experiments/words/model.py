"""A small recurrent classifier of comments: embedding, LSTM, dense layer."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments import common
from experiments.words.comments import words

PADDING, UNKNOWN = 0, 1  # ids of tokens; a word that is absent is an unknown one
NUM_FEATURES, NUM_UNITS = 16, 32
BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 1e-2, 0.3
DROPPED = 0.2  # share of the words that are made unknown in training


class Classifier(nn.Module):
    """The log-odds of spam, from the state of an LSTM after the last word."""

    num_tokens: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        embedded = nn.Embed(self.num_tokens, NUM_FEATURES, name="embed")(tokens)
        states = nn.RNN(nn.OptimizedLSTMCell(NUM_UNITS), name="lstm")(embedded)
        last = jnp.maximum(jnp.sum(tokens != PADDING) - 1, 0)
        return nn.Dense(1, name="log_odds")(states[last])[0]


def log_odds(tokens: jax.Array, params: Any) -> jax.Array:
    """The function to explain: the log-odds of spam."""
    num_tokens = params["params"]["embed"]["embedding"].shape[0]
    return Classifier(num_tokens).apply(params, tokens)


def vocabulary(texts: Iterable[str]) -> dict[str, int]:
    """An id for each word that occurs more than once, from the most frequent on."""
    counts = Counter(word for text in texts for word in words(text))
    known = sorted((-n, word) for word, n in counts.items() if n > 1)
    return {word: i for i, (_, word) in enumerate(known, UNKNOWN + 1)}


def encode(texts: Sequence[str], ids: Mapping[str, int], length: int) -> np.ndarray:
    """Token ids of the first `length` words of each text, padded behind."""
    tokens = np.full((len(texts), length), PADDING, np.int32)
    for row, text in zip(tokens, texts, strict=True):
        found = [ids.get(word, UNKNOWN) for word in words(text)[:length]]
        row[: len(found)] = found
    return tokens


def initial(num_tokens: int, seed: int) -> Any:
    """Parameters before training."""
    tokens = jnp.zeros(2, jnp.int32)
    return Classifier(num_tokens).init(jax.random.key(seed), tokens)


def train(
    rng: np.random.Generator,
    params: Any,
    tokens: np.ndarray,
    spam: np.ndarray,
    steps: int,
    report: Callable[[int, float], None],
) -> Any:
    """Minimise the cross-entropy; words are dropped, so that absence is no surprise."""

    def loss(params: Any, tokens: jax.Array, spam: jax.Array) -> jax.Array:
        scores = jax.vmap(log_odds, (0, None))(tokens, params)
        return optax.sigmoid_binary_cross_entropy(scores, spam).mean()

    def batches() -> Iterable[tuple[np.ndarray, np.ndarray]]:
        for seen, wanted in common.minibatches(rng, (tokens, spam), BATCH, steps):
            dropped = (rng.random(seen.shape) < DROPPED) & (seen != PADDING)
            yield np.where(dropped, np.int32(UNKNOWN), seen), wanted

    schedule = optax.cosine_decay_schedule(LEARNING_RATE, steps)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=WEIGHT_DECAY)
    )
    return common.fit(loss, params, batches(), optimizer, report, every=steps // 4)


@jax.jit
def scores(tokens: jax.Array, params: Any) -> jax.Array:
    """Log-odds of every comment."""
    return jax.vmap(log_odds, (0, None))(tokens, params)


def accuracy(found: np.ndarray, spam: np.ndarray) -> dict[str, float]:
    """The share of comments on the right side, and its standard error."""
    return common.mean_and_error((found > 0) == (spam > 0))

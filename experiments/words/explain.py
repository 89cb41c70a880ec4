"""Four explanations of the log-odds, a number per word."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

import jaxplain as jx
from experiments.words.model import PADDING, UNKNOWN, log_odds

NUM_SAMPLES = 1000
STEPS = 64  # of integrated gradients
CHUNK = 250  # coalitions at once

Explain = Callable[[jax.Array, Any, jax.Array], jax.Array]

# A word that is absent is replaced by an unknown one.
presence = jx.text.masked(log_odds, mask_token=UNKNOWN)


def _coalitions(explain: Callable[..., jax.Array]) -> Explain:
    """An explainer of which words are present; padding is never absent."""

    def of_words(tokens: jax.Array, params: Any, key: jax.Array) -> jax.Array:
        everything = jnp.ones(tokens.shape)
        keep = tokens == PADDING
        return explain(everything, tokens, params, baseline=keep, key=key)

    return of_words


def occlusion(tokens: jax.Array, params: Any, key: jax.Array) -> jax.Array:
    """What is lost where one word is unknown."""
    drop = jx.occlusion(presence)
    return drop(jnp.ones(tokens.shape), tokens, params, baseline=tokens == PADDING)


def integrated_gradients(tokens: jax.Array, params: Any, key: jax.Array) -> jax.Array:
    """On the embeddings, from a comment of unknown words; summed over features."""
    value, head = jx.cut(log_odds, tokens, params, at="embed")
    unknown = params["params"]["embed"]["embedding"][UNKNOWN]
    explain = jx.integrated_gradients(head, steps=STEPS)
    return explain(value, baseline=unknown[None]).sum(-1)


_options = {"num_samples": NUM_SAMPLES, "chunk_size": CHUNK}
METHODS: dict[str, Explain] = {
    "LIME": _coalitions(jx.lime(presence, sampling="text", **_options)),
    "SHAP": _coalitions(jx.kernel_shap(presence, **_options)),
    "Integrated gradients": integrated_gradients,
    "Occlusion": occlusion,
}


@partial(jax.jit, static_argnums=0)
def explain_all(
    name: str, tokens: jax.Array, params: Any, keys: jax.Array
) -> jax.Array:
    """One method on a batch of padded comments, one after another, in one program."""
    one = lambda inputs: METHODS[name](inputs[0], params, inputs[1])
    return jax.lax.map(one, (tokens, keys))

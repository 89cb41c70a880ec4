"""Messages of this room."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _checks
from .._checks._show import describe


def token(name: str, value: Any) -> None:
    """The id of a token, as a Python number: it configures the transform."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(
            f"`{name}` must be the integer id of a token, but is {describe(value)}. "
            f"Look it up in your vocabulary, for example `{name}=1`."
        )
    if value < 0:
        raise ValueError(
            f"`{name}` must not be negative, but is {value}. Ids count from 0; look it "
            "up in your vocabulary."
        )


def tokens(value: Any, name: str, special: int) -> Array:
    """Token ids, among which the special one fits."""
    ids = value if hasattr(value, "dtype") else np.asarray(value)
    if not jnp.issubdtype(ids.dtype, jnp.integer):
        raise TypeError(
            f"`tokens` must be integer ids, but is {describe(ids)}. Pass "
            "`g(present, tokens, *args)`: what is present comes first. Embeddings are "
            "explained without `jaxplain.text`, by any explainer of what follows them."
        )
    if special > jnp.iinfo(ids.dtype).max:
        raise ValueError(
            f"`{name}` must fit the dtype of `tokens`, {ids.dtype.name}, but is "
            f"{special}. Use a wider dtype, such as int32."
        )
    if not _checks.is_traced(ids) and np.size(ids) and np.min(np.asarray(ids)) < 0:
        raise ValueError(
            f"`tokens` must not be negative, but holds {np.min(np.asarray(ids))}. JAX "
            "would count it from the end of the embedding: give unknown words and "
            "padding an id of their own."
        )
    return jnp.asarray(ids)


def present(value: Any, tokens: Array) -> Array:
    """Which tokens are present: one number for each."""
    if not jnp.issubdtype(jnp.result_type(value), jnp.floating):
        raise TypeError(
            f"`present` must be floating-point, but is {describe(value)}. Start from "
            "`jax.numpy.ones(tokens.shape)`, where every token is present."
        )
    if jnp.shape(value) != tokens.shape:
        raise ValueError(
            f"`present` must have the shape of `tokens`, {tokens.shape}, but has "
            f"{jnp.shape(value)}. Explain at `jax.numpy.ones(tokens.shape)`; gather "
            "tokens into words with `groups`, and map over texts with `jax.vmap`."
        )
    if 0 in tokens.shape:
        raise ValueError(
            f"`tokens` must not be empty, but have shape {tokens.shape}. Leave texts "
            "without words out."
        )
    return jnp.asarray(value)


def one_text(tokens: Array) -> None:
    if tokens.ndim != 1:
        raise ValueError(
            f"`tokens` must have shape (length,), but have shape {tokens.shape}: what "
            "is left moves up along one axis. Map over texts with `jax.vmap`."
        )


def weights(
    text: str, spans: Sequence[tuple[int, int]], values: Any, limit: float | None
) -> tuple[list[tuple[int, int]], list[float], float]:
    """Spans in the order of the text, a finite weight for each, and the strongest."""
    if not isinstance(text, str):
        raise TypeError(
            f"`text` must be a string, but is {describe(text)}. Pass the text that "
            "`jaxplain.text.split` was given."
        )
    ordered = _spans(text, spans)
    if _checks.is_traced(values):
        raise TypeError(
            "`weights` must be concrete, but are traced: text is written on the host. "
            "Explain inside `jax.jit`, and highlight outside."
        )
    # float64 by way of JAX, which knows bfloat16.
    array = np.asarray(values).astype(np.float64)
    if array.shape != (len(ordered),):
        raise ValueError(
            f"`weights` must hold one number per span, shape ({len(ordered)},), but "
            f"has shape {array.shape}. Spread weights of groups over their words with "
            "`jaxplain.groups.spread`, and leave padding out."
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        start, end = ordered[bad[0]]
        raise ValueError(
            f"`weights` must be finite, but {bad.size} of {array.size} are not, the "
            f"first that of {text[start:end]!r}. A NaN is a weight that the samples do "
            "not determine: draw more of them, or look where `f` is not finite."
        )
    if limit is not None:
        _checks.positive("limit", limit)
    return ordered, array.tolist(), float(limit or np.abs(array).max(initial=0) or 1)


def _spans(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    ordered, before = [(int(a), int(b)) for a, b in spans], 0
    for start, end in ordered:
        if not before <= start < end <= len(text):
            raise ValueError(
                "`spans` must be pieces of the text in order, without overlap and none "
                f"of them empty, but ({start}, {end}) comes after {before} in a text "
                f"of {len(text)} characters. Leave special tokens out, and gather "
                "parts of words."
            )
        before = end
    return ordered

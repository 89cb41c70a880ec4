"""Messages of this room."""

import reprlib
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import jax
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
    ids = value if hasattr(value, "dtype") else _array_of("tokens", value)
    if not jnp.issubdtype(ids.dtype, jnp.integer):
        raise TypeError(
            f"`tokens` must be integer ids, but is {describe(ids)}. Pass "
            "`g(present, tokens, *args)`: what is present comes first. Embeddings are "
            "explained without `jaxplain.text`, by any explainer of what follows them."
        )
    # JAX without 64 bits would wrap long ids, and say nothing.
    dtype = jax.dtypes.canonicalize_dtype(ids.dtype)
    if special > jnp.iinfo(dtype).max:
        raise ValueError(
            f"`{name}` must fit the dtype of `tokens`, {dtype.name}, but is {special}. "
            f"{_mend(dtype)}"
        )
    if not _checks.is_traced(ids) and np.size(ids):
        least, most = np.min(np.asarray(ids)), np.max(np.asarray(ids))
        if least < 0:
            raise ValueError(
                f"`tokens` must not be negative, but holds {least}. JAX would count it "
                "from the end of the embedding: give unknown words and padding an id "
                "of their own."
            )
        if most > jnp.iinfo(dtype).max:
            raise ValueError(
                f"`tokens` must fit {dtype.name}, which is what JAX makes of "
                f"{ids.dtype.name} here, but holds {most}. {_mend(dtype)}"
            )
    return jnp.asarray(ids)


def _mend(dtype: Any) -> str:
    if dtype.itemsize < 4:
        return "Use a wider dtype, such as int32."
    return "Number the words of the vocabulary from 0."


def _array_of(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"`{name}` must be one array, but holds sequences of different lengths. "
            "Pass those of one text; pad several to one length, and map over them with "
            "`jax.vmap`."
        ) from None


def present(value: Any, tokens: Array) -> Array:
    """Which tokens are present: one number for each."""
    if not jnp.issubdtype(getattr(value, "dtype", type(value)), jnp.floating):
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
    text: str,
    spans: Sequence[tuple[int, int]],
    values: Any,
    limit: float | None,
    unit: str,
) -> tuple[list[tuple[int, int]], list[float], float]:
    """Spans in the order of the text, a finite weight for each, and the strongest."""
    if not isinstance(text, str):
        raise TypeError(
            f"`text` must be a string, but is {describe(text)}. Pass the text that "
            "`jaxplain.text.split` was given."
        )
    ordered = _spans(text, spans)
    if any(map(_checks.is_traced, jax.tree.leaves(values))):
        raise TypeError(
            "`weights` must be concrete, but are traced: text is written on the host. "
            "Explain inside `jax.jit`, and highlight outside."
        )
    array = _array_of("weights", values)
    # Narrow floats of JAX are no numbers to NumPy, but to JAX they are.
    kinds = (jnp.floating, jnp.integer, jnp.bool_)
    if not any(jnp.issubdtype(array.dtype, kind) for kind in kinds):
        raise TypeError(
            f"`weights` must hold real numbers, but holds {array.dtype}. Pass one "
            "number per span, such as the attribution that an explainer returns."
        )
    array = array.astype(np.float64)
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
    if not isinstance(unit, str):
        raise TypeError(
            f"`unit` must be a string, but is {describe(unit)}. Leave it out where "
            "weights have none."
        )
    if limit is not None:
        _checks.positive("limit", limit)
    return ordered, array.tolist(), float(limit or np.abs(array).max(initial=0) or 1)


def _spans(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    ordered, before = _pairs(spans), 0
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


def _pairs(spans: Any) -> list[tuple[int, int]]:
    pairs = []
    for span in spans if isinstance(spans, Iterable) else [spans]:
        try:
            start, end = map(index, span)
        except (TypeError, ValueError):
            raise TypeError(
                "`spans` must hold pairs of integers, `(start, end)`, but holds "
                f"{reprlib.repr(span)}. Take the second of what `words, spans = "
                "jaxplain.text.split(text)` gives."
            ) from None
        pairs.append((start, end))
    return pairs

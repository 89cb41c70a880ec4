"""Keys, and the options of a transform."""

import difflib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._show import describe, is_traced


def key(value: Any, who: str) -> None:
    if value is None:
        raise TypeError(
            f"`key` is missing: {who} draws random samples. "
            "Pass one, for example `key=jax.random.key(0)`."
        )
    typed = isinstance(value, jax.Array) and jnp.issubdtype(
        value.dtype, jax.dtypes.prng_key
    )
    legacy = (
        not typed
        and hasattr(value, "dtype")
        and value.dtype == jnp.uint32
        and value.shape[-1:] in ((2,), (4,))
    )
    if not typed and not legacy:
        raise TypeError(
            f"`key` must be a JAX random key, but is {describe(value)}. "
            "Make one with `jax.random.key(0)`."
        )
    if value.ndim != (0 if typed else 1):
        raise ValueError(
            f"`key` must be one key, but has shape {value.shape}. "
            "Map over keys with `jax.vmap`, or pass one of them."
        )


def count(name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(
            f"`{name}` must be a Python int, but is {describe(value)} ({value!r}). "
            "It sets the size of the program, so it cannot be traced."
        )
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}, but is {value}.")
    return int(value)


def chunk_size(value: int | None) -> None:
    if value is not None:
        count("chunk_size", value)


def positive(name: str, value: Any, *, zero: bool = False) -> None:
    if is_traced(value):
        raise TypeError(
            f"`{name}` must be a Python number, but is traced: it configures the "
            "explainer. Bind it before `jax.jit`."
        )
    kind = "a non-negative" if zero else "a positive"
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"`{name}` must be {kind} number, but is {value!r}.")
    ok = (
        np.ndim(value) == 0
        and np.isfinite(value)
        and (value >= 0 if zero else value > 0)
    )
    if not ok:
        raise ValueError(f"`{name}` must be {kind} number, but is {value!r}.")


def choice(name: str, value: Any, allowed: Sequence[str]) -> None:
    if value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, allowed))}, "
            f"but is {value!r}.{hint}"
        )


def sizes(num_groups: int | None, chunk: int | None) -> None:
    """What sets the size of a program of coalitions."""
    if num_groups is not None:
        count("num_groups", num_groups)
    chunk_size(chunk)


def even_samples(num_samples: Any, most: int) -> None:
    """A number of samples that come in pairs."""
    number = count("num_samples", num_samples, 2)
    if number % 2:
        raise ValueError(
            f"`num_samples` must be even, but is {number}: coalitions come in pairs "
            f"with their complements. Take {number + 1} of them."
        )
    if number > most:
        raise ValueError(
            f"`num_samples` must be at most {most}, but is {number}: there are no more "
            "coalitions. Take all of them with `coalitions.exhaustive`."
        )

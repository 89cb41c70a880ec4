"""The settings in which experiments run: those of their readers."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def relaxed() -> Iterator[None]:
    """32 bits, and JAX's usual promotion of dtypes and ranks."""
    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield

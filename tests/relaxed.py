"""The settings in which experiments run: those of their readers."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

SETTINGS = {
    "jax_enable_x64": False,
    "jax_numpy_dtype_promotion": "standard",
    "jax_numpy_rank_promotion": "allow",
}


@contextmanager
def relaxed() -> Iterator[None]:
    """32 bits, and JAX's usual promotion of dtypes and ranks, in every thread.

    Experiments compile in threads, which the context managers of JAX do not reach.
    """
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    try:
        for name, value in SETTINGS.items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)

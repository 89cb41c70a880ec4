"""Flax nnx: modules do not know their paths; the outermost one knows them all."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from ._patches import patched
from ._paths import chosen, named_by_root


@contextlib.contextmanager
def listen() -> Iterator[None]:
    from flax import nnx

    handler = named_by_root(nnx.Module, _paths, _sizes)
    with patched(nnx.Module, chosen("flax"), handler):
        yield


def _paths(module: Any) -> Iterator[tuple[str, Any]]:
    from flax import nnx

    for path, child in nnx.iter_modules(module):
        yield "/".join(map(str, path)), child


def _sizes(module: Any) -> Any:
    from flax import nnx

    return jax.tree.map(jnp.shape, nnx.to_pure_dict(nnx.state(module)))

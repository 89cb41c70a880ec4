"""Keras on JAX: layers have names of their own, and the call stack has their order."""

import contextlib
from collections.abc import Iterator
from typing import Any

from .._modules import name_of, place
from .._tap import tap_layer
from ._patches import Method, patched


@contextlib.contextmanager
def listen() -> Iterator[None]:
    import keras

    if keras.backend.backend() != "jax":
        yield
        return
    running: list[Any] = []

    def handler(method: Method, layer: Any, *args: Any, **kwargs: Any) -> Any:
        call = lambda: method.original(layer, *args, **kwargs)
        if running and running[-1] is layer:  # `super()`, or `stateless_call`
            return call()
        running.append(layer)
        root = running[0].name
        path = "/".join(inner.name for inner in running[1:])
        name = name_of(path, "__call__")
        try:
            with place((root, "")):
                return tap_layer(call, name, root)
        finally:
            running.pop()

    with patched(keras.Operation, _is_call, handler):
        yield


def _is_call(owner: type, name: str, value: Any) -> bool:
    return name in ("__call__", "stateless_call")

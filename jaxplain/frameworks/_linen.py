"""Flax linen: modules know their paths, and flax lets us intercept their methods."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from .._modules import name_of, place
from .._tap import tap_layer
from ._patches import Method, patched


@contextlib.contextmanager
def listen() -> Iterator[None]:
    from flax import linen as nn
    from flax.linen import transforms

    # `nn.jit` shares the program of modules that differ in nothing but their path.
    proxy = getattr(transforms, "_HashableProxy", None)
    apart = patched(proxy, _is_key, _with_its_path) if proxy else None
    with nn.intercept_methods(_name_output), apart or contextlib.nullcontext():
        yield


def _name_output(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
    module, method = context.module, context.method_name
    run = lambda: call(*args, **kwargs)
    # A method that linen made up, such as the body of a scan, is not the module's.
    public = not method.startswith("_") and method != "setup"
    named = method == "__call__" or (public and hasattr(type(module), method))
    if place.value is None or module.scope is None or not named:
        return run()
    root, _ = place.value
    if not module.path:
        root = type(module).__name__
    path = "/".join(module.path)
    name = name_of(path, method)
    with place((root, path)) if not path else contextlib.nullcontext():
        return tap_layer(run, name, root)


def _is_key(owner: type, name: str, value: Any) -> bool:
    return name == "from_module"


def _with_its_path(make: Method, proxy_class: type, module: Any) -> Any:
    proxy = make.original(proxy_class, module)
    return dataclasses.replace(proxy, hash_key=hash((proxy.hash_key, module.path)))

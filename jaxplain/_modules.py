"""Modules of Flax as pure functions.

A module holds its parameters by reference, and those that use a transform of their own
cannot be called under a transform of JAX. Split outside and merged inside, they can.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import jax

F = TypeVar("F", bound=Callable[..., Any])

# The outermost module and the path of the one that runs, or None where nobody listens.
# Part of the key of jit's cache: a function compiled before is traced again, once for
# every place in the model, so that its names are seen, and are those of that place;
# ordinary calls keep the program they had.
place = jax.make_user_context(None)

PATH = "_jaxplain_path"
"""The attribute of a private copy of a module that holds its path."""


def name_of(path: str, method: str) -> str | None:
    """The name of what a method returns, by the path of its module.

    The outermost module has an empty path. Inside of a model, its methods have no name.
    """
    if not path and place.value[0]:
        return None
    return path if method == "__call__" else f"{path}.{method}"


def functional(f: F) -> F:
    """`f` as a pure function, if it is a module of Flax or a method of one.

    So is a `functools.partial` of one, or of a function that an nnx module is bound to.
    Modules are read when this is called, and never written: every call starts from the
    state that they had then, and what it would change is dropped. Any other function
    comes back as it is.
    """
    nnx, linen = sys.modules.get("flax.nnx"), sys.modules.get("flax.linen")
    module, method = _method(f)
    if linen and isinstance(module, linen.Module) and module.scope is not None:
        pure = _of_bound_linen(module, method)
    elif nnx and isinstance(module, nnx.Module):
        pure = _of_nnx(nnx, [module], lambda modules: getattr(modules[0], method))
    elif isinstance(f, functools.partial):
        return _of_partial(nnx, f)
    else:
        return f
    pure.__name__ = type(module).__name__
    return pure  # pyright: ignore[reportReturnType]


def _method(f: Any) -> tuple[Any, str]:
    """The object that a bound method belongs to, or `f` itself, and the method."""
    if inspect.ismethod(f):
        return f.__self__, f.__name__
    return f, "__call__"


def _of_partial(nnx: Any, f: functools.partial) -> Any:
    inner = functional(f.func)
    bound = [*f.args, *f.keywords.values()]
    if not nnx or not any(isinstance(value, nnx.Module) for value in bound):
        same = inner is f.func
        return f if same else functools.partial(inner, *f.args, **f.keywords)

    def rebuild(bound: list[Any]) -> Callable[..., Any]:
        number = len(f.args)
        keywords = dict(zip(f.keywords, bound[number:], strict=True))
        return functools.partial(inner, *bound[:number], **keywords)

    return _of_nnx(nnx, bound, rebuild)


def _of_nnx(
    nnx: Any, bound: list[Any], rebuild: Callable[[list[Any]], Callable[..., Any]]
) -> Callable[..., Any]:
    """`rebuild(bound)`, with copies of the modules in `bound` at every call."""
    where = [i for i, value in enumerate(bound) if isinstance(value, nnx.Module)]
    definition, state = nnx.split([bound[i] for i in where])
    state = jax.tree.map(lambda leaf: leaf, state)  # else it follows the modules

    def call(*args: Any, **kwargs: Any) -> Any:
        # A copy, since merging would give the variables of the modules themselves.
        private = nnx.merge(definition, state, copy=True)
        if place.value is not None and len(where) == 1:
            # Copies that transforms make of it keep what is written on it.
            for path, child in nnx.iter_modules(private[0]):
                setattr(child, PATH, "/".join(map(str, path)))
        filled = list(bound)
        for i, module in zip(where, private, strict=True):
            filled[i] = module
        return rebuild(filled)(*args, **kwargs)

    return call


def _of_bound_linen(bound: Any, method: str) -> Callable[..., Any]:
    module, variables = bound.unbind()
    mutable = bound.scope.mutable
    rngs = {name: rng.as_jax_rng() for name, rng in bound.scope.rngs.items()}

    def call(*args: Any, **kwargs: Any) -> Any:
        options = {"rngs": rngs, "mutable": mutable, "method": method}
        out = module.apply(variables, *args, **options, **kwargs)
        return out if mutable is False else out[0]

    return call

"""Programs that serve several seeds: compiled once, and two at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import jax
import optax

T, R = TypeVar("T"), TypeVar("R")
Loss = Callable[..., jax.Array]


def fit(
    loss: Loss,
    params: Any,
    batches: Iterable[tuple[Any, ...]],
    optimizer: optax.GradientTransformation,
) -> Any:
    """Minimise `loss(params, *batch)`, one step per batch.

    The next call with the same loss and optimizer finds its step compiled.
    """
    step, state = _step(loss, optimizer), optimizer.init(params)
    for batch in batches:
        params, state = step(params, state, *batch)
    return params


@cache
def _step(loss: Loss, optimizer: optax.GradientTransformation) -> Callable[..., Any]:
    @jax.jit
    def step(params: Any, state: Any, *batch: Any) -> tuple[Any, Any]:
        updates, state = optimizer.update(jax.grad(loss)(params, *batch), state, params)
        return optax.apply_updates(params, updates), state

    return step


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`function` of every item, two at a time: XLA compiles one on each core."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))

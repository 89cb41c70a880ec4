"""Descent to a mask, inside of a program: one scan."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from .. import _checks, _convolutions, _pooling, _tree

if TYPE_CHECKING:
    import optax

RATE = 0.1


def optimizer_or_adam(
    value: Any, steps: int, rate: float = RATE
) -> "optax.GradientTransformation":
    """The user's optimizer, or Adam whose steps fade out, so that it comes to rest."""
    import optax

    if value is None:
        return optax.adam(optax.cosine_decay_schedule(rate, steps))
    if not isinstance(value, optax.GradientTransformation):
        raise TypeError(
            "`optimizer` must be an optimizer of optax, but is "
            f"{_checks.describe(value)}. Pass one, for example `optax.adam(0.1)`."
        )
    return value


def descend(
    loss: Callable[[PyTree], Array],
    start: PyTree,
    optimizer: "optax.GradientTransformation",
    steps: int,
) -> tuple[PyTree, Float[Array, " steps"]]:
    """The last mask, kept between 0 and 1, and the loss before every step."""
    import optax

    def step(state: tuple[PyTree, PyTree], _: Array) -> tuple[Any, Array]:
        mask, memory = state
        value, slope = _value_and_slope(loss, mask)
        # Optimizers multiply numbers by counters, which strict users do not allow.
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            change, memory = optimizer.update(slope, memory, mask)
            mask = optax.apply_updates(mask, change)
        inside = jax.tree.map(lambda a: jnp.clip(a, 0, 1), mask)
        return (inside, memory), value

    state = (start, _alike(optimizer.init(start), start))
    (mask, _), losses = _scan(step, state, steps)
    return mask, losses


def spend(
    loss: Callable[[PyTree], Array],
    start: PyTree,
    area: Float[Array, ""],
    steps: int,
) -> tuple[PyTree, Float[Array, " steps"]]:
    """Frank-Wolfe on the masks of a given area: each step is towards the best of them.

    To first order that is the one of the entries with the lowest slopes. Only their
    order counts, so that entries of small slope are not starved by those of large.
    """
    lag = max(steps / 10, 2)  # a slower start than 2 / (i + 2), which leaps at first

    def step(mask: PyTree, i: Array) -> tuple[PyTree, Array]:
        value, slope = _value_and_slope(loss, mask)
        # Leaves of several dtypes become one vector, which strict users do not allow.
        with jax.numpy_dtype_promotion("standard"):
            flat, unflatten = ravel_pytree(slope)
            # Of equal slopes, such as 0, those that are selected already come first.
            order = jnp.lexsort((-ravel_pytree(mask)[0], flat))
        rank = jnp.argsort(order).astype(flat.dtype)
        # The area need not be a whole number of entries.
        best = unflatten(jnp.clip(area.astype(flat.dtype) * flat.size - rank, 0, 1))
        pace = lag / (i.astype(flat.dtype) + lag)
        move = lambda m, b: m + pace.astype(m.dtype) * (b - m)
        return jax.tree.map(move, mask, best), value

    return _scan(step, start, steps)


def _scan(step: Callable[..., Any], state: PyTree, steps: int) -> Any:
    numbers = jnp.arange(steps, dtype=jnp.int32)
    body, _ = _convolutions.canonical_convolutions(step, state, numbers[0])
    return jax.lax.scan(body, state, numbers)


def _value_and_slope(
    loss: Callable[[PyTree], Array], mask: PyTree
) -> tuple[Array, PyTree]:
    """A factor of 1 has the loss for its slope: one gradient gives both."""

    def scaled(pair: tuple[PyTree, Array]) -> Array:
        value = loss(pair[0])
        return pair[1].astype(value.dtype) * value

    # Made of the mask: under `shard_map` the slope in a constant is a sum over devices.
    one = (jax.tree.leaves(mask)[0].ravel()[0] * 0 + 1).astype(_tree.widest(mask))
    slope, value = _pooling.gradient(scaled)((mask, one))
    return value, slope


def _alike(memory: PyTree, start: PyTree) -> PyTree:
    """Memory that varies over a mesh as the start does."""
    nothing = jax.tree.leaves(start)[0].ravel()[0] * 0

    def like(leaf: Any) -> Array:
        leaf = jnp.asarray(leaf)
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf  # of an optimizer that adds noise
        return leaf + nothing.astype(leaf.dtype)

    return jax.tree.map(like, memory)

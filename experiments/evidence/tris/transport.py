"""The earth mover's distance from a map to a mask, exactly, for many maps at once."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evidence.tris.data import SIZE

PLACES = np.indices((SIZE, SIZE)).reshape(2, -1).T
DISTANCES = np.linalg.norm(PLACES[:, None] - PLACES, axis=-1).astype(np.float32)
FARTHEST = np.sqrt(2.0) * SIZE  # what the paper divides by
CHUNK = 256
ROUNDING = 2e-6  # of the mass: what is less is not moved


def score(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """One less the distance as a share of the diagonal: 1 where map and mask agree.

    `maps` and `masks` are `(n, SIZE, SIZE)`; all masks have as many pixels. A map of
    zeros is taken for a constant one.
    """
    weights = np.abs(maps).reshape(len(maps), -1).astype(np.float32)
    weights = np.where(weights.any(1, keepdims=True), weights, 1)
    pixels = np.nonzero(masks.reshape(len(masks), -1))[1].reshape(len(masks), -1)
    missing = -len(maps) % CHUNK
    weights, pixels = (
        np.pad(a, ((0, missing), (0, 0)), mode="edge") for a in (weights, pixels)
    )
    chunks = zip(
        weights.reshape(-1, CHUNK, weights.shape[1]),
        pixels.reshape(-1, CHUNK, pixels.shape[1]),
        strict=True,
    )
    found = np.concatenate([np.asarray(distances(*chunk)) for chunk in chunks])
    return 1 - found[: len(maps)] / FARTHEST


@jax.jit
def distances(weights: jax.Array, pixels: jax.Array) -> jax.Array:
    """The distance of each map from its mask, given as the numbers of its pixels."""
    return jax.vmap(distance)(weights, pixels)


def distance(weights: jax.Array, pixels: jax.Array) -> jax.Array:
    """The least work that moves the mass of a map evenly onto some pixels.

    All mass starts at the nearest of them; then what is too much at one moves on, each
    time along the cheapest way there is, which may pass through others. Such a plan is
    the best for what the pixels hold so far, so it is the best when all hold the same.
    """
    cost = jnp.asarray(DISTANCES)[:, pixels]
    k = len(pixels)
    start = jax.nn.one_hot(cost.argmin(1), k) * (weights / weights.sum())[:, None]

    def unfinished(flow: jax.Array) -> jax.Array:
        return (flow.sum(0) - 1 / k).max() > ROUNDING

    flow = jax.lax.while_loop(unfinished, partial(moved, cost), start)
    return (flow * cost).sum()


def moved(cost: jax.Array, flow: jax.Array) -> jax.Array:
    """The plan after one more load has gone from a pixel with too much."""
    k = flow.shape[1]
    excess = flow.sum(0) - 1 / k
    # What mass of pixel j costs to send to pixel l instead, for the sources that mind
    # least, and how much these have there.
    change = jnp.where(flow[:, :, None] > 0, cost[:, None] - cost[:, :, None], jnp.inf)
    step = change.min(0)
    least = jnp.where(change == step, flow[:, :, None], 0.0)
    there = least.sum(0)
    length, before = shortest(step, excess > ROUNDING)
    target = jnp.where(excess < -ROUNDING / (2 * k), length, jnp.inf).argmin()
    used, origin = way(before, target)
    load = jnp.minimum(excess[origin], -excess[target])
    load = jnp.minimum(load, jnp.where(used, there, jnp.inf).min())
    taken = least * jnp.where(used, load / there, 0.0)
    return flow + taken.sum(1) - taken.sum(2)


def shortest(step: jax.Array, starts: jax.Array) -> tuple[jax.Array, jax.Array]:
    """How far each pixel is from those that have too much, and what comes before."""

    def relaxed(_: int, found: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        length, before = found
        through = length[:, None] + step
        # Rounding must not find a way round in circles.
        nearer = through.min(0) < length - 1e-5
        return (
            jnp.where(nearer, through.min(0), length),
            jnp.where(nearer, through.argmin(0), before),
        )

    length = jnp.where(starts, 0.0, jnp.inf)
    return jax.lax.fori_loop(
        0, len(step) - 1, relaxed, (length, jnp.full(len(step), -1))
    )


def way(before: jax.Array, target: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The steps that lead to a pixel, as a mask of pairs, and where they begin."""

    def back(_: int, found: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        used, at = found
        last = before[at]
        used = used.at[last, at].max(last >= 0)
        return used, jnp.where(last >= 0, last, at)

    used = jnp.zeros((len(before), len(before)), bool)
    return jax.lax.fori_loop(0, len(before) - 1, back, (used, target))

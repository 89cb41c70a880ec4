"""Learned masks of several areas, and the two maps that are made of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxplain import perturbations, series

KEPT = 0.99  # of what the function has above what it has of nothing
ZERO, BLUR = "Mask, to 0", "Mask, to a blur"


class Masks(NamedTuple):
    """Two ways to make one map of masks of several areas."""

    smallest: jax.Array  # of those that keep what they should
    mean: jax.Array


def learned(
    f: Callable[[jax.Array], jax.Array],
    x: jax.Array,
    areas: np.ndarray,
    steps: int,
    sigma: float | None = None,
) -> Masks:
    """Masks that keep `f`, fading what they drop to 0, or blurring it along time.

    Dynamask with a blur, but with masks of given areas instead of a price of the area.
    """
    g, at = (f, x) if sigma is None else _blurred(f, x, sigma)
    fit = perturbations.learned_mask(g, steps=steps)
    found = jax.vmap(lambda area: fit(at, baseline=0.0, area=area))(jnp.asarray(areas))
    whole, nothing = g(at), g(jnp.zeros_like(at))
    enough = found.value - nothing >= KEPT * (whole - nothing)
    first = jnp.argmax(enough.at[-1].set(True))
    return Masks(found.mask[first], found.mask.mean(0))


def _blurred(f: Any, x: jax.Array, sigma: float) -> tuple[Any, jax.Array]:
    of_present = series.unfocused(f, sigma=sigma)
    return lambda present: of_present(present, x), jnp.ones_like(x)


def mean_of(name: str) -> str:
    """The name of the mean over areas."""
    return f"{name}, mean"


def rows(name: str, found: Any) -> dict[str, np.ndarray]:
    """The maps of a method, by the names of their rows."""
    if not isinstance(found, Masks):
        return {name: np.asarray(found)}
    smallest, mean = map(np.asarray, found)
    return {name: smallest, mean_of(name): mean}

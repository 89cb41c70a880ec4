"""Which conditions matter at all: elementary effects and shares of the variance."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from experiments.traffic import factors as fs
from jaxplain import sensitivity

REPLICATES = 8
INTERVAL = 2.365  # standard errors: 95 % of Student's t with 7 degrees of freedom


class Size(NamedTuple):
    """How many trajectories of Morris, and how many rows of the design of Sobol."""

    num_trajectories: int = 300  # the chapter's
    num_samples: int = 1024


class Sensitivity(NamedTuple):
    """Of one function of the conditions, by group of factors.

    `mu`, `mu_star` and `sigma` are in vehicles/hour over the whole range of the group;
    a yes-or-no, which changes all at once in a step of two thirds, counts one and a
    half times. The indices are shares of the variance.
    """

    mu: Any
    mu_star: Any
    sigma: Any
    mu_star_error: Any
    first: Any
    total: Any
    first_error: Any
    total_error: Any
    variance: Any


def analyse(
    f: Callable[..., jax.Array],
    factors: fs.Factors,
    key: jax.Array,
    *args: Any,
    size: Size,
) -> Sensitivity:
    """Both methods on `f(point, *args)`, each as one compiled program."""
    grouped = dict(num_groups=len(factors.names), chunk_size=256)
    morris = sensitivity.morris(
        f, num_trajectories=size.num_trajectories, levels=4, **grouped
    )
    sobol = sensitivity.sobol_indices(
        f, num_samples=size.num_samples, num_replicates=REPLICATES, **grouped
    )
    morris_key, sobol_key = jr.split(key)
    ends = jnp.asarray(factors.low), jnp.asarray(factors.high)

    @jax.jit
    def both(*args: Any) -> tuple[Any, Any]:
        groups = jnp.asarray(factors.groups)
        return (
            morris(*ends, *args, key=morris_key, groups=groups),
            sobol(*ends, *args, key=sobol_key, groups=groups),
        )

    effects, shares = jax.tree.map(np.asarray, both(*args))
    return Sensitivity(
        effects.mu,
        effects.mu_star,
        effects.sigma,
        effects.mu_star_error,
        shares.first,
        shares.total,
        shares.first_error,
        shares.total_error,
        shares.variance,
    )


def of_scenarios(
    f: Callable[..., jax.Array],
    factors: fs.Factors,
    reference: jax.Array,
    key: jax.Array,
    *args: Any,
    size: Size,
) -> Sensitivity:
    """What moves `f(window, *args)` if the last day is made up."""

    def forecast(point: jax.Array, reference: jax.Array, *args: Any) -> jax.Array:
        return f(fs.scenario(point, reference, factors), *args)

    return analyse(forecast, factors, key, reference, *args, size=size)


def of_record(
    factors: fs.Factors, record: fs.Record, key: jax.Array, *, size: Size
) -> Sensitivity:
    """What moves the forecast that was made for the most similar hour on record."""
    forecast = partial(fs.look_up, factors=factors)
    return analyse(forecast, factors, key, record, size=size)


def share_on_record(
    factors: fs.Factors, record: fs.Record, key: jax.Array, num: int = 1000
) -> float:
    """Of random conditions, how many have an hour on record that is alike."""
    low, high = jnp.asarray(factors.low), jnp.asarray(factors.high)
    draws = jr.uniform(key, (num, len(low)), low.dtype)
    points = low[None] + draws * (high - low)[None]

    @jax.jit
    def alike(points: jax.Array, record: fs.Record) -> jax.Array:
        one = lambda point: fs.nearest(point, record, factors).alike
        return jax.lax.map(one, points, batch_size=64)

    return float(alike(points, record).mean())


def describe(names: tuple[str, ...], found: Sensitivity) -> dict[str, Any]:
    """All numbers by name, for `metrics.json`."""
    per_name = found._asdict()
    variance = per_name.pop("variance")
    return {
        "variance": variance,
        **{
            key: dict(zip(names, np.asarray(values).tolist(), strict=True))
            for key, values in per_name.items()
        },
    }

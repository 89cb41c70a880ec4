"""A game, seen at its ends and at the coalitions of a design."""

import math
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, overload

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _regression, coalitions, games
from .._types import Draw, Labels, PRNGKey, Scalar, Ts, X


class Estimate(NamedTuple, Generic[X]):
    """An estimate of one value per player, and what it knows of its error.

    Attributes:
        values: The estimate, in the units of `f`: shape `(num_groups,)`, or shaped
            like `x`.
        standard_error: Standard error of each value, in the same units; 0 where it is
            exact.
        evaluations: Number of evaluations of `f`.
    """

    values: X
    standard_error: X
    evaluations: Int[Array, ""]


class Estimated(Protocol[X, *Ts]):
    """`fit(x, *args, baseline, key, groups=None)` returns an `Estimate`."""

    @overload
    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, key: PRNGKey
    ) -> Estimate[X]: ...
    @overload
    def __call__(
        self,
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike,
        key: PRNGKey,
        groups: Labels,
    ) -> Estimate[Array]: ...


class Sample(NamedTuple):
    """Values of a game above that of no player, in a unit of their own.

    Attributes:
        unit: A power of 2, in the units of `f`, in which all values are below 4.
        full: Value of all players.
        values: Values of the coalitions between, in the order of the design.
        draw: The design.
        counts: How many coalitions of each size there are, from 0 to `num_groups`.
        num_groups: Number of players.
        chunk_size: Number of coalitions to look at once.
    """

    unit: Scalar
    full: Scalar
    values: Float[Array, " num_samples"]
    draw: Draw
    counts: np.ndarray
    num_groups: int
    chunk_size: int | None

    @property
    def evaluations(self) -> Int[Array, ""]:
        return jnp.asarray(len(self.values) + 2, jnp.int32)

    @property
    def share(self) -> Scalar:
        """What each player gets if all get the same."""
        return self.full / self.num_groups


Estimator = Callable[[Sample], Estimate[Array]]
Design = Callable[[PRNGKey, int, int], tuple[Draw, np.ndarray]]
"""The key, the number of players and of samples, to a design and its counts."""


def observe(
    value: Callable[[Array], Scalar],
    design: tuple[Draw, np.ndarray],
    num_groups: int,
    chunk_size: int | None,
) -> Sample:
    """Evaluate a game at its ends, and at a design."""
    draw, counts = design

    def with_ends(i: Array) -> Array:
        # First the empty and the full coalition, so that one loop traces `f` once.
        return jnp.where(i < 2, i == 1, draw(jnp.maximum(i - 2, 0)))

    values = games.evaluate(value, with_ends, int(counts.sum()) + 2, chunk_size)
    # Every value is a mean over coalitions: one that is not finite spoils them all.
    values = jnp.where(jnp.isfinite(values).all(), values, jnp.nan)
    unit, above = _regression.in_own_unit(values - values[0])
    return Sample(unit, above[1], above[2:], draw, counts, num_groups, chunk_size)


def in_place(
    found: Estimate[Array], unit: Any, unflatten: Callable[[Array], X]
) -> Estimate[X]:
    """An estimate in the units of `f`, and in the shape that the user asked for."""
    return Estimate(
        unflatten(found.values * unit),
        unflatten(found.standard_error * unit),
        found.evaluations,
    )


def every_coalition(num_groups: int) -> tuple[Draw, np.ndarray]:
    """The design of all coalitions between the empty and the full one."""
    every = coalitions.exhaustive(num_groups)
    counts = [math.comb(num_groups, s) for s in range(num_groups + 1)]
    return lambda i: every(i + 1), np.array([0, *counts[1:-1], 0])


def enumerates(num_groups: int, num_samples: int) -> bool:
    """Does the budget cover every coalition?"""
    return num_groups <= 31 and 2**num_groups - 2 <= num_samples


def stratified(sizes: coalitions.Sizes) -> Design:
    """Pairs without replacement; an odd sample would stand alone, and is left out."""

    def design(key: PRNGKey, num_groups: int, num_samples: int) -> Any:
        even = num_samples - num_samples % 2
        draw = coalitions.stratified(key, num_groups, even, sizes=sizes)
        return draw, coalitions.allocation(num_groups, even, sizes=sizes)

    return design

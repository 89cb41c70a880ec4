"""A linear model of a neighbourhood that is drawn from the training data."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _checks, _tree
from .._types import PRNGKey, Ts
from ..surrogates import Surrogate
from ..surrogates._fit import fit
from ..surrogates._regress import enough
from ..surrogates._selection import chooser
from ..surrogates._types import Selection
from ._bins import Bins


class Explained(Protocol[*Ts]):
    """`fit(row, *args, bins, key)` returns a `Surrogate`."""

    def __call__(
        self, row: Float[Array, " columns"], /, *args: *Ts, bins: Bins, key: PRNGKey
    ) -> Surrogate[Array]: ...


class Options(NamedTuple):
    """How the model is fitted."""

    num_samples: int
    width: float | None
    ridge: float
    num_features: int | None
    selection: Selection
    chunk_size: int | None


def check(options: Options) -> None:
    _checks.count("num_samples", options.num_samples)
    if options.width is not None:
        _checks.positive("width", options.width)
    _checks.positive("ridge", options.ridge, zero=True)
    _checks.chunk_size(options.chunk_size)
    chooser(options.selection, options.num_features)


def width_for(options: Options, num_columns: int) -> float:
    return 0.75 * num_columns**0.5 if options.width is None else options.width


def kernel_of_one(width: float) -> float:
    """The weight at a distance of 1."""
    with np.errstate(over="ignore"):  # the weight is 0
        return float(np.exp(-np.square(1 / np.float64(width)) / 2))


class Neighbourhood(NamedTuple):
    """Random rows, and what the linear model sees of them.

    Attributes:
        draw: The index of a neighbour to its row, and a record of how it was drawn.
        represent: Such a record to the features of the model.
        origin: The features of the row that is explained.
        local: Are neighbours as frequent as they are near, and so of equal weight?
    """

    draw: Callable[[Array], tuple[Array, Any]]
    represent: Callable[[Any], Array]
    origin: Array
    local: bool = False


def of_rows(
    who: str,
    f: Callable[..., Any],
    row: Array,
    args: tuple,
    near: Neighbourhood,
    options: Options,
) -> Surrogate[Array]:
    """Evaluate `f` on the row and its neighbours, and fit.

    The neighbours are evaluated apart from the row, and only their records are kept.
    Where these do not depend on the row, a `vmap` over rows evaluates them once.
    """
    number = options.num_samples
    enough(who, number, len(near.origin), options.ridge, options.num_features)
    f = _checks.scalar(f)

    def value(x: Array) -> Array:
        found = f(x, *args)
        return found.astype(_tree.accumulator(found.dtype))

    def sample(i: Array) -> tuple[Array, Any]:
        neighbour, record = near.draw(i)
        return value(neighbour), record

    rest, records = _tree.map_samples(sample, number - 1, options.chunk_size)
    values = jnp.concatenate([value(row)[None], rest])

    def features(i: Array) -> Array:
        record = jax.tree.map(lambda leaf: leaf[jnp.maximum(i - 1, 0)], records)
        z = near.represent(record).astype(values.dtype)
        return jnp.where(i == 0, near.origin.astype(values.dtype), z)

    found = regress(values, features, near, options)
    return found._replace(
        weights=found.weights.astype(row.dtype),
        standard_error=found.standard_error.astype(row.dtype),
    )


def regress(
    values: Float[Array, " n"],
    features: Callable[[Array], Float[Array, " columns"]],
    near: Neighbourhood,
    options: Options,
) -> Surrogate[Array]:
    """Ridge regression, weighted by the Euclidean distance between features."""
    return fit(
        values,
        features,
        log_weight(near, options, values.dtype),
        len(near.origin),
        options.ridge,
        chooser(options.selection, options.num_features),
        options.chunk_size,
    )


def log_weight(
    near: Neighbourhood, options: Options, dtype: Any
) -> Callable[[Array], Float[Array, ""]]:
    """Features to the logarithm of their weight."""
    origin = near.origin.astype(dtype)
    # A width of 0 in a narrow dtype would make the distance 0 of the row NaN.
    unit = max(width_for(options, len(origin)), float(jnp.finfo(dtype).tiny))

    def of_features(z: Array) -> Float[Array, ""]:
        if near.local:
            return jnp.zeros((), dtype)
        return -jnp.sum(((z.astype(dtype) - origin) / unit) ** 2) / 2

    return of_features

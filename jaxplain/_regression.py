"""Weighted least squares over a stream of coalitions.

Only sums cross a chunk, so that memory follows the chunk, not the number of samples.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from . import _tree
from ._types import Scalar

Row: TypeAlias = Callable[[Array], tuple[Array, Array, Array]]
"""The index of a sample to its features `z`, its target `y` and its weight `w`."""


def weighted_means(
    row: Row, num_samples: int, chunk_size: int | None
) -> tuple[Array, Array, Array]:
    """The total weight, and the weighted means of the features and of the target."""

    def part(indices: Array, valid: Array) -> tuple:
        z, y, w = jax.vmap(row)(indices)
        w = w * valid.astype(w.dtype)
        return (w.sum(), dot(w, z), dot(w, y)), ()

    (total, z, y), _ = _tree.loop(part, num_samples, chunk_size)
    return total, z / total, y / total


def normal_equations(
    row: Row, num_samples: int, chunk_size: int | None
) -> tuple[Float[Array, "d d"], Float[Array, " d"]]:
    """The Gram matrix and the moment of weighted least squares."""

    def part(indices: Array, valid: Array) -> tuple:
        z, y, w = jax.vmap(row)(indices)
        weighted = z * (w * valid.astype(w.dtype))[:, None]
        return (dot(weighted.T, z), dot(weighted.T, y)), ()

    return _tree.loop(part, num_samples, chunk_size)[0]


def minimum_norm(gram: Float[Array, "d d"], moment: Array) -> tuple[Array, Array]:
    """The shortest solution, and how much of each unknown lies in the null space."""
    solution = spectral(gram, moment, 0.0)
    return solution.phi, solution.lost


def in_own_unit(values: Array) -> tuple[Scalar, Array]:
    """A power of 2 in the units of the values, and the values in it: all below 4.

    Squares neither overflow nor vanish, and no digit changes. What is not finite has
    no say, and stays as it is.
    """
    size = jnp.where(jnp.isfinite(values), jnp.abs(values), 0)
    # The answer does not depend on the unit, so no derivative runs through it.
    largest = jax.lax.stop_gradient(size.max())
    # Neither the unit nor one over it may be so small that hardware takes it for 0.
    usable = largest > 4 * jnp.finfo(values.dtype).tiny
    _, exponent = jnp.frexp(jnp.where(usable, largest, 1))
    unit = jnp.ldexp(jnp.ones_like(largest), exponent - 2)
    return unit, values / unit


def constant(values: Array) -> Bool[Array, ""]:
    """Do values in their own unit differ by no more than rounding?

    Values of which one is not finite do not.
    """
    rounding = 8 * jnp.finfo(values.dtype).eps * jnp.abs(values).max()
    # On CPU the maximum of thousands of values passes over NaN.
    finite = jnp.isfinite(values).all()
    return finite & ((values.max() - values.min()) / 2 <= rounding)


def root(variance: Array) -> Array:
    """The square root, with a derivative of 0 where it is 0."""
    positive = variance > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1)), variance)


def dot(a: Array, b: Array) -> Array:
    """The product of matrices or vectors."""
    # Full float32 on every device: normal equations square the condition number.
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


class Spectral(NamedTuple):
    """The solution of least squares by the spectrum of its Gram matrix.

    Attributes:
        phi: Solution, the shortest of many.
        inverse: Inverse of the regularised matrix, or its pseudo-inverse.
        lost: How much of each unknown lies in the null space; 0 with a penalty.
        condition: Condition number of the regularised matrix.
    """

    phi: Array
    inverse: Float[Array, "d d"]
    lost: Float[Array, " d"]
    condition: Float[Array, ""]


def spectral(gram: Float[Array, "d d"], moment: Array, ridge: float) -> Spectral:
    """Solve `(gram + ridge I) phi = moment`, however close to singular.

    Of all of it only `phi` depends on the moment, so that moments mapped over a batch
    share the rest.
    """
    # Repeated coalitions can make this singular, so no Cholesky. The spectrum depends
    # on the masks alone: no derivative of a model runs through it.
    values, vectors = jnp.linalg.eigh(gram)
    if ridge > 0:
        # Rounding makes an eigenvalue of 0 negative, and may outweigh a small penalty.
        values = jnp.maximum(values, 0) + ridge
    cutoff = 4 * len(gram) ** 0.5 * jnp.finfo(gram.dtype).eps * jnp.max(values)
    kept = values > (0 if ridge > 0 else cutoff)
    reciprocal = jnp.where(kept, 1 / jnp.where(kept, values, 1), 0)[None]
    inverse = dot(vectors * jnp.broadcast_to(reciprocal, vectors.shape), vectors.T)
    lost = jnp.where(kept[None], 0, vectors**2).sum(1)
    phi = dot(inverse, moment)
    # One step of refinement wins back what float32 loses to a large condition number.
    phi = phi + dot(inverse, moment - dot(gram, phi) - ridge * phi)
    lowest = jnp.where(kept.all(), values.min(), 1)
    condition = jnp.where(kept.all(), values.max() / lowest, jnp.inf)
    return Spectral(phi, inverse, lost, condition)


class Errors(NamedTuple):
    """What a weighted regression leaves unexplained.

    Attributes:
        squared: Squared standard error of each weight (HC3).
        unexplained: Weighted sum of squared residuals.
        variance: Weighted sum of squared targets.
        squared_weights: Sum of the squared weights of the samples.
    """

    squared: Float[Array, " d"]
    unexplained: Float[Array, ""]
    variance: Float[Array, ""]
    squared_weights: Float[Array, ""]


def errors(
    row: Row,
    phi: Float[Array, " d"],
    inverse: Float[Array, "d d"],
    total: Float[Array, ""],
    num_samples: int,
    chunk_size: int | None,
) -> Errors:
    """The diagonal of the HC3 covariance of `phi`, and three sums, for centred rows.

    The kernel weights are not inverse variances, so the classical covariance of least
    squares would be wrong. Targets mapped over a batch share all products of matrices.
    """

    def part(indices: Array, valid: Array) -> tuple:
        z, y, w = jax.vmap(row)(indices)
        w = w * valid.astype(w.dtype)
        reach = dot(z, inverse)
        leverage = w * (jnp.sum(reach * z, 1) + 1 / total)
        tiny = jnp.finfo(w.dtype).eps
        residual = y - dot(z, phi)
        score = w * residual / jnp.maximum(1 - leverage, tiny)
        sums = Errors(
            dot(score**2, reach**2),
            dot(w, residual**2),
            dot(w, y**2),
            jnp.sum(w**2),
        )
        return sums, ()

    return _tree.loop(part, num_samples, chunk_size)[0]

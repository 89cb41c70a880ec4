"""Weighted least squares over a stream of coalitions.

Only sums cross a chunk, so that memory follows the chunk, not the number of samples.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from . import _tree

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
    # Repeated coalitions can make this singular, so no Cholesky. The spectrum depends
    # on the masks alone: no derivative of a model runs through it.
    values, vectors = jnp.linalg.eigh(gram)
    cutoff = 4 * len(gram) ** 0.5 * jnp.finfo(gram.dtype).eps * jnp.max(values)
    kept = values > cutoff
    inverse = jnp.where(kept, 1 / jnp.where(kept, values, 1), 0)[None]
    scaled = vectors * jnp.broadcast_to(inverse, vectors.shape)
    lost = jnp.where(kept[None], 0, vectors**2).sum(1)
    inverse = dot(scaled, vectors.T)
    phi = dot(inverse, moment)
    # One step of refinement wins back what float32 loses to a large condition number.
    return phi + dot(inverse, moment - dot(gram, phi)), lost


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
    lowest = jnp.where(kept.all(), values.min(), 0)
    return Spectral(phi, inverse, lost, values.max() / lowest)


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

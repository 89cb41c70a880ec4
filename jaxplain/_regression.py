"""Weighted least squares over a stream of coalitions.

Only sums cross a chunk, so that memory follows the chunk, not the number of samples.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
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


def sandwich(
    row: Row,
    phi: Float[Array, " d"],
    inverse: Float[Array, "d d"],
    total: Float[Array, ""],
    num_samples: int,
    chunk_size: int | None,
) -> tuple[Float[Array, "d d"], Float[Array, ""], Float[Array, ""]]:
    """The HC3 covariance of `phi`, and the weighted squares of residuals and targets.

    For centred rows. The kernel weights are not inverse variances, so the classical
    covariance of least squares would be wrong.
    """

    def part(indices: Array, valid: Array) -> tuple:
        z, y, w = jax.vmap(row)(indices)
        w = w * valid.astype(w.dtype)
        residual = y - dot(z, phi)
        leverage = w * (jnp.sum(dot(z, inverse) * z, 1) + 1 / total)
        tiny = jnp.finfo(w.dtype).eps
        score = z * (w * residual / jnp.maximum(1 - leverage, tiny))[:, None]
        return (dot(score.T, score), dot(w, residual**2), dot(w, y**2)), ()

    (meat, unexplained, variance), _ = _tree.loop(part, num_samples, chunk_size)
    return dot(dot(inverse, meat), inverse), unexplained, variance


def solve(gram: Float[Array, "d d"], moment: Array, ridge: float) -> Array:
    """Solve `(gram + ridge I) phi = moment`; the shortest solution of many.

    `moment` has shape `(d,)` or `(d, k)`.
    """
    if ridge > 0:
        factor = jsl.cho_factor(gram + ridge * jnp.eye(len(gram), dtype=gram.dtype))
        return jsl.cho_solve(factor, moment)
    return minimum_norm(gram, moment)[0]


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

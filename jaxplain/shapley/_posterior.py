"""Linear functionals of a Gaussian process with a free linear mean."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Bool, Float

from .. import _regression


class Prior(NamedTuple):
    """A covariance, at the observations and with the functionals of interest.

    Attributes:
        gram: Covariance of the observations.
        cross: Covariance of the functionals and the observations.
        variance: Variance of the functionals.
    """

    gram: Float[Array, "n n"]
    cross: Float[Array, "q n"]
    variance: Float[Array, " q"]


class Posterior(NamedTuple):
    """What a prior makes of the observations.

    Attributes:
        evidence: Logarithm of the restricted likelihood, up to a constant.
        mean: Mean of the functionals.
        variance: Variance of the functionals.
        known: Whether the observations determine the features of each.
    """

    evidence: Float[Array, ""]
    mean: Float[Array, " q"]
    variance: Float[Array, " q"]
    known: Bool[Array, " q"]


def condition(
    prior: Prior,
    features: Float[Array, "n p"],
    to_values: Float[Array, "q p"],
    y: Float[Array, " n"],
) -> Posterior:
    r"""Universal kriging: generalised least squares for the mean, and what is left.

    $$\hat\phi = L \hat\beta + \Phi K^{-1} (y - X \hat\beta), \qquad
    \hat\beta = (X^\top K^{-1} X)^{-1} X^\top K^{-1} y$$

    for features $X$, whose functionals are $L$. The evidence is the restricted
    likelihood. The scale of the process is integrated out, which leaves a Student
    distribution with $n - p$ degrees of freedom. All but a few products with `y` is
    shared by all `y` under `jax.vmap`.
    """
    n = len(features)
    eps = float(jnp.finfo(y.dtype).eps)
    noise = jitter(y.dtype) * jnp.eye(n, dtype=y.dtype)
    lower = jnp.linalg.cholesky(prior.gram + noise)
    whiten = lambda a: jsl.solve_triangular(lower, a, lower=True)
    design, cross, b = whiten(features), whiten(prior.cross.T), whiten(y)
    # Few coalitions may not tell the features apart, so no Cholesky.
    size, direction = jnp.linalg.eigh(_regression.dot(design.T, design))
    kept = size > 4 * len(size) ** 0.5 * eps * size.max()
    shrink = jnp.where(kept, 1 / jnp.sqrt(jnp.where(kept, size, 1)), 0)
    scaled = direction * shrink[None]
    basis = _regression.dot(design, scaled)  # orthonormal: what the features can reach
    reached = _regression.dot(basis.T, b)
    rest = b - _regression.dot(basis, reached)
    beta = _regression.dot(scaled, reached)
    mean = _regression.dot(to_values, beta) + _regression.dot(cross.T, rest)
    free = _regression.dot(to_values - _regression.dot(cross.T, design), scaled)
    unknown = prior.variance - (cross**2).sum(0) + (free**2).sum(1)
    lost = jnp.where(kept[None], 0, _regression.dot(to_values, direction) ** 2).sum(1)
    freedom = n - kept.sum().astype(y.dtype)
    scale = _regression.dot(rest, rest) / jnp.maximum(freedom, 1)
    student = scale * jnp.where(freedom > 2, freedom / (freedom - 2), jnp.inf)
    log_size = jnp.where(kept, jnp.log(jnp.where(kept, size, 1)), 0).sum() / 2
    log_det = jnp.log(jnp.diagonal(lower)).sum() + log_size
    return Posterior(
        -freedom / 2 * jnp.log(scale + eps**2) - log_det,  # `y` is of order 1
        mean,
        jnp.where(unknown > 0, student * jnp.maximum(unknown, 0), 0),
        lost < 0.01,
    )


def jitter(dtype: Any) -> float:
    """A little noise, without which rounding would make a covariance indefinite."""
    return float(jnp.finfo(dtype).eps) ** 0.6


def averaged(
    prior: Callable[[Any], Prior],
    bank: Any,
    features: Float[Array, "n p"],
    to_values: Float[Array, "q p"],
    y: Float[Array, " n"],
) -> Posterior:
    """The mixture over a bank of priors, each in proportion to its evidence.

    `bank` holds one row per prior; one of them is in memory at a time.
    """
    scale = size_of(y)
    one = lambda row: condition(prior(row), features, to_values, y / scale)
    found = jax.lax.map(one, bank)
    # A covariance that rounding made indefinite has no say.
    evidence = jnp.where(jnp.isnan(found.evidence), -jnp.inf, found.evidence)
    share = jax.nn.softmax(evidence)[:, None]
    weigh = lambda a: jnp.where(share > 0, share * a, 0).sum(0)
    mean = weigh(found.mean)
    spread = weigh(found.variance) + weigh((found.mean - mean[None]) ** 2)
    known = (found.known | (share == 0)).all(0)
    spoilt = jnp.where(jnp.isfinite(y).all(), 0, jnp.nan)  # else no prior has a say
    return Posterior(
        evidence.max(), scale * mean + spoilt, scale**2 * spread + spoilt, known
    )


def size_of(y: Float[Array, " n"]) -> Float[Array, ""]:
    """The largest entry; the answer does not depend on it, nor do derivatives."""
    largest = jax.lax.stop_gradient(jnp.abs(y).max())
    return jnp.where(largest > 0, largest, 1)

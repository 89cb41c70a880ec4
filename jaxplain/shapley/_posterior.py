"""Linear functionals of a Gaussian process with a free linear mean."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Float

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
    """

    evidence: Float[Array, ""]
    mean: Float[Array, " q"]
    variance: Float[Array, " q"]


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
    distribution with $n - p$ degrees of freedom. All but a few products of `y` is
    shared by all `y` under `jax.vmap`.
    """
    n, p = features.shape
    jitter = float(jnp.finfo(y.dtype).eps) ** 0.6
    lower = jnp.linalg.cholesky(prior.gram + jitter * jnp.eye(n, dtype=y.dtype))
    whiten = lambda a: jsl.solve_triangular(lower, a, lower=True)
    design, cross, b = whiten(features), whiten(prior.cross.T), whiten(y)
    factor = jnp.linalg.cholesky(_regression.dot(design.T, design))
    unwhiten = lambda a, **how: jsl.solve_triangular(factor, a, lower=True, **how)
    basis = unwhiten(design.T).T  # orthonormal, of what the features can reach
    reached = _regression.dot(basis.T, b)
    rest = b - _regression.dot(basis, reached)
    beta = unwhiten(reached, trans="T")
    mean = _regression.dot(to_values, beta) + _regression.dot(cross.T, rest)
    free = unwhiten((to_values - _regression.dot(design.T, cross).T).T)
    unknown = prior.variance - (cross**2).sum(0) + (free**2).sum(0)
    freedom = n - p
    scale = _regression.dot(rest, rest) / freedom
    tiny = float(jnp.finfo(y.dtype).eps) ** 2  # `y` is of order 1
    log_det = jnp.log(jnp.diagonal(lower)).sum() + jnp.log(jnp.diagonal(factor)).sum()
    student = scale * freedom / (freedom - 2) if freedom > 2 else jnp.inf
    return Posterior(
        -freedom / 2 * jnp.log(scale + tiny) - log_det,
        mean,
        student * jnp.maximum(unknown, 0),
    )


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
    scale = jnp.sqrt(jnp.mean(y**2))
    scale = jnp.where(scale > 0, scale, 1)

    def step(mixture: Posterior, row: Any) -> tuple[Posterior, None]:
        found = condition(prior(row), features, to_values, y / scale)
        return _mix(mixture, found), None

    zero = jnp.zeros(len(to_values), y.dtype)
    nothing = Posterior(jnp.asarray(-jnp.inf, y.dtype), zero, zero)
    evidence, mean, variance = jax.lax.scan(step, nothing, bank)[0]
    return Posterior(evidence, scale * mean, scale**2 * variance)


def _mix(a: Posterior, b: Posterior) -> Posterior:
    evidence = jnp.logaddexp(a.evidence, b.evidence)
    p, q = jnp.exp(a.evidence - evidence), jnp.exp(b.evidence - evidence)
    apart = p * q * (a.mean - b.mean) ** 2
    return Posterior(
        evidence,
        p * a.mean + q * b.mean,
        p * a.variance + q * b.variance + apart,
    )

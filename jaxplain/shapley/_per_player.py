"""A Gaussian process that learns how much each player interacts."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from jaxtyping import Array, Float

from .. import _regression
from ._gaussian import odd_observations, of_posterior, signs
from ._kernels import BANK
from ._posterior import Prior, condition, jitter, size_of
from ._sample import Estimate, Sample

STEPS, RATE = 60, 0.15

HIGHEST, LOWEST_RAW, HIGHEST_RAW = 0.95, -2.5, 4.0
"""Rates from 0.07 to 0.93: below, main effects drown the rest in float32."""


def per_player(sample: Sample) -> Estimate[Array]:
    r"""As the bank of priors, with a rate $\rho_i$ for each player.

    The rates maximise the restricted likelihood, by Adam from the best common rate.
    """
    x, y = signs(sample), odd_observations(sample)
    d = sample.num_groups
    scale = size_of(y)
    # The rates are fitted, not explained: no derivative runs through the fit.
    fixed = jax.lax.stop_gradient(y / scale)

    def misfit(raw: Float[Array, " d"]) -> Array:
        # Rates are alike unless the data say otherwise: a prior of deviation 1.
        apart = jnp.sum((raw - raw.mean()) ** 2) / 2
        return (apart - _evidence(_gram(x, _rates(raw)), x, fixed)) / len(y)

    common = np.array([rho for rho in BANK if rho >= 0.1])
    starts = jnp.asarray(np.log(common / (HIGHEST - common)), y.dtype)
    misfits = jax.lax.map(lambda s: misfit(jnp.full(d, s)), starts)
    start = starts[jnp.argmin(jnp.where(jnp.isnan(misfits), jnp.inf, misfits))]
    rates = _rates(_minimise(misfit, jnp.full(d, start)))
    to_values = 2 * jnp.eye(d, dtype=y.dtype)
    found = condition(_prior(x, rates), x, to_values, y / scale)
    found = found._replace(mean=scale * found.mean, variance=scale**2 * found.variance)
    return of_posterior(found, sample)


def _rates(raw: Float[Array, " d"]) -> Float[Array, " d"]:
    return HIGHEST * jax.nn.sigmoid(raw)


def _evidence(
    gram: Float[Array, "n n"], x: Float[Array, "n d"], y: Float[Array, " n"]
) -> Float[Array, ""]:
    """The restricted likelihood of `condition`, by factors that have derivatives."""
    n, d = x.shape
    lower = jnp.linalg.cholesky(gram + jitter(y.dtype) * jnp.eye(n, dtype=y.dtype))
    design, b = (jsl.solve_triangular(lower, a, lower=True) for a in (x, y))
    ridge = jitter(y.dtype) * jnp.eye(d, dtype=y.dtype)
    factor = jnp.linalg.cholesky(_regression.dot(design.T, design) + ridge)
    basis = jsl.solve_triangular(factor, design.T, lower=True).T
    rest = b - _regression.dot(basis, _regression.dot(basis.T, b))
    log_det = jnp.log(jnp.diagonal(lower)).sum() + jnp.log(jnp.diagonal(factor)).sum()
    tiny = float(jnp.finfo(y.dtype).eps) ** 2
    return -(n - d) / 2 * jnp.log(_regression.dot(rest, rest) + tiny) - log_det


def _minimise(loss: Callable[[Array], Array], start: Array) -> Array:
    """The best point of some steps of Adam."""
    import optax

    optimiser = optax.adam(RATE)

    def step(state: tuple, _: None) -> tuple[tuple, None]:
        point, memory, best, lowest = state
        value, slope = jax.value_and_grad(loss)(point)
        better = value < lowest
        best = jnp.where(better, point, best)
        lowest = jnp.where(better, value, lowest)
        slope = jnp.where(jnp.isfinite(slope), slope, 0)
        # It multiplies numbers by its counter, which strict users do not allow.
        with jax.numpy_dtype_promotion("standard"):
            change, memory = optimiser.update(slope, memory)
        point = jnp.clip(point + change, LOWEST_RAW, HIGHEST_RAW)
        return (point, memory, best, lowest), None

    # All that is carried varies over a mesh as the start does.
    nothing = jnp.zeros_like(start[0]) * start[0]
    memory = jax.tree.map(
        lambda a: a + nothing if a.dtype == start.dtype else a, optimiser.init(start)
    )
    state = (start, memory, start, nothing + jnp.inf)
    return jax.lax.scan(step, state, None, length=STEPS)[0][2]


def _gram(x: Float[Array, "n d"], rho: Float[Array, " d"]) -> Float[Array, "n n"]:
    r"""The odd part of $\prod_i (1 + \rho_i x_i t_i)$ without its main effects."""
    top = jnp.arctanh(rho).sum()
    angles = _regression.dot(x * jnp.arctanh(rho)[None], x.T)
    linear = _regression.dot(x * rho[None], x.T)
    return (_odd(angles, top) - 2 * _least(rho) * linear) / _total(rho)


def _odd(angle: Array, top: Array) -> Array:
    """Twice a hyperbolic sine, relative to the exponential of `top`."""
    small = jnp.exp(-top) * 2 * jnp.sinh(jnp.clip(angle, -30, 30))
    large = jnp.exp(angle - top) - jnp.exp(-angle - top)
    return jnp.where(jnp.abs(angle) < 30, small, large)


def _least(rho: Float[Array, " d"]) -> Array:
    return jnp.exp(-jnp.log1p(rho).sum())


def _total(rho: Float[Array, " d"]) -> Array:
    """Twice the variance of the odd part, relative to the product of all 1 + rho."""
    top = jnp.arctanh(rho).sum()
    return _odd(top, top) - 2 * _least(rho) * rho.sum()


def _prior(x: Float[Array, "n d"], rho: Float[Array, " d"]) -> Prior:
    r"""Shapley values of a product are integrals over the share of players present.

    $$\phi_j = \rho_j t_j \int_{-1}^{1} \prod_{i \ne j} (1 + \rho_i t_i z)\,dz$$

    which Gauss-Legendre nodes give exactly (Owen, 1972: the multilinear extension).
    """
    nodes, weights = np.polynomial.legendre.leggauss((x.shape[1] + 1) // 2 + 1)
    z, w = (jnp.asarray(a, x.dtype) for a in (nodes, weights))
    least, half, largest = _least(rho), _total(rho) / 2, jnp.log1p(rho).sum()

    def others(terms: Array) -> Array:
        """The product of all factors but one, for each node in the last axis."""
        logs = jnp.log1p(jnp.multiply.outer(terms, z))
        return jnp.exp(logs.sum(-2, keepdims=True) - logs - largest)

    signed = x * rho[None]
    cross = signed * (_regression.dot(others(signed), w) - 2 * least)
    twice = jax.vmap(lambda node: others(node * rho))(z)
    variance = rho * (_regression.dot(w, _regression.dot(twice, w)) - 4 * least)
    return Prior(_gram(x, rho), cross.T / half, variance / half)

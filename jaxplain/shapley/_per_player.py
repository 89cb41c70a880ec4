"""A Gaussian process that learns how much each player interacts."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _regression
from ._exact import efficient
from ._gaussian import odd_observations, signs
from ._kernels import BANK
from ._posterior import Prior, condition
from ._sample import Estimate, Sample

STEPS, RATE = 60, 0.15

HIGHEST, LOWEST_RAW, HIGHEST_RAW = 0.95, -2.5, 4.0
"""Rates from 0.07 to 0.93: below, main effects drown the rest in float32."""

STARTS = tuple(rho for rho in BANK if rho >= 0.1)


def per_player(sample: Sample) -> Estimate[Array]:
    r"""As the bank of priors, with a rate $\rho_i$ for each player.

    The rates maximise the restricted likelihood, by Adam from the best common rate.
    """
    x, y = signs(sample), odd_observations(sample)
    d = sample.num_groups
    scale = jnp.sqrt(jnp.mean(y**2))
    scale = jnp.where(scale > 0, scale, 1)
    features, to_values = x, 2 * jnp.eye(d, dtype=y.dtype)
    # The rates are fitted, not explained: no derivative runs through the fit.
    fixed = jax.lax.stop_gradient(y / scale)

    def misfit(raw: Array) -> Array:
        prior = Prior(_gram(x, _rates(raw)), jnp.zeros_like(x.T), jnp.zeros_like(x[0]))
        found = condition(prior, features, to_values, fixed).evidence
        # Rates are alike unless the data say otherwise: a prior of deviation 1.
        apart = jnp.sum((raw - raw.mean()) ** 2) / 2
        return (apart - found) / len(y)

    starts = jnp.log(
        jnp.asarray(BANK, y.dtype) / (HIGHEST - jnp.asarray(BANK, y.dtype))
    )
    start = starts[jnp.argmin(jax.lax.map(lambda s: misfit(jnp.full(d, s)), starts))]
    rates = _rates(_minimise(misfit, jnp.full(d, start)))
    found = condition(_prior(x, rates), features, to_values, y / scale)
    return Estimate(
        efficient(scale * found.mean, sample),
        scale * jnp.sqrt(found.variance),
        sample.evaluations,
    )


def _rates(raw: Float[Array, " d"]) -> Float[Array, " d"]:
    return HIGHEST * jax.nn.sigmoid(raw)


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
        change, memory = optimiser.update(slope, memory)
        point = jnp.clip(point + change, LOWEST_RAW, HIGHEST_RAW)
        return (point, memory, best, lowest), None

    infinite = jnp.asarray(jnp.inf, start.dtype)
    state = (start, optimiser.init(start), start, infinite)
    return jax.lax.scan(step, state, None, length=STEPS)[0][2]


def _gram(x: Float[Array, "n d"], rho: Float[Array, " d"]) -> Float[Array, "n n"]:
    r"""The odd part of $\prod_i (1 + \rho_i x_i t_i)$ without its main effects."""
    size, total = _size(rho)
    angles = _regression.dot(x * jnp.arctanh(rho), x.T)
    return (size * jnp.sinh(angles) - _regression.dot(x * rho, x.T)) / total


def _size(rho: Float[Array, " d"]) -> tuple[Array, Array]:
    size = jnp.exp(jnp.log1p(-(rho**2)).sum() / 2)
    return size, size * jnp.sinh(jnp.arctanh(rho).sum()) - rho.sum()


def _prior(x: Float[Array, "n d"], rho: Float[Array, " d"]) -> Prior:
    r"""Shapley values of a product are integrals over the share of players present.

    $$\phi_j = \rho_j t_j \int_{-1}^{1} \prod_{i \ne j} (1 + \rho_i t_i z)\,dz$$

    which Gauss-Legendre nodes give exactly (Owen, 1972: the multilinear extension).
    """
    nodes, weights = np.polynomial.legendre.leggauss((x.shape[1] + 1) // 2 + 1)
    z, w = (jnp.asarray(a, x.dtype) for a in (nodes, weights))
    _, total = _size(rho)

    def others(terms: Array) -> Array:
        """The product of all factors but one, for each node in the last axis."""
        factors = 1 + terms[..., None] * z
        return jnp.exp(jnp.log(factors).sum(-2, keepdims=True) - jnp.log(factors))

    cross = rho * x * _regression.dot(others(x * rho), w) - 2 * rho * x
    twice = jax.vmap(lambda t: others(t * rho))(z)
    variance = rho * _regression.dot(w, _regression.dot(twice, w)) - 4 * rho
    return Prior(_gram(x, rho), cross.T / total, variance / total)

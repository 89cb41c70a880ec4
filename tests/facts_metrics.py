"""Metrics of an explanation alone, and of two."""

import jax
import jax.numpy as jnp

from jaxplain import metrics

A, B = jnp.array([-1.0, 1.0, 1.0]), jnp.array([0.0, 0.0, 2.0])
ONE_OF_8, ALL_OF_8 = jnp.eye(8)[0], jnp.ones(8)
COUNTED = jnp.array([1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0])
DOUBLED = jnp.array([1.0, 2.0, 4.0, 8.0, 16.0, 0.0, 0.0, 0.0])
OF_8_VALUES = jnp.stack([COUNTED, ONE_OF_8, ALL_OF_8, DOUBLED])


def agreement():
    alike = (metrics.rank_correlation, metrics.pearson, metrics.kendall)
    apart = jnp.linalg.norm(A - B), jnp.abs(A - B).sum()
    return jnp.stack([*(measure(A, B) for measure in alike), *apart])


def effective_complexity(phi):
    return metrics.effective_complexity(phi, threshold=0.05)


RECIPES = {
    "MET-1": agreement,
    "MET-2": lambda: jax.vmap(metrics.sparseness)(jnp.stack([ONE_OF_8, ALL_OF_8])),
    "O-Q-Complexity": lambda: jax.vmap(metrics.entropy)(OF_8_VALUES),
    "O-Q-EffectiveComplexity": lambda: jax.vmap(effective_complexity)(OF_8_VALUES),
}

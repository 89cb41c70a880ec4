"""A small table, and LIME of a function of its rows, compiled once."""

import functools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit

from jaxplain import tables

KEY = jr.key(0)
TRAINING = np.stack(
    [
        np.linspace(-2.0, 3.0, 40) ** 3,
        np.repeat([0.0, 0.0, 0.0, 5.0], 10),  # the quartiles coincide
        np.tile([2.0, 2.0, 7.0, 9.0], 10),  # categories
    ],
    1,
)
BINS = tables.quantiles(TRAINING, categorical=(2,))
ROW = jnp.array([0.5, 5.0, 7.0])
EXPLAINERS = [tables.lime, tables.continuous_lime]
each_explainer = pytest.mark.parametrize("lime", EXPLAINERS)
# What the two share is compiled twice only by `make test-slow`.
SLOW = pytest.param(tables.continuous_lime, marks=pytest.mark.slow)
mostly_lime = pytest.mark.parametrize("lime", [tables.lime, SLOW])


def f(row, scale=1.0):
    """Smooth, with interactions."""
    return jnp.tanh(scale * row[0] / 5) * (1 + row[1]) + (row[2] == 7).astype(row.dtype)


def numbers(found):
    """All that is known, as floating-point numbers."""
    return [field.astype(float) for field in found]


@functools.cache
def compiled(lime, **options):
    """An explainer of `f`, compiled once for all tests that differ in its inputs."""
    fit = lime(f, **{"num_samples": 30, **options})
    return quick_jit(lambda row, bins, key: fit(row, bins=bins, key=key))


def explain(lime, row=ROW, bins=BINS, key=KEY, **options):
    return compiled(lime, **options)(row, bins, key)

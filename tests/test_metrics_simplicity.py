"""Is an explanation short: beside sums over its entries."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from scipy.stats import entropy

from jaxplain import metrics


@jax.jit
@jax.vmap
def simplicity(phi):
    return {
        "sparseness": metrics.sparseness(phi),
        "entropy": metrics.entropy(phi),
        "complexity": metrics.effective_complexity(phi, threshold=0.5),
        "histogram": metrics.histogram_entropy(phi, num_bins=7),
    }


RNG = np.random.default_rng(2)
MAPS = RNG.normal(size=(5, 40))


@functools.cache
def ours():
    return simplicity(MAPS)


def each(oracle):
    return np.array([oracle(phi) for phi in MAPS], float)


def test_sparseness_is_half_the_mean_difference_over_the_mean():
    def gini(phi):
        size = np.abs(phi)
        return np.abs(size[:, None] - size).mean() / (2 * size.mean())

    assert_close(ours()["sparseness"], each(gini))


def test_entropy_is_that_of_the_shares():
    assert_close(ours()["entropy"], each(lambda phi: entropy(np.abs(phi))))


def test_effective_complexity_counts_large_entries():
    assert_close(ours()["complexity"], each(lambda phi: np.sum(np.abs(phi) > 0.5)))


def test_the_entropy_of_a_histogram_is_that_of_numpy():
    assert_close(
        ours()["histogram"], each(lambda phi: entropy(np.histogram(phi, 7)[0]))
    )


def test_one_entry_is_simplest_and_equal_ones_are_least_so():
    ends = simplicity(np.stack([np.eye(40)[3], np.ones(40)] * 2 + [np.ones(40)]))
    assert_close(ends["sparseness"][:2], np.array([1 - 1 / 40, 0]))
    assert_close(ends["entropy"][:2], np.array([0, np.log(40)]))
    assert_close(ends["histogram"][1], 0.0)


def test_scale_does_not_matter_but_for_a_threshold():
    tiny = simplicity(1e-9 * MAPS)
    for name in ("sparseness", "entropy", "histogram"):
        assert_close(tiny[name], ours()[name])
    assert np.all(tiny["complexity"] == 0)


def test_maps_of_zeros_and_nan_have_no_sparseness():
    empty = simplicity(0 * MAPS)
    assert np.isnan(empty["sparseness"]).all()
    assert np.isnan(empty["entropy"]).all()
    nan = simplicity(np.where(np.arange(40) == 7, np.nan, MAPS))
    assert all(np.isnan(value).all() for value in nan.values())


def test_thresholds_and_bins_are_checked():
    with pytest.raises(ValueError, match="`threshold` must be a non-negative number"):
        metrics.effective_complexity(jnp.ones(3), threshold=-1.0)
    with pytest.raises(ValueError, match="`num_bins` must be at least 2, but is 1"):
        metrics.histogram_entropy(jnp.ones(3), num_bins=1)

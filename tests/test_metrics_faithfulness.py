"""Does what is lost go with the attribution?"""

from functools import partial

import jax.numpy as jnp
import jax.random as jr
import metric_oracles
import numpy as np
import pytest
import scipy.stats
from explainers import quick_jit
from hypothesis import given
from metric_cases import SHAPE, compiled, drawn
from properties import close, fixed, numbers, seeds
from test_metrics_curves import slow

from jaxplain import metrics
from jaxplain.metrics._subset import smallest, subset

KEY = jr.key(0)


def judge(name, *arrays):
    return compiled(name)(*arrays, KEY)


@fixed
@given(seed=seeds)
def test_the_correlation_is_that_of_the_subsets_drawn(seed):
    x, a, phi, b = drawn(seed)
    subsets = [np.flatnonzero(subset) for subset in SUBSETS]
    expected = metric_oracles.faithfulness_correlation(slow(a), x, b, phi, subsets)
    close(judge("faithfulness_correlation", x, a, phi, b), expected)


SUBSETS = [subset(jr.fold_in(KEY, i), 3, 12) for i in range(5)]


def test_subsets_have_the_size():
    assert [int(subset.sum()) for subset in SUBSETS] == [3] * 5


@fixed
@given(seed=seeds)
def test_the_estimate_is_the_correlation_with_each_features_own_drop(seed):
    x, a, phi, b = drawn(seed)
    expected = metric_oracles.correlation(phi, metric_oracles.drops(slow(a), x, b))
    close(judge("faithfulness_estimate", x, a, phi, b), expected)


@fixed
@given(seed=seeds)
def test_monotonicity_is_the_rank_correlation_of_sizes(seed):
    x, a, phi, b = drawn(seed)
    phi = np.rint(2 * phi)  # with ties
    drops = metric_oracles.drops(slow(a), x, b)
    # Drops that are zero but for the rounding of NumPy tie in ours.
    drops = np.where(a.ravel() == 0, 0, drops)
    expected = scipy.stats.spearmanr(np.abs(phi).ravel(), np.abs(drops)).statistic
    close(judge("monotonicity", x, a, phi, b), expected)


ADDITIVE = partial(metrics.faithfulness_correlation, subset_size=2, num_samples=20)


@quick_jit
def of_additive(x, b, scale):
    weigh = lambda x: jnp.tanh(x) @ jnp.arange(1.0, 6.0)
    phi = (jnp.tanh(x) - jnp.tanh(b)) * jnp.arange(1.0, 6.0)
    refs = {"attribution": scale * phi, "baseline": b}
    return jnp.stack(
        [
            ADDITIVE(weigh)(x, key=KEY, **refs),
            metrics.faithfulness_estimate(weigh)(x, **refs),
            metrics.monotonicity(weigh)(x, **refs),
        ]
    )


@fixed
@given(x=numbers(5), scale=seeds)
def test_additive_functions_are_explained_perfectly_at_any_scale(x, scale):
    x = x + np.array([3.0, 4.0, 5.0, 6.0, 7.0]) / 10  # no two effects alike
    if np.min(np.abs(np.diff(np.sort(np.tanh(x) * np.arange(1.0, 6.0))))) < 1e-3:
        return
    close(of_additive(x, np.zeros(5), (1.0 + scale) / 2**31), np.ones(3))


NAMES = ["faithfulness_correlation", "faithfulness_estimate", "monotonicity"]


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_has_no_correlation(name):
    x, a, phi, b = drawn(0)
    assert np.isnan(judge(name, x, a, np.full(SHAPE, 0.1), b))
    assert np.isnan(judge(name, x, 0 * a, phi, b))


def test_rounding_does_not_tell_equal_sums_apart():
    x = np.random.default_rng(0).normal(size=300)
    measure = metrics.faithfulness_correlation(
        lambda x: jnp.tanh(x).sum(), subset_size=77, num_samples=9
    )
    flat = partial(measure, attribution=np.full(300, 0.1), baseline=0.0, key=KEY)
    assert np.isnan(quick_jit(flat)(x))


@pytest.mark.parametrize("name", NAMES)
def test_nan_in_the_attribution_shows(name):
    x, a, phi, b = drawn(0)
    assert np.isnan(judge(name, x, a, np.where(phi > 0.5, np.nan, phi), b))


# Non-sensitivity.


@fixed
@given(seed=seeds)
def test_zeros_of_attribution_and_of_effect_are_counted_against_each_other(seed):
    x, a, phi, b = drawn(seed)
    phi = np.where(np.abs(phi) < 0.5, 1e-6 * phi, phi)  # zero, but for the tolerance
    drops = np.abs(metric_oracles.drops(slow(a), x, b)).reshape(SHAPE)
    silent, idle = np.abs(phi) < 0.5, drops <= 1e-5 * drops.max()
    expected = ((silent & ~idle).sum(), (idle & ~silent).sum())
    assert counts(x, a, phi, b) == expected


def counts(*arrays):
    return tuple(map(int, judge("non_sensitivity", *arrays)))


def test_a_function_of_nothing_invents_every_attribution():
    x, a, phi, b = drawn(1)
    assert counts(x, 0 * a, phi, b) == (0, 12)
    assert counts(x, 0 * a, 0 * phi, b) == (0, 0)


def test_nan_is_an_attribution():
    x, a, phi, b = drawn(2)
    bad = np.where(a == 0, np.nan, phi)
    assert counts(x, a, bad, b) == (0, (a == 0).sum())


@pytest.mark.parametrize("size", [0, 1, 5, 11, 12])
def test_the_smallest_words_are_those_of_a_stable_sort(size):
    words = np.array(
        [7, 0, 7, 2**32 - 1, 3, 7, 0, 2**31, 3, 2**32 - 1, 7, 1], np.uint32
    )
    chosen = np.zeros(12, bool)
    chosen[np.argsort(words, kind="stable")[:size]] = True
    np.testing.assert_array_equal(smallest(jnp.asarray(words), size), chosen)

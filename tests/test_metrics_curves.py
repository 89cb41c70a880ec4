"""Removal in order of attribution: features, groups, regions and rationales."""

from functools import partial

import jax.numpy as jnp
import jax.random as jr
import metric_oracles
import numpy as np
import oracles
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from metric_cases import SHAPE, compiled, drawn, f
from properties import fixed, seeds

from jaxplain import metrics

KEY = jr.key(0)
SIZE = 12


def judge(name, *arrays):
    return compiled(name)(*arrays, KEY)


def slow(a):
    """`f`, in NumPy."""
    return lambda x: (
        np.tanh((a * x).sum())
        + (a[0] * x[0] * a[1] * x[1]).sum()
        + ((a[2] * x[2]) ** 2).sum()
    )


@fixed
@given(seed=seeds)
def test_pixel_flipping_takes_one_feature_at_a_time(seed):
    x, a, phi, b = drawn(seed)
    values, area = oracles.curve(slow(a), x, b, phi, SIZE, insert=False)
    found = judge("pixel_flipping", x, a, phi, b)
    assert_close(found.value, values)
    assert_close(found.area, area)


@fixed
@given(seed=seeds)
def test_the_lowest_first_is_the_opposite_order(seed):
    x, a, phi, b = drawn(seed)
    phi = np.rint(phi)  # with ties
    found = judge("insertion", x, a, phi, b)
    values, _ = oracles.curve(slow(a), x, b, -phi, 16, insert=True)
    assert_close(found.value, values)


@pytest.mark.parametrize("order", ["highest", "lowest"])
def test_nan_goes_last_in_either_order(order):
    phi = np.array([1.0, np.nan, 2.0])
    measure = metrics.pixel_flipping(
        lambda x: x @ jnp.array([1.0, 2.0, 4.0]), order=order
    )
    curve = quick_jit(measure)(np.ones(3), attribution=phi, baseline=0.0)
    assert curve.value[2] == 2.0  # of the second feature, when the others are gone


@fixed
@given(seed=seeds)
def test_region_perturbation_is_the_mean_drop(seed):
    x, a, phi, b = drawn(seed)
    expected = metric_oracles.aopc(slow(a), x, b, phi, 4)
    assert_close(judge("region_perturbation", x, a, phi, b), expected)


@fixed
@given(seed=seeds)
def test_rationales_are_judged_by_what_is_lost_without_and_with_them(seed):
    x, a, phi, b = drawn(seed)
    counts = [1, 1, 1, 2, 6]  # of 12 features: 1, 5, 10, 20 and 50 %, but never none
    for name in ("comprehensiveness", "sufficiency"):
        expected = getattr(metric_oracles, name)(slow(a), x, b, phi, counts)
        assert_close(judge(name, x, a, phi, b), expected)


# Groups.

LABELS = np.array([[0, 1, 1], [2, 2, 0], [3, 3, 3], [1, 0, 3]])


@quick_jit
def grouped(x, a, phi, b, labels):
    measure = metrics.deletion(f, steps=None, num_groups=4)
    return measure(x, a, attribution=phi, baseline=b, groups=labels)


def sums(phi, labels):
    return np.bincount(labels.ravel(), phi.ravel(), minlength=4)


@fixed
@given(seed=seeds)
def test_groups_go_in_the_order_of_their_sums(seed):
    x, a, phi, b = drawn(seed)
    found = grouped(x, a, phi, b, LABELS)
    gone = [
        np.isin(LABELS, metric_oracles.first(sums(phi, LABELS), k)) for k in range(5)
    ]
    assert_close(found.value, [slow(a)(np.where(g, b, x)) for g in gone])
    assert_close(found.fraction, np.arange(5) / 4)


def test_an_entry_per_group_is_their_sum():
    x, a, phi, b = drawn(0)
    assert_close(
        grouped(x, a, sums(phi, LABELS), b, LABELS), grouped(x, a, phi, b, LABELS)
    )


def test_labels_and_maps_of_leading_axes_share_what_they_do_not_tell_apart():
    x, a, phi, b = drawn(1)
    rows, labels = phi[:, 0], np.array([0, 1, 1, 2])
    measure = metrics.region_perturbation(f, num_groups=3)
    found = quick_jit(partial(measure, groups=labels))(
        x, a, attribution=rows, baseline=b
    )
    order = np.argsort(-np.bincount(labels, rows))
    gone = [np.isin(labels, order[:k])[:, None] for k in range(4)]
    drops = [slow(a)(x) - slow(a)(np.where(g, b, x)) for g in gone]
    assert_close(found, np.mean(drops))


@fixed
@given(seed=seeds)
def test_pixels_that_are_their_own_groups_are_pixels(seed):
    x, a, phi, b = drawn(seed)
    labels = np.arange(SIZE).reshape(SHAPE)
    found = own_groups(x, a, phi, b, labels)
    assert_close(found, judge("deletion", x, a, phi, b))


@quick_jit
def own_groups(x, a, phi, b, labels):
    measure = metrics.deletion(f, steps=5, num_groups=SIZE)
    return measure(x, a, attribution=phi, baseline=b, groups=labels)


def test_groups_may_span_the_leaves_of_a_pytree():
    x = {"a": jnp.array([1.0, 2.0]), "b": jnp.array([[4.0], [8.0]])}
    labels = {"a": np.array([0, 1]), "b": np.array([[1], [0]])}
    measure = metrics.region_perturbation(
        lambda x: x["a"].sum() + x["b"].sum(), num_groups=2
    )
    found = quick_jit(partial(measure, groups=labels))(x, attribution=x, baseline=0.0)
    assert_close(found, (0 + 9 + 15) / 3)  # the first group holds 1 and 8


def test_a_traced_label_out_of_range_makes_the_curve_nan():
    x, a, phi, b = drawn(0)
    assert np.isnan(grouped(x, a, phi, b, LABELS + 1).value[0])

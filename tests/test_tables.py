"""Bins of a table."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from raising import cases, check

from jaxplain import tables
from jaxplain.tables._bins import place_of

FACTS = json.loads((Path(__file__).parent / "facts_tables.json").read_text())
TABLE = np.array(FACTS["training"])
BINS = tables.quantiles(TABLE, categorical=FACTS["categorical"])
PLACE = quick_jit(place_of)


def bins_of(column, **options):
    """The bins of one column, without those that only fill up."""
    found = tables.quantiles(np.array(column, float)[:, None], **options)
    number = int((found.frequency > 0).sum())
    return tables.Bins(*(field[0, :number] for field in found[:-1]), found.categorical)


def equal(a, b):
    return all(map(np.array_equal, a, b))


# Bins.


def test_bins_are_those_of_the_lime_package():
    theirs = FACTS["discretised"]
    for j, share in enumerate(theirs["frequency"]):
        assert_close(BINS.frequency[j, : len(share)], np.array(share))
    for j in range(3):
        number = len(theirs["mins"][j])
        # The package adds 1e-11 to every standard deviation.
        spread = np.array(theirs["stds"][j]) - 1e-11
        assert_close(BINS.std[j, :number], spread)
        for name, field in {"mins": "low", "maxs": "high", "means": "mean"}.items():
            ours = getattr(BINS, field)[j, :number]
            assert_close(ours, np.array(theirs[name][j]))


def test_rows_are_in_the_bins_of_the_lime_package():
    theirs = FACTS["discretised"]
    rows, row = jnp.array(theirs["rows"]), jnp.array(FACTS["row"])
    own, known = PLACE(BINS, row)
    places, _ = jax.vmap(PLACE, (None, 0))(BINS, rows)
    assert known.all()
    assert equal(places == own[None], np.array(theirs["features"]) == 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-3, 3).map(lambda k: k / 2), min_size=1, max_size=12),
    st.integers(2, 5),
)
def test_every_training_value_is_within_its_bin(column, num_bins):
    found = bins_of(column, num_bins=num_bins)
    low, high, mean = found.low, found.high, found.mean
    assert (np.diff(high) > 0).all()
    assert (low[1:] == high[:-1]).all()
    assert ((low <= mean) & (mean <= high)).all()
    place = np.searchsorted(high, column)
    counts = np.bincount(place, minlength=len(high))
    assert (counts > 0).all()
    assert_close(found.frequency, counts / len(column))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=9, max_size=9), st.integers(2, 4)
)
def test_moments_of_bins_are_those_of_the_column(column, num_bins):
    table = np.array(column, float)[:, None]
    mean, std = tables.moments(tables.quantiles(table, num_bins=num_bins))
    size = 1 + np.abs(table).max()
    # Rounding of squares, near which a standard deviation is a root.
    assert abs(mean[0] - table.mean()) <= 1e-12 * size
    assert abs(std[0] - table.std()) <= 1e-7 * size


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_moments_of_any_scale_neither_overflow_nor_vanish(scale):
    # Squares of these are beyond float32, in which compiled bins may come.
    table = scale * np.array([[1.0], [2.0], [4.0], [9.0]])
    bins = tables.quantiles(table, num_bins=2)
    narrow = jax.tree.map(lambda field: jnp.asarray(field, jnp.float32), bins[:-1])
    found = quick_jit(tables.moments)(tables.Bins(*narrow, bins.categorical))
    expected = [table.mean(0), table.std(0)]
    for moment, exact in zip(found, expected):
        assert_close(moment / np.float32(scale), jnp.float32(exact / scale))
    with jax.enable_x64(False):
        for moment, exact in zip(tables.moments(bins), expected):
            assert moment.dtype == jnp.float32
            assert_close(moment / np.float32(scale), jnp.float32(exact / scale))


def test_moments_far_from_zero_do_not_cancel():
    table = 1.7e9 + 1000 * np.array([[1.0], [2.0], [4.0], [9.0]])
    bins = tables.quantiles(table, num_bins=2)
    with jax.enable_x64(False):
        assert_close(tables.moments(bins)[1], jnp.float32(table.std(0)))


def test_a_category_is_a_bin_of_width_0():
    found = bins_of([7, 3, 7, 7], categorical=(0,))
    assert_close(found.frequency, np.array([0.25, 0.75]))
    for field in (found.low, found.high, found.mean):
        assert_close(field, np.array([3.0, 7.0]))
    assert not found.std.any()


def test_a_column_that_never_changes_has_one_bin():
    found = bins_of([0.1] * 7)
    assert found.frequency.tolist() == [1.0]
    assert found.low == found.high == found.mean == 0.1
    assert found.std == 0


def test_quantiles_that_coincide_make_one_edge():
    found = bins_of([0, 0, 0, 0, 0, 5, 6, 9])
    assert found.high.tolist() == [0, 5.25, 9]


def test_a_bin_that_would_be_empty_is_none():
    assert bins_of([0, 10]).high.tolist() == [2.5, 10]
    assert bins_of([0, 0, 1, 1]).high.tolist() == [0, 1]


def test_values_beyond_the_training_data_are_in_the_first_bin_or_the_last():
    row = jnp.array([-jnp.inf, 1e9, -1e9, 2.0])
    place, known = PLACE(BINS, row)
    assert place.tolist()[:3] == [0, 3, 0]
    assert known.all()


def test_bins_of_a_narrow_dtype_are_those_of_its_values():
    narrow = jnp.asarray(TABLE, jnp.bfloat16)
    found = tables.quantiles(narrow, categorical=(3,))
    wide = tables.quantiles(np.asarray(narrow, np.float64), categorical=(3,))
    assert equal(found, wide)


def test_bins_take_numbers_of_any_kind():
    whole = TABLE.round().astype(int)
    assert equal(tables.quantiles(whole), tables.quantiles(1.0 * whole))
    flags = tables.quantiles(TABLE[:, 2:3] > 0)
    assert flags.high.tolist() == [[0, 1]]


@cases(
    rank=(
        lambda: tables.quantiles(np.ones(3)),
        ValueError,
        "`training` must have shape (rows, columns), with at least one of each, but "
        "has shape (3,). Stack the rows with `numpy.stack`.",
    ),
    empty=(
        lambda: tables.quantiles(np.ones((0, 3))),
        ValueError,
        "`training` must have shape (rows, columns), with at least one of each, but "
        "has shape (0, 3). Stack the rows with `numpy.stack`.",
    ),
    complex=(
        lambda: tables.quantiles(np.ones((2, 1), complex)),
        TypeError,
        "`training` must hold real numbers, but holds complex128. Make two columns of "
        "the real and the imaginary part.",
    ),
    words=(
        lambda: tables.quantiles(np.array([["rain"], ["sun"]])),
        TypeError,
        "`training` must hold numbers, but holds <U4. Number the categories of a "
        "column, for example with `numpy.unique(column, return_inverse=True)[1]`.",
    ),
    gaps=(
        lambda: tables.quantiles([[0.0, np.nan], [1.0, np.inf]]),
        ValueError,
        "`training` must be finite, but 2 of its values are not, in columns [1]. Fill "
        "them, or leave out their rows.",
    ),
    traced=(
        lambda: jax.eval_shape(tables.quantiles, TABLE),
        ValueError,
        "`training` must be concrete, but is traced: bins are found on the host, and "
        "their number shapes the program. Find them outside `jax.jit` and `jax.vmap`, "
        "and pass them in as `bins`.",
    ),
    num_bins=(
        lambda: tables.quantiles(TABLE, num_bins=1),
        ValueError,
        "`num_bins` must be at least 2, but is 1.",
    ),
    column=(
        lambda: tables.quantiles(TABLE, categorical=(4,)),
        ValueError,
        "`categorical` must list columns from 0 to 3, but is (4,). Pass a list such as "
        "`categorical=[0]`.",
    ),
    flags=(
        lambda: tables.quantiles(TABLE, categorical=[False, False, False, True]),
        TypeError,
        "`categorical` must hold the numbers of columns, but holds bool. "
        "`numpy.flatnonzero` turns flags into numbers.",
    ),
)
def test_training_data_that_have_no_bins_are_refused(call, error, message):
    check(call, error, message)

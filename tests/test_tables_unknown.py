"""What LIME for tables does not know, and what it refuses."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check
from table_rows import (
    BINS,
    KEY,
    ROW,
    TRAINING,
    each_explainer,
    explain,
    f,
    numbers,
)

from jaxplain import tables


@pytest.mark.slow
@each_explainer
def test_a_value_that_is_nan_has_no_weight_and_the_others_have_theirs(lime):
    found = explain(lime, ROW.at[0].set(jnp.nan))
    assert jnp.isnan(found.weights).tolist() == [True, False, False]
    assert found.evaluations == 29


def test_a_value_that_is_nan_favours_no_bin_of_local_samples():
    bins = tables.quantiles(np.tile(np.arange(1.0, 5.0)[:, None], 2))
    low = bins.high[:, 0]
    both_lowest = lambda row: (row <= jnp.array(low)).all().astype(float)
    fit = tables.lime(
        both_lowest, num_samples=400, sampling="local", width=0.6, ridge=0
    )
    found = quick_jit(partial(fit, bins=bins, key=KEY))(jnp.array([jnp.nan, 1.0]))
    # What the second adds is the share of neighbours in a quartile of the first.
    assert abs(found.weights[1] - 0.25) < 4 * found.standard_error[1] < 0.2


def test_a_neighbour_is_in_the_bin_that_f_sees():
    # The bins are hardly wider than the steps of bfloat16, which are 2 here.
    bins = tables.quantiles(256 + np.linspace(0.0, 12.0, 61)[:, None])
    low, high = map(float, (bins.low[0, 1], bins.high[0, 1]))

    def in_bin(row):
        wide = row[0].astype(jnp.float32)
        return ((wide > low) & (wide <= high)).astype(jnp.float32)

    fit = tables.lime(in_bin, num_samples=200, ridge=0.0)
    found = quick_jit(partial(fit, bins=bins, key=KEY))(jnp.array([260], jnp.bfloat16))
    assert_close(found.r2, jnp.float32(1))
    assert_close(found.weights, jnp.ones(1, jnp.bfloat16))


def test_a_category_that_is_rounded_is_not_taken_for_the_next():
    bins = tables.quantiles(np.array([[0.1], [1.0]]), categorical=(0,))
    is_one = lambda row: (row[0] == 1).astype(jnp.float32)
    fit = tables.lime(is_one, num_samples=50, ridge=0.0)
    found = quick_jit(partial(fit, bins=bins, key=KEY))(jnp.ones(1, jnp.bfloat16))
    assert_close(found.weights, jnp.ones(1, jnp.bfloat16))


def test_a_row_far_out_has_neighbours_only_around_itself():
    bins = tables.quantiles(TRAINING[:, :1])
    mean, std = tables.moments(bins)
    row, slope = mean + 100 * std, lambda row: 2 * row[0]
    options = {"num_samples": 30, "ridge": 0.0}
    explain_around = lambda around: quick_jit(
        partial(tables.continuous_lime(slope, around=around, **options), key=KEY)
    )
    assert jnp.isnan(explain_around("mean")(row, bins=bins).weights).all()
    assert_close(explain_around("input")(row, bins=bins).weights, 2 * std)


@each_explainer
def test_a_column_that_never_changes_has_no_weight(lime):
    table = np.insert(TRAINING[:, [0, 2]], 1, 5.0, axis=1)
    bins = tables.quantiles(table, num_bins=4, categorical=(2,))
    found = explain(lime, bins=bins)
    assert jnp.isnan(found.weights).tolist() == [False, True, False]


def test_an_unseen_category_is_shown_in_full():
    bins = tables.quantiles(np.array([[1234567.0], [0.1]]), categorical=(0,))
    with pytest.raises(ValueError, match=r"is 1234568 and .* are 0\.1, 1234567"):
        tables.lime(f)(jnp.array([1234568.0]), bins=bins, key=KEY)


@each_explainer
def test_an_unseen_category_raises_or_has_no_weight(lime):
    row = ROW.at[2].set(8.0)
    found = explain(lime, row)
    assert jnp.isnan(found.weights).tolist() == [False, False, True]
    with pytest.raises(ValueError, match="column 2 is 8 and its categories are 2, 7"):
        lime(f)(row, bins=BINS, key=KEY)


def test_values_that_are_not_finite_are_left_out():
    broken = lambda row: jnp.where(row[2] == 9, jnp.inf, f(row))
    fit = tables.lime(broken, num_samples=60)
    found = quick_jit(partial(fit, bins=BINS, key=KEY))(ROW)
    assert 0 < found.evaluations < 60
    assert jnp.isfinite(found.weights).all()


@cases(
    bins=(
        lambda: tables.lime(f)(ROW, key=KEY),
        TypeError,
        "`bins` is missing: say what the columns of the training data hold, for "
        "example `bins=jaxplain.tables.quantiles(training)`.",
    ),
    table=(
        lambda: tables.lime(f)(ROW, bins=TRAINING, key=KEY),
        TypeError,
        "`bins` must be the bins of a table, but is ndarray. Make them with "
        "`jaxplain.tables.quantiles(training)`.",
    ),
    columns=(
        lambda: tables.lime(f)(ROW[:2], bins=BINS, key=KEY),
        ValueError,
        "`row` must be one array of shape (3,), as `bins` has 3 columns, but has "
        "shape (2,). Pass one row, in the columns of the training data; map over rows "
        "with `jax.vmap`.",
    ),
    batch=(
        lambda: tables.continuous_lime(f)(jnp.stack([ROW] * 3), bins=BINS, key=KEY),
        ValueError,
        "`row` must be one array of shape (3,), as `bins` has 3 columns, but has "
        "shape (3, 3). Pass one row, in the columns of the training data; map over "
        "rows with `jax.vmap`.",
    ),
    key=(
        lambda: tables.continuous_lime(f)(ROW, bins=BINS),
        TypeError,
        "`key` is missing: continuous_lime draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    ),
    sampling=(
        lambda: tables.lime(f, sampling="locally"),
        ValueError,
        "`sampling` must be one of 'training', 'local', but is 'locally'. Did you mean "
        "'local'?",
    ),
    around=(
        lambda: tables.continuous_lime(f, around="row"),
        ValueError,
        "`around` must be one of 'mean', 'input', but is 'row'.",
    ),
    width=(
        lambda: tables.lime(f, width=0.0),
        ValueError,
        "`width` must be a positive number, but is 0.0.",
    ),
    few=(
        lambda: tables.lime(f, num_samples=3, ridge=0.0)(ROW, bins=BINS, key=KEY),
        ValueError,
        "num_samples=3 is too few for lime of 3 features: it needs at least 4 "
        "evaluations of `f`. Raise `num_samples`, or gather the features into fewer "
        "`groups`.",
    ),
)
def test_calls_that_cannot_be_answered_are_refused(call, error, message):
    check(call, error, message)


@each_explainer
def test_integers_are_no_row(lime):
    check(
        lambda: lime(f)(jnp.array([1, 5, 7]), bins=BINS, key=KEY),
        TypeError,
        "`row` must be floating-point, but is int64[3]. Convert the table with "
        "`.astype(numpy.float32)`, categories too.",
    )


# One-hot columns.


def test_lime_sees_a_one_hot_block_as_one_feature():
    layout = tables.one_hot(5, blocks=[range(2, 5)])
    codes = np.stack([*TRAINING[:, :2].T, np.tile([0.0, 1, 2, 1], 10)], 1)
    rows = tables.decode(codes, layout)
    assert_close(tables.encode(rows, layout), jnp.array(codes))
    bins = tables.quantiles(codes, categorical=layout.categorical)
    plain = lambda row: jnp.tanh(row[0]) * row[1] + 3 * (row[2] == 1).astype(float)
    wide = lambda row: jnp.tanh(row[0]) * row[1] + 3 * row[3]
    explained = [
        partial(tables.lime(g, num_samples=60), bins=bins, key=KEY)
        for g in (plain, tables.on_codes(wide, layout))
    ]
    both = quick_jit(lambda row: [numbers(fit(row)) for fit in explained])
    assert_close(*both(jnp.array(codes[1])))

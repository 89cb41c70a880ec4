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


@each_explainer
def test_a_value_that_is_nan_has_no_weight_and_the_others_have_theirs(lime):
    found = explain(lime, ROW.at[0].set(jnp.nan))
    assert jnp.isnan(found.weights).tolist() == [True, False, False]
    assert found.evaluations == 29


@each_explainer
def test_a_column_that_never_changes_has_no_weight(lime):
    table = np.insert(TRAINING[:, [0, 2]], 1, 5.0, axis=1)
    bins = tables.quantiles(table, num_bins=4, categorical=(2,))
    found = explain(lime, bins=bins)
    assert jnp.isnan(found.weights).tolist() == [False, True, False]


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
    with pytest.raises(TypeError, match=r"must be floating-point, but is int64\[3\]"):
        lime(f)(jnp.array([1, 5, 7]), bins=BINS, key=KEY)


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

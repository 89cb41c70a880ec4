"""The bins of a row in words."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

from jaxplain import tables

FACTS = json.loads((Path(__file__).parent / "facts_tables.json").read_text())
NAMES = ["t", "w", "n", "sky"]
BINS = tables.quantiles(FACTS["training"], categorical=FACTS["categorical"])


def test_conditions_read_as_a_sentence_with_units():
    row = jnp.array([10.0, 0.2, 2.0, 1.0])
    words = tables.conditions(
        BINS,
        row,
        NAMES,
        units={"t": "°C", "w": "km/h"},
        categories={"sky": ["clear", "rain", "snow"]},
        decimals=1,
    )
    assert words == ["9.7 < t <= 11.2 °C", "w <= 0.5 km/h", "n > 1", "sky = rain"]


def test_conditions_are_those_of_the_lime_package():
    for j, words in enumerate(FACTS["discretised"]["names"]):
        for k, theirs in enumerate(words):
            # An edge belongs to the bin below it, and the largest value to the last.
            row = jnp.array(FACTS["row"]).at[j].set(BINS.high[j, k])
            ours = tables.conditions(BINS, row)[j]
            # The package names columns by number and keeps the zeros of 1.00.
            assert _as_numbers(ours.replace(f"x{j}", "x")) == _as_numbers(
                " ".join("x" if word == str(j) else word for word in theirs.split())
            )


def _as_numbers(words):
    """A condition, with its numbers as such."""
    return [float(w) if w[0].isdigit() else w for w in words.split()]


def test_conditions_show_the_digits_that_tell_edges_apart():
    table = 1 + np.arange(1, 6)[:, None] / 1000
    bins = tables.quantiles(table)
    words = [tables.conditions(bins, jnp.array(row), decimals=1)[0] for row in table]
    assert words[1:4] == [
        "x0 <= 1.002",
        "1.002 < x0 <= 1.003",
        "1.003 < x0 <= 1.004",
    ]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        # Each edge is rounded to even here, apart from its neighbours or not.
        ([1.99, 2.009, 2.01, 2.2], ["2", "2.01", "2.06"]),
        ([1e-7, 2e-7, 3e-7, 4e-7], ["1.75e-07", "2.5e-07", "3.25e-07"]),
        ([1e20, 2e20, 3e20, 4e20], ["1.75e+20", "2.5e+20", "3.25e+20"]),
        ([1e-20, 2e-20, 3e-20, 1.0], ["1.75e-20", "2.5e-20", "2.5e-01"]),
    ],
)
def test_edges_never_look_alike(column, words):
    bins = tables.quantiles(np.array(column)[:, None])
    found = [tables.conditions(bins, jnp.array([value]))[0] for value in column]
    first, second, third = words
    assert found == [
        f"x0 <= {first}",
        f"{first} < x0 <= {second}",
        f"{second} < x0 <= {third}",
        f"x0 > {third}",
    ]


def test_categories_never_look_alike():
    column = [1234567.0, 1234568.0, 0.1234567, 0.1234568]
    bins = tables.quantiles(np.array(column)[:, None], categorical=(0,))
    words = [tables.conditions(bins, jnp.array([value]))[0] for value in column]
    assert words == ["x0 = 1234567", "x0 = 1234568", "x0 = 0.1234567", "x0 = 0.1234568"]


def test_a_category_of_less_precision_keeps_its_name():
    bins = tables.quantiles(np.array([[0.1], [0.2]]), categorical=(0,))
    row, named = jnp.array([0.1], jnp.float32), {"x0": {0.1: "low", 0.2: "high"}}
    assert tables.conditions(bins, row, categories=named) == ["x0 = low"]


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool])
def test_words_are_for_rows_of_any_numbers(dtype):
    bins = tables.quantiles(np.arange(4.0)[:, None])
    assert tables.conditions(bins, np.ones(1, dtype)) == ["0.75 < x0 <= 1.5"]


def test_columns_without_units_may_share_a_name():
    bins = tables.quantiles(np.ones((3, 2)))
    assert tables.conditions(bins, jnp.ones(2), ["x", "x"]) == ["any x", "any x"]


def test_a_value_that_is_nan_is_missing():
    row = jnp.array([jnp.nan, 1.0, 1.0, 0.0])
    assert tables.conditions(BINS, row, NAMES)[0] == "t is missing"


def test_a_column_that_never_changes_says_nothing():
    bins = tables.quantiles(np.ones((3, 1)))
    assert tables.conditions(bins, jnp.ones(1), ["year"]) == ["any year"]


def test_categories_may_be_named_by_a_mapping_or_not_at_all():
    bins = tables.quantiles(np.array([[2.0], [5.0]]), categorical=(0,))
    row = jnp.array([5.0])
    named = {"grade": {2: "poor", 5: "good"}}
    words = tables.conditions(bins, row, ["grade"], categories=named)
    assert words == ["grade = good"]
    assert tables.conditions(bins, row, ["grade"]) == ["grade = 5"]


ROW = jnp.array(FACTS["row"])


@cases(
    names=(
        lambda: tables.conditions(BINS, ROW, ["t"]),
        ValueError,
        "`names` must hold one name per column, 4, but holds 1. Name the columns in "
        "their order.",
    ),
    unit=(
        lambda: tables.conditions(BINS, ROW, NAMES, units={"temp": "°C"}),
        ValueError,
        "`units` must be by names of columns, but has temp. The columns are t, w, n, "
        "sky.",
    ),
    category=(
        lambda: tables.conditions(BINS, ROW, NAMES, categories={"sky": ["clear"]}),
        ValueError,
        "`categories` must name every category, but has none for 2 of 'sky'. Pass a "
        "list for the numbers 0, 1 ..., or a mapping.",
    ),
    string=(
        lambda: tables.conditions(BINS, ROW, "twns"),
        TypeError,
        "`names` must list one name per column, but is the string 'twns'. Pass a list, "
        "such as `names=['twns']`.",
    ),
    twice=(
        lambda: tables.conditions(BINS, ROW, ["t", "t", "n", "s"], units={"t": "°C"}),
        ValueError,
        "`units` must be by names of single columns, but several are called 't'. Give "
        "each column a name of its own.",
    ),
    numbers=(
        lambda: tables.conditions(BINS, ROW, NAMES, categories={"w": ["calm"]}),
        ValueError,
        "`categories` must be of columns of categories, but the bins hold 'w' as "
        "numbers. Make them with `quantiles(training, categorical=[1])`.",
    ),
    decimals=(
        lambda: tables.conditions(BINS, ROW, decimals=-1),
        ValueError,
        "`decimals` must be at least 0, but is -1.",
    ),
    unseen=(
        lambda: tables.conditions(BINS, ROW.at[3].set(7.0)),
        ValueError,
        "`row` must hold categories of the training data, but column 3 is 7 and its "
        "categories are 0, 1, 2. Encode the row as the training data, or train with "
        "rows of that category.",
    ),
    traced=(
        lambda: jax.eval_shape(lambda row: tables.conditions(BINS, row), ROW),
        ValueError,
        "`row` and `bins` must be concrete, but are traced: words are for readers. "
        "Call `conditions` outside `jax.jit` and `jax.vmap`.",
    ),
)
def test_conditions_that_cannot_be_put_into_words_are_refused(call, error, message):
    check(call, error, message)

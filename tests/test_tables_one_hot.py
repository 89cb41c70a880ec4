"""One-hot columns that are one feature."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import tables

LAYOUT = tables.one_hot(7, blocks=[(0, 2, 3), range(5, 7)])
CODES = jnp.array([[2.0, 0.3, -1.0, 0.0], [0.0, 0.1, 4.0, 1.0]])


def test_features_are_numbered_by_their_first_column():
    assert LAYOUT.labels.tolist() == [0, 1, 0, 0, 2, 3, 3]
    assert LAYOUT.num_groups == 4
    assert LAYOUT.categorical == (0, 3)


def test_a_layout_without_blocks_changes_nothing():
    plain = tables.one_hot(3, blocks=[])
    assert plain == (plain.labels, 3, ())
    assert plain.labels.tolist() == [0, 1, 2]
    assert_close(tables.encode(jnp.ones((2, 3)), plain), jnp.ones((2, 3)))


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.bfloat16])
def test_decoding_undoes_encoding(dtype):
    codes = CODES.astype(dtype)
    rows = tables.decode(codes, LAYOUT)
    assert rows.dtype == dtype
    assert rows[0].astype(float).tolist()[::2] == [0, 0, -1, 0]
    assert rows[0].astype(float).tolist()[3] == 1
    back = quick_jit(lambda r: tables.encode(r, LAYOUT))(rows)
    assert back.dtype == dtype
    assert (back == codes).all()


def test_a_traced_block_that_is_not_one_hot_is_nan():
    rows = tables.decode(CODES, LAYOUT).at[0, 0].set(1.0)
    found = quick_jit(lambda r: tables.encode(r, LAYOUT))(rows)
    assert jnp.isnan(found[0, 0])
    assert jnp.isfinite(found[0, 1:]).all()
    assert jnp.isfinite(found[1]).all()


def test_a_one_hot_block_is_one_player(getkey):
    weights = jr.normal(getkey(), (7, 3), jnp.float64)
    f = lambda row: jnp.tanh(row @ weights).prod()
    row, other = tables.decode(CODES, LAYOUT)
    grouped = jx.game(f, row, baseline=other, groups=LAYOUT.labels)
    coded = jx.game(tables.on_codes(f, LAYOUT), CODES[0], baseline=CODES[1])
    masks = jax.vmap(jx.coalitions.exhaustive(4))(jnp.arange(16)).astype(float)
    values = quick_jit(lambda m: (jax.vmap(grouped)(m), jax.vmap(coded)(m)))(masks)
    assert_close(*values)
    assert np.ptp(values[0]) > 0


def test_a_layout_is_closed_over():
    check(
        lambda: jax.jit(tables.decode)(CODES, LAYOUT),
        TypeError,
        "`layout` must be concrete, but is traced: it shapes the program. Close over "
        "it, for example `jax.jit(lambda rows: decode(rows, layout))`.",
    )


@pytest.mark.parametrize(
    ("dtype", "most"),  # one more than the integers up to which it has all
    [(jnp.bfloat16, 257), pytest.param(jnp.float16, 2049, marks=pytest.mark.slow)],
)
def test_categories_that_a_dtype_cannot_count_are_refused(dtype, most):
    fits, long = (tables.one_hot(n, blocks=[range(n)]) for n in (most, most + 1))
    last = tables.decode(jnp.array([most - 1], dtype), fits)
    assert jnp.flatnonzero(last).tolist() == [most - 1]
    assert tables.encode(last, fits).astype(int).tolist() == [most - 1]
    for to, width in [(tables.decode, 1), (tables.encode, most + 1)]:
        check(
            lambda to=to, width=width: to(jnp.zeros(width, dtype), long),
            ValueError,
            f"`rows` in {jnp.dtype(dtype)} must have blocks of at most {most} columns, "
            f"to number their categories, but one has {most + 1}. Use float32 rows.",
        )


def test_whole_numbers_become_floats():
    rows = tables.decode(np.array([2, 1, 0, 1]), LAYOUT)
    assert rows.dtype == tables.encode(rows.astype(int), LAYOUT).dtype == float


@cases(
    flat=(
        lambda: tables.one_hot(5, blocks=[2, 3, 4]),
        TypeError,
        "`blocks` must hold the columns of each block, but holds int64[]. Pass a list "
        "of lists, such as `blocks=[[2, 3, 4]]` for a single block.",
    ),
    labels=(
        lambda: tables.encode(jnp.zeros(7), LAYOUT.labels),
        TypeError,
        "`layout` must be a `OneHot`, but is int32[7]. Make it with "
        "`jaxplain.tables.one_hot`.",
    ),
    late=(
        lambda: tables.on_codes(lambda row: row.sum(), None),
        TypeError,
        "`layout` must be a `OneHot`, but is NoneType. Make it with "
        "`jaxplain.tables.one_hot`.",
    ),
    complex=(
        lambda: tables.decode(CODES.astype(complex), LAYOUT),
        TypeError,
        "`rows` must hold real numbers, but holds complex128. Make two columns of the "
        "real and the imaginary part.",
    ),
    short=(
        lambda: tables.one_hot(4, blocks=[[1]]),
        ValueError,
        "`blocks` must hold at least two columns each, but one is [1]. Leave a column "
        "that stands alone out of the blocks.",
    ),
    outside=(
        lambda: tables.one_hot(4, blocks=[[3, 4]]),
        ValueError,
        "`blocks` must list columns from 0 to 3, but is [3, 4]. Pass a list such as "
        "`blocks=[0]`.",
    ),
    shared=(
        lambda: tables.one_hot(4, blocks=[[0, 1], [1, 2]]),
        ValueError,
        "`blocks` must not share columns, but columns [1] are listed more than once. "
        "List each column in one block.",
    ),
    dropped=(
        lambda: tables.encode(jnp.zeros(7), LAYOUT),
        ValueError,
        "`rows` must hold a single 1 and otherwise 0 in columns [0, 2, 3], but 1 of "
        "the rows do not. Add a column for a category that was dropped, and scale "
        "columns inside of `f`.",
    ),
    shape=(
        lambda: tables.decode(jnp.zeros(7), LAYOUT),
        ValueError,
        "`rows` must have one entry per feature along the last axis, 4, but has shape "
        "(7,). Pass the `OneHot` that was made for these columns.",
    ),
)
def test_blocks_that_are_not_one_hot_are_refused(call, error, message):
    check(call, error, message)

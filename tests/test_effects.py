"""Views of a model over a data set, beside closed forms and loops over the rows."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain.effects import (
    ale,
    h_statistic,
    ice,
    importance,
    mesh,
    partial_dependence,
    quantile_grid,
)

ROWS = np.asarray(jr.normal(jr.key(3), (12, 3)))
GRID = np.linspace(-1, 1, 5)


def model(row, scale):
    return scale * row[0] * row[1] + jnp.sin(row[2])


curves = quick_jit(ice(model))
dependence = quick_jit(partial_dependence(model))
local = quick_jit(ale(model))


def test_a_curve_is_the_function_of_the_row_with_another_value():
    expected = np.zeros((len(ROWS), len(GRID)))
    for i, row in enumerate(ROWS):
        for k, z in enumerate(GRID):
            expected[i, k] = 2 * row[0] * z + np.sin(row[2])
    out = curves(ROWS, 2.0, feature=1, grid=GRID)
    assert_close(out, expected)
    mean, error = dependence(ROWS, 2.0, feature=1, grid=GRID)
    assert_close(mean, expected.mean(0))
    assert_close(error, expected.std(0, ddof=1) / len(ROWS) ** 0.5)


def test_centred_curves_start_at_nothing():
    options = {"feature": 1, "grid": GRID}
    out = quick_jit(ice(model, centred=True))(ROWS, 2.0, **options)
    whole = curves(ROWS, 2.0, **options)
    assert_close(out, whole - whole[:, :1])
    # Of a term that adds up, every row draws the same curve.
    fixed_shape = quick_jit(partial_dependence(model, centred=True))
    effect = fixed_shape(ROWS, 2.0, feature=2, grid=GRID)
    assert_close(effect.mean, np.sin(GRID) - np.sin(GRID[0]))
    assert np.max(effect.standard_error) < 1e-15


def test_curves_of_a_feature_without_effect_are_exactly_flat():
    out = quick_jit(ice(lambda row: row[0] ** 2))(ROWS, feature=1, grid=GRID)
    assert np.all(out == out[:, :1])
    flat = quick_jit(ale(lambda row: row[0] ** 2))
    edges = quantile_grid(ROWS[:, 1], num_points=4)
    assert np.all(flat(ROWS, feature=1, edges=edges).values == 0)


def test_several_columns_are_one_feature():
    # The categories of two columns of 0 and 1.
    codes = np.eye(2)
    out = curves(ROWS, 2.0, feature=[0, 1], grid=codes)
    assert_close(out, np.tile(np.sin(ROWS[:, 2:]), 2))
    # Two features at once.
    grid = mesh(GRID, GRID[:2])
    plane = dependence(ROWS, 2.0, feature=(0, 2), grid=grid).mean
    expected = 2 * GRID[:, None] * ROWS[:, 1].mean() + np.sin(GRID[None, :2])
    assert_close(plane, expected)


def test_rows_in_a_dict_have_features_by_name():
    rows = {"a": ROWS[:, 0], "b": ROWS[:, 1], "c": ROWS[:, 1:]}
    f = lambda row, scale: scale * row["a"] * row["b"] + jnp.sin(row["c"][1])
    named = {"a": 0, "b": 1}
    for name, column in named.items():
        out = quick_jit(partial(ice(f), feature=name))(rows, 2.0, grid=GRID)
        assert_close(out, curves(ROWS, 2.0, feature=column, grid=GRID))
    grid = mesh(GRID, GRID)
    both = quick_jit(partial(ice(f), feature=["a", "b"]))(rows, 2.0, grid=grid)
    assert_close(both, curves(ROWS, 2.0, feature=[0, 1], grid=grid))
    part = quick_jit(partial(ice(f), feature="c"))(rows, 2.0, grid=grid)
    assert part.shape == (12, 5, 5)
    h = quick_jit(partial(h_statistic(f), features=["c", ["b", "a"]]))
    assert h(rows, 2.0).pairs.shape == (2, 2)


def test_rows_in_a_dict_may_be_named_by_numbers_and_features_by_arrays():
    rows, f = {0: ROWS[:, 0], 1: ROWS[:, 1]}, lambda row: row[0] * row[1]
    plain = quick_jit(partial(ice(f), feature=[0, 1]))(ROWS, grid=np.eye(2))
    for several in ([0, 1], np.array([0, 1])):
        out = quick_jit(partial(ice(f), feature=several))(rows, grid=np.eye(2))
        assert_close(out, plain)
    one = quick_jit(partial(ice(f), feature=1))(rows, grid=GRID)
    assert_close(one, rows[0][:, None] * GRID[None])
    words = {"a": rows[0], "b": rows[1]}
    g = quick_jit(partial(ice(lambda row: row["a"]), feature=np.array(["a", "b"])))
    assert_close(g(words, grid=np.eye(2)), np.tile([1.0, 0.0], (12, 1)))


def test_features_can_be_mapped_and_one_out_of_range_is_nan():
    columns = jnp.array([0, 1, -1, 3, -4])
    mapped = jax.vmap(lambda j: curves(ROWS, 2.0, feature=j, grid=GRID))(columns)
    for i, j in enumerate([0, 1, 2]):
        assert_close(mapped[i], curves(ROWS, 2.0, feature=j, grid=GRID))
    assert np.isnan(mapped[3:]).all()
    # Two columns that may turn out to be one.
    both = lambda j: curves(ROWS, 2.0, feature=jnp.stack([j, 0]), grid=np.eye(2))
    twice = np.isnan(jax.vmap(both)(columns)).any((1, 2))
    assert np.array_equal(twice, [True, False, False, True, True])
    edges = jnp.array([-4.0, 0.0, 4.0])
    of_four = jax.vmap(lambda j: local(ROWS, 2.0, feature=j, edges=edges).values)
    assert np.isnan(of_four(columns)[3:]).all()
    assert not np.isnan(of_four(columns)[:3]).any()


def test_integer_columns_stay_integers():
    rows = np.array([[0, 1], [2, 3], [4, 0]])
    f = lambda row: jnp.array([1.0, 2.0, 4.0, 8.0, 16.0])[row[0]] + row[1].astype(float)
    out = quick_jit(ice(f))(rows, feature=0, grid=np.arange(3))
    assert_close(out, np.array([1.0, 2, 4])[None] + rows[:, 1:])
    h = quick_jit(h_statistic(f))(rows)
    assert np.max(h.pairs) < 1e-12


def test_importance_is_the_average_over_rows_in_every_chunk():
    ig = jx.integrated_gradients(model, steps=4)
    phi = quick_jit(jax.vmap(lambda row: ig(row, 2.0, baseline=0.5)))(ROWS)
    phi = np.asarray(phi)
    out = quick_jit(importance(ig, chunk_size=5))(ROWS, 2.0, baseline=0.5)
    size = np.abs(phi)
    assert_close(out.magnitude, size.mean(0))
    assert_close(out.magnitude_error, size.std(0, ddof=1) / len(ROWS) ** 0.5)
    assert_close(out.mean, phi.mean(0))
    assert_close(out.mean_error, phi.std(0, ddof=1) / len(ROWS) ** 0.5)
    assert_close(out.share, size.mean(0) / size.mean(0).sum())


def test_every_row_has_a_key_of_its_own_and_a_bound_key_is_shared():
    draw = lambda row, *, key: row + jr.normal(key, row.shape)
    key, rows = jr.key(2), np.zeros((200, 2))
    own = quick_jit(importance(draw))(rows, key=key)
    shared = quick_jit(importance(partial(draw, key=key)))(rows)
    noise = lambda i: jr.normal(jr.fold_in(key, i), (2,))
    noise = quick_jit(jax.vmap(noise))(jnp.arange(200))
    assert_close(own.mean, noise.mean(0))
    assert_close(shared.mean, jr.normal(key, (2,)))


def test_importance_of_a_tree_has_its_structure_and_sums_to_one():
    f = lambda row: row["a"].sum() * row["b"] + row["b"]
    rows = {"a": ROWS[:, :2], "b": ROWS[:, 2]}
    out = quick_jit(importance(jx.saliency(f)))(rows)
    assert jax.tree.map(jnp.shape, out.share) == {"a": (2,), "b": ()}
    assert_close(out.share["a"].sum() + out.share["b"], 1.0)
    none = quick_jit(importance(jx.saliency(lambda row: 0 * row["b"])))(rows)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(none.share))


def test_a_common_offset_costs_no_digits_of_an_error():
    f = lambda row: jnp.float32(1e4) + row[0]
    rows = ROWS.astype(np.float32)
    effect = quick_jit(partial_dependence(f))(rows, feature=1, grid=rows[:2, 1])
    error = rows[:, 0].std(ddof=1) / len(rows) ** 0.5
    # Values of 1e4 are held to 1e-3.
    assert_close(effect.standard_error, np.full(2, error), tol=3e-3)


def test_standard_errors_keep_the_unit_of_every_entry():
    units = jnp.array([1e-25, 1.0, 1e25], jnp.float32)
    rows, grid = ROWS.astype(np.float32), GRID.astype(np.float32)
    edges = jnp.array([-4.0, 0.0, 4.0], jnp.float32)
    f = lambda row, unit: unit * model(row, jnp.float32(2))
    change = lambda row: row * units

    @quick_jit
    def all_of(unit):
        given = (rows, unit)
        at = partial(partial_dependence(f), *given, grid=grid)(feature=1)
        bins = partial(ale(f), *given, edges=edges)(feature=0)
        return at.standard_error / unit, bins.standard_error / unit

    plain = all_of(units[1])
    for unit in units:
        assert_close(all_of(unit), plain)
    out = quick_jit(importance(change))(rows)
    error = rows.std(0, ddof=1) / len(rows) ** 0.5
    assert_close(out.mean_error / units, error)


def test_a_single_row_has_no_standard_error():
    effect = dependence(ROWS[:1], 1.0, feature=0, grid=GRID)
    assert np.isnan(effect.standard_error).all()
    assert not np.isnan(effect.mean).any()


def test_a_value_that_is_not_finite_stays_where_it_is():
    f = lambda row: jnp.where(row[1] > 0.9, jnp.nan, row[0])
    out = quick_jit(ice(f))(ROWS, feature=1, grid=GRID)
    assert np.array_equal(np.isnan(out[0]), GRID > 0.9)
    assert np.isnan(quick_jit(h_statistic(f))(ROWS).overall).all()


VIEWS = {
    "ice": (partial(ice, model), {"feature": 1, "grid": GRID}),
    "dependence": (partial(partial_dependence, model), {"feature": 1, "grid": GRID}),
    "ale": (partial(ale, model), {"feature": 1, "edges": np.array([-4.0, 0, 4])}),
    "h": (partial(h_statistic, model), {}),
    "importance": (partial(importance, jx.saliency(model)), {}),
}
# Partial dependence is the mean of what is tested as `ice`.
SLOW = {"dependence": [pytest.mark.slow]}
views = pytest.mark.parametrize(
    ("make", "given"),
    [pytest.param(*v, id=k, marks=SLOW.get(k, [])) for k, v in VIEWS.items()],
)


def floats(tree):
    return [leaf.astype(float) for leaf in jax.tree.leaves(tree)]


@views
def test_chunks_and_maps_over_data_sets_change_nothing(make, given):
    sets = jnp.stack([ROWS, ROWS[::-1] * 2])
    plain = quick_jit(lambda rows: make()(rows, 2.0, **given))(sets[1])
    chunked = jax.vmap(lambda rows: make(chunk_size=5)(rows, 2.0, **given))
    mapped = [part[1] for part in floats(quick_jit(chunked)(sets))]
    # The root of a sum that is 0 up to rounding.
    assert_close(mapped, floats(plain), tol=1e-7)


@pytest.mark.slow
def test_nothing_needs_to_be_compiled():
    options = {"feature": 1, "grid": GRID}
    assert_close(ice(model)(ROWS, 2.0, **options), curves(ROWS, 2.0, **options))


@pytest.mark.slow
@views
def test_answers_have_the_dtype_of_the_function(make, given):
    kinds = ("float32", "bfloat16", "float64")

    def at(kind):
        cast = lambda a: jnp.asarray(a, kind)
        arrays = {k: cast(v) if k != "feature" else v for k, v in given.items()}
        return make()(cast(ROWS), cast(2.0), **arrays)

    outs = quick_jit(lambda: [at(kind) for kind in kinds])()
    for out, kind in zip(outs, kinds[:2]):
        names = {leaf.dtype.name for leaf in jax.tree.leaves(out)}
        assert names - {"int32"} == {kind}
        # H of features that do not interact is the root of rounding.
        tol = 0.2 if kind == "bfloat16" else 2e-3
        assert_close(floats(out), floats(outs[2]), tol=tol)

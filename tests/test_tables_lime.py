"""LIME for tables, with bins and without."""

import itertools
import json
import math
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from table_rows import (
    BINS,
    KEY,
    ROW,
    TRAINING,
    each_explainer,
    explain,
    f,
    mostly_lime,
    numbers,
)

from jaxplain import tables
from jaxplain.tables import _draw, _fit

FACTS = json.loads((Path(__file__).parent / "facts_tables.json").read_text())


# The package.


@pytest.mark.parametrize("kind", ["discretised", "continuous"])
def test_the_model_of_a_neighbourhood_is_that_of_the_lime_package(kind):
    theirs = {k: jnp.array(v) for k, v in FACTS[kind].items() if k in MODEL}
    z = theirs["features"]
    if kind == "continuous":
        mean, std = tables.moments(
            tables.quantiles(FACTS["training"], categorical=FACTS["categorical"])
        )
        assert_close(mean, jnp.array(FACTS[kind]["mean"]))
        assert_close(std, jnp.array(FACTS[kind]["scale"]))
        is_number = np.array([True, True, True, False])[None]
        # The package keeps the rows that it drew, and scales them before the fit.
        scaled = (jnp.array(FACTS[kind]["rows"]) - mean[None]) / std[None]
        assert_close(jnp.where(is_number, z, 0), jnp.where(is_number, scaled, 0))
    near = _fit.Neighbourhood(lambda i: z[i], lambda i: z[i], z[0])
    options = _fit.Options(len(z), None, 1.0, None, "highest_weights", None)

    @quick_jit
    def ours():
        model = _fit.regress(theirs["values"], lambda i: z[i], near, options)
        return model, jnp.exp(jax.vmap(_fit.log_weight(near, options, z.dtype))(z))

    found, kernel = ours()
    assert_close(kernel, theirs["kernel"])
    assert_close(found.weights, theirs["weights"])
    assert_close(found.intercept, theirs["intercept"])
    assert_close(found.r2, theirs["r2"])


MODEL = {"features", "values", "kernel", "intercept", "weights", "r2"}


# The neighbourhood.


def test_bins_are_drawn_by_their_frequency():
    share, number = jnp.asarray(BINS.frequency), 4000
    draw = lambda key: _draw.place(key, BINS, share)
    places = quick_jit(jax.vmap(draw))(jr.split(KEY, number))
    for j, column in enumerate(np.asarray(places).T):
        found = np.bincount(column, minlength=4) / number
        # Four standard errors of a share, at most 1/2 of one over the root.
        assert np.abs(found - BINS.frequency[j]).max() < 4 * 0.5 / number**0.5
        assert not found[BINS.frequency[j] == 0].any()


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32])
def test_values_are_of_a_normal_law_that_is_cut_off_at_the_ends_of_the_bin(dtype):
    number, place = 4000, jnp.array([3, 0, 1])
    draw = lambda key: _draw.value(key, BINS, place, dtype)
    values = quick_jit(jax.vmap(draw))(jr.split(KEY, number))
    assert values.dtype == dtype
    low, high, mean, std = (
        float(dtype(field[0, 3]))
        for field in (BINS.low, BINS.high, BINS.mean, BINS.std)
    )
    drawn = np.sort(np.asarray(values[:, 0], np.float64))
    assert low <= drawn[0]
    assert drawn[-1] <= high
    normal = lambda x: (1 + math.erf((x - mean) / std / 2**0.5)) / 2
    below = np.array([normal(x) for x in drawn])
    law = (below - normal(low)) / (normal(high) - normal(low))
    # Kolmogorov's statistic exceeds 2 once in 1,500 keys.
    assert np.abs(law - np.arange(number) / number).max() * number**0.5 < 2
    # The bin of zeros, and a category, have one value each.
    assert (values[:, 1:] == jnp.array([0.0, 7.0], dtype)[None]).all()


def test_neighbours_are_in_the_range_and_the_categories_of_the_training_data():
    low, high = jnp.array(TRAINING.min(0)), jnp.array(TRAINING.max(0))

    def outside(row):
        beyond = (row < low) | (row > high)
        strange = ~jnp.isin(row[2], jnp.array([2.0, 7.0, 9.0]))
        return (beyond.any() | strange).astype(float)

    fit = tables.lime(outside, num_samples=500)
    found = quick_jit(partial(fit, bins=BINS, key=KEY))(ROW)
    assert not found.weights.any()
    assert found.intercept == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("around", "centre"),
    [pytest.param("mean", 0.0, marks=pytest.mark.slow), ("input", 30.0)],
)
def test_continuous_neighbours_are_normal_around_the_mean_or_the_input(around, centre):
    seen = []
    record = lambda row: seen.append(np.asarray(row)) or np.zeros(())

    def spy(row):
        shape = jax.ShapeDtypeStruct((), row.dtype)
        return jax.pure_callback(record, shape, row, vmap_method="sequential")

    mean, std = map(np.asarray, tables.moments(BINS))
    row = ROW.at[0].set(mean[0] + 30.0 * std[0])
    fit = tables.continuous_lime(spy, num_samples=60, around=around)
    jax.block_until_ready(quick_jit(partial(fit, bins=BINS, key=KEY))(row))
    rows = np.stack([a for a in seen if a[0] != row[0]])
    assert rows.shape == (59, 3)
    scaled = (rows[:, 0] - mean[0]) / std[0]
    # Four standard errors of a mean of 59, and of a standard deviation.
    assert abs(scaled.mean() - centre) < 4 / 59**0.5
    assert abs(scaled.std() - 1) < 4 / (2 * 59) ** 0.5
    assert set(rows[:, 2]) == {2, 7, 9}


# What the weights are.


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampling", ["training", pytest.param("local", marks=pytest.mark.slow)]
)
def test_more_and_more_samples_tend_to_a_difference_of_two_means(sampling):
    # Garreau and von Luxburg (2020): E_w[f | z_j = 1] - E_w[f | z_j = 0] without a
    # penalty. Of categories alone, both are finite sums.
    table = np.stack([np.repeat([0, 1, 2, 3], [4, 2, 1, 1]), np.tile([0, 1], 4)], 1)
    bins = tables.quantiles(table, categorical=(0, 1))
    values = jnp.array([[1.0, -2.0], [0.5, 4.0], [3.0, 0.0], [-1.0, 1.0]])
    play = lambda row: values[row[0].astype(int), row[1].astype(int)]
    row = np.array([1, 0])
    sums = np.zeros((2, 2, 2))  # of the weights and of f, by column and z
    for cell in itertools.product(range(4), range(2)):
        z = (np.array(cell) == row).astype(int)
        weight = bins.frequency[0, cell[0]] * bins.frequency[1, cell[1]]
        weight *= np.exp(-(2 - z.sum()) / (2 * 0.8**2))
        for j in range(2):
            sums[j, z[j]] += weight * np.array([1, float(values[cell])])
    means = sums[..., 1] / sums[..., 0]
    limit = means[:, 1] - means[:, 0]
    fit = tables.lime(play, num_samples=20_000, sampling=sampling, width=0.8, ridge=0.0)
    found = quick_jit(partial(fit, bins=bins, key=KEY))(jnp.array(row, float))
    error = np.asarray(found.standard_error)
    assert (np.abs(found.weights - limit) < 4 * error).all()
    assert error.max() < 0.05 * np.abs(limit).max()


@pytest.mark.parametrize(
    "sampling", ["training", pytest.param("local", marks=pytest.mark.slow)]
)
def test_a_sum_over_columns_of_being_in_the_bin_is_recovered(sampling):
    low, high = np.array([0.0, 0.0]), np.array([1.0, 5.0])  # the bins of the row
    high[0], low[0] = BINS.high[0, 2], BINS.low[0, 2]
    effect = jnp.array([2.0, -3.0, 0.25])

    def in_bin(row):
        same = (row[:2] > jnp.array(low)) & (row[:2] <= jnp.array(high))
        return jnp.append(same, row[2] == 7).astype(float) @ effect + 10.0

    row = jnp.array([high[0], 5.0, 7.0])
    fit = tables.lime(in_bin, num_samples=200, sampling=sampling, ridge=0.0)
    found = quick_jit(partial(fit, bins=BINS, key=KEY))(row)
    assert_close(found.weights, effect)
    assert_close(found.intercept, 10.0)
    assert_close(found.r2, 1.0)
    # Roots of rounding errors.
    assert found.standard_error.max() < 1e-7


@pytest.mark.slow
@pytest.mark.parametrize(
    "around", ["mean", pytest.param("input", marks=pytest.mark.slow)]
)
def test_slopes_of_a_linear_function_are_recovered(around):
    slope = jnp.array([2.0, -3.0])
    linear = lambda row: row[:2] @ slope + 4.0 * (row[2] == 7).astype(float)
    fit = tables.continuous_lime(linear, num_samples=80, around=around, ridge=0.0)
    found = quick_jit(partial(fit, bins=BINS, key=KEY))(ROW)
    mean, std = tables.moments(BINS)
    assert_close(found.weights, jnp.append(slope * std[:2], 4.0))
    assert_close(found.intercept, slope @ mean[:2])


@mostly_lime
def test_the_kernel_of_a_tiny_width_leaves_the_row_alone(lime):
    # A bin may hold neighbours at no distance.
    far = ROW.at[0].set(2.5) if lime is tables.continuous_lime else ROW
    found = explain(lime, far, width=1e-200)
    assert 1 <= found.effective_samples < 8


@pytest.mark.slow
def test_local_samples_of_a_tiny_width_stay_in_the_bins_and_weigh_the_same():
    found = explain(tables.lime, sampling="local", width=1e-200)
    assert jnp.isnan(found.weights).all()  # nothing ever changes
    assert_close(found.effective_samples, 30.0)


# Laws.


@mostly_lime
def test_a_batch_is_a_loop(lime):
    rows = jnp.stack([ROW, ROW.at[0].set(-3.0), jnp.array([9.0, 0.0, 2.0])])
    fit = lime(f, num_samples=30)
    together = quick_jit(jax.vmap(partial(fit, bins=BINS, key=KEY)))(rows)
    alone = [explain(lime, row) for row in rows]
    alone = jax.tree.map(lambda *fields: jnp.stack(fields), *alone)
    assert_close(numbers(together), numbers(alone))


@each_explainer
def test_a_batch_evaluates_its_neighbours_once(lime):
    # `f` counts the rows that it sees at once: by the shape of a product of its own.
    of_row = lambda row: jnp.sin(row[0]) + row[1]
    fit = lime(of_row, num_samples=30)
    batch = jax.vmap(lambda row: fit(row, bins=BINS, key=KEY))
    program = jax.make_jaxpr(batch)(jnp.stack([ROW] * 3))
    shapes = [eqn.outvars[0].aval.shape for eqn in named("sin", program.jaxpr)]
    assert sorted(shapes) == [(3,), (29,)]


def named(primitive, jaxpr):
    """The equations of a primitive, wherever they are in a program."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == primitive:
            yield eqn
        is_program = lambda v: hasattr(v, "eqns") or hasattr(v, "jaxpr")
        for inner in jax.tree.leaves(list(eqn.params.values()), is_leaf=is_program):
            if is_program(inner):
                yield from named(primitive, getattr(inner, "jaxpr", inner))


@mostly_lime
def test_chunks_change_nothing(lime):
    assert_close(numbers(explain(lime, chunk_size=7)), numbers(explain(lime)))


@pytest.mark.slow
@each_explainer
def test_compilation_changes_nothing(lime):
    plain = lime(f, num_samples=30)(ROW, bins=BINS, key=KEY)
    assert_close(numbers(plain), numbers(explain(lime)))


@each_explainer
def test_another_key_gives_another_answer(lime):
    first, second = explain(lime), explain(lime, key=jr.key(1))
    assert (first.weights != second.weights).all()


@pytest.mark.slow
@each_explainer
def test_standard_errors_are_the_spread_over_keys(lime):
    number = 100
    fit = lime(f, num_samples=200)
    many = quick_jit(jax.vmap(lambda key: fit(ROW, bins=BINS, key=key)))
    found = many(jr.split(KEY, number))
    spread = np.asarray(found.weights).std(0, ddof=1)
    claimed = np.sqrt((np.asarray(found.standard_error) ** 2).mean(0))
    # Four standard errors of a standard deviation of so many.
    assert (np.abs(claimed / spread - 1) < 4 / (2 * number) ** 0.5).all()


@pytest.mark.parametrize(
    ("lime", "dtype"),
    [
        (tables.lime, jnp.bfloat16),
        pytest.param(tables.continuous_lime, jnp.float32, marks=pytest.mark.slow),
        pytest.param(tables.lime, jnp.float32, marks=pytest.mark.slow),
        pytest.param(tables.continuous_lime, jnp.bfloat16, marks=pytest.mark.slow),
    ],
)
def test_the_dtype_of_the_row_is_kept(lime, dtype):
    found = explain(lime, ROW.astype(dtype))
    assert found.weights.dtype == found.standard_error.dtype == dtype
    assert found.r2.dtype == jnp.float32
    assert jnp.isfinite(found.weights.astype(float)).all()


@pytest.mark.slow
@each_explainer
def test_few_columns_are_kept_on_demand(lime):
    found = explain(lime, num_features=2)
    assert (found.weights != 0).sum() == 2


@pytest.mark.slow
def test_derivatives_run_through_the_model():
    fit = tables.lime(f, num_samples=30)
    weight = lambda scale: fit(ROW, scale, bins=BINS, key=KEY).weights[0]
    slope = quick_jit(jax.grad(weight))(1.0)
    compiled = quick_jit(weight)
    step = 1e-6
    difference = (compiled(1 + step) - compiled(1 - step)) / (2 * step)
    # A central difference is good to its step squared, and to rounding over the step.
    assert_close(slope, difference, tol=1e-7)

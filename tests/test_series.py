"""How far back a series matters: two players, the past and the rest."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import series

X = jnp.asarray(np.sin(1.0 + np.arange(12.0)).reshape(6, 2))


def f(x, scale):
    return scale * jnp.tanh(x[0, 0] * x[3, 1] + x[2].sum() * x[5, 0]) + x[4, 1]


def explain(f, tolerance=0.1, **options):
    return partial(series.past(f, tolerance=tolerance, **options), baseline=0.2)


def test_the_past_is_worth_its_shapley_value_against_the_rest():
    found = explain(f)(X, 2.0)
    exact = jax.jit(partial(jx.shapley_values(f, num_groups=2), X, 2.0, baseline=0.2))
    for t, value in enumerate(found.values):
        phi = exact(groups=jnp.asarray(np.arange(6) >= t, jnp.int32))
        assert_close(value, phi[0], tol=1e-12)  # 0 for no past, up to rounding


def test_the_past_of_an_additive_function_is_worth_the_sum_of_its_steps():
    found = explain(jnp.sum)(X)
    steps = (X - 0.2).sum(1)
    assert_close(found.values, jnp.cumsum(steps) - steps)


def test_the_first_step_to_explain_is_where_the_past_begins_to_matter():
    late = lambda x: x[3, 0] * x[4, 1] + x[5, 0]
    found = series.past(late, tolerance=1e-3)(jnp.ones((6, 2)), baseline=0.0)
    assert_close(found.values, jnp.array([0, 0, 0, 0, 0.5, 1.0]))
    assert (found.first, found.first.dtype) == (3, jnp.int32)


@pytest.mark.parametrize(("tolerance", "first"), [(0.4, 3), (0.6, 4), (2.0, 5)])
def test_a_larger_tolerance_prunes_more_but_never_the_last_step(tolerance, first):
    late = lambda x: x[3, 0] * x[4, 1] + x[5, 0]
    found = series.past(late, tolerance=tolerance)(jnp.ones((6, 2)), baseline=0.0)
    assert found.first == first


def test_a_past_whose_parts_cancel_later_is_not_pruned():
    cancel = lambda x: x[0] - x[1] + x[3]
    found = series.past(cancel, tolerance=0.1)(jnp.ones(4), baseline=0.0)
    assert_close(found.values, jnp.array([0.0, 1.0, 0.0, 0.0]))
    assert found.first == 0  # from the end, the first small one would be step 3


def test_a_series_whose_first_step_matters_is_kept_whole():
    found = series.past(lambda x: x[0], tolerance=0.1)(jnp.ones(4), baseline=0.0)
    assert found.first == 0


def test_a_series_of_one_step_has_no_past():
    found = series.past(jnp.sum, tolerance=0.1)(jnp.ones((1, 2)), baseline=0.0)
    assert (found.values.tolist(), found.first) == ([0.0], 0)


def test_the_past_of_several_leaves_ends_at_one_time():
    score = lambda x: x["a"].sum() * x["b"].sum()
    x = {"a": jnp.arange(4.0), "b": jnp.ones((4, 2))}
    found = series.past(score, tolerance=0.1)(x, baseline=0.0)
    joined = jnp.concatenate([x["a"][:, None], x["b"]], 1)
    flat = lambda x: x[:, 0].sum() * x[:, 1:].sum()
    assert_close(
        found.values, series.past(flat, tolerance=0.1)(joined, baseline=0.0).values
    )


@pytest.mark.parametrize("chunk_size", [1, 5, 12])
def test_chunks_change_nothing(chunk_size):
    chunked = explain(f, chunk_size=chunk_size)(X, 2.0)
    assert_close(chunked.values, explain(f)(X, 2.0).values)
    assert chunked.first == explain(f)(X, 2.0).first


def test_the_past_is_compiled_and_mapped():
    stack, scales = jnp.stack([X, 2 * X, -X]), jnp.array([1.0, 2.0, 3.0])
    batch = jax.jit(jax.vmap(explain(f)))(stack, scales)
    for i in range(3):
        alone = explain(f)(stack[i], scales[i])
        assert_close(batch.values[i], alone.values)
        assert batch.first[i] == alone.first


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_dtype_is_kept(dtype):
    found = explain(jnp.sum)(X.astype(dtype))
    assert found.values.dtype == dtype
    assert_close(found.values, explain(jnp.sum)(X).values.astype(dtype))


def test_a_past_that_is_not_finite_is_not_pruned():
    broken = lambda x: jnp.where(x[1] == 0.0, jnp.nan, x.sum())
    found = series.past(broken, tolerance=10.0)(jnp.ones(4), baseline=0.0)
    assert jnp.isnan(found.values).all()
    assert found.first == 0


@cases(
    tolerance=(
        lambda: series.past(jnp.sum, tolerance=0.0),
        ValueError,
        "`tolerance` must be a positive number, but is 0.0.",
    ),
    lengths=(
        lambda: series.past(jnp.sum, tolerance=0.1)(
            {"a": jnp.ones(3), "b": jnp.ones((4, 2))}, baseline=0.0
        ),
        ValueError,
        "`x` must have time on the first axis of every leaf, with the same number of "
        "steps, but has shapes [(3,), (4, 2)]. Pass what does not change over time as "
        "another argument of `f`.",
    ),
    scalar=(
        lambda: series.past(jnp.sum, tolerance=0.1)(jnp.ones(()), baseline=0.0),
        ValueError,
        "`x` must have time on the first axis of every leaf, with the same number of "
        "steps, but has shapes [()]. Pass what does not change over time as another "
        "argument of `f`.",
    ),
    baseline=(
        lambda: series.past(jnp.sum, tolerance=0.1)(jnp.ones(3)),
        TypeError,
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`.",
    ),
    empty=(
        lambda: series.past(jnp.sum, tolerance=0.1)(jnp.ones((0, 2)), baseline=0.0),
        ValueError,
        "`x` must not be empty, but is float64[0,2]. Pass an input with at least one "
        "entry.",
    ),
)
def test_a_past_that_cannot_be_valued_is_an_error(call, error, message):
    check(call, error, message)

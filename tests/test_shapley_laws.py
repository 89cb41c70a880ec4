"""Laws that every estimate of Shapley values obeys, for any game."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import shapley_oracles as slow
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import close, numbers, seeds
from shapley_oracles import LINEAR, METHODS, fitted, look_up

import jaxplain as jx

D = 6
fixed = settings(derandomize=True, max_examples=12, deadline=None)
each_method, each_linear = slow.by_method(METHODS), slow.by_method(LINEAR)
few = st.composite(lambda draw: (draw(numbers(2**D)), jr.key(draw(seeds))))()


def smooth_table(d=D, seed=0):
    return slow.network_tables(*slow.networks(1, d, seed=seed))[0]


@each_method
@fixed
@given(drawn=few)
def test_values_are_efficient_for_any_game(method, drawn):
    table, key = drawn
    close(fitted(method)(table, key).values.sum(), table[-1] - table[0])


@each_method
@fixed
@given(drawn=few)
def test_a_game_and_its_dual_have_the_same_values_and_errors(method, drawn):
    table, key = drawn
    found, of_dual = (fitted(method)(t, key) for t in (table, slow.dual(table)))
    close(of_dual.values, found.values)
    # Roots of squares: what is 0 on one side may be the root of rounding on the other.
    assert np.abs(of_dual.standard_error - found.standard_error).max() < 1e-6


@each_linear
@fixed
@given(drawn=few, other=numbers(2**D), a=numbers())
def test_values_are_linear_in_the_game(method, drawn, other, a):
    table, key = drawn
    values = lambda t: fitted(method)(t, key).values
    close(values(table + a * other), values(table) + a * values(other))


@each_method
@pytest.mark.parametrize("factor", [-2.0, 1e-8, 1e8])
def test_values_and_errors_follow_the_units_and_the_zero_of_the_game(method, factor):
    table, key = smooth_table(), jr.key(1)
    found = fitted(method)(table, key)
    other = fitted(method)(factor * (table + 3), key)
    assert_close(other.values, factor * found.values, tol=1e-9)
    expected = abs(factor) * found.standard_error
    assert_close(other.standard_error, expected, tol=1e-7)
    assert found.standard_error.max() > 0


@fixed
@given(table=numbers(2 ** (D - 1)), gain=numbers(), seed=seeds)
def test_permutations_give_a_dummy_just_what_it_adds(table, gain, seed):
    wide = np.concatenate([table, table + gain])  # the last player joins
    close(fitted("permutation")(wide, jr.key(seed)).values[-1], gain)


@each_method
def test_half_the_digits_give_values_within_1e_4(method):
    table, key = smooth_table(), jr.key(2)
    found = fitted(method)(table, key)
    single = fitted(method)(table.astype(np.float32), key)
    assert_close(single.values, found.values, tol=1e-4)
    assert_close(single.standard_error, found.standard_error, tol=1e-3)


@slow.by_method(["gp", "leverage", "msr", "permutation"])
def test_chunks_change_nothing(method):
    table, key = smooth_table(), jr.key(3)
    found = fitted(method)(table, key)
    chunked = fitted(method, chunk_size=7)(table, key)
    assert_close(chunked.values, found.values, tol=1e-10)
    assert_close(chunked.standard_error, found.standard_error, tol=1e-7)
    assert chunked.evaluations == found.evaluations


def test_a_batch_with_one_key_is_a_loop():
    tables, key = np.stack([smooth_table(seed=s) for s in range(3)]), jr.key(4)
    together = jax.vmap(fitted("gp"), (0, None))(tables, key)
    for k, table in enumerate(tables):
        alone = fitted("gp")(table, key)
        assert_close(together.values[k], alone.values, tol=1e-9)
        assert_close(together.standard_error[k], alone.standard_error, tol=1e-7)


def test_keys_matter():
    for method in METHODS:
        first, second = (fitted(method)(smooth_table(), jr.key(k)) for k in (0, 1))
        assert np.abs(first.values - second.values).max() > 1e-6


# Values that are not finite.


def broken(bad):
    """The smooth game, with one value that each design of `fitted` draws."""
    return smooth_table() * np.where(np.arange(2**D) == 1, bad, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@slow.by_method(["gp", "kernel", "leverage", "msr"])
def test_one_value_that_is_not_finite_leaves_only_nan(method, bad):
    seen = 0
    for seed in range(4):
        found = fitted(method)(broken(bad), jr.key(seed))
        if not np.isfinite(found.values).all():
            seen += 1
            assert np.isnan(found.values).all()
            assert not np.isfinite(found.standard_error).any()
    assert seen


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_permutations_show_what_is_not_finite_where_it_was_met(bad):
    shown = [
        np.isfinite(fitted("permutation")(broken(bad), jr.key(seed)).values)
        for seed in range(4)
    ]
    assert not all(finite.all() for finite in shown)
    # A coalition lies between two players of an order: one joins, and one is next.
    assert all(finite.all() or (~finite).sum() >= 2 for finite in shown)


@each_method
@pytest.mark.parametrize("end", [0, -1])
def test_an_end_that_is_not_finite_leaves_no_value_finite(method, end):
    table = smooth_table()
    table[end] = np.nan
    assert not np.isfinite(fitted(method)(table, jr.key(0)).values).all()


# Inputs.


@each_method
def test_estimates_keep_the_structure_and_the_dtype_of_the_input(method):
    def f(x):
        return jnp.sum(x["a"]).astype(jnp.float32) * jnp.tanh(x["b"]).sum()

    x = {"a": jnp.ones((2, 2), jnp.bfloat16), "b": jnp.ones(3, jnp.float32)}
    fit = jx.shapley_fit(f, method=method, num_samples=60)
    found = jax.eval_shape(lambda x: fit(x, baseline=0.0, key=jr.key(0)), x)
    like = lambda tree: jax.tree.map(lambda a: (a.shape, a.dtype), tree)
    assert like(found.values) == like(found.standard_error) == like(x)
    assert found.evaluations.dtype == jnp.int32


def test_values_of_bfloat16_are_exact_where_those_of_the_function_are():
    """Small integers, which eight bits hold."""
    slopes = jnp.arange(1, 7, dtype=jnp.bfloat16)
    explain = quick_jit(jx.leverage_shap(lambda x: x @ slopes, num_samples=40))
    found = explain(jnp.ones(6, jnp.bfloat16), baseline=0.0, key=jr.key(0))
    assert found.dtype == jnp.bfloat16
    assert (found == slopes).all()


def test_groups_are_the_players_of_an_estimate():
    groups = np.array([2, 0, 1, 3, 5, 4, 0, 2])

    def of_groups(x, table):
        present = [jnp.prod(x[groups == g]) for g in range(D)]
        return look_up(jnp.stack(present), table)

    fit = jx.shapley_fit(of_groups, method="leverage", num_groups=D, num_samples=40)
    refs = {"baseline": 0.0, "key": jr.key(0), "groups": groups}
    found = quick_jit(lambda t: fit(jnp.ones(8), t, **refs))(smooth_table())
    expected = fitted("leverage")(smooth_table(), jr.key(0))
    assert_close(found.values, expected.values)
    assert_close(found.standard_error, expected.standard_error)

"""Values from every coalition, against their definitions."""

import functools
import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import shapley_oracles as slow
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import close, fixed, numbers
from shapley_oracles import look_up

import jaxplain as jx

KEY = jr.key(0)  # nothing here is random


@functools.cache
def of_table(make, d, *options):
    """The values of a game of `d` players, as a function of its table, compiled."""
    explain = make(look_up, **dict(options))
    takes_key = make in (jx.shapley_interactions, jx.faith_shap, jx.shapley_fit)
    refs = {"baseline": 0.0, "key": KEY} if takes_key else {"baseline": 0.0}
    return quick_jit(lambda table: explain(jnp.ones(d), table, **refs))


def random_table(d, seed=0):
    return np.random.RandomState(seed).randn(2**d)


@pytest.mark.parametrize(("d", "chunk_size"), [(2, None), (5, None), (5, 3)])
def test_values_are_those_of_the_definition(d, chunk_size):
    table, options = random_table(d), (("chunk_size", chunk_size),)
    found = of_table(jx.shapley_values, d, *options)(table)
    assert_close(found, slow.shapley(d) @ table)
    found = of_table(jx.banzhaf_values, d, *options)(table)
    assert_close(found, slow.banzhaf(d) @ table)


@pytest.mark.parametrize(("d", "chunk_size"), [(2, None), (5, None), (5, 3)])
def test_interactions_are_those_of_the_definition(d, chunk_size):
    table = random_table(d)
    found = of_table(jx.shapley_interactions, d, ("chunk_size", chunk_size))(table)
    assert_close(found.pairs, slow.interactions(d) @ table)
    values = slow.shapley(d) @ table
    assert_close(found.main + found.pairs.sum(1) / 2, values)
    assert_close(found.main.sum() + found.pairs.sum() / 2, table[-1] - table[0])
    assert (found.standard_error == 0).all()
    assert found.evaluations == 2**d


@pytest.mark.parametrize(("d", "chunk_size"), [(3, None), (5, None), (5, 3)])
def test_faith_shap_is_the_game_of_pairs_that_is_nearest(d, chunk_size):
    table = random_table(d)
    found = of_table(jx.faith_shap, d, ("chunk_size", chunk_size))(table)
    main, pairs = slow.faith(table)
    # The condition number of the regression, about 1e3, times rounding.
    assert_close(found.main, main, tol=1e-10)
    assert_close(found.pairs, pairs, tol=1e-10)
    assert_close(found.main.sum() + found.pairs.sum() / 2, table[-1] - table[0])
    assert (found.standard_error == 0).all()
    assert found.evaluations == 2**d


def test_two_features_share_what_only_both_of_them_add():
    table = jnp.array([0.0, 0.0, 0.0, 1.0])
    for make in (jx.shapley_interactions, jx.faith_shap):
        found = of_table(make, 2)(table)
        assert_close(found.pairs, jnp.array([[0.0, 1.0], [1.0, 0.0]]), tol=1e-10)
        assert_close(found.main, jnp.zeros(2), tol=1e-10)


# Unions.

UNIONS = {
    "one_each": [0, 1, 2, 3, 4],
    "all_in_one": [0, 0, 0, 0, 0],
    "two_and_three": [0, 1, 0, 1, 1],
    "sizes_one_to_two": [2, 0, 1, 0, 2],
}


@pytest.mark.parametrize("unions", UNIONS.values(), ids=UNIONS.keys())
def test_owen_values_are_the_mean_over_orders_that_keep_unions_together(unions):
    explain = jx.owen_values(look_up, unions=unions)
    table = random_table(5)
    found = quick_jit(explain)(jnp.ones(5), table, baseline=0.0)
    assert_close(found, slow.owen(table, unions))
    # Of each union together: its Shapley value among the unions.
    joined = slow.quotient(table, unions)
    sums = np.bincount(unions, weights=found)
    assert_close(sums, slow.shapley(1 + max(unions)) @ joined)
    if unions in (UNIONS["one_each"], UNIONS["all_in_one"]):
        assert_close(found, slow.shapley(5) @ table)


def test_owen_values_in_chunks_and_of_groups_are_the_same():
    unions, groups = UNIONS["two_and_three"], np.array([4, 3, 0, 1, 2, 4])
    table = random_table(5)

    def of_groups(x, table):
        present = [jnp.prod(x[groups == g]) for g in range(5)]
        return look_up(jnp.stack(present), table)

    explain = jx.owen_values(of_groups, unions=unions, num_groups=5, chunk_size=3)
    found = quick_jit(explain)(jnp.ones(6), table, baseline=0.0, groups=groups)
    assert_close(found, slow.owen(table, unions))


def sampled_owen(unions, d, **options):
    explain = jx.owen_shap(look_up, unions=unions, **options)
    return lambda table, key: explain(jnp.ones(d), table, baseline=0.0, key=key)


NESTED = ([0, 0, 1, 0, 1], [0, 1, 2, 1, 3])


@pytest.mark.parametrize("levels", [1, 2])
def test_owen_shap_is_efficient_and_unbiased(levels):
    table, keys = random_table(5), 4000
    unions = NESTED[0] if levels == 1 else NESTED
    explain = sampled_owen(
        unions, 5, num_samples=8, chunk_size=3
    )  # one order and its reverse
    found = quick_jit(jax.vmap(explain, (None, 0)))(table, jr.split(KEY, keys))
    found = np.asarray(found)
    close(found.sum(1), table[-1] - table[0])
    # Of a union: what its members add together in one order, so it varies less.
    expected = slow.owen(table, *NESTED[:levels])
    error = found.std(0) / keys**0.5
    assert (np.abs(found.mean(0) - expected) < 4 * error).all()
    # A finer level makes a difference that this can see.
    if levels == 2:
        assert (np.abs(slow.owen(table, NESTED[0]) - expected) > 8 * error).any()


# Axioms.

exact = functools.partial(of_table, jx.shapley_values)


@fixed
@given(table=numbers(16), other=numbers(16))
def test_exact_values_are_efficient_additive_and_self_dual(table, other):
    for make in (jx.shapley_values, jx.banzhaf_values):
        values = of_table(make, 4)
        close(values(table - 2 * other), values(table) - 2 * values(other))
        close(values(slow.dual(table)), values(table))
        close(values(table + 7), values(table))
    close(exact(4)(table).sum(), table[-1] - table[0])


@fixed
@given(table=numbers(8), gain=numbers(), at=numbers(8))
def test_a_player_who_always_adds_the_same_is_worth_just_that(table, gain, at):
    wide = np.concatenate([table, table + gain])  # the last player joins
    for make in (jx.shapley_values, jx.banzhaf_values):
        found = of_table(make, 4)(wide)
        close(found[3], gain)
        close(found[:3], of_table(make, 3)(table))
    # Player 1 takes the place of player 0: the same worth.
    masks = slow.masks(3)
    size = masks[:, 0] + masks[:, 1] + 3 * masks[:, 2]
    alike = of_table(jx.shapley_values, 3)(at[size])
    close(alike[0], alike[1])


@fixed
@given(table=numbers(16), more=numbers(16))
def test_who_adds_more_everywhere_is_worth_more(table, more):
    """Strong monotonicity: Young (1985)."""
    joined = slow.masks(4)[:, 2] == 1
    greater = table + np.where(joined, np.abs(more), 0)
    for make in (jx.shapley_values, jx.banzhaf_values):
        values = of_table(make, 4)
        assert values(greater)[2] >= values(table)[2] - 1e-12  # rounding
    growing = np.maximum.accumulate(table)  # monotone: a superset has a larger code
    assert (exact(4)(growing) >= -1e-12).all()


@fixed
@given(table=numbers(16))
def test_renamed_players_keep_their_values(table):
    order = np.array([2, 0, 3, 1])
    renamed = table[(slow.masks(4) * 2**order).sum(1)]  # player i was `order[i]`
    for make in (jx.shapley_values, jx.banzhaf_values):
        values = of_table(make, 4)
        close(values(renamed), values(table)[order])
    pairs = of_table(jx.shapley_interactions, 4)
    moved = pairs(renamed).pairs - pairs(table).pairs[np.ix_(order, order)]
    close(moved, 0.0)


def test_a_game_of_pairs_has_its_bonds_as_interactions():
    d = 5
    bonds = np.triu(np.random.RandomState(3).randn(d, d), 1)
    own = np.random.RandomState(4).randn(d)
    table = np.array([m @ own + m @ bonds @ m for m in slow.masks(d)])
    for make in (jx.shapley_interactions, jx.faith_shap):
        found = of_table(make, d)(table)
        assert_close(found.pairs, bonds + bonds.T, tol=1e-10)
        assert_close(found.main, own, tol=1e-10)


# Inputs.


@pytest.mark.parametrize("make", [jx.shapley_values, jx.banzhaf_values])
def test_values_are_shaped_like_the_input_and_keep_its_dtype(make):
    def f(x):
        return jnp.sum(x["a"]).astype(jnp.float32) * x["b"][0, 1].astype(jnp.float32)

    x = {"a": jnp.ones(2, jnp.bfloat16), "b": jnp.ones((1, 2), jnp.float16)}
    found = quick_jit(make(f))(x, baseline=0.0)
    assert jax.tree.map(jnp.result_type, found) == jax.tree.map(jnp.result_type, x)
    # Each of both shares what it brings to the product.
    assert_close(found["a"], jnp.full(2, 0.5, jnp.bfloat16))
    assert_close(found["b"], jnp.array([[0.0, 1.0]], jnp.float16))


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_one_value_that_is_not_finite_leaves_no_value_finite(bad):
    table = jnp.asarray(random_table(4)).at[5].set(bad)
    for make in (jx.shapley_values, jx.banzhaf_values):
        assert not jnp.isfinite(of_table(make, 4)(table)).any()


@pytest.mark.parametrize("d", [1, 2])
def test_one_feature_gets_all_and_two_share(d):
    table = jnp.array([1.0, 4.0, 2.0, 9.0])[: 2**d]
    shared = jnp.array([3.0]) if d == 1 else jnp.array([5.0, 3.0])
    assert_close(exact(d)(table), shared)


def test_twelve_features_in_chunks_match_the_formula_of_a_product():
    """A product of d equal factors is shared equally."""
    f = lambda x: jnp.prod(1 + x)
    explain = quick_jit(jx.shapley_values(f, chunk_size=500))
    x = jnp.full(12, 0.25)
    assert_close(explain(x, baseline=0.0), jnp.full(12, (1.25**12 - 1) / 12))


def test_a_permutation_of_the_definition_is_the_same_definition():
    """The oracle itself: sums over subsets are means over orders."""
    table = random_table(4)
    phi = [0.0] * 4
    for order in itertools.permutations(range(4)):
        for k, i in enumerate(order):
            before = slow.code(order[:k])
            phi[i] += (table[before | 1 << i] - table[before]) / 24
    assert_close(np.array(phi), slow.shapley(4) @ table)

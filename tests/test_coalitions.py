"""Designs: which coalitions there are, how often, and how they hang together."""

import functools
import itertools
import math
from collections import Counter

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from raising import cases, check

from jaxplain import coalitions

KEY = jr.key(3)
SIZES = ("leverage", "kernel", "binomial")
SIGMAS = 5  # some tests look at a hundred frequencies: four would fail now and then


@functools.cache
def rows(design, num_samples, *args, **options):
    """All masks of a design, as a function of the key, compiled once."""

    def draw(key):
        draw = design(key, *args, **options)
        return jax.vmap(draw)(jnp.arange(num_samples))

    return quick_jit(draw)


def stratified(key, d, m, sizes="leverage"):
    return np.asarray(rows(coalitions.stratified, m, d, m, sizes=sizes)(key))


def numbers(masks):
    """Each coalition as one number."""
    return masks @ (1 << np.arange(masks.shape[-1]))


# Every coalition once.


def test_exhaustive_counts_in_binary():
    masks = np.asarray(jax.vmap(coalitions.exhaustive(5))(jnp.arange(32)))
    assert (numbers(masks) == np.arange(32)).all()


def test_leave_one_out_lacks_one_feature_and_then_none():
    masks = jax.vmap(coalitions.leave_one_out(4))(jnp.arange(5))
    assert (masks == np.append(1 - np.eye(4), np.ones((1, 4)), 0).astype(bool)).all()


# How many of each size.


@pytest.mark.parametrize("sizes", SIZES)
def test_an_allocation_is_symmetric_and_feasible_and_spends_the_budget(sizes):
    for d in range(2, 13):
        most = 2**d - 2
        for m in sorted({2, *range(2, most, max(2, most // 40 * 2)), most}):
            counts = coalitions.allocation(d, m, sizes=sizes)
            assert counts.sum() == m
            assert counts[0] == counts[d] == 0
            assert (counts == counts[::-1]).all()
            assert all(n <= math.comb(d, s) for s, n in enumerate(counts))
            if d % 2 == 0:
                assert counts[d // 2] % 2 == 0  # whole pairs
            if m // 2 >= d // 2:
                assert (counts[1:-1] > 0).all()


def test_the_whole_budget_is_every_coalition():
    for d in range(2, 12):
        counts = coalitions.allocation(d, 2**d - 2)
        assert counts.tolist() == [0, *(math.comb(d, s) for s in range(1, d)), 0]


LAWS = {
    "leverage": lambda d, s: 1.0,
    "kernel": lambda d, s: 1 / (s * (d - s)),
    "binomial": math.comb,
}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("d", [9, 12])
def test_an_allocation_follows_its_law_where_no_size_is_used_up(sizes, d):
    m = 80
    counts = coalitions.allocation(d, m, sizes=sizes)
    everyone = np.array([math.comb(d, s) for s in range(d + 1)])
    law = np.array([0, *(LAWS[sizes](d, s) for s in range(1, d)), 0])
    free = (counts < everyone) & (counts > 2) & (law > 0)
    left = counts[free].sum()
    # Whole pairs: off by less than two, once for each size and its complement.
    assert np.abs(counts - left * law / law[free].sum())[free].max() < 4
    assert free.sum() >= d // 2


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("d", [40, 784])
def test_an_allocation_to_many_features_spends_its_budget(d, sizes):
    for m in (2, d, 4 * d + 2):
        counts = coalitions.allocation(d, m, sizes=sizes)
        assert counts.sum() == m
        assert (counts == counts[::-1]).all()
        assert (counts[1:-1] > 0).all() == (m // 2 >= d // 2)


# Stratified.


@pytest.mark.parametrize(
    ("d", "m", "sizes"),
    [
        (2, 2, "leverage"),
        (6, 40, "binomial"),
        (7, 126, "leverage"),
        (9, 100, "kernel"),
        (40, 160, "leverage"),
        pytest.param(784, 1570, "leverage", marks=pytest.mark.slow),
    ],
)
def test_a_stratified_design_holds_its_allocation_once_and_in_pairs(d, m, sizes):
    masks = stratified(KEY, d, m, sizes)
    assert masks.dtype == bool
    counts = np.bincount(masks.sum(1), minlength=d + 1)
    assert counts.tolist() == coalitions.allocation(d, m, sizes=sizes).tolist()
    assert (masks[0::2] != masks[1::2]).all()
    assert len({mask.tobytes() for mask in masks}) == m


@pytest.mark.parametrize(("d", "m"), [(5, 12), (6, 20)])
def test_every_coalition_of_a_size_is_as_likely_as_any_other(d, m):
    keys = 3000
    masks = jax.vmap(rows(coalitions.stratified, m, d, m))(jr.split(KEY, keys))
    seen = Counter(numbers(np.asarray(masks)).ravel().tolist())
    counts = coalitions.allocation(d, m)
    for s in range(1, d):
        p = counts[s] / math.comb(d, s)
        error = math.sqrt(keys * p * (1 - p))
        for chosen in itertools.combinations(range(d), s):
            drawn = seen[sum(1 << i for i in chosen)]
            assert abs(drawn - keys * p) <= SIGMAS * error


def test_every_feature_is_as_likely_as_any_other_in_each_sample():
    d, m, keys = 40, 80, 2000  # sizes whose coalitions are ranked, and others
    masks = jax.vmap(rows(coalitions.stratified, m, d, m))(jr.split(KEY, keys))
    masks = np.asarray(masks)
    p = masks[0].mean(1)[:, None]  # the size of a sample is fixed
    assert (masks.mean(2) == masks[0].mean(1)).all()
    error = np.sqrt(p * (1 - p) / keys)
    assert (np.abs(masks.mean(0) - p) < SIGMAS * error).all()


def test_pairs_of_features_are_as_likely_as_any_other_in_a_small_design():
    d, m, keys = 6, 8, 4000
    masks = jax.vmap(rows(coalitions.stratified, m, d, m))(jr.split(KEY, keys))
    masks = np.asarray(masks, float)[:, 0::2]
    for k in range(m // 2):
        s = int(masks[0, k].sum())
        together = masks[:, k].T @ masks[:, k] / keys
        p = s * (s - 1) / (d * (d - 1))
        error = math.sqrt(p * (1 - p) / keys)
        i, j = np.triu_indices(d, 1)
        assert np.abs(together[i, j] - p).max() <= SIGMAS * error


DESIGNS = {
    "bernoulli": lambda key: coalitions.bernoulli(key, 40),
    "paired": lambda key: coalitions.paired(key, 6),
    "stratified": lambda key: coalitions.stratified(key, 6, 20),
    "stratified_of_many": lambda key: coalitions.stratified(key, 40, 20),
    "quasi_random": lambda key: coalitions.quasi_random(key, 6, 20),
    "permutations": lambda key: coalitions.permutations(key, 6),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_a_sample_does_not_depend_on_which_others_are_drawn(name):
    draw = quick_jit(lambda key, indices: jax.vmap(DESIGNS[name](key))(indices))
    masks = np.asarray(draw(KEY, jnp.arange(20)))
    some = np.array([19, 3, 3, 0, *range(5, 21)]) % 20
    assert (draw(KEY, jnp.asarray(some)) == masks[some]).all()
    assert not (masks == draw(jr.key(4), jnp.arange(20))).all()


# Independent.


def test_bernoulli_features_are_fair_and_independent_across_words():
    d, m = 70, 4000
    masks = np.asarray(rows(coalitions.bernoulli, m, d)(KEY))
    signs = 2.0 * masks - 1
    correlation = signs.T @ signs / m - np.eye(d)
    # 2415 correlations of standard error m ** -0.5: five would be 1e-3 of them.
    assert np.abs(correlation).max() < SIGMAS / m**0.5
    assert np.abs(signs.mean(0)).max() < SIGMAS / m**0.5


def test_paired_sizes_follow_the_shapley_kernel():
    d, m = 7, 6000
    masks = np.asarray(rows(coalitions.paired, m, d)(KEY))
    assert (masks[0::2] != masks[1::2]).all()
    law = np.array([1 / (s * (d - s)) for s in range(1, d)])
    p = law / law.sum()
    seen = np.bincount(masks[0::2].sum(1), minlength=d + 1)
    assert seen[0] == seen[d] == 0
    error = np.sqrt(p * (1 - p) * m / 2)
    assert (np.abs(seen[1:d] - p * m / 2) < SIGMAS * error).all()


# Quasi-random.


@pytest.mark.parametrize(("d", "m"), [(3, 8), (6, 16), (8, 16), (11, 64)])
def test_any_three_features_see_all_eight_patterns_equally_often(d, m):
    masks = np.asarray(rows(coalitions.quasi_random, m, d, m)(KEY))
    assert (masks[0::2] != masks[1::2]).all()
    for three in itertools.combinations(range(d), 3):
        seen = np.bincount(numbers(masks[:, three]), minlength=8)
        assert (seen == m / 8).all()


@pytest.mark.parametrize("d", range(1, 8))
def test_a_quasi_random_design_of_every_size_is_the_whole_cube(d):
    for key in jr.split(KEY, 3):
        masks = np.asarray(rows(coalitions.quasi_random, 2**d, d, 2**d)(key))
        assert (np.bincount(numbers(masks), minlength=2**d) == 1).all()


def test_which_features_of_a_quasi_random_design_depend_is_random():
    draw = rows(coalitions.quasi_random, 16, 5, 16)
    masks = np.asarray(jax.vmap(draw)(jr.split(KEY, 40)))
    # Of five features in 16 samples, four have a parity, and one is free.
    others = masks.sum(2, keepdims=True) - masks
    parity = (others % 2).mean(1)
    fixed = (parity == 0) | (parity == 1)
    assert (fixed.sum(1) == 1).all()
    assert fixed.any(0).all()


def test_a_quasi_random_feature_is_fair_over_keys():
    d, keys = 5, 2000
    masks = jax.vmap(rows(coalitions.quasi_random, 16, d, 16))(jr.split(KEY, keys))
    mean = np.asarray(masks).mean(0)
    assert np.abs(mean - 0.5).max() < SIGMAS * 0.5 / keys**0.5


# Permutations.

UNIONS = (
    np.array([0, 1, 0, 1, 0, 1, 1]),
    np.array([0, 1, 0, 2, 3, 1, 2]),
)


def orders(masks, d):
    """Who joins at each step of each walk, and a check that one does."""
    walks = masks.reshape(-1, d - 1, d).astype(int)
    ends = np.zeros((len(walks), 1, d), int)
    joined = np.diff(np.concatenate([ends, walks, ends + 1], 1), axis=1)
    assert (joined.min(), joined.max()) == (0, 1)
    assert (joined.sum(2) == 1).all()
    return joined.argmax(2)


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_permutations_grow_by_one_and_are_antithetic(levels):
    d, walks = 7, 30
    design = functools.partial(coalitions.permutations, unions=UNIONS[:levels])
    found = orders(np.asarray(rows(design, walks * (d - 1), d)(KEY)), d)
    assert (found[0::2] == found[1::2, ::-1]).all()
    for labels in UNIONS[:levels]:
        for order in found:
            runs = [u for u, _ in itertools.groupby(labels[order])]
            assert len(runs) == len(set(runs))


@pytest.mark.parametrize("levels", [0, 1])
def test_every_order_that_unions_allow_is_equally_likely(levels):
    labels = np.array([0, 1, 0, 1])
    unions, number = ([labels], 8) if levels else ([], 24)
    design = functools.partial(coalitions.permutations, unions=unions)
    walks = 4800
    found = orders(np.asarray(rows(design, walks * 3, 4)(KEY)), 4)
    seen = Counter(map(tuple, found[0::2].tolist()))
    assert len(seen) == number
    p = 1 / number
    error = math.sqrt(walks / 2 * p * (1 - p))
    assert max(abs(n - walks / 2 * p) for n in seen.values()) < SIGMAS * error


# Errors.

ODD = (
    "`num_samples` must be even, but is 5: coalitions come in pairs with their "
    "complements. Take 6 of them."
)
MANY = (
    "`num_samples` must be at most 14, but is 16: there are no more coalitions. Take "
    "all of them with `coalitions.exhaustive`."
)
LAW = (
    "`sizes` must be one of 'leverage', 'kernel', 'binomial', but is 'kernels'. Did "
    "you mean 'kernel'?"
)


@cases(
    exhaustive=(
        lambda: coalitions.exhaustive(32),
        ValueError,
        "`num_groups` must be at most 31 to enumerate coalitions, but is 32. Sample "
        "them with `coalitions.stratified`.",
    ),
    odd=(lambda: coalitions.stratified(KEY, 4, 5), ValueError, ODD),
    odd_allocation=(lambda: coalitions.allocation(4, 5), ValueError, ODD),
    many=(lambda: coalitions.stratified(KEY, 4, 16), ValueError, MANY),
    law=(lambda: coalitions.stratified(KEY, 4, 6, sizes="kernels"), ValueError, LAW),
    one_feature=(
        lambda: coalitions.stratified(KEY, 1, 2),
        ValueError,
        "`num_groups` must be at least 2, but is 1.",
    ),
    one_to_pair=(
        lambda: coalitions.paired(KEY, 1),
        ValueError,
        "`num_groups` must be at least 2, but is 1.",
    ),
    one_to_order=(
        lambda: coalitions.permutations(KEY, 1),
        ValueError,
        "`num_groups` must be at least 2, but is 1.",
    ),
    not_an_integer=(
        lambda: coalitions.bernoulli(KEY, "two"),
        TypeError,
        "`num_groups` must be a Python int, but is str ('two'). It sets the size of "
        "the program, so it cannot be traced.",
    ),
    few_quasi_random=(
        lambda: coalitions.quasi_random(KEY, 4, 7),
        ValueError,
        "`num_samples` must be at least 8, but is 7.",
    ),
    many_quasi_random=(
        lambda: coalitions.quasi_random(KEY, 4, 2**20 + 1),
        ValueError,
        "`num_samples` must be at most 1048576 for a quasi-random design, but is "
        "1048577. Draw independent ones with `coalitions.bernoulli`.",
    ),
)
def test_a_design_says_what_it_takes(call, error, message):
    check(call, error, message)

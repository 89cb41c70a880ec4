"""Presence of tokens: masks, removal, words, batches of padded texts."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from hypothesis import strategies as st
from properties import fixed

import jaxplain as jx
from jaxplain import text

PAD, MASK = 0, 1
TOKENS = np.array([2, 5, 3, 5, 4])
SCORES = np.array([0.0, 0.0, 3.0, -1.0, 0.5, 2.0])
PLACES = np.array([1.0, -0.5, 2.0, 0.25, -1.5])


def bag(tokens):
    """A bag of words: each token adds its score; padding and mask add nothing."""
    return jnp.asarray(SCORES)[tokens].sum()


def ordered(tokens, scale):
    """The order counts, and words interact; padding behind them does not count."""
    values = jnp.asarray(SCORES)[tokens]
    read = jnp.cumsum((tokens != PAD).astype(values.dtype)) * values
    return scale * jnp.tanh(read.sum() / 5) + values[0] * values[1]


masked = partial(text.masked, mask_token=MASK)
removed = partial(text.removed, pad_token=PAD)
LENGTH = 8
rows = st.lists(
    st.tuples(st.integers(2, 5), st.booleans()), min_size=LENGTH, max_size=LENGTH
)
forms = pytest.mark.parametrize("form", [masked, removed], ids=["masked", "removed"])
# Ids are digits: a number in float64 says exactly which tokens `f` was given.
POWERS = 10.0 ** np.arange(LENGTH)
code = lambda tokens: (tokens.astype(POWERS.dtype) * POWERS).sum()
see_masked = quick_jit(masked(code))
see_removed = {side: quick_jit(removed(code, side=side)) for side in ("left", "right")}


# What is present.


@fixed
@given(rows)
def test_absent_tokens_are_masked(row):
    tokens, present = map(np.array, zip(*row, strict=True))
    expected = [t if there else MASK for t, there in row]
    assert see_masked(present.astype(float), tokens) == code(np.array(expected))


@fixed
@given(rows, st.integers(0, LENGTH - 1), st.sampled_from(["left", "right"]))
def test_removal_encodes_the_shorter_text(row, padding, side):
    words = row[padding:]
    kept = [t for t, there in words if there]
    tokens, present = zip(*words, strict=True)
    blank, ones = (PAD,) * padding, (True,) * padding
    gone = [PAD] * (LENGTH - len(kept))
    if side == "right":
        tokens, present, expected = tokens + blank, present + ones, kept + gone
    else:
        tokens, present, expected = blank + tokens, ones + present, gone + kept
    found = see_removed[side](np.array(present, float), np.array(tokens))
    assert found == code(np.array(expected))


@forms
def test_all_tokens_present_is_the_text_itself(form):
    assert form(ordered)(jnp.ones(5), TOKENS, 2.0) == ordered(TOKENS, 2.0)


@forms
def test_a_fraction_counts_as_present_above_one_half(form):
    g = form(bag)
    assert g(jnp.full(5, 0.5), TOKENS) == 0
    assert g(jnp.full(5, 0.75), TOKENS) == bag(TOKENS)


@forms
def test_presence_that_is_nan_makes_the_value_nan(form):
    assert jnp.isnan(form(bag)(jnp.array([1.0, jnp.nan, 1.0, 1.0, 1.0]), TOKENS))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint16", "int32", "int64"])
@forms
def test_tokens_keep_their_dtype(form, dtype):
    seen = []
    g = form(lambda t: (seen.append(t.dtype), jnp.float32(0))[1])
    g(jnp.ones(5), TOKENS.astype(dtype))
    assert seen == [jnp.dtype(dtype)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@forms
def test_the_value_has_the_dtype_of_f_and_the_attribution_that_of_presence(form, dtype):
    f = lambda tokens: jnp.asarray(SCORES, dtype)[tokens].sum()
    g = form(f)
    assert g(jnp.ones(5), TOKENS).dtype == f(TOKENS).dtype == jnp.dtype(dtype)
    phi = quick_jit(jx.occlusion(g))(jnp.ones(5, dtype), TOKENS, baseline=0.0)
    assert phi.dtype == jnp.dtype(dtype)
    assert_close(phi, jnp.asarray(SCORES[TOKENS], dtype))


@forms
def test_a_text_may_be_one_token_or_a_list(form):
    assert form(bag)(jnp.ones(1), [5]) == 2.0


def test_what_comes_after_the_tokens_can_be_differentiated():
    slope = jax.grad(lambda scale: masked(ordered)(jnp.ones(5), TOKENS, scale))
    expected = jax.grad(lambda scale: ordered(TOKENS, scale))
    assert slope(2.0) == expected(2.0) != 0


# Explanations.

EXPLAINERS = {
    "occlusion": lambda g, n: jx.occlusion(g, num_groups=n),
    "shapley_values": lambda g, n: jx.shapley_values(g, num_groups=n),
    "kernel_shap": lambda g, n: partial(
        jx.kernel_shap(g, num_groups=n, num_samples=30), key=jr.key(0)
    ),
    "gp_shap": lambda g, n: partial(
        jx.gp_shap(g, num_groups=n, num_samples=30), key=jr.key(0)
    ),
    "lime": lambda g, n: partial(
        jx.lime(g, num_groups=n, num_samples=60, ridge=0.0, sampling="text"),
        key=jr.key(0),
    ),
}
each = pytest.mark.parametrize("make", EXPLAINERS.values(), ids=EXPLAINERS.keys())


@each
@forms
def test_a_bag_of_words_is_recovered(make, form):
    explain = quick_jit(partial(make(form(bag), None), baseline=0.0))
    phi = explain(jnp.ones(5), TOKENS)
    # The regressions solve a linear system of float64, condition about 100.
    assert_close(phi, SCORES[TOKENS], tol=1e-10)


@each
def test_a_bag_of_words_is_recovered_by_any_grouping(make):
    labels, n = text.word_types(TOKENS)
    explain = quick_jit(partial(make(masked(bag), n), baseline=0.0, groups=labels))
    phi = explain(jnp.ones(5), TOKENS)
    assert_close(phi, np.array([3.0, 4.0, -1.0, 0.5]), tol=1e-10)


def test_repeated_words_are_one_feature_or_several():
    words = ["so", "so", "good"]
    f = lambda tokens: jnp.where((tokens == 2).sum() >= 1, 1.0, 0.0)  # once is enough
    tokens = jnp.array([2, 2, 3])
    several = quick_jit(jx.occlusion(masked(f)))
    labels, n = text.word_types(words)
    one = quick_jit(partial(jx.occlusion(masked(f), num_groups=n), groups=labels))
    assert several(jnp.ones(3), tokens, baseline=0.0).tolist() == [0.0, 0.0, 0.0]
    assert one(jnp.ones(3), tokens, baseline=0.0).tolist() == [1.0, 0.0]


def test_parts_of_a_word_stand_or_fall_together():
    labels, n, keep = text.subwords([None, 0, 0, 1, None])
    f = lambda t: jnp.where((t[1] == 5) & (t[2] == 3), 3.0, 0.0)
    explain = jx.shapley_values(masked(f), num_groups=n)
    phi = quick_jit(partial(explain, baseline=keep, groups=labels))(jnp.ones(5), TOKENS)
    assert phi.tolist() == [3.0, 0.0]


@forms
def test_kept_tokens_are_never_absent(form):
    keep = np.array([True, False, False, True, False])
    lost = lambda t: jnp.where((t == 2).any() & (t == 5).any(), 0.0, 1.0)
    explain = quick_jit(partial(jx.occlusion(form(lost)), baseline=keep))
    assert explain(jnp.ones(5), TOKENS).tolist() == [0.0] * 5
    assert explain(jnp.zeros(5), TOKENS).tolist() == [0.0] * 5
    assert form(lost)(keep.astype(float), TOKENS) == 0


@forms
def test_padding_changes_no_shapley_value(form):
    values = quick_jit(jx.shapley_values(form(ordered)))
    alone = values(jnp.ones(5), TOKENS, 2.0, baseline=0.0)
    padded = np.pad(TOKENS, (0, 3))
    longer = values(jnp.ones(8), padded, 2.0, baseline=padded == PAD)
    assert_close(longer, jnp.pad(alone, (0, 3)))


def test_texts_of_different_lengths_share_one_program():
    batch = np.array([[2, 5, 3, 0, 0], [4, 2, 5, 5, 3], [3, 4, 0, 0, 0]])
    values = jx.shapley_values(removed(ordered))
    alone = quick_jit(partial(values, baseline=0.0))

    @quick_jit
    @jax.vmap
    def explain(tokens):
        return values(jnp.ones(5), tokens, 2.0, baseline=tokens == PAD)

    found = explain(batch)
    assert explain._cache_size() == 1
    for tokens, phi in zip(batch, found):
        short = tokens[tokens != PAD]
        one = alone(jnp.ones(len(short)), short, 2.0)
        assert_close(phi, jnp.pad(one, (0, 5 - len(short))))


@forms
def test_jit_changes_nothing(form):
    explain = partial(jx.occlusion(form(ordered)), baseline=0.0)
    found = quick_jit(explain)(jnp.ones(5), TOKENS, 2.0)
    assert_close(found, explain(jnp.ones(5), TOKENS, 2.0))


@pytest.mark.slow
def test_chunks_change_nothing_and_keys_do(getkey):
    make = partial(jx.kernel_shap, removed(ordered), num_samples=16)
    plain, chunked = (quick_jit(make(chunk_size=size)) for size in (None, 5))
    call = lambda explain, key: explain(jnp.ones(5), TOKENS, 2.0, baseline=0.0, key=key)
    key = getkey()
    assert_close(call(chunked, key), call(plain, key))
    assert np.any(call(chunked, getkey()) != call(plain, key))


def test_masking_is_a_game_of_numpy():
    """Occlusion of the masked text, by a loop over its words."""
    drops = []
    for i in range(5):
        without = TOKENS.copy()
        without[i] = MASK
        drops.append(float(ordered(TOKENS, 2.0) - ordered(without, 2.0)))
    explain = quick_jit(partial(jx.occlusion(masked(ordered)), baseline=0.0))
    found = explain(jnp.ones(5), TOKENS, 2.0)
    assert_close(found, np.array(drops))


def test_a_traced_label_out_of_range_makes_the_value_nan():
    drop = jx.occlusion(masked(bag), num_groups=2)
    call = lambda labels: drop(jnp.ones(5), TOKENS, baseline=0.0, groups=labels)
    assert jnp.isnan(quick_jit(call)(np.array([0, 1, 0, 1, 7]))).all()


def test_integrated_gradients_of_the_embedding_agree_on_a_bag_of_words():
    table = jnp.asarray(np.outer(SCORES, [1.0, 0.5]) + 0.25)

    def f(tokens):
        return jx.tap(table[tokens], "embed").sum()

    value, head = jx.cut(f, TOKENS, at="embed")
    blank, _ = jx.cut(f, np.full_like(TOKENS, MASK), at="embed")
    explain = quick_jit(jx.integrated_gradients(head, steps=4))
    per_word = explain(value, baseline=blank).sum(-1)
    by_masks = quick_jit(jx.occlusion(masked(f)))(jnp.ones(5), TOKENS, baseline=0.0)
    assert_close(per_word, by_masks)

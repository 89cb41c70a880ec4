"""Explanations over stacked parameters, and what they say together."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import ensembles

MEMBERS = 7
X = jnp.array([0.5, -1.0, 2.0])
PARAMS = {
    "w": jnp.asarray(np.sin(np.arange(3.0 * MEMBERS)).reshape(MEMBERS, 3)),
    "b": jnp.linspace(-1, 1, MEMBERS),
}


def f(x, params, label):
    return jnp.stack([jnp.tanh(x @ params["w"] + params["b"]), x.sum()])[label]


ig = jx.integrated_gradients(f, steps=4)
each = quick_jit(partial(ensembles.over(ig), baseline=0.0))
fit = quick_jit(partial(ensembles.summary(ig, level=0.8), baseline=0.0))


def member(i):
    return jax.tree.map(lambda leaf: leaf[i], PARAMS)


def test_every_member_is_explained_as_it_is_alone():
    found = each(X, PARAMS, 0)
    assert found.shape == (MEMBERS, 3)
    alone = quick_jit(partial(ig, baseline=0.0))
    for i in (0, MEMBERS - 1):
        assert_close(found[i], alone(X, member(i), 0))


@pytest.mark.slow
def test_the_mean_explains_the_mean_of_the_members():
    together = lambda x, params, label: jax.vmap(f, (None, 0, None))(
        x, params, label
    ).mean()
    explain = jx.integrated_gradients(together, steps=4)
    assert_close(fit(X, PARAMS, 0).mean, quick_jit(explain)(X, PARAMS, 0, baseline=0.0))


def test_a_summary_is_that_of_numpy():
    members, found = np.asarray(each(X, PARAMS, 0)), fit(X, PARAMS, 0)
    assert_close(found.std, members.std(0, ddof=1))
    assert_close(found.lower, np.quantile(members, 0.1, axis=0))
    assert_close(found.upper, np.quantile(members, 0.9, axis=0))
    signs = np.maximum((members > 0).mean(0), (members < 0).mean(0))
    assert_close(found.sign_agreement, signs)


def test_members_that_all_say_the_same_agree():
    found = fit(X, PARAMS, 1)  # a score without parameters
    assert_close(found.std, jnp.zeros(3))
    assert_close(found.lower, found.upper)
    assert_close(found.sign_agreement, jnp.ones(3))


def test_no_sign_is_no_agreement_and_nan_no_dissent():
    fit = quick_jit(ensembles.summary(lambda x, w: x * w))
    found = fit(jnp.array([0.0, jnp.nan]), jnp.ones(2))
    np.testing.assert_array_equal(found.sign_agreement, [0.0, np.nan])


def test_flags_and_counts_have_fractions_for_a_summary():
    explain = lambda x, w: {"flag": w > 0, "count": w.astype(int)}
    fit = quick_jit(ensembles.summary(explain))
    found = fit(1.0, jnp.array([-2.0, 1.0, 2.0, 3.0]))
    assert found.mean == {"flag": 0.75, "count": 1.0}
    assert found.sign_agreement["count"] == 0.75


def test_the_deviation_has_a_slope_where_members_are_equal():
    spread = lambda w: ensembles.summary(lambda x, w: x * w)(X.at[0].set(0), w).std
    slope = quick_jit(jax.jacobian(spread))(jnp.array([0.1, 0.2, 0.4]))
    assert_close(slope[0], jnp.zeros(3))
    assert_close(slope[2], 2 * slope[1])


def test_the_deviation_stays_within_the_range_of_float32():
    fit = quick_jit(ensembles.summary(lambda x, w: x * w))
    scales = jnp.array([1e-30, 1e30], jnp.float32)
    found = fit(scales, jnp.array([1.0, 2.0, 3.0], jnp.float32))
    assert_close(found.std / scales, jnp.ones(2, jnp.float32))


def test_chunks_and_batches_change_nothing():
    chunked = ensembles.over(ig, chunk_size=3)
    explain = jax.vmap(lambda x: chunked(x, PARAMS, 0, baseline=0.0))
    found = quick_jit(explain)(jnp.stack([X, -X]))
    assert_close(found[0], each(X, PARAMS, 0))


def test_several_arguments_are_stacked_together():
    labels = np.array([0, 1, 0, 1, 0, 1, 0])
    both = ensembles.over(ig, argnums=(1, np.int64(2)))
    found = quick_jit(partial(both, baseline=0.0))(X, PARAMS, labels)
    assert_close(found[2], each(X, PARAMS, 0)[2])
    assert_close(found[3], each(X, PARAMS, 1)[3])


def test_members_share_the_key():
    explain = jx.smooth(jx.saliency(f), std=0.3, num_samples=3)
    same = jax.tree.map(lambda leaf: jnp.stack([leaf[0]] * 2), PARAMS)
    found = quick_jit(ensembles.over(explain))(X, same, 0, key=jr.key(0))
    assert_close(found[0], found[1])


def test_the_dtype_is_kept():
    narrow = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), (X, PARAMS))
    found = jax.eval_shape(ensembles.summary(lambda x, p: x * p["w"]), *narrow)
    assert {leaf.dtype for leaf in found} == {jnp.dtype(jnp.bfloat16)}


@cases(
    position=(
        lambda: ensembles.over(ig, argnums=-1),
        ValueError,
        "`argnums` must hold positions of arguments, from 0, but is -1. Pass that of "
        "the parameters, for example 1 for `explain(x, params)`.",
    ),
    missing=(
        lambda: ensembles.over(ig, argnums=4)(X, PARAMS, 0, baseline=0.0),
        ValueError,
        "`argnums` must name arguments of the call, which has 3 without keywords, but "
        "holds 4. Count from `x` at 0.",
    ),
    lengths=(
        lambda: ensembles.over(ig)(
            X, {"w": jnp.ones((2, 3)), "b": jnp.ones(3)}, 0, baseline=0.0
        ),
        ValueError,
        "the arguments of `argnums` must be stacks, with a member per entry of the "
        "first axis of every leaf, but have shapes [(3,), (2, 3)]. Stack parameters "
        "with `jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *members)`.",
    ),
    alone=(
        lambda: ensembles.summary(lambda x, w: x * w)(X, jnp.ones(1)),
        ValueError,
        "a stack must hold at least two members to summarise, but holds 1. Explain a "
        "single one without `ensembles.summary`.",
    ),
    level=(
        lambda: ensembles.summary(ig, level=95),
        ValueError,
        "`level` must be below 1, but is 95: it is the probability of the interval. "
        "Pass 0.95 for 95 %.",
    ),
)
def test_a_stack_that_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)

"""What every metric of an attribution promises."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from metric_cases import CASES, SHAPE, compiled, drawn, f
from properties import fixed, seeds

KEY = jr.key(0)
every = pytest.mark.parametrize("name", CASES)
unrandom = pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "key" not in case.needs]
)
ranking = pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.order_only]
)


def judge(name, *arrays):
    return compiled(name)(*arrays, KEY)


def close(actual, expected, tol=None):
    counts_too = lambda tree: jax.tree.map(lambda leaf: leaf.astype(jnp.float64), tree)
    assert_close(counts_too(actual), counts_too(expected), tol=tol)


# Compiled for a batch. The others are of the same making as one of these.
QUICK = ("deletion", "faithfulness_correlation")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow])
        for name in CASES
    ],
)
def test_a_batch_in_chunks_is_a_loop_of_whole_calls(name):
    case, batch, keys = CASES[name], drawn(0, 2), jr.split(KEY, 2)
    measure = case.make(f, chunk_size=3)

    def one(x, a, phi, b, key):
        return measure(x, a, attribution=phi, **case.given(b, key))

    found = quick_jit(jax.vmap(one))(*batch, keys)
    rows = [compiled(name)(*(leaf[i] for leaf in batch), keys[i]) for i in range(2)]
    # Conjugate gradients end in a batch when the slowest of it does.
    tol = 1e-9 if name == "road" else None
    expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)
    close(found, expected, tol)


@ranking
@fixed
@given(seed=seeds)
def test_only_the_order_of_the_features_counts(name, seed):
    x, a, phi, b = drawn(seed)
    found = judge(name, x, a, phi, b)
    if name == "road":
        # Summed over channels first, so that the order is that of pixels.
        bent = np.broadcast_to(phi.sum(-1, keepdims=True) ** 3, SHAPE)
    else:
        bent = 5 * phi**3 + 2
    close(judge(name, x, a, bent, b), found)


@unrandom
def test_features_by_other_names_are_judged_alike(name):
    there = drawn(3)
    moved = [leaf[:, [1, 2, 0]] for leaf in there]  # `f` sums over channels
    close(judge(name, *moved), judge(name, *there))


@every
def test_half_precision_is_summed_in_float32_and_no_wider(name):
    case = CASES[name]
    x, a, phi, b = (jnp.asarray(leaf, jnp.bfloat16) for leaf in drawn(0))
    measure = partial(case.make(f), attribution=phi, **case.given(b, KEY))
    leaves = jax.tree.leaves(jax.eval_shape(measure, x, a))
    expected = "int32" if name == "non_sensitivity" else "float32"
    assert {leaf.dtype.name for leaf in leaves} == {expected}


@every
def test_an_input_may_be_any_pytree_but_for_space(name):
    case = CASES[name]
    x, a, phi, b = (
        {"left": jnp.asarray(leaf[:2]), "right": [jnp.asarray(leaf[2:])]}
        for leaf in drawn(0)
    )
    joined = lambda tree: jnp.concatenate([tree["left"], tree["right"][0]])
    of_tree = lambda x, a: f(joined(x), joined(a))
    measure = partial(case.make(of_tree), attribution=phi, **case.given(b, KEY))
    if name in ("road", "squares"):
        with pytest.raises((ValueError, TypeError), match="must be one array"):
            jax.eval_shape(measure, x, a)
        return
    found = jax.eval_shape(measure, x, a)
    expected = jax.eval_shape(compiled(name), *drawn(0), KEY)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    assert [leaf.shape for leaf in jax.tree.leaves(found)] == [
        leaf.shape for leaf in jax.tree.leaves(expected)
    ]


@every
def test_what_is_missing_is_asked_for(name):
    case = CASES[name]
    x, a, phi, b = drawn(0)
    refs = case.given(b, KEY)
    for word in ("attribution", *refs):
        given_words = {"attribution": phi, **refs}
        del given_words[word]
        with pytest.raises(TypeError, match=f"`{word}` is missing"):
            jax.eval_shape(partial(case.make(f), **given_words), x, a)

"""Permutation importance, beside every permutation that there is."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain.perturbations import _permutation, permutation_importance

KEY = jr.key(8)
ROWS = np.asarray(jr.normal(jr.key(1), (5, 3)))
LABELS = np.asarray(jr.normal(jr.key(2), (5,)))


def score(xs, ys):
    return -((xs[:, 0] * xs[:, 1] + xs[:, 2] - ys) ** 2).mean()


def cycles(n):
    """Every permutation of one cycle."""
    for order in itertools.permutations(range(1, n)):
        around = [0, *order]
        yield np.array([a for _, a in sorted(zip(around, [*around[1:], 0]))])


def drops_of_cycles():
    for order in cycles(len(ROWS)):
        drops = []
        for i in range(3):
            mixed = ROWS.copy()
            mixed[:, i] = ROWS[order, i]
            drops.append(float(score(ROWS, LABELS) - score(mixed, LABELS)))
        yield drops


def test_importance_is_the_mean_drop_over_cycles_of_the_rows():
    drops = np.array(list(drops_of_cycles()))
    assert drops.shape == (24, 3)
    n = 3000
    explain = quick_jit(permutation_importance(score, num_samples=n, chunk_size=1000))
    phi = np.asarray(explain(ROWS, LABELS, key=KEY))
    assert np.all(np.abs(phi - drops.mean(0)) < 4 * drops.std(0) / n**0.5)


def test_a_cycle_leaves_no_row_in_place_and_passes_through_all():
    draw = jax.vmap(lambda key: _permutation._cycle(key, 6))
    for order in np.asarray(quick_jit(draw)(jr.split(KEY, 20))):
        seen, row = [], 0
        for _ in range(6):
            row = int(order[row])
            seen.append(row)
        assert sorted(seen) == list(range(6))


def test_of_a_mean_over_rows_it_is_the_mean_of_occlusion_with_another_row():
    # Two rows have one cycle: they swap.
    row_score = lambda x, y: -((x[0] * x[1] + x[2] - y) ** 2)
    xs, ys = ROWS[:2], LABELS[:2]
    explain = jax.vmap(lambda x, y, b: jx.occlusion(row_score)(x, y, baseline=b))

    @quick_jit
    def both(xs, ys):
        importance = permutation_importance(score, num_samples=2)
        return importance(xs, ys, key=KEY), explain(xs, ys, xs[::-1]).mean(0)

    assert_close(*both(xs, ys))


def test_groups_label_a_row_and_are_exchanged_together():
    groups = np.array([0, 0, 1])
    explain = quick_jit(permutation_importance(score, num_groups=2, num_samples=1))
    phi = explain(ROWS[:2], LABELS[:2], key=KEY, groups=groups)
    mixed = ROWS[:2].copy()
    mixed[:, :2] = mixed[::-1, :2]
    drop = score(ROWS[:2], LABELS[:2]) - score(mixed, LABELS[:2])
    assert phi.shape == (2,)
    assert_close(phi[0], drop)


def test_every_entry_of_every_leaf_has_an_importance():
    def of_tree(xs):
        return (xs["a"][:, 0, 1].astype(float) * xs["b"]).mean()

    xs = {"a": jnp.asarray(ROWS[:2].reshape(2, 1, 3), jnp.float32), "b": LABELS[:2]}
    phi = quick_jit(permutation_importance(of_tree, num_samples=2))(xs, key=KEY)
    types = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), phi)
    assert types == {"a": ((1, 3), "float32"), "b": ((), "float64")}
    a, b = ROWS[:2, 1].astype(np.float32), LABELS[:2]
    assert_close(phi["b"], (a * b - a * b[::-1]).mean())
    assert phi["a"][0, 1] != 0
    assert phi["a"][0, 0] == phi["a"][0, 2] == 0


explain = permutation_importance(score)
of_rows = partial(permutation_importance(lambda xs: xs[:, 0]), key=KEY)


@cases(
    one_row=(
        lambda: explain(ROWS[:1], LABELS[:1], key=KEY),
        ValueError,
        "`xs` must be a batch, with two rows or more along the first axis of every "
        "leaf, but is float64[1,3]. Pass the rows of a data set, and a score of all of "
        "them as `f`.",
    ),
    lengths=(
        lambda: explain({"a": ROWS, "b": LABELS[:2]}, key=KEY),
        ValueError,
        "`xs` must be a batch, with two rows or more along the first axis of every "
        "leaf, but is {'a': 'float64[5,3]', 'b': 'float64[2]'}. Pass the rows of a "
        "data set, and a score of all of them as `f`.",
    ),
    one_value_per_row=(
        lambda: jax.eval_shape(of_rows, ROWS),
        ValueError,
        "`f` must return a scalar, but returned shape (5,). Select one output, for "
        "example `lambda x: model(x)[label]`.",
    ),
    key=(
        lambda: explain(ROWS, LABELS),
        TypeError,
        "`key` is missing: permutation_importance draws random samples. Pass one, for "
        "example `key=jax.random.key(0)`.",
    ),
    groups=(
        lambda: explain(ROWS, LABELS, key=KEY, groups=np.arange(3)),
        ValueError,
        "`groups` was passed, but permutation_importance was made without "
        "`num_groups`. Say how many there are, for example "
        "`permutation_importance(f, num_groups=50)`.",
    ),
)
def test_what_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)

"""Decision trees, plain and soft; sizes, rules and pruning."""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from raising import cases, check

from jaxplain import distill
from jaxplain.distill import _grow_soft

KEY = jr.key(0)
XS = jr.normal(KEY, (120, 3))
# Two questions, of which the second depends on the answer to the first.
STUMPS = distill.Tree(
    jnp.array([0, 1, -1]),
    jnp.array([0.5, -0.25, 0.0]),
    jnp.array([1.0, 2.0, 4.0, 0.0]),
    jnp.array([30, 40, 50, 0]),
)


def step(x):
    return jnp.where(x[0] <= 0.5, jnp.where(x[1] <= -0.25, 1.0, 2.0), 4.0)


def smooth(x):
    return jnp.tanh(2 * x[0]) + jnp.where(x[0] > 0, x[1], 0)


def classes(x):
    return jax.nn.softmax(jnp.stack([smooth(x), -smooth(x), x[2]]))


def plain(f, **options):
    pytest.importorskip("sklearn")
    return distill.tree(f, **options)


def soft(f, **options):
    given = {"depth": 2, "steps": 60, "batch_size": 32} | options
    return quick_jit(distill.soft_tree(f, **given))


# Plain trees.


def test_a_tree_sends_an_example_down_its_questions():
    np.testing.assert_array_equal(jax.vmap(STUMPS)(XS), jax.vmap(step)(XS))
    np.testing.assert_array_equal(quick_jit(jax.vmap(STUMPS))(XS), jax.vmap(step)(XS))


def test_at_its_threshold_an_example_goes_to_the_first_child():
    assert STUMPS(jnp.array([0.5, -0.25, 0.0])) == 1


def test_only_an_entry_that_is_compared_may_not_be_missing():
    assert jnp.isnan(STUMPS(jnp.array([0.0, jnp.nan, 0.0])))
    assert STUMPS(jnp.array([1.0, jnp.nan, jnp.nan])) == 4


def test_a_function_of_two_questions_is_recovered():
    tree = plain(step, depth=2)(XS)
    assert_close(jax.vmap(tree)(XS), jax.vmap(step)(XS))
    assert distill.size(tree) == (7, 3, 2)


@pytest.mark.parametrize(
    ("f", "dtype"),
    [(smooth, jnp.float32), (smooth, jnp.float64), (classes, jnp.bfloat16)],
)
def test_values_of_leaves_are_the_means_of_the_rows_that_fall_there(f, dtype):
    xs = XS.astype(dtype)
    tree = plain(f, depth=3, min_rows=4, chunk_size=50)(xs)
    y = np.asarray(jax.vmap(f)(xs), float)
    numbered = tree._replace(value=jnp.arange(8.0).astype(tree.value.dtype))
    leaves = np.asarray(jax.vmap(numbered)(xs)).astype(int)
    np.testing.assert_array_equal(np.bincount(leaves, minlength=8), tree.rows)
    assert tree.rows[tree.rows > 0].min() >= 4
    means = np.stack([y[leaves == leaf].mean(0) for leaf in np.unique(leaves)])
    # One by one, they are rounded as bfloat16 is, and in a batch they need not be.
    tol = 1e-2 if dtype == jnp.bfloat16 else 1e-6
    assert_close(tree.value[np.unique(leaves)], means, tol=tol)


def test_a_split_is_the_best_that_there_is():
    tree = plain(smooth, depth=1)(XS)
    x, y = np.asarray(XS), np.asarray(jax.vmap(smooth)(XS))
    parts = [
        (y[c <= t].var() * sum(c <= t) + y[c > t].var() * sum(c > t), j, t)
        for j, c in enumerate(x.T)
        for t in np.sort(c)[:-1]
    ]
    _, column, below = min(parts)
    above = x[:, column][x[:, column] > below].min()
    assert tree.feature[0] == column
    assert_close(tree.threshold[0], (below + above) / 2)


def test_the_splits_depend_on_the_order_of_a_column_alone():
    tree = plain(smooth, depth=3)(XS)
    bent = plain(lambda x: 1e-30 * smooth(jnp.log(x)), depth=3)(jnp.exp(XS))
    np.testing.assert_array_equal(bent.feature, tree.feature)
    np.testing.assert_array_equal(bent.rows, tree.rows)
    assert_close(bent.value, 1e-30 * tree.value, tol=1e-8)  # exp and log round


def test_neighbours_in_float64_are_told_apart():
    xs = 1.0 + jnp.arange(4.0)[:, None] * 2.0**-52
    tree = plain(lambda x: jnp.where(x[0] > xs[1, 0], 1.0, 0.0), depth=1)(xs)
    np.testing.assert_array_equal(jax.vmap(tree)(xs), [0, 0, 1, 1])


def test_a_row_of_weight_0_or_that_is_not_finite_does_not_exist():
    f = lambda x: jnp.where(x[2] > 1.5, jnp.nan, smooth(x))
    left = np.flatnonzero((XS[:, 2] <= 1.5) & (np.arange(120) > 9))
    weights = (jnp.arange(120) > 9).astype(float)
    tree = plain(f, depth=2)(XS, weights=weights)
    expected = plain(smooth, depth=2)(XS[left])
    np.testing.assert_array_equal(tree.feature, expected.feature)
    np.testing.assert_array_equal(tree.rows, expected.rows)
    assert_close(tree.value, expected.value)


def test_a_constant_is_one_leaf():
    tree = plain(lambda x: 7.0 + 0 * x[0])(XS)
    assert distill.size(tree) == (1, 1, 0)
    assert distill.tree_rules(tree) == "always: 7 (100 % of rows)"


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    check(
        lambda: distill.tree(step)(XS),
        ImportError,
        "`distill.tree` needs scikit-learn, which is not installed. Install it with "
        "`pip install 'jaxplain[trees]'`, or take `distill.soft_tree`.",
    )


def test_a_tree_is_grown_on_the_host():
    fit = plain(step)
    with pytest.raises(ValueError, match="`xs` must be concrete"):
        jax.jit(fit)(XS)
    with pytest.raises(ValueError, match="must be finite on some rows"):
        fit(jnp.full((3, 2), jnp.nan))


# Rules.


def test_rules_name_each_column_once():
    deep = distill.Tree(
        jnp.array([0, 0, 1]),
        jnp.array([4.1, 2.0, 1e6]),
        jnp.array([1.0, 2.0, 3.0, 4.0]),
        jnp.array([1, 2, 3, 4]),
    )
    assert distill.tree_rules(deep, ["temp (C)", "income"], digits=3).splitlines() == [
        "if temp (C) <= 2: 1 (10 % of rows)",
        "if 2 < temp (C) <= 4.1: 2 (20 % of rows)",
        "if temp (C) > 4.1 and income <= 1e+06: 3 (30 % of rows)",
        "if temp (C) > 4.1 and income > 1e+06: 4 (40 % of rows)",
    ]


def test_rules_of_several_outputs_list_them():
    two = STUMPS._replace(value=jnp.stack([STUMPS.value, -STUMPS.value], 1))
    assert distill.tree_rules(two).splitlines()[-1] == (
        "if x[0] > 0.5: [4, -4] (42 % of rows)"
    )


# Soft trees.


def test_probabilities_of_the_leaves_are_products_along_their_paths():
    logits = np.asarray(jr.normal(KEY, (5, 7)))
    at_node, at_leaf = _grow_soft.paths(jnp.asarray(logits))
    right = 1 / (1 + np.exp(-logits))
    reached = np.ones((5, 15))
    for i in range(7):
        reached[:, 2 * i + 1] = reached[:, i] * (1 - right[:, i])
        reached[:, 2 * i + 2] = reached[:, i] * right[:, i]
    assert_close(at_node, reached[:, :7])
    assert_close(at_leaf, reached[:, 7:])
    assert_close(at_leaf.sum(1), np.ones(5))


@pytest.mark.slow
@pytest.mark.parametrize("f", [pytest.param(smooth, marks=pytest.mark.slow), classes])
def test_the_mean_of_a_soft_tree_is_that_of_the_function(f):
    loss = "squared" if f is smooth else "cross_entropy"
    weights = jr.uniform(KEY, (120,))
    tree = soft(f, loss=loss, chunk_size=50)(XS, key=KEY, weights=weights)
    means = [jnp.average(jax.vmap(g)(XS), axis=0, weights=weights) for g in (f, tree)]
    assert_close(*means)


@pytest.mark.slow
def test_a_soft_tree_learns_what_a_line_cannot():
    corners = lambda x: jnp.sign(x[0]) * jnp.sign(x[1])
    tree = soft(corners, steps=400, learning_rate=0.1)(XS, key=jr.key(2))
    assert distill.fidelity(corners, tree, chunk_size=60)(XS).agreement > 0.9
    assert distill.linear(corners)(XS).r2 < 0.1


@pytest.mark.slow
def test_one_key_gives_one_tree_and_keys_may_be_mapped():
    fit = distill.soft_tree(smooth, depth=2, steps=10)
    of_key = quick_jit(lambda key: fit(XS, key=key))
    one, again = of_key(KEY), of_key(KEY)
    jax.tree.map(np.testing.assert_array_equal, one, again)
    keys = jnp.stack([KEY, jr.key(1)])
    both = quick_jit(jax.vmap(lambda key: fit(XS, key=key)))(keys)
    # Sums of a batch run in another order, and training carries that on.
    assert_close(jax.tree.map(lambda leaf: leaf[0], both), one, tol=1e-8)
    assert jnp.abs(both.weights[0] - both.weights[1]).max() > 0.01


@pytest.mark.slow
def test_units_of_columns_and_of_the_function_change_nothing():
    columns = jnp.array([2.0**60, 1.0, 2.0**-60])
    tree = soft(smooth)(XS, key=KEY)
    moved = lambda x: 2.0**80 * smooth(x / columns)
    scaled = soft(moved)(XS * columns[None], key=KEY)
    predict = jax.vmap(scaled)(XS * columns[None])
    assert_close(predict / 2.0**80, jax.vmap(tree)(XS), tol=1e-8)


def test_an_unused_branch_costs_what_the_paper_says():
    options = _grow_soft.Options(2, True, 1, 0.1, 1, balance=0.3)
    z, y = XS[:20], jnp.zeros((20, 1))
    nodes = _grow_soft.Nodes(
        jr.normal(KEY, (3, 3)), jnp.array([1.0, -1.0, 0.5]), jnp.zeros((4, 1))
    )

    def cost(nodes):
        """Equations 4 and 5 of the paper, for one batch."""
        logits = z @ nodes.weights.T + nodes.bias[None]
        at_node, _ = _grow_soft.paths(logits)
        right = (at_node * jax.nn.sigmoid(logits)).sum(0) / at_node.sum(0)
        decay = 0.3 * jnp.array([1.0, 0.5, 0.5])
        return -(decay * (jnp.log(right) + jnp.log(1 - right)) / 2).sum()

    nothing = _grow_soft.Reached(jnp.zeros(3), jnp.zeros(3))
    objective = partial(_grow_soft._objective, options=options)
    slope, _ = quick_jit(jax.grad(objective, has_aux=True))(nodes, z, y, nothing)
    expected = quick_jit(jax.grad(cost))(nodes)
    assert_close(slope.weights, expected.weights)
    assert_close(slope.bias, expected.bias)


@pytest.mark.slow
def test_filters_are_shaped_like_examples_and_keep_their_dtype():
    xs = {"a": XS[:, :2].astype(jnp.float32), "b": XS[:, 2].astype(jnp.bfloat16)}
    f = lambda x: x["a"][0] + x["b"].astype(jnp.float32)
    tree = soft(f)(xs, key=KEY)
    assert (tree.weights["a"].shape, tree.weights["b"].shape) == ((3, 2), (3,))
    assert (tree.weights["a"].dtype, tree.weights["b"].dtype) == ("float32", "bfloat16")
    assert tree(jax.tree.map(lambda leaf: leaf[0], xs)).dtype == jnp.float32


@pytest.mark.slow
def test_rows_that_are_left_out_do_not_matter():
    gone = (jnp.arange(120) < 20).astype(float)
    spoilt = jnp.where(gone[:, None] > 0, 1e9, XS)
    fit = soft(lambda x: jnp.where(x[0] > 1e6, jnp.nan, smooth(x)))
    tree = fit(spoilt, key=KEY)
    weighted = soft(smooth)(XS, key=KEY, weights=1 - gone)
    assert_close(tree, weighted, tol=1e-8)


def test_a_constant_column_has_no_weight_and_a_constant_function_no_error():
    xs = XS.at[:, 1].set(5.0)
    tree = soft(lambda x: 3.0 + 0 * x[0])(xs, key=KEY)
    np.testing.assert_array_equal(tree.weights[:, 1], 0)
    assert_close(jax.vmap(tree)(xs), jnp.full(120, 3.0))


# Sizes, and pruning.


def test_size_counts_the_numbers_that_a_model_needs():
    assert distill.size(STUMPS) == (2 * 2 + 3, 3, 2)
    soft_one = distill.SoftTree(jnp.ones((3, 2)), jnp.ones(3), jnp.ones((4, 5)))
    assert distill.size(soft_one) == (6 + 3 + 20, 4, 2)
    line = distill.Linear(jnp.ones(3), jnp.ones(()), jnp.ones(3), 1.0, jnp.array(9))
    assert distill.size(line) == (4, 1, 0)


@settings(max_examples=8, deadline=None)
@given(st.floats(0, 1), st.integers(0, 99))
def test_pruning_keeps_the_largest_weights_of_all_layers_together(sparsity, seed):
    rng = np.random.default_rng(seed)
    params = {
        "a": rng.normal(size=(3, 4)),
        "b": (10 * rng.normal(size=(2, 2, 2)), rng.normal(size=5)),
    }
    left, masks = distill.prune(params, sparsity=sparsity)
    heavy = lambda tree: np.concatenate([np.ravel(tree["a"]), np.ravel(tree["b"][0])])
    sizes, kept = np.abs(heavy(params)), heavy(masks)
    assert (~kept).sum() == round(sparsity * 20)
    assert sizes[~kept].max(initial=0) <= sizes[kept].min(initial=np.inf)
    assert masks["b"][1].all()
    np.testing.assert_array_equal(heavy(left), np.where(kept, heavy(params), 0))


def test_pruning_runs_under_jit_and_keeps_dtypes():
    params = {"a": jnp.ones((2, 2), jnp.bfloat16), "b": jnp.arange(4.0).reshape(2, 2)}
    left = jax.jit(lambda p: distill.prune(p, sparsity=0.25).params)(params)
    assert left["a"].dtype == jnp.bfloat16
    # Of the ones that tie, those that come first.
    assert_close(left["a"], jnp.array([[0, 1], [1, 1]], jnp.bfloat16))


@cases(
    depth=(
        lambda: distill.soft_tree(step, depth=13),
        ValueError,
        "`depth` must be at most 12, but is 13: every example evaluates every leaf. A "
        "tree that a reader can follow has 3 or 4 levels.",
    ),
    deep=(
        lambda: distill.tree(step, depth=17),
        ValueError,
        "`depth` must be at most 16, but is 17. A tree that a reader can follow has 3 "
        "or 4 levels.",
    ),
    scalar=(
        lambda: distill.soft_tree(step, loss="cross_entropy")(XS, key=KEY),
        ValueError,
        "`f` must return the probabilities of all classes for loss='cross_entropy', "
        "but returned a scalar. Return both, for example `jnp.stack([1 - p, p])`, or "
        "take loss='squared'.",
    ),
    key=(
        lambda: distill.soft_tree(step)(XS),
        TypeError,
        "`key` is missing: soft_tree draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    ),
    names=(
        lambda: distill.tree_rules(STUMPS, ["one"]),
        ValueError,
        "`names` must name every column, but the tree compares column 1 and there are "
        "1 names. Pass one per entry of the flattened `x`.",
    ),
    traced_tree=(
        lambda: jax.jit(lambda t: distill.tree_rules(t))(STUMPS),
        ValueError,
        "`tree` must be concrete, but is traced: text is made on the host. Return the "
        "tree from `jax.jit`, and read it outside.",
    ),
    traced_size=(
        lambda: jax.jit(lambda t: distill.size(t))(STUMPS),
        ValueError,
        "`model` must be concrete, but is traced: zeros cannot be counted. Call `size` "
        "outside of `jax.jit` and `jax.vmap`.",
    ),
    sparsity=(
        lambda: distill.prune({"a": jnp.ones((2, 2))}, sparsity=50),
        ValueError,
        "`sparsity` must be a share from 0 to 1, but is 50. Divide percentages by 100.",
    ),
    vectors=(
        lambda: distill.prune({"a": jnp.ones(2)}, sparsity=0.5),
        ValueError,
        "`params` must hold an array with two axes or more, but holds shapes [(2,)]. "
        "Biases and scales are not pruned.",
    ),
)
def test_mistakes_are_told_with_their_mend(call, error, message):
    check(call, error, message)

"""Errors about groups, masks and budgets of coalitions, word for word."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from raising import check

import jaxplain as jx

X = jnp.ones(3, jnp.float32)
KEY = jax.random.key(0)
ZERO = {"baseline": 0.0}
f = lambda x: jnp.sum(x)

# Budgets.

MANY = jnp.ones(20, jnp.float32)
BUDGET = (
    "num_samples={} is too few for {} of {} features: it needs at least "
    "{} evaluations of `f`. Raise `num_samples`, or gather the features into fewer "
    "`groups`."
)


@pytest.mark.parametrize("name", ["lime", "surrogate"])
def test_lime_needs_more_samples_than_features(name):
    explain = partial(getattr(jx, name)(f, num_samples=20, ridge=0.0), key=KEY, **ZERO)
    message = BUDGET.format(20, name, 20, 21)
    check(lambda: explain(MANY), ValueError, message)
    check(lambda: jax.eval_shape(explain, MANY), ValueError, message)
    enough = partial(getattr(jx, name)(f, num_samples=21, ridge=0.0), key=KEY, **ZERO)
    jax.eval_shape(enough, MANY)


def test_kernel_shap_needs_a_pair_for_each_feature_but_one():
    explain = partial(jx.kernel_shap(f, num_samples=37), key=KEY, **ZERO)
    message = BUDGET.format(37, "kernel_shap", 20, 38)
    check(lambda: explain(MANY), ValueError, message)
    check(lambda: jax.eval_shape(explain, MANY), ValueError, message)
    enough = partial(jx.kernel_shap(f, num_samples=38), key=KEY, **ZERO)
    jax.eval_shape(enough, MANY)


def test_a_budget_counts_groups_and_not_features():
    explain = jx.lime(f, num_samples=5, num_groups=4)
    explain = partial(explain, key=KEY, groups=np.arange(20) % 4, **ZERO)
    assert jax.eval_shape(explain, MANY).shape == (4,)


# groups.

GROUPED = {
    "occlusion": jx.occlusion,
    "lime": lambda f, **kw: partial(jx.lime(f, num_samples=50, **kw), key=KEY),
    "surrogate": lambda f, **kw: partial(jx.surrogate(f, **kw), key=KEY),
    "kernel_shap": lambda f, **kw: partial(jx.kernel_shap(f, **kw), key=KEY),
}
grouped = pytest.mark.parametrize(("name", "make"), GROUPED.items(), ids=GROUPED)


@grouped
def test_groups_and_their_number_come_together(name, make):
    explain = partial(make(f), groups=[0, 0, 1], **ZERO)
    message = (
        f"`groups` was passed, but {name} was made without `num_groups`. Say how many "
        f"there are, for example `{name}(f, num_groups=50)`."
    )
    check(lambda: jax.eval_shape(explain, X), ValueError, message)
    explain = partial(make(f, num_groups=2), **ZERO)
    message = (
        f"`groups` is missing: {name} was made with num_groups=2. Pass the label of "
        "each feature, for example "
        "`groups=jaxplain.groups.patches((32, 32), size=8)[0]`."
    )
    check(lambda: jax.eval_shape(explain, X), TypeError, message)


LABELS = (
    "`groups` must label the leading axes of `x`, which is {}, but is {}. Give it "
    "shape {} or a leading part of it, with 1 for an axis that shares its labels."
)
RANGE = (
    "`groups` must hold labels from 0 to 1 for 2 groups, but they run from {} to {}. "
    "Number the groups from 0, and count them all in `num_groups`."
)
INTEGERS = (
    "`groups` must hold integer labels, but is {}. Number the groups from 0, one label "
    "per feature."
)
WRONG = {
    "shape": (
        np.zeros(2, int),
        ValueError,
        LABELS.format("float32[3]", "int64[2]", (3,)),
    ),
    "rank": (
        np.zeros((3, 1), int),
        ValueError,
        LABELS.format("float32[3]", "int64[3,1]", (3,)),
    ),
    "dtype": (np.zeros(3), TypeError, INTEGERS.format("float64[3]")),
    "boolean": (np.zeros(3, bool), TypeError, INTEGERS.format("bool[3]")),
    "too_high": (np.array([0, 1, 2]), ValueError, RANGE.format(0, 2)),
    "too_high_in_a_list": ([0, 1, 2], ValueError, RANGE.format(0, 2)),
    "negative": (np.array([-1, 0, 1]), ValueError, RANGE.format(-1, 1)),
}


@grouped
@pytest.mark.parametrize(("groups", "error", "message"), WRONG.values(), ids=WRONG)
def test_groups_must_fit(name, make, groups, error, message):
    explain = partial(make(f, num_groups=2), groups=groups, **ZERO)
    check(lambda: explain(X), error, message)
    check(lambda: jax.eval_shape(explain, X), error, message)


def test_groups_of_the_last_axis_alone_do_not_fit():
    explain = partial(jx.occlusion(f, num_groups=3), groups=np.arange(3), **ZERO)
    message = LABELS.format("float64[4,4,3]", "int64[3]", (4, 4, 3))
    check(lambda: explain(jnp.ones((4, 4, 3))), ValueError, message)


def test_groups_must_have_the_structure_of_the_input():
    explain = partial(jx.occlusion(f, num_groups=3), groups={"b": 0}, **ZERO)
    message = (
        "`groups` must have the structure of `x`, or of its upper part, but `x` is "
        "PyTreeDef({'a': *}) and `groups` is PyTreeDef({'b': *})."
    )
    check(lambda: explain({"a": X}), ValueError, message)


@grouped
def test_labels_of_jax_are_read_under_jit(name, make):
    labels = jnp.array([0, 1, 1])
    explain = partial(make(f, num_groups=2), groups=labels, **ZERO)
    jax.eval_shape(explain, X)
    explain = partial(make(f, num_groups=2), groups=labels + 1, **ZERO)
    check(lambda: jax.jit(explain)(X), ValueError, RANGE.format(1, 2))


def test_labels_of_numpy_are_read_under_jit_and_vmap():
    explain = jx.occlusion(f, num_groups=2)
    explain = partial(explain, groups=np.array([0, 1, 1]), **ZERO)
    expected = jnp.array([1.0, 2.0], jnp.float32)
    assert_close(jax.jit(explain)(X), expected)
    assert_close(jax.vmap(explain)(X[None])[0], expected)


# Masks.


def of_groups(mask):
    return jx.game(f, X, groups=[0, 0, 1], **ZERO)(mask)


def test_a_mask_over_groups_is_a_vector():
    message = (
        "`mask` must have one entry per group, but has shape {}. Pass a vector, for "
        "example `jax.numpy.ones(num_groups)`."
    )
    for shape in ((), (2, 2)):
        call = lambda shape=shape: of_groups(jnp.ones(shape))
        check(call, ValueError, message.format(shape))


def test_a_mask_over_groups_has_an_entry_for_every_label():
    message = (
        "`mask` must have one entry per group, but has 1 for labels up to 1. Pass a "
        "vector of at least 2 entries."
    )
    check(lambda: of_groups(jnp.ones(1)), ValueError, message)


@pytest.mark.parametrize(
    ("x", "mask", "shown_x", "shown_mask"),
    [
        (X, jnp.ones(2), "float32[3]", "float64[2]"),
        (X, jnp.ones((3, 3)), "float32[3]", "float64[3,3]"),
        (X, None, "float32[3]", "None"),
        ({"a": X}, {"b": 1.0}, "{'a': 'float32[3]'}", "{'b': 'float64[]'}"),
    ],
    ids=["shape", "rank", "none", "structure"],
)
def test_a_mask_over_features_broadcasts_to_the_input(x, mask, shown_x, shown_mask):
    score = lambda x: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(x))
    message = (
        "`mask` must broadcast to `x`, or be a vector with `groups`, but `x` is "
        f"{shown_x} and `mask` is {shown_mask}."
    )
    check(lambda: jx.game(score, x, **ZERO)(mask), ValueError, message)

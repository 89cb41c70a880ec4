"""What the room of Shapley values refuses, word for word."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

X = jnp.ones(6, jnp.float32)
KEY = jax.random.key(0)
ZERO = {"baseline": 0.0}
DO_NOT_NEST = (
    "`unions` must nest from coarse to fine, but a union of one level lies in several "
    "of the level before, or the levels differ in length. Order them from coarse to "
    "fine, one label per player in each."
)
f = lambda x: jnp.sum(x)
in_two = {"unions": [0, 0, 0, 1, 1, 1]}

SAMPLED = {
    "gp_shap": jx.gp_shap,
    "leverage_shap": jx.leverage_shap,
    "msr_shap": jx.msr_shap,
    "permutation_shap": jx.permutation_shap,
    "shapley_fit": jx.shapley_fit,
    "owen_shap": partial(jx.owen_shap, **in_two),
    "shapley_interactions": jx.shapley_interactions,
    "faith_shap": jx.faith_shap,
    "accumulate": partial(jx.shapley.accumulate, num_samples=20),
    "shapley_until": partial(jx.shapley_until, tolerance=0.1, num_samples=20),
}
EXACT = {
    "shapley_values": jx.shapley_values,
    "banzhaf_values": jx.banzhaf_values,
    "owen_values": partial(jx.owen_values, **in_two),
}
each_sampled = pytest.mark.parametrize(("name", "make"), SAMPLED.items(), ids=SAMPLED)
EVERY = SAMPLED | EXACT
each = pytest.mark.parametrize(("name", "make"), EVERY.items(), ids=EVERY)


def given(name):
    return ZERO if name in EXACT else ZERO | {"key": KEY}


@each_sampled
def test_a_key_is_required(name, make):
    message = (
        f"`key` is missing: {name} draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`."
    )
    check(lambda: make(f)(X, **ZERO), TypeError, message)


@each
def test_a_baseline_is_required(name, make):
    refs = {} if name in EXACT else {"key": KEY}
    with pytest.raises(TypeError, match="`baseline` is missing") as raised:
        jax.eval_shape(lambda x: make(f)(x, **refs), X)
    assert "baseline=" in str(raised.value)  # how to mend it


@each
def test_a_count_of_groups_needs_their_labels(name, make):
    message = (
        f"`groups` is missing: {name} was made with num_groups=3. Pass the label of "
        "each feature, for example `groups=jaxplain.groups.patches((32, 32), "
        "size=8)[0]`."
    )
    explain = make(f, num_groups=3)
    check(lambda: explain(X, **given(name)), TypeError, message)


@each
def test_labels_of_groups_need_their_count(name, make):
    message = (
        f"`groups` was passed, but {name} was made without `num_groups`. Say how many "
        f"there are, for example `{name}(f, num_groups=50)`."
    )
    explain = partial(make(f), groups=np.array([0, 0, 0, 1, 1, 1]))
    check(lambda: explain(X, **given(name)), ValueError, message)


@each
def test_an_input_of_integers_is_refused(name, make):
    with pytest.raises(TypeError, match="int32") as raised:
        make(f)(jnp.arange(6, dtype=jnp.int32), **given(name))
    assert "`x`" in str(raised.value)


@each
def test_a_function_that_returns_no_scalar_is_refused(name, make):
    message = (
        "`f` must return a scalar, but returned shape (6,). Select one output, for "
        "example `lambda x: model(x)[label]`."
    )
    check(lambda: make(lambda x: x)(X, **given(name)), ValueError, message)


@each
@pytest.mark.parametrize("option", ["num_groups", "chunk_size"])
def test_sizes_are_positive_integers(name, make, option):
    message = f"`{option}` must be at least 1, but is 0."
    check(lambda: make(f, **{option: 0}), ValueError, message)


# Budgets.

LEAST = {
    "gp_shap": 12,
    "kernel_shap": 10,
    "leverage_shap": 10,
    "msr_shap": 15,
    "permutation_shap": 10,
    "shapley_fit": 12,
    "owen_shap": 10,
    "shapley_interactions": 12,
    "faith_shap": 21,
    "accumulate": 10,
    "shapley_until": 10,
}


@pytest.mark.parametrize(("name", "least"), LEAST.items(), ids=LEAST)
def test_a_budget_below_the_least_is_refused_and_the_least_is_not(name, least):
    make = (SAMPLED | {"kernel_shap": jx.kernel_shap})[name]
    in_pairs = name in ("accumulate", "shapley_until")
    below = least - (2 if in_pairs else 1)
    message = (
        f"num_samples={below} is too few for {name} of 6 features: it "
        f"needs at least {least} evaluations of `f`. Raise `num_samples`, or gather "
        "the features into fewer `groups`."
    )
    explain = make(f, num_samples=below)
    check(lambda: explain(X, **given(name)), ValueError, message)
    jax.eval_shape(lambda x: make(f, num_samples=least)(x, **given(name)), X)


@pytest.mark.parametrize(("name", "make"), EXACT.items(), ids=EXACT)
def test_too_many_players_to_enumerate_are_refused(name, make):
    many = jnp.ones(26, jnp.float32)
    if name == "owen_values":
        message = (
            "`unions` must leave at most 33554432 coalitions to enumerate, but these "
            "leave 67108864. Form smaller unions, or sample with `owen_shap`."
        )
        explain = jx.owen_values(f, unions=[0] * 26)
    else:
        message = (
            f"{name} evaluates all coalitions of at most 25 features, but there are "
            "26. Gather them into fewer `groups`, or estimate the values with "
            "`gp_shap`."
        )
        explain = make(f)
    check(lambda: explain(many, **ZERO), ValueError, message)


@pytest.mark.parametrize("make", [jx.shapley_interactions, jx.faith_shap])
def test_a_single_feature_has_no_interactions(make):
    message = (
        f"{make.__name__} needs at least 2 features, but there is 1. A single feature "
        "interacts with none: its value is `f(x) - f(b)`."
    )
    check(lambda: make(f)(X[:1], key=KEY, **ZERO), ValueError, message)


# Options.

one_per_player = (
    "`unions` must hold one label per player, but has {} for 6 players. Players are "
    "the groups, or the entries of `x`."
)
fewer = [0, 0, 1]


@cases(
    method=(
        lambda: jx.shapley_fit(f, method="msrs"),
        ValueError,
        "`method` must be one of 'gp', 'gp_per_player', 'kernel', 'leverage', 'msr', "
        "'permutation', but is 'msrs'. Did you mean 'msr'?",
    ),
    tolerance=(
        lambda: jx.shapley_until(f, tolerance=0.0),
        ValueError,
        "`tolerance` must be a positive number, but is 0.0.",
    ),
    traced_tolerance=(
        lambda: jax.jit(lambda t: jx.shapley_until(f, tolerance=t)(X, **given("")))(
            0.1
        ),
        TypeError,
        "`tolerance` must be a Python number, but is traced: it configures the "
        "explainer. Bind it before `jax.jit`.",
    ),
    less_than_one_round=(
        lambda: jx.shapley_until(f, tolerance=0.1, num_samples=20, max_samples=10),
        ValueError,
        "`max_samples` must be at least 20, but is 10.",
    ),
    odd_round=(
        lambda: jx.shapley.accumulate(f, num_samples=21)(X, **given("")),
        ValueError,
        "`num_samples` must be even, but is 21: coalitions come in pairs with their "
        "complements. Take 22 of them.",
    ),
    more_than_there_are=(
        lambda: jx.shapley.accumulate(f, num_samples=64)(X, **given("")),
        ValueError,
        "`num_samples` must be at most 62, but is 64: there are no more coalitions. "
        "Take all of them with `coalitions.exhaustive`.",
    ),
    unions_of_fewer=(
        lambda: jx.owen_values(f, unions=fewer)(X, **ZERO),
        ValueError,
        one_per_player.format(3),
    ),
    sampled_unions_of_fewer=(
        lambda: jx.owen_shap(f, unions=fewer)(X, **given("")),
        ValueError,
        one_per_player.format(3),
    ),
    a_level_of_fewer=(
        lambda: jx.owen_shap(f, unions=[[0, 0, 0, 1, 1, 1], fewer]),
        ValueError,
        DO_NOT_NEST,
    ),
    levels_that_do_not_nest=(
        lambda: jx.owen_shap(f, unions=[[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]]),
        ValueError,
        DO_NOT_NEST,
    ),
    unions_with_a_gap=(
        lambda: jx.owen_values(f, unions=[0, 2, 2]),
        ValueError,
        "`unions` must be numbered from 0 without gaps, but holds 0, 2. "
        "`numpy.unique(unions, return_inverse=True)[1]` numbers them so.",
    ),
    no_unions=(
        lambda: jx.owen_shap(f, unions=[]),
        ValueError,
        "`unions` must hold one label per player, but has shape (0,). Pass a list "
        "such as `unions=[0, 0, 1]`.",
    ),
    unions_that_are_no_integers=(
        lambda: jx.owen_values(f, unions=np.zeros(3)),
        TypeError,
        "`unions` must hold integers, but is float64[3]. Number the unions from 0.",
    ),
    traced_unions=(
        lambda: jax.jit(lambda u: jx.owen_values(f, unions=u)(X, **ZERO))(
            jnp.arange(6)
        ),
        TypeError,
        "`unions` must be concrete, but is traced: it shapes the program. Bind it "
        "before `jax.jit`.",
    ),
)
def test_an_option_says_what_it_takes(call, error, message):
    check(call, error, message)

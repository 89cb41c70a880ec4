"""Each check of an axiom fails on an explainer that breaks it, and says how."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit

import jaxplain as jx
from jaxplain import testing

FEW = {"num_examples": 5, "jit": quick_jit}


def change(of_gradient):
    """An explainer made of the gradient, wrongly."""

    def make(f):
        gradient = jax.grad(f)
        return lambda x, *args, **refs: of_gradient(gradient(x, *args))

    return make


gradient = change(lambda g: g)
centred = change(lambda g: g - jnp.broadcast_to(g.mean(), g.shape))
squared = change(lambda g: g**2)
ranked = change(lambda g: g * jnp.asarray(np.arange(1, 6), g.dtype))

BROKEN = {
    "complete": (testing.check_complete, gradient, {"baseline": testing.LIKE_X}),
    "complete_on_average": (
        testing.check_complete,
        gradient,
        {"baseline": testing.STACK},
    ),
    "sensitive": (testing.check_sensitive, gradient, {"baseline": testing.LIKE_X}),
    "dummy": (testing.check_dummy, centred, {}),
    "symmetric": (testing.check_symmetric, ranked, {}),
    "linear": (testing.check_linear, squared, {}),
    "invariant": (testing.check_invariant, jx.rules.deep_lift, {"baseline": 0.0}),
    "affine": (testing.check_affine, gradient, {}),
    "efficient": (testing.check_efficient, jx.occlusion, {"baseline": 0.0}),
    "shapley": (testing.check_shapley, jx.banzhaf_values, {"baseline": 0.0}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_axiom_is_found_and_shown(name):
    check, explain_of, refs = BROKEN[name]
    with pytest.raises(AssertionError) as error:
        check(explain_of, **FEW, **refs)
    promise, expected, got, off, *_ = str(error.value).splitlines()
    assert promise.endswith(".")
    assert expected.startswith("expected: ")
    assert got.startswith("     got: ")
    assert "off by" in off


def test_a_message_shows_the_call():
    f, x = lambda x: x[0] * x[1], np.array([2.0, 3.0])
    with pytest.raises(AssertionError) as error:
        testing.check_complete(jx.saliency, f=f, x=x, against=0.0)
    message = " ".join(str(error.value).split())
    assert "expected: 6. got: 5. off by 1, and at most 2.4e-09 is rounding" in message
    assert "x: [2. 3.]" in message


def test_the_sum_of_a_pytree_runs_over_all_of_it():
    x = {"a": np.array([1.0, 2.0]), "b": (np.array(4.0),)}
    f = lambda x: x["a"].sum() * x["b"][0]
    explain_of = lambda f: quick_jit(jx.shapley_values(f))
    testing.check_complete(explain_of, f=f, x=x, baseline=testing.LIKE_X)
    with pytest.raises(AssertionError, match="sum to"):
        testing.check_complete(jx.saliency, f=f, x=x, against=0.0)


def test_an_explainer_that_approximates_is_complete_up_to_its_tolerance():
    explain_of = lambda f: quick_jit(jx.integrated_gradients(f, steps=3))
    f, x = lambda x: jnp.sin(x[0]) * x[1], np.array([1.0, 2.0])
    with pytest.raises(AssertionError, match="allow for it with `tol=`"):
        testing.check_complete(explain_of, f=f, x=x, baseline=0.0)
    testing.check_complete(explain_of, f=f, x=x, baseline=0.0, tol=1e-3)


def test_a_feature_of_the_users_function_may_be_a_dummy():
    f, x = lambda x, params: params @ x[:2], np.array([1.0, 2.0, 3.0])
    params = np.array([2.0, -1.0])
    check = functools.partial(testing.check_dummy, f=f, x=x, args=(params,))
    check(jx.saliency, features=np.array([False, False, True]), tol=0.0)
    with pytest.raises(AssertionError, match="perhaps `f` does depend on it"):
        check(jx.saliency, features=np.array([False, True, False]))


def test_two_programs_of_the_user_are_compared():
    f, same, other = lambda x: x @ x, lambda x: (x**2).sum(), lambda x: x.sum()
    x = np.array([1.0, 2.0])
    testing.check_invariant(jx.saliency, f=f, other=same, x=x)
    with pytest.raises(AssertionError, match="Two programs"):
        testing.check_invariant(jx.saliency, f=f, other=other, x=x)


def test_attributions_that_are_not_finite_are_not_equal():
    spoiled = change(lambda g: g.at[2].set(jnp.nan))
    with pytest.raises(AssertionError, match="without effect"):
        testing.check_dummy(spoiled, **FEW)


AXIOMS_OF_TWO = {
    "symmetric": testing.check_symmetric,
    "linear": testing.check_linear,
    "invariant": testing.check_invariant,
    "affine": testing.check_affine,
}


@pytest.mark.parametrize("name", AXIOMS_OF_TWO)
def test_an_explanation_that_is_not_finite_keeps_no_axiom(name):
    nothing = lambda f: lambda x, *args: x * np.nan
    with pytest.raises(AssertionError, match="expected: finite numbers"):
        AXIOMS_OF_TWO[name](nothing, **FEW)


def test_next_to_infinity_a_dummy_still_gets_nothing():
    infinite = change(lambda g: jnp.array([jnp.inf, 0, 5, 0, 0], g.dtype))
    with pytest.raises(AssertionError, match="without effect"):
        testing.check_dummy(infinite, **FEW)


def test_examples_are_the_same_on_every_run():
    seen = []

    def explain_of(f):
        return lambda x, *args, **refs: seen.append(x.tolist()) or np.zeros(5)

    for seed in (0, 0, 1):
        with pytest.raises(AssertionError):
            testing.check_linear(
                lambda f: lambda *a, **k: explain_of(f)(*a, **k) + 1,
                jit=lambda g: g,
                seed=seed,
            )
    once, again, other = np.array(seen).reshape(3, -1)
    assert (once == again).all()
    assert (once != other).any()


f, x = lambda x: x @ x, np.array([1.0, 2.0])

MISUSED = {
    "no_baseline": (
        lambda: testing.check_complete(jx.saliency),
        "a baseline is missing.*Pass `baseline=`, or `against=`",
    ),
    "no_baseline_to_differ_from": (
        lambda: testing.check_sensitive(jx.saliency),
        "`baseline` is missing",
    ),
    "no_input": (
        lambda: testing.check_dummy(jx.saliency, f=f, features=x > 1),
        "`x` is missing: it belongs to `f`",
    ),
    "no_function": (
        lambda: testing.check_complete(jx.occlusion, x=x, baseline=0.0),
        "`x` comes without `f`",
    ),
    "no_function_of_a_batch": (
        lambda: testing.check_batch(jx.saliency, xs=np.ones((3, 2))),
        "`xs` comes without `f`",
    ),
    "no_dummy": (
        lambda: testing.check_dummy(jx.saliency, f=f, x=x, features=x > 9),
        "`features` must mark a feature",
    ),
    "a_coalition_that_is_not_empty": (
        lambda: testing.check_efficient(jx.shapley_values, baseline=0.5),
        "`baseline` must be zero, which is the empty coalition",
    ),
    "no_features": (
        lambda: testing.check_dummy(jx.saliency, f=f, x=x),
        "`features` is missing",
    ),
    "no_other": (
        lambda: testing.check_invariant(jx.saliency, f=f, x=x),
        "`other` is missing",
    ),
    "no_key": (lambda: testing.check_key(jx.saliency), "a key is missing"),
    "fixed_units": (
        lambda: testing.check_affine(jx.occlusion, baseline=0.0),
        "`baseline` must be drawn.*LIKE_X",
    ),
    "no_scalar": (
        lambda: testing.check_complete(
            jx.saliency, f=lambda x: x, x=x, against=0.0, jit=lambda g: jnp.sum
        ),
        r"must return a scalar, but returned shape \(2,\)",
    ),
    "an_uneven_share": (
        lambda: testing.check_devices(jx.saliency, f=f, xs=np.ones((3, 2))),
        "must have a multiple of 2 rows.*but has 3",
    ),
    "an_unknown_promise": (
        lambda: testing.check_explainer(jx.saliency, promises=["completeness"]),
        "Did you mean 'complete'",
    ),
    "more_groups_than_labels": (
        lambda: testing.strategies.labels(3, 4),
        "`num_groups` must be at most 3",
    ),
}


@pytest.mark.parametrize("name", MISUSED)
def test_what_cannot_be_checked_is_an_error(name):
    call, message = MISUSED[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_strategies_without_hypothesis_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxplain\[testing\]'"):
        testing.strategies.inputs(3)

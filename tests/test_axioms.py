"""Promises of attribution methods, over the registry.

Every promise is about the same polynomials, so each explainer is compiled once.
"""

import jax
import jax.numpy as jnp
import pytest
from explainers import CASES, VARIANTS, explain_of, having, quick_jit
from properties import close

import jaxplain as jx
from jaxplain import testing


def promising(word):
    return having(lambda case: word in case.axioms, CASES + VARIANTS)


@promising("complete")
def test_complete_the_attributions_sum_to_the_difference(case):
    testing.check_complete(explain_of(case), **case.refs)


@having(
    lambda case: (
        case.name == "occlusion" or ("complete" in case.axioms and not case.random)
    )
)
def test_sensitive_the_only_feature_that_differs_takes_it_all(case):
    testing.check_sensitive(explain_of(case), **case.refs)


@promising("linear")
def test_linear_in_f(case):
    testing.check_linear(explain_of(case), **case.refs)


@promising("dummy")
def test_dummy_a_feature_without_effect_gets_nothing(case):
    rounding = None if "shap" in case.name else 0.0  # those solve equations
    testing.check_dummy(explain_of(case), tol=rounding, **case.refs)


@promising("symmetric")
def test_symmetric_features_get_the_same(case):
    testing.check_symmetric(explain_of(case), **case.refs)


@having(lambda case: "invariant" in case.axioms)  # each compiles another program
def test_implementation_invariant(case):
    testing.check_invariant(explain_of(case), **case.refs)


@promising("affine")
def test_the_units_of_a_feature_do_not_matter(case):
    testing.check_affine(explain_of(case), **case.refs)


@pytest.mark.slow  # each compiles another program, and completeness says as much
@promising("complete")
def test_players_of_any_game_share_what_all_are_worth(case):
    testing.check_efficient(explain_of(case), num_players=3, **case.refs)


def test_every_axiom_has_a_case():
    claimed = set().union(*(case.axioms for case in CASES + VARIANTS))
    tested = {"complete", "linear", "dummy", "symmetric", "invariant", "affine"}
    assert claimed == tested


def test_saliency_is_not_sensitive_where_f_saturates_and_integrated_gradients_are():
    f = lambda x: 1 - jax.nn.relu(1 - x[0])
    # The kink is halfway, where an even number of nodes splits the line exactly.
    explain = jx.integrated_gradients(f, steps=32, rule="riemann_middle")
    both = quick_jit(lambda x: (jx.saliency(f)(x), explain(x, baseline=0.0)))
    slope, attribution = both(jnp.array([2.0]))
    assert slope == 0
    close(attribution, 1)

"""Rules operation by operation: what JAX can write down, they can pass through."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from rule_operations import CHOSEN_BY_X, ELEMENTWISE, KINDS, MIX, B, X, score

import jaxplain as jx

rules = jx.rules


def every(*kinds):
    pairs = [(kind, name) for kind in kinds for name in KINDS[kind]]
    return pytest.mark.parametrize(("kind", "name"), pairs, ids=map("-".join, pairs))


MOST = [kind for kind in KINDS if kind != "chosen_by_x"]


def of_kind(kind, explain):
    """One program for all the operations of a kind: it compiles three times as fast."""
    return quick_jit(lambda *at: {n: explain(op, *at) for n, op in KINDS[kind].items()})


@functools.cache
def lifting(kind):
    """Contributions of every operation, and what they should sum to."""

    def explain(op, x, b):
        f = score(op)
        return rules.deep_lift(f)(x, baseline=b), f(x) - f(b)

    return of_kind(kind, explain)


@functools.cache
def lifted(kind):
    b = X + 0.01 * jnp.sin(X) if kind == "chosen_by_x" else B
    return lifting(kind)(X, b), lifting(kind)(X, X)


@every(*KINDS)
def test_deep_lift_is_complete(kind, name):
    phi, difference = lifted(kind)[0][name]
    rounding = 1e-6 if name == "cast" else 1e-9  # to float32, inside
    assert abs(phi.sum() - difference) <= rounding * jnp.abs(phi).sum()


@every(*MOST)
def test_deep_lift_of_no_difference_is_zero(kind, name):
    nothing, _ = lifted(kind)[1][name]
    np.testing.assert_array_equal(nothing, np.zeros(6))


@pytest.mark.parametrize("op", CHOSEN_BY_X.values(), ids=CHOSEN_BY_X)
def test_deep_lift_is_strict_about_what_is_chosen_by_x(op):
    # Where x and its baseline choose differently, nobody has the credit of the jump.
    with pytest.raises(NotImplementedError, match="no rule"):
        jax.eval_shape(rules.deep_lift(score(op), strict=True), X, baseline=B)


# Constants inside take a share, as biases do.
SHARES = {
    *("log", "log1p", "sqrt", "lgamma", "power", "reciprocal", "rsqrt"),
    "both_powers",
}


@functools.cache
def relevances(kind):
    def explain(op, x):
        return rules.lrp(score(op), rules.epsilon(1e-9))(x), score(op)(x)

    return of_kind(kind, explain)(X)


@every(*KINDS)
def test_relevance_is_conserved_but_for_what_constants_take(kind, name):
    phi, total = relevances(kind)[name]
    lost = abs(phi.sum() - total) / jnp.abs(phi).sum()
    # Denominators above 1e-3, which 1e-9 keeps from zero.
    assert lost > 1e-3 if name in SHARES else lost <= 1e-6


STRICT = ["move", "sum", "elementwise", "choice", "control"]


@pytest.mark.parametrize("method", [rules.lrp, rules.multipliers])
@every(*STRICT)
def test_usual_operations_have_rules(method, kind, name):
    given = {} if method is rules.lrp else {"baseline": B}
    explain = functools.partial(method(score(KINDS[kind][name]), strict=True), **given)
    assert jax.eval_shape(explain, X).shape == X.shape


PIECEWISE = ["relu6", "leaky_relu", "elu", "selu", "hard_swish", "hard_tanh", "where"]


@pytest.mark.slow
def test_activations_made_of_pieces_can_be_explained_without_compiling():
    activations = [ELEMENTWISE[name] for name in PIECEWISE]
    f = lambda x: sum(jnp.sum(activation(x @ MIX)) for activation in activations)
    for method, given in [(rules.lrp, {}), (rules.deep_lift, {"baseline": B})]:
        explain = method(f)
        assert_close(explain(X, **given), quick_jit(explain)(X, **given), tol=1e-11)

"""Promises of attribution methods, over the registry: each is one property of numbers.

Every property explains the same polynomial, so each explainer is compiled once.
"""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from explainers import CASES, NUM_BASELINES, VARIANTS, having, quick_jit
from hypothesis import given
from hypothesis import strategies as st
from properties import close, fixed, numbers, seeds

import jaxplain as jx

inputs, coefficients = numbers(5), numbers(8)
stacks = numbers(NUM_BASELINES, 5)


def promising(word):
    return having(lambda case: word in case.axioms, CASES + VARIANTS)


def polynomial(x, c, scale, shift):
    """Eight terms; the coefficients choose what is symmetric and what has no effect."""
    x = scale * x + shift
    terms = [
        x[0] * x[1],
        x[0] * x[3] ** 2,
        x[1] * x[3] ** 2,
        x[0] ** 2 * x[4],
        x[1] ** 2 * x[4],
        x[2] * x[4] ** 3,
        x[2] ** 2 * x[3],
        x[3],
    ]
    return jnp.stack(terms) @ c


def another_program(x, c, scale, shift):
    """The same polynomial: nested, with the last term as a difference of squares."""
    x0, x1, x2, x3, x4 = scale * x + shift
    by_scan = jax.lax.scan(lambda power, _: (power * x4, None), c[5], length=3)[0]
    return (
        x0 * (c[0] * x1 + c[1] * x3 * x3 + c[3] * x0 * x4)
        + x1 * (c[2] * x3 * x3 + c[4] * x1 * x4)
        + x2 * (by_scan + c[6] * x2 * x3)
        + c[7] * ((x3 + 1) ** 2 - x3**2 - 1) / 2
    )


@functools.cache
def compiled(case, f=polynomial):
    return quick_jit(case.make(f))


def explain(case, x, c, b, seed, scale=1.0, shift=0.0, f=polynomial):
    refs = {}
    if "baseline" in case.needs:
        refs["baseline"] = b[0]
    if "stack" in case.needs:
        refs["baseline"] = b
    if "key" in case.needs:
        refs["key"] = jr.key(seed)
    scale, shift = np.broadcast_to(scale, 5), np.broadcast_to(shift, 5)
    return np.asarray(compiled(case, f)(x, c, scale, shift, **refs))


def difference(case, x, c, b):
    """The value at the input, less that at the baseline or its mean over the stack."""
    at = lambda x: float(polynomial(x, c, 1.0, 0.0))
    values = [at(row) for row in b] if "stack" in case.needs else [at(b[0])]
    return at(x) - np.mean(values)


@promising("complete")
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds)
def test_complete_the_attributions_sum_to_the_difference(case, x, c, b, seed):
    close(explain(case, x, c, b, seed).sum(), difference(case, x, c, b))


@having(
    lambda case: (
        case.name == "occlusion" or ("complete" in case.axioms and not case.random)
    )
)
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds, i=st.integers(0, 4))
def test_sensitive_the_only_feature_that_differs_takes_it_all(case, x, c, b, seed, i):
    elsewhere = np.arange(5) != i
    b = np.where(elsewhere, x, b)
    phi = explain(case, x, c, b, seed)
    close(phi[i], difference(case, x, c, b))
    close(phi[elsewhere], 0)


@promising("linear")
@fixed
@given(x=inputs, c=coefficients, d=coefficients, b=stacks, seed=seeds, a=numbers())
def test_linear_in_f(case, x, c, d, b, seed, a):
    of_sum = explain(case, x, c + a * d, b, seed)
    close(of_sum, explain(case, x, c, b, seed) + a * explain(case, x, d, b, seed))


@promising("dummy")
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds)
def test_dummy_a_feature_without_effect_gets_nothing(case, x, c, b, seed):
    c[[5, 6]] = 0
    phi = explain(case, x, c, b, seed)
    if "shap" in case.name:  # found by solving equations
        close(phi[2], 0)
    else:
        assert phi[2] == 0


@promising("symmetric")
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds)
def test_symmetric_features_get_the_same(case, x, c, b, seed):
    c[2], c[4], x[1], b[:, 1] = c[1], c[3], x[0], b[:, 0]
    phi = explain(case, x, c, b, seed)
    close(phi[0], phi[1])


@having(lambda case: "invariant" in case.axioms)  # each compiles another program
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds)
def test_implementation_invariant(case, x, c, b, seed):
    other = explain(case, x, c, b, seed, f=another_program)
    close(other, explain(case, x, c, b, seed))


@promising("affine")
@fixed
@given(x=inputs, c=coefficients, b=stacks, seed=seeds, shift=inputs)
def test_the_units_of_a_feature_do_not_matter(case, x, c, b, seed, shift):
    scale = np.array([2.0, -0.5, 4.0, 0.25, -1.0])  # exact, and so are their inverses
    new_x, new_b = (x - shift) / scale, (b - shift) / scale
    other = explain(case, new_x, c, new_b, seed, scale, shift)
    close(other, explain(case, x, c, b, seed))


def test_every_axiom_has_a_case():
    claimed = set().union(*(case.axioms for case in CASES + VARIANTS))
    tested = {"complete", "linear", "dummy", "symmetric", "invariant", "affine"}
    assert claimed == tested


def test_saliency_is_not_sensitive_where_f_saturates_and_integrated_gradients_are():
    f = lambda x: 1 - jax.nn.relu(1 - x[0])
    x = jnp.array([2.0])
    assert jx.saliency(f)(x) == 0
    # The kink is halfway, where an even number of nodes splits the line exactly.
    explain = jx.integrated_gradients(f, steps=32, rule="riemann_middle")
    close(explain(x, baseline=0.0), 1)

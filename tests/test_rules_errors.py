"""What rules refuse: each message says what was expected, what came, how to mend it."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxplain as jx

rules = jx.rules
X = jnp.ones(3)
EXPLAINERS = {
    "lrp": rules.lrp,
    "deep_lift": lambda f, **options: on_zero(rules.deep_lift(f, **options)),
    "multipliers": lambda f, **options: on_zero(rules.multipliers(f, **options)),
}
each = pytest.mark.parametrize("make", EXPLAINERS.values(), ids=EXPLAINERS)


def on_zero(explain):
    return lambda x, *args: explain(x, *args, baseline=0.0)


def refused(call, error, *parts):
    """`call()` raises this error, and its message has all these parts in order."""
    with pytest.raises(error, match=".*".join(map(re.escape, parts))) as raised:
        call()
    assert type(raised.value) is error


def refused_while_traced(explain, x, error, *parts):
    refused(lambda: explain(x), error, *parts)
    refused(lambda: jax.eval_shape(explain, x), error, *parts)
    batch = jax.vmap(explain)
    stack = jax.tree.map(lambda leaf: jnp.stack([leaf]), x)
    refused(lambda: jax.eval_shape(batch, stack), error, *parts)


@each
def test_tokens_are_pointed_to_their_embeddings(make):
    explain = make(lambda x: jnp.sum(x * 1.0))
    parts = "`x` must be floating-point", "int64[3]", "embeddings", "cut"
    refused_while_traced(explain, jnp.arange(3), TypeError, *parts)


@each
def test_a_function_must_return_a_scalar(make):
    parts = "`f` must return a scalar", "(3,)", "lambda x: model(x)[label]"
    refused_while_traced(make(lambda x: 2 * x), X, ValueError, *parts)


@each
def test_a_function_must_return_a_score(make):
    parts = "floating-point scalar", "int64", "a score"
    refused_while_traced(make(jnp.argmax), X, ValueError, *parts)


@each
def test_there_must_be_something_to_explain(make):
    refused(lambda: make(lambda x: 0.0)({}), ValueError, "`x`")


@pytest.mark.parametrize("method", [rules.deep_lift, rules.multipliers])
def test_a_baseline_is_required(method):
    explain = method(jnp.sum)
    refused(lambda: explain(X), TypeError, "`baseline` is missing")


@pytest.mark.parametrize("method", [rules.deep_lift, rules.multipliers])
@pytest.mark.parametrize("baseline", [jnp.zeros(2), jnp.zeros((3, 3)), {"a": 0.0}])
def test_a_baseline_must_fit(method, baseline):
    explain = method(jnp.sum)
    refused(lambda: explain(X, baseline=baseline), ValueError, "`baseline`")


def test_relevance_takes_no_baseline():
    with pytest.raises(TypeError, match="baseline"):
        rules.lrp(jnp.sum)(X, baseline=0.0)


# Rules.


@pytest.mark.parametrize(
    "wrong",
    ["gamma", rules.gamma, 0.25, None, lambda *_: None, [rules.gamma()]],
    ids=["name", "uncalled", "number", "none", "function", "list"],
)
def test_rules_are_rules(wrong):
    refused(lambda: rules.lrp(jnp.sum, wrong), TypeError, "`rules` must", "gamma()")


@pytest.mark.parametrize(
    "wrong",
    [{"a": rules.gamma}, {"a": "gamma"}, {0: rules.gamma()}, {"a": {}}],
    ids=["uncalled", "name", "number", "nested"],
)
def test_a_composite_maps_patterns_to_rules(wrong):
    refused(lambda: rules.lrp(jnp.sum, wrong), TypeError, "`rules` must map patterns")


OPTIONS = {
    "epsilon": (lambda: rules.epsilon(-0.1), "`epsilon`", "-0.1"),
    "gamma": (lambda: rules.gamma(-1.0), "`gamma`", "-1.0"),
    "alpha": (lambda: rules.alphabeta(-1.0, -2.0), "`alpha`", "-1.0"),
    "beta": (lambda: rules.alphabeta(0.5, -0.5), "`beta`", "-0.5"),
    "alpha - beta": (lambda: rules.alphabeta(2.0, 0.5), "`alpha - beta` must be 1"),
    "alpha alone": (lambda: rules.alphabeta(3.0), "`alpha - beta` must be 1", "3.0"),
    "box": (lambda: rules.zbox(1.0, 0.0), "`low` must not be above `high`"),
    "box of one feature": (
        lambda: rules.zbox(np.array([0.0, 2.0]), np.ones(2)),
        "`low` must not be above `high`",
    ),
    "nan": (lambda: rules.epsilon(float("nan")), "`epsilon`", "nan"),
}


@pytest.mark.parametrize("case", OPTIONS.values(), ids=OPTIONS)
def test_an_option_out_of_its_range_is_refused_at_once(case):
    call, *parts = case
    refused(call, ValueError, *parts)


def test_the_ends_of_the_ranges_are_allowed():
    rules.epsilon(0.0), rules.gamma(0.0), rules.alphabeta(1.0, 0.0), rules.zbox(1, 1)


def test_bounds_that_do_not_fit_the_layer_are_refused():
    f = lambda x: jnp.sum(x @ jnp.ones((3, 2)))
    with pytest.raises((ValueError, TypeError)):
        rules.lrp(f, rules.zbox(np.zeros(2), np.ones(2)))(X)


def test_an_unknown_pattern_lists_what_there_is():
    def f(x):
        with jax.named_scope("first"):
            return jnp.sum(x @ jnp.ones((3, 2)))

    explain = rules.lrp(f, {"frist": rules.gamma()})
    refused_while_traced(explain, X, ValueError, "'frist'", "'first'")


def test_an_unknown_pattern_of_a_function_without_names_says_how_to_name():
    explain = rules.lrp(lambda x: jnp.sum(2 * x), {"first": rules.gamma()})
    refused_while_traced(explain, X, ValueError, "'first'", "jax.named_scope")


# Operations.


def endless(x):
    """A loop whose number of steps depends on the input."""
    halve = lambda x: x / 2
    return jnp.sum(jax.lax.while_loop(lambda x: jnp.sum(x) > 1, halve, x))


LOOPS = {
    "while": endless,
    "in jit": jax.jit(endless),
    "in checkpoint": jax.checkpoint(endless),
    "in scan": lambda x: jax.lax.scan(
        lambda c, _: (c + endless(x), None), 0.0, None, 2
    )[0],
    "in cond": lambda x: jax.lax.cond(X[0] > 0, endless, jnp.sum, x),
    "fori_loop": lambda x: jnp.sum(
        jax.lax.fori_loop(0, jnp.argmax(x) + 1, lambda _, x: 2 * x, x)
    ),
}


@each
@pytest.mark.parametrize("f", LOOPS.values(), ids=LOOPS)
def test_a_while_loop_on_the_way_points_to_scan(make, f):
    parts = "while_loop", "lax.scan"
    refused_while_traced(make(f), X, NotImplementedError, *parts)


@each
def test_a_while_loop_beside_the_way_is_nobodys_business(make):
    f = lambda x, n: (
        jnp.sum(x) * jax.lax.while_loop(lambda a: a < n, lambda a: 2 * a, 1.0)
    )
    assert float(make(f)(X, 10.0).sum()) == pytest.approx(48.0, abs=1e-4)


@each
def test_strict_names_the_operation_its_place_and_a_way_out(make):
    def f(x):
        with jax.named_scope("head"):
            return jnp.sum(jnp.linalg.cholesky(jnp.outer(x, x) + jnp.eye(3)))

    explain = make(f, strict=True)
    place = "test_rules_errors.py"
    parts = "no rule", "`cholesky`", place, "'head'", "strict=True"
    refused(lambda: jax.eval_shape(explain, X), NotImplementedError, *parts)


@pytest.mark.parametrize("operation", [jnp.cumprod, jnp.prod, jnp.sort])
@pytest.mark.parametrize("name", ["deep_lift", "multipliers"])
def test_strict_refuses_what_it_would_integrate_or_reorder(name, operation):
    explain = EXPLAINERS[name](lambda x: jnp.sum(operation(x)), strict=True)
    refused(lambda: explain(X), NotImplementedError, "has no rule for the operation")


@each
def test_strict_has_nothing_against_a_usual_network(make):
    def f(x):
        x = jax.nn.gelu(jnp.tanh(x) @ jnp.ones((3, 4)) + 1.0)
        x = jax.nn.softmax(jnp.maximum(x, 0.5 * x) - jnp.mean(x))
        return jnp.max(jnp.concatenate([x[1:], jnp.exp(x)]) / (1 + jnp.var(x)))

    assert jax.eval_shape(make(f, strict=True), X).shape == X.shape

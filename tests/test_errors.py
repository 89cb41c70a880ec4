"""Errors about `f`, `x`, `baseline`, `key` and the options, word for word."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

X = jnp.ones(3, jnp.float32)
KEY = jax.random.key(0)
TREE = {"a": X, "b": (X, X)}
ZERO = {"baseline": 0.0}


def f(x):
    return sum(jnp.sum(leaf.astype(jnp.float32)) for leaf in jax.tree.leaves(x))


EXPLAINERS = {
    "saliency": jx.saliency,
    "input_x_gradient": jx.input_x_gradient,
    "integrated_gradients": lambda f: partial(jx.integrated_gradients(f), **ZERO),
    "smooth": lambda f: partial(jx.smooth(jx.saliency(f), std=0.1), key=KEY),
    "expected": lambda f: (
        lambda x: jx.expected(jx.integrated_gradients(f))(x, baseline=jnp.zeros(2))
    ),
    "occlusion": lambda f: partial(jx.occlusion(f), **ZERO),
    "lime": lambda f: partial(jx.lime(f), key=KEY, **ZERO),
    "surrogate": lambda f: partial(jx.surrogate(f), key=KEY, **ZERO),
    "kernel_shap": lambda f: partial(jx.kernel_shap(f), key=KEY, **ZERO),
    "game": lambda f: lambda x: jx.game(f, x, **ZERO)(1.0),
    "completeness_gap": lambda f: partial(
        jx.metrics.completeness_gap(f), attribution=1.0, **ZERO
    ),
    "deletion": lambda f: lambda x: jx.metrics.deletion(f)(x, attribution=x, **ZERO),
    "insertion": lambda f: lambda x: jx.metrics.insertion(f)(x, attribution=x, **ZERO),
    "guided": lambda f: jx.saliency(jx.rules.guided(f)),
}
each = pytest.mark.parametrize("make", EXPLAINERS.values(), ids=EXPLAINERS.keys())


def check_traced(explain, x, error, message):
    """The error is that of a trace: nothing has to be computed, or compiled."""
    check(lambda: explain(x), error, message)
    check(lambda: jax.eval_shape(explain, x), error, message)
    check(lambda: jax.jit(explain)(x), error, message)
    stack = jax.tree.map(lambda leaf: jnp.stack([leaf]), x)
    check(lambda: jax.vmap(explain)(stack), error, message)


# f.

VECTOR = (
    "`f` must return a scalar, but returned shape (3,). Select one output, for "
    "example `lambda x: model(x)[label]`."
)


@each
def test_a_function_must_return_a_scalar(make):
    check_traced(make(lambda x: x), X, ValueError, VECTOR)


def test_a_function_must_return_a_scalar_to_grad_cam():
    explain = jx.grad_cam(lambda x: jx.tap(x[None], "x")[0], at="x")
    check_traced(explain, X, ValueError, VECTOR)


def returned(value, message):
    return lambda: jx.saliency(lambda _: value)(X), ValueError, message


STRUCTURE = (
    "`f` must return a scalar, but returned {}. Return one number, for example "
    "`lambda x: model(x)[0][label]`."
)
NUMBER = (
    "`f` must return a floating-point scalar, but returned {}. Return a score, such "
    "as a logit, rather than a class."
)


@cases(
    one_element=returned(
        jnp.ones(1),
        "`f` must return a scalar, but returned shape (1,). Select one output, for "
        "example `lambda x: model(x)[label]`.",
    ),
    tuple=returned((jnp.ones(()),), STRUCTURE.format("PyTreeDef((*,))")),
    dict=returned({"y": 1.0}, STRUCTURE.format("PyTreeDef({'y': *})")),
    none=returned(None, STRUCTURE.format("PyTreeDef(None)")),
    integer=returned(jnp.argmax(X), NUMBER.format("int64")),
    python_integer=returned(3, NUMBER.format("int64")),
    boolean=returned(X.sum() > 0, NUMBER.format("bool")),
    complex=returned(jnp.ones((), jnp.complex64), NUMBER.format("complex64")),
)
def test_what_a_function_returns_is_described(call, error, message):
    check(call, error, message)


# x.

TOKENS = (
    "`x` must be floating-point, but is {}. Convert numbers with `.astype(float)`. "
    "Tokens have no gradient and nothing between them and a baseline: explain their "
    'embeddings, with `value, head = jaxplain.cut(f, x, *args, at="embed")` and any '
    "explainer of `head` at `value`."
)


@each
def test_tokens_are_pointed_to_their_embeddings(make):
    message = TOKENS.format("int64[3]")
    check_traced(make(f), jnp.arange(3), TypeError, message)


@each
def test_an_input_must_not_be_empty(make):
    message = (
        "`x` must not be empty, but is float32[3,0]. Pass an input with at least one "
        "entry."
    )
    check_traced(make(f), jnp.ones((3, 0), jnp.float32), ValueError, message)


@each
def test_an_input_must_have_a_leaf(make):
    message = "`x` must hold at least one array, but is {}. Pass the input to explain."
    check(lambda: make(f)({}), ValueError, message.format("{}"))


def of_input(x, message):
    return lambda: jx.saliency(f)(x), TypeError, message


@cases(
    complex=of_input(jnp.ones(3, jnp.complex64), TOKENS.format("complex64[3]")),
    boolean=of_input(jnp.ones(3, bool), TOKENS.format("bool[3]")),
    python_integer=of_input(3, TOKENS.format("int64[]")),
    leaf=of_input(
        {"image": X, "text": (jnp.arange(2),)},
        TOKENS.format("int64[2] at `['text'][0]`"),
    ),
    string=of_input(
        "a text",
        "`x` must hold arrays, but holds str. Convert it with `jax.numpy.asarray`, or "
        "bind it to `f`.",
    ),
    string_in_a_tree=of_input(
        {"image": X, "name": "cat"},
        "`x` must hold arrays, but holds str at `['name']`. Convert it with "
        "`jax.numpy.asarray`, or bind it to `f`.",
    ),
    object=of_input(
        object(),
        "`x` must hold arrays, but holds object. Convert it with "
        "`jax.numpy.asarray`, or bind it to `f`.",
    ),
)
def test_an_input_must_hold_floating_point_arrays(call, error, message):
    check(call, error, message)


# baseline.

TAKE_A_BASELINE = {
    "integrated_gradients": jx.integrated_gradients(f),
    "occlusion": jx.occlusion(f),
    "lime": partial(jx.lime(f), key=KEY),
    "surrogate": partial(jx.surrogate(f), key=KEY),
    "kernel_shap": partial(jx.kernel_shap(f), key=KEY),
    "game": lambda x, **refs: jx.game(f, x, **refs)(1.0),
    "completeness_gap": partial(jx.metrics.completeness_gap(f), attribution=1.0),
    "deletion": lambda x, **refs: jx.metrics.deletion(f)(x, attribution=x, **refs),
    "smooth": partial(
        jx.smooth(jx.integrated_gradients(f), std=0.1, num_samples=2), key=KEY
    ),
}
contrastive = pytest.mark.parametrize(
    "explain", TAKE_A_BASELINE.values(), ids=TAKE_A_BASELINE.keys()
)


@contrastive
def test_a_baseline_is_required(explain):
    message = (
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`."
    )
    check_traced(explain, X, TypeError, message)


@contrastive
def test_a_baseline_must_have_a_shape_that_broadcasts(explain):
    message = (
        "`baseline` must broadcast to `x`, which is float32[3], but is float64[4]. "
        "Pass a number, or an array of the shape of `x`; average over a stack of "
        "baselines with `jaxplain.expected`."
    )
    check_traced(partial(explain, baseline=jnp.ones(4)), X, ValueError, message)


@contrastive
def test_a_baseline_must_have_the_structure_of_the_input(explain):
    message = (
        "`baseline` must have the structure of `x`, or of its upper part, but `x` is "
        "PyTreeDef({'a': *, 'b': (*, *)}) and `baseline` is PyTreeDef({'a': *}). A "
        "number, such as `baseline=0.0`, fits any `x`."
    )
    check_traced(partial(explain, baseline={"a": 0.0}), TREE, ValueError, message)


def test_a_leaf_of_a_baseline_is_named():
    message = (
        "`baseline` must broadcast to `x`, which is float32[3] at `['b'][1]`, but is "
        "float64[2]. Pass a number, or an array of the shape of `x`; average over a "
        "stack of baselines with `jaxplain.expected`."
    )
    explain = partial(
        jx.integrated_gradients(f), baseline={"a": 0.0, "b": (0.0, jnp.ones(2))}
    )
    check_traced(explain, TREE, ValueError, message)


def test_a_baseline_must_be_real():
    explain = partial(jx.integrated_gradients(f), baseline=1j)
    message = "`baseline` must be real, but is complex128[3]."
    check_traced(explain, X, TypeError, message)


STACK = (
    "`baseline` must be a stack, with one baseline per entry of the first axis of "
    "every leaf, but has shapes {}. Stack the baselines with `jax.numpy.stack`, or "
    "leave `expected` out for a single one."
)


@pytest.mark.parametrize(
    ("baseline", "shapes"),
    [
        (0.0, "[()]"),
        (jnp.ones((0, 3)), "[(0, 3)]"),
        ((), "[]"),
        ({"a": jnp.ones((4, 3)), "b": jnp.ones((5, 3))}, "[(4, 3), (5, 3)]"),
        ({"a": jnp.ones((4, 3)), "b": 0.0}, "[(4, 3), ()]"),
    ],
    ids=["scalar", "empty", "no leaves", "two lengths", "scalar leaf"],
)
def test_expected_takes_a_stack_of_baselines(baseline, shapes):
    explain = partial(jx.expected(jx.integrated_gradients(f)), baseline=baseline)
    check_traced(explain, X, ValueError, STACK.format(shapes))


def test_expected_requires_a_baseline():
    message = (
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`."
    )
    explain = jx.expected(jx.integrated_gradients(f))
    check_traced(explain, X, TypeError, message)


@pytest.mark.parametrize("name", ["integrated_gradients", "occlusion", "lime", "game"])
def test_a_misspelt_keyword_is_an_error(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'basline'"):
        TAKE_A_BASELINE[name](X, basline=0.0)


@pytest.mark.parametrize("name", ["saliency", "input_x_gradient"])
def test_a_gradient_takes_no_baseline(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'baseline'"):
        EXPLAINERS[name](f)(X, baseline=np.zeros(3))

"""Errors about keys, options, groups and budgets, word for word."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

X = jnp.ones(3, jnp.float32)
KEY = jax.random.key(0)
ZERO = {"baseline": 0.0}
f = lambda x: jnp.sum(x)
ig = jx.integrated_gradients(f)

# key.

SAMPLED = {
    "lime": partial(jx.lime(f), **ZERO),
    "surrogate": partial(jx.surrogate(f), **ZERO),
    "kernel_shap": partial(jx.kernel_shap(f), **ZERO),
    "smooth": jx.smooth(jx.saliency(f), std=0.1),
    "monte_carlo": jx.monte_carlo(lambda x, *, key: x, num_samples=2),
}
sampled = pytest.mark.parametrize(("name", "explain"), SAMPLED.items(), ids=SAMPLED)


@sampled
def test_a_key_is_required(name, explain):
    message = (
        f"`key` is missing: {name} draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`."
    )
    check(lambda: explain(X), TypeError, message)
    check(lambda: jax.eval_shape(explain, X), TypeError, message)


@sampled
@pytest.mark.parametrize(
    ("key", "shown"),
    [(0, "int64[]"), (jnp.zeros(2), "float64[2]"), ("seed", "str")],
    ids=["zero", "array", "string"],
)
def test_a_key_must_be_a_random_key(name, explain, key, shown):
    message = (
        f"`key` must be a JAX random key, but is {shown}. Make one with "
        "`jax.random.key(0)`."
    )
    check(lambda: explain(X, key=key), TypeError, message)


@sampled
@pytest.mark.parametrize("make", [jax.random.key, jax.random.PRNGKey])
def test_a_key_must_be_one_key(name, explain, make):
    keys = jax.random.split(make(0), 4)
    message = (
        f"`key` must be one key, but has shape {keys.shape}. Map over keys with "
        "`jax.vmap`, or pass one of them."
    )
    check(lambda: explain(X, key=keys), ValueError, message)
    traced = lambda keys: explain(X, key=keys)
    check(lambda: jax.eval_shape(traced, keys), ValueError, message)


# Numbers.

COUNTS = {
    "integrated_gradients.steps": lambda n: jx.integrated_gradients(f, steps=n),
    "deletion.steps": lambda n: jx.metrics.deletion(f, steps=n),
    "insertion.steps": lambda n: jx.metrics.insertion(f, steps=n),
    "smooth.num_samples": lambda n: jx.smooth(ig, std=1.0, num_samples=n),
    "monte_carlo.num_samples": lambda n: jx.monte_carlo(ig, num_samples=n),
    "lime.num_samples": lambda n: jx.lime(f, num_samples=n),
    "surrogate.num_samples": lambda n: jx.surrogate(f, num_samples=n),
    "kernel_shap.num_samples": lambda n: jx.kernel_shap(f, num_samples=n),
    "lime.num_groups": lambda n: jx.lime(f, num_groups=n),
    "kernel_shap.num_groups": lambda n: jx.kernel_shap(f, num_groups=n),
    "occlusion.num_groups": lambda n: jx.occlusion(f, num_groups=n),
    "integrated_gradients.chunk_size": lambda n: jx.integrated_gradients(
        f, chunk_size=n
    ),
    "deletion.chunk_size": lambda n: jx.metrics.deletion(f, chunk_size=n),
    "smooth.chunk_size": lambda n: jx.smooth(ig, std=1.0, chunk_size=n),
    "monte_carlo.chunk_size": lambda n: jx.monte_carlo(ig, num_samples=2, chunk_size=n),
    "expected.chunk_size": lambda n: jx.expected(ig, chunk_size=n),
    "lime.chunk_size": lambda n: jx.lime(f, chunk_size=n),
    "kernel_shap.chunk_size": lambda n: jx.kernel_shap(f, chunk_size=n),
    "occlusion.chunk_size": lambda n: jx.occlusion(f, chunk_size=n),
    "superpixels.num_groups": lambda n: jx.groups.superpixels(
        np.ones((4, 4)), num_groups=n
    ),
    "windows.size": lambda n: jx.groups.windows(4, size=n),
    "windows.length": lambda n: jx.groups.windows(n, size=4),
    "bernoulli.num_groups": lambda n: jx.coalitions.bernoulli(KEY, n),
    "exhaustive.num_groups": jx.coalitions.exhaustive,
    "leave_one_out.num_groups": jx.coalitions.leave_one_out,
}
counted = pytest.mark.parametrize(("name", "make"), COUNTS.items(), ids=COUNTS)
SIZE = "It sets the size of the program, so it cannot be traced."


@counted
@pytest.mark.parametrize("value", [0, -3])
def test_a_count_is_at_least_one(name, make, value):
    option = name.split(".")[1]
    message = f"`{option}` must be at least 1, but is {value}."
    check(lambda: make(value), ValueError, message)


@counted
def test_a_count_is_an_integer_at_the_time_of_the_transform(name, make):
    option = name.split(".")[1]
    message = f"`{option}` must be a Python int, but is {{}}. {SIZE}"
    check(lambda: make(2.0), TypeError, message.format("float64[] (2.0)"))
    check(lambda: make(True), TypeError, message.format("bool[] (True)"))
    check(lambda: make("2"), TypeError, message.format("str ('2')"))

    def traced(n):
        make(n)

    shown = "int64[] (JitTracer(~int64[]))"
    check(lambda: jax.eval_shape(traced, 2), TypeError, message.format(shown))


def test_a_count_may_be_an_integer_of_numpy():
    explain = jx.integrated_gradients(f, steps=np.int64(2), chunk_size=np.int32(1))
    assert explain(X, baseline=0.0).shape == X.shape


RULES = (
    "'gauss_legendre', 'riemann_left', 'riemann_right', 'riemann_middle', 'trapezoid'"
)


@cases(
    trapezoid_of_one=(
        lambda: jx.integrated_gradients(f, steps=1, rule="trapezoid"),
        ValueError,
        "`steps` must be at least 2, but is 1.",
    ),
    rule=(
        lambda: jx.integrated_gradients(f, rule="trapezod"),
        ValueError,
        f"`rule` must be one of {RULES}, but is 'trapezod'. Did you mean 'trapezoid'?",
    ),
    strange_rule=(
        lambda: jx.integrated_gradients(f, rule="simpson"),
        ValueError,
        f"`rule` must be one of {RULES}, but is 'simpson'.",
    ),
    mode=(
        lambda: jx.cut(f, X, at="a", mode="shfit"),
        ValueError,
        "`mode` must be one of 'replace', 'shift', but is 'shfit'. Did you mean "
        "'shift'?",
    ),
    width=(
        lambda: jx.lime(f, width=0.0),
        ValueError,
        "`width` must be a positive number, but is 0.0.",
    ),
    negative_width=(
        lambda: jx.surrogate(f, width=-1),
        ValueError,
        "`width` must be a positive number, but is -1.",
    ),
    nan_width=(
        lambda: jx.lime(f, width=float("nan")),
        ValueError,
        "`width` must be a positive number, but is nan.",
    ),
    ridge=(
        lambda: jx.lime(f, ridge=-1e-3),
        ValueError,
        "`ridge` must be a non-negative number, but is -0.001.",
    ),
    infinite_ridge=(
        lambda: jx.surrogate(f, ridge=float("inf")),
        ValueError,
        "`ridge` must be a non-negative number, but is inf.",
    ),
    traced_width=(
        lambda: jax.eval_shape(lambda w: jx.lime(f, width=w)(X, key=KEY, **ZERO), 0.2),
        TypeError,
        "`width` must be a Python number, but is traced: it configures the explainer. "
        "Bind it before `jax.jit`.",
    ),
    std=(
        lambda: jx.smooth(jx.saliency(f), std=-0.1)(X, key=KEY),
        ValueError,
        "`std` must not be negative, but is -0.1.",
    ),
    std_of_another_shape=(
        lambda: jx.smooth(jx.saliency(f), std=jnp.ones(2))(X, key=KEY),
        ValueError,
        "`std` must broadcast to `x`, which is float32[3], but is float64[2]. Pass a "
        "number, or an array of the shape of `x`; the noise has the units of `x`.",
    ),
    paired=(
        lambda: jx.coalitions.paired(KEY, 1),
        ValueError,
        "`num_groups` must be at least 2, but is 1.",
    ),
    exhaustive=(
        lambda: jx.coalitions.exhaustive(32),
        ValueError,
        "`num_groups` must be at most 31 to enumerate coalitions, but is 32. Sample "
        "them with `coalitions.stratified`.",
    ),
)
def test_an_option_out_of_range_is_an_error(call, error, message):
    check(call, error, message)

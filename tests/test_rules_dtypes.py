"""Rules keep the dtype, and do not hide what is not a number."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx

rules = jx.rules
X = np.array([0.75, -1.25, 0.5, 1.5])
WEIGHTS = np.random.default_rng(0).normal(size=(4, 6))


def f(x, scale):
    """A layer, an activation of two factors, a maximum, a product, and a division."""
    z = x @ jnp.asarray(WEIGHTS, x.dtype) + jnp.asarray(0.25, x.dtype)
    z = jax.nn.silu(z) * jax.nn.sigmoid(z[::-1])
    parts = jnp.max(z[:3]), jnp.sum(jax.nn.relu(z[3:])), jnp.prod(jnp.tanh(z[:3]))
    return scale * jnp.stack(parts).sum() / (1 + jnp.var(z))


def lift(x, scale):
    return rules.deep_lift(f)(x, scale, baseline=-0.5)


EVERY = {
    "deep_lift": lift,
    "multipliers": lambda x, scale: rules.multipliers(f)(x, scale, baseline=-0.5),
    "lrp": lambda x, scale: rules.lrp(f)(x, scale),
    "gamma": lambda x, scale: rules.lrp(f, rules.gamma())(x, scale),
    "alphabeta": lambda x, scale: rules.lrp(f, rules.alphabeta())(x, scale),
    "zbox": lambda x, scale: rules.lrp(f, rules.zbox(-3.0, 3.0))(x, scale),
    "wsquare": lambda x, scale: rules.lrp(f, rules.wsquare())(x, scale),
    "flat": lambda x, scale: rules.lrp(f, rules.flat())(x, scale),
    "deconvolution": lambda x, scale: jax.grad(rules.deconvolution(f))(x, scale),
}
each = pytest.mark.parametrize("name", EVERY)
together = quick_jit(lambda x: {name: fn(x, 2.0) for name, fn in EVERY.items()})


@functools.cache
def all_in(dtype):
    return together(jnp.asarray(X, dtype))


@functools.cache
def all_where_one_is(bad):
    return together(jnp.asarray(X).at[1].set(bad))


@each
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_an_explanation_has_the_dtype_of_its_input(name, dtype):
    out = jax.eval_shape(EVERY[name], jnp.asarray(X, dtype), 2.0)
    assert (out.shape, out.dtype, out.weak_type) == (X.shape, dtype, False)


@pytest.mark.slow
@each
def test_a_lower_precision_agrees(name):
    high = all_in("float64")[name]
    for dtype, steps in [("float32", 100), ("bfloat16", 20)]:
        low = all_in(dtype)[name].astype("float64")
        # A few dozen roundings, of numbers that cancel by a factor of ten.
        assert_close(low, high, tol=steps * float(jnp.finfo(dtype).eps))


def test_mixed_dtypes_are_kept_leaf_by_leaf():
    g = lambda x: f(jnp.concatenate([x["a"].astype("float32"), x["b"]]), 1.0)
    x = {"a": jnp.asarray(X[:2], "bfloat16"), "b": jnp.asarray(X[2:], "float32")}
    shapes = jax.tree.map(jax.typeof, x)
    for explain in (rules.lrp(g), lambda x: rules.deep_lift(g)(x, baseline=0.0)):
        assert jax.tree.map(jax.typeof, quick_jit(explain)(x)) == shapes


class Half(nn.Module):
    """Parameters in float32, and arithmetic in bfloat16, as in training."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(8, dtype=jnp.bfloat16)(x))
        return nn.Dense(2, dtype=jnp.bfloat16)(x)[0].astype(jnp.float32)


def test_a_model_in_mixed_precision_is_explained_in_the_dtype_of_its_input():
    x = jnp.asarray(X, "float32")
    params = quick_jit(Half().init)(jax.random.key(0), x)
    g = lambda x: Half().apply(params, x)
    # Each value and each share is rounded to 8 bits.
    phi = quick_jit(rules.lrp(g))(x)
    assert phi.dtype == jnp.float32
    assert_close(phi.sum(), g(x), tol=0.05)
    phi = quick_jit(rules.deep_lift(g))(x, baseline=0.0)
    assert phi.dtype == jnp.float32
    assert_close(phi.sum(), g(x) - g(0 * x), tol=0.05)


@pytest.mark.parametrize(
    "name", [n for n in EVERY if n != "deconvolution"]
)  # sees no values
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_does_not_pass_for_an_explanation(name, bad):
    assert not jnp.all(jnp.isfinite(all_where_one_is(bad)[name]))


def test_a_nan_in_a_feature_that_f_ignores_stays_there():
    g = lambda x: jnp.tanh(x[0]) * x[1]
    x = jnp.array([1.0, 2.0, jnp.nan])
    explain = quick_jit(rules.lrp(g))
    assert_close(explain(x)[:2], explain(x.at[2].set(0.0))[:2])
    phi = quick_jit(rules.deep_lift(g))(x, baseline=0.0)
    assert_close(phi[:2].sum(), g(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_the_units_of_the_input_do_not_matter(size, dtype):
    weights = jnp.asarray(WEIGHTS, dtype)
    g = lambda x: jnp.sum(jax.nn.relu(x @ weights))
    x = jnp.asarray(X, dtype)
    b = jnp.asarray(X[::-1].copy() / 3, dtype)
    scaled = quick_jit(rules.deep_lift(g))(size * x, baseline=size * b)
    assert_close(scaled / size, quick_jit(rules.deep_lift(g))(x, baseline=b))


def test_huge_relevance_stays_finite():
    x = jnp.asarray(X * 1e30, "float32")
    g = lambda x: jnp.sum(jax.nn.relu(x @ jnp.asarray(WEIGHTS, "float32")))
    several = rules.gamma(), rules.zplus(), rules.alphabeta(), rules.zbox(-1e31, 1e31)
    each = quick_jit(lambda x: [rules.lrp(g, rule)(x) for rule in several])(x)
    assert jnp.all(jnp.isfinite(jnp.stack(each)))
    phi = quick_jit(rules.lrp(g))(x)
    assert_close(phi / 1e30, quick_jit(rules.lrp(g, rules.epsilon(1e-9)))(x / 1e30))

"""Penalties on explanations, and their derivatives in the parameters."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from properties import close, fixed, numbers
from raising import cases, check

import jaxplain as jx
from jaxplain import priors

X = jnp.asarray(np.sin(1.0 + np.arange(12.0)).reshape(3, 2, 2))
INTO = jnp.asarray(np.cos(np.arange(36.0)).reshape(12, 3))
MASK = jnp.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])


def f(x, params):
    return (jnp.tanh(x.ravel() @ params["in"]) @ params["out"]).sum()


PARAMS = {"in": INTO, "out": jnp.array([[1.0], [-0.5], [2.0]])}
penalty = priors.right_reasons(f)
penalty_and_slope = quick_jit(jax.value_and_grad(penalty, 1))
value_and_slope = quick_jit(jax.value_and_grad(priors.sparsity))
variations = quick_jit(
    lambda a: (priors.total_variation(a), priors.total_variation(a, axes=(-1,)))
)


def test_the_penalty_is_the_squared_gradient_where_the_mask_is():
    value, _ = penalty_and_slope(X, PARAMS, mask=MASK)
    gradient = quick_jit(jax.grad(f))(X, PARAMS)
    assert_close(value, (gradient[0, 0] ** 2).sum() + 4 * (gradient[1, 1] ** 2).sum())


def directional(loss, slope, params):
    """The slope along one direction, and that of differences."""
    step = 1e-5
    way = jax.tree.map(lambda a: jnp.cos(jnp.arange(a.size)).reshape(a.shape), params)
    at = lambda t: loss(jax.tree.map(lambda p, w: p + t * w, params, way))
    products = jax.tree.map(lambda a, b: (a * b).sum(), slope, way)
    return sum(jax.tree.leaves(products)), (at(step) - at(-step)) / (2 * step)


def test_the_penalty_has_its_derivative_in_the_parameters():
    loss = lambda params: penalty_and_slope(X, params, mask=MASK)[0]
    _, slope = penalty_and_slope(X, PARAMS, mask=MASK)
    found, expected = directional(loss, slope, PARAMS)
    assert_close(found, expected, tol=1e-8)  # of central differences: step ** 2


@pytest.mark.slow
def test_a_prior_on_expected_gradients_is_trained_through():
    explain = jx.paths.expected_gradients(f, num_samples=2)

    def loss(params):
        phi = explain(X, params, baseline=jnp.stack([X, -X]), key=jr.key(0))
        return priors.total_variation(phi) + priors.sparsity(phi)

    both = quick_jit(jax.value_and_grad(loss))
    _, slope = both(PARAMS)
    found, expected = directional(lambda p: both(p)[0], slope, PARAMS)
    assert_close(found, expected, tol=1e-7)  # absolute values have kinks nearby


@pytest.mark.slow
def test_descent_on_the_penalty_moves_the_gradient_elsewhere():
    gradient = lambda params: jax.grad(f)(X, params)
    params = PARAMS
    for _ in range(60):
        _, slope = penalty_and_slope(X, params, mask=MASK)
        params = jax.tree.map(lambda p, s: p - 0.02 * s, params, slope)
    before, after = jnp.abs(gradient(PARAMS)), jnp.abs(gradient(params))
    assert after[0, 0].max() < before[0, 0].max() / 10
    assert after[2, 0].max() > before[2, 0].max() / 4


def test_the_mask_may_be_a_prefix_of_a_tree():
    g = lambda x, w: w * (x["a"].sum() ** 2 + x["b"].sum())
    x = {"a": jnp.ones(2), "b": jnp.ones((2, 2))}
    penalty = quick_jit(priors.right_reasons(g))
    found = penalty(x, 1.0, mask={"a": 0.0, "b": jnp.array([1.0, 0])})
    assert_close(found, jnp.asarray(2.0))


@fixed
@given(a=numbers(4, 3, 2))
def test_total_variation_sums_the_steps_between_neighbours(a):
    expected = np.abs(np.diff(a, axis=0)).sum() + np.abs(np.diff(a, axis=1)).sum()
    found, last = variations(a)
    close(found, expected)
    close(last, np.abs(np.diff(a, axis=-1)).sum())


@fixed
@given(a=numbers(7))
def test_sparsity_is_the_mean_difference_of_all_pairs(a):
    size = np.abs(a)
    pairs = np.abs(np.subtract.outer(size, size)).sum()
    expected = -pairs / (7 * size.sum()) if size.any() else 0.0
    close(value_and_slope(a)[0], expected)
    close(value_and_slope(4 * a)[0], expected)


@pytest.mark.parametrize("scale", [1e-25, 3e38])
def test_sparsity_and_its_slope_stay_within_the_range_of_float32(scale):
    a, scale = jnp.array([0.0, 0.25, 1.0], jnp.float32), jnp.float32(scale)
    value, slope = value_and_slope(scale * a)
    expected, slope_of_one = value_and_slope(a)
    assert_close(value, expected)
    assert_close(slope, slope_of_one / scale)


def test_an_infinite_slope_counts_only_where_the_mask_is():
    penalty = quick_jit(priors.right_reasons(lambda x: jnp.sqrt(x[0]) + 3 * x[1]))
    assert penalty(jnp.zeros(2), mask=jnp.array([0.0, 1.0])) == 9
    assert penalty(jnp.zeros(2), mask=jnp.array([1.0, 0.0])) == jnp.inf


def test_an_attribution_of_zeros_has_a_finite_slope():
    slope = quick_jit(jax.grad(priors.sparsity))(jnp.zeros(4))
    assert jnp.isfinite(slope).all()


@fixed
@given(a=numbers(4), w=numbers(4, 4))
def test_the_laplacian_counts_differences_along_edges(a, w):
    w = np.abs(w + w.T)
    np.fill_diagonal(w, 0)
    expected = (w * np.subtract.outer(a, a) ** 2).sum() / 2
    close(priors.graph_laplacian(a, np.diag(w.sum(1)) - w), expected)


@pytest.mark.parametrize("prior", [priors.total_variation, priors.sparsity])
def test_a_narrow_attribution_is_summed_in_float32(prior):
    narrow = jax.ShapeDtypeStruct((4,), jnp.bfloat16)
    assert jax.eval_shape(prior, narrow).dtype == jnp.float32


@cases(
    missing=(
        lambda: penalty(X, PARAMS),
        TypeError,
        "`mask` is missing: say which entries `f` must not look at, for example "
        "`mask=jax.numpy.zeros(x.shape).at[:3, :3].set(1)`.",
    ),
    mask=(
        lambda: penalty(X, PARAMS, mask=jnp.ones(2)),
        ValueError,
        "`mask` must fit the leading axes of `x`, float64[3,2,2], but is float64[2]. "
        "Pass an array of the shape of `x`, or one number per pixel or step.",
    ),
    axes=(
        lambda: priors.total_variation(jnp.ones((2, 2)), axes=(0, 2)),
        ValueError,
        "`axes` must be different axes of `attribution`, which is float64[2,2], but "
        "are (0, 2). Pass those of space or time, for example `axes=(0, 1)`.",
    ),
    twice=(
        lambda: priors.total_variation(jnp.ones((2, 2)), axes=(0, -2)),
        ValueError,
        "`axes` must be different axes of `attribution`, which is float64[2,2], but "
        "are (0, -2). Pass those of space or time, for example `axes=(0, 1)`.",
    ),
    tree=(
        lambda: priors.sparsity({"a": X}),
        TypeError,
        "`attribution` must be one array, but is PyTreeDef({'a': *}). Add up the "
        "penalties of its leaves.",
    ),
    integers=(
        lambda: priors.sparsity(jnp.arange(3)),
        TypeError,
        "`attribution` must be floating-point, but is int64[3]. Pass what an explainer "
        "returns.",
    ),
    graph=(
        lambda: priors.graph_laplacian(jnp.ones(3), jnp.eye(2)),
        ValueError,
        "`laplacian` must have a row and a column for each of the 3 entries of "
        "`attribution`, but has shape (2, 2). Leave out the features that are not "
        "explained.",
    ),
)
def test_a_penalty_that_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)


def test_examples_are_mapped_and_share_their_parameters():
    batch = jax.vmap(partial(penalty, mask=MASK), (0, None))
    found = quick_jit(batch)(jnp.stack([X, 0 * X]), PARAMS)
    assert_close(found[0], penalty_and_slope(X, PARAMS, mask=MASK)[0])

"""Paths at fixed nodes: the user's, blurred, guided, expected; pairs of features."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx

paths = jx.paths
X = jnp.array([1.5, -1.0, 0.5])
B = jnp.array([0.25, 0.5, -0.75])


def f(x, scale=1.0):
    return jnp.tanh(scale * x[0] * x[1]) + jnp.exp(x[2] * x[0]) + x[1] ** 2


def straight(t, x, baseline):
    return jax.tree.map(lambda a, b: b + t * (a - b), x, baseline)


# Along.


def test_along_the_straight_line_is_integrated_gradients():
    along = paths.along(f, straight, steps=9, chunk_size=4)
    assert_close(
        quick_jit(along)(X, 2.0, baseline=B),
        quick_jit(jx.integrated_gradients(f, steps=9))(X, 2.0, baseline=B),
    )


def test_the_speed_on_a_path_does_not_matter():
    late = lambda t, x, baseline: straight(t**3, x, baseline)
    # Both integrands are smooth, and 40 nodes are enough for either.
    a, b = (
        quick_jit(paths.along(f, path, steps=40))(X, baseline=B)
        for path in (straight, late)
    )
    assert_close(a, b, tol=1e-9)


def test_a_coordinate_that_does_not_move_gets_nothing():
    def path(t, x, baseline):
        return straight(t, x, baseline).at[1].set(baseline[1])

    out = quick_jit(paths.along(f, path, steps=20))(X, baseline=B)
    assert out[1] == 0
    assert_close(out.sum(), f(X.at[1].set(B[1])) - f(B), tol=1e-9)  # 20 nodes


def test_a_coordinate_that_does_not_move_may_be_infinitely_steep():
    root = lambda x: jnp.sqrt(x[0]) + x[1] ** 2
    x = jnp.array([0.0, 1.0])
    out = quick_jit(paths.along(root, straight, steps=4))(x, baseline=0.0)
    assert_close(out, x)


def test_an_attribution_has_a_derivative_where_nothing_moves():
    explain = lambda x: paths.along(f, straight, steps=4)(x, baseline=B)
    # Of (x - b) times the mean gradient, at x = b.
    slope = quick_jit(jax.jacfwd(explain))(B)
    assert_close(jnp.diag(slope), jax.grad(f)(B))


def test_a_path_of_a_pytree_keeps_its_dtypes_and_sees_one():
    x = {"a": X.astype(jnp.bfloat16), "b": X.astype(jnp.float32)}
    seen = set()

    def path(t, x, baseline):
        seen.update(leaf.dtype for leaf in jax.tree.leaves((t, x, baseline)))
        return straight(t, x, baseline)

    g = lambda x: jnp.sum(x["a"].astype(jnp.float32) * x["b"])
    out = jax.eval_shape(paths.along(g, path, steps=2), x, baseline=0.0)
    assert jax.tree.map(jnp.result_type, out) == jax.tree.map(jnp.result_type, x)
    assert seen == {jnp.dtype("float32")}


# Blur.

IMAGE = jr.normal(jr.key(0), (6, 5, 2), jnp.float64)


MIXED = jr.normal(jr.key(1), (4, IMAGE.size), jnp.float64) / 4


def of_image(image):
    return jnp.sum(jnp.tanh(MIXED @ image.ravel()))


def test_blur_ig_explains_the_difference_to_the_blurred_input():
    out = quick_jit(paths.blur_ig(of_image))(IMAGE)
    gap = of_image(IMAGE) - of_image(paths.blur(IMAGE, sigma=50.0))
    assert_close(out.sum(), gap, tol=1e-5)  # 100 nodes


def test_a_constant_input_stays_under_blur_and_has_nothing_to_explain():
    flat = jnp.full((6, 5, 2), 0.7)
    assert_close(paths.blur(flat, sigma=3.0), flat)
    # Derivatives of weights that sum to 1: nothing but rounding.
    assert jnp.max(jnp.abs(quick_jit(paths.blur_ig(of_image, steps=8))(flat))) < 1e-14


def test_blur_is_a_normalised_gaussian_along_each_axis_but_the_last():
    rows, columns = np.arange(6), np.arange(5)
    expected = np.zeros(IMAGE.shape)
    for i in rows:
        for j in columns:
            weight = np.exp(-((rows[:, None] - i) ** 2 + (columns - j) ** 2) / (2 * 4))
            weight = (weight / weight.sum())[..., None]
            expected[i, j] = (weight * np.asarray(IMAGE)).sum((0, 1))
    assert_close(paths.blur(IMAGE, sigma=2.0), expected)


def test_no_blur_is_the_identity():
    np.testing.assert_array_equal(paths.blur(IMAGE, sigma=0.0), IMAGE)


def test_a_series_is_blurred_in_time_and_not_across_channels():
    series = jnp.zeros((7, 2)).at[3, 0].set(1.0)
    explain = paths.blur_ig(lambda x: x[3, 0] - x[3, 1], max_sigma=2.0)
    out = quick_jit(explain)(series)
    assert out[3, 0] > 0.5
    assert not out[:, 1].any()


# Guided. The published examples, GIG-1 and GIG-2, are those of its authors' tests.


def test_guided_ig_of_a_linear_function_is_exact():
    out = quick_jit(paths.guided_ig(lambda x: 2 * x[0] + x[1]))(
        jnp.array([10.0, 5.0]), baseline=jnp.array([-1.0, -3.0])
    )
    assert_close(out, jnp.array([22.0, 8.0]))


def test_guided_ig_of_a_sum_of_squares_is_exact():
    out = quick_jit(paths.guided_ig(lambda x: 2 * x[0] ** 2 + x[1] ** 2))(
        jnp.array([3.0, 3.0]), baseline=0.0
    )
    assert_close(out, jnp.array([18.0, 9.0]))


def guided_oracle(gradient, x, b, steps, fraction, max_dist):
    """Algorithm 1 with the mean of the gradients at both ends of a step, by loops."""
    place, total = np.zeros(len(x)), np.zeros(len(x))
    way = np.abs(x - b)
    at = lambda place: np.asarray(gradient(jnp.asarray(b + place * (x - b))))
    for t in np.arange(1, steps + 1) / steps:
        old, slope = place.copy(), at(place)
        low, high = max(t - max_dist, 0), min(t + max_dist, 1)
        place = np.maximum(place, low)
        free = place < high
        while (left := way @ (1 - place) - (1 - t) * way.sum()) > 1e-12 and free.any():
            ranked = np.sort(np.where(free, np.abs(slope), np.inf))
            last = ranked[int(fraction * (len(x) - 1))]
            chosen = free & (np.abs(slope) <= last)
            share = min(1, left / (way @ (chosen * (high - place))))
            place = np.where(chosen, place + share * (high - place), place)
            free &= ~chosen
        total += (x - b) * (place - old) * (slope + at(place)) / 2
    return total


@pytest.mark.parametrize(("fraction", "max_dist"), [(0.25, 0.1), (0.6, 1.0), (1, 0.3)])
def test_guided_ig_walks_like_its_algorithm(fraction, max_dist):
    x, b = (np.asarray(a) for a in jr.normal(jr.key(2), (2, 7), jnp.float64))
    weights = jr.normal(jr.key(3), (5, 7), jnp.float64)
    g = lambda x: jnp.sum(jnp.tanh(weights @ x))
    options = {"steps": 12, "fraction": fraction, "max_dist": max_dist}
    out = quick_jit(paths.guided_ig(g, **options))(jnp.asarray(x), baseline=b)
    expected = guided_oracle(quick_jit(jax.grad(g)), x, b, **options)
    assert_close(out, expected, tol=1e-10)  # budgets are differences of sums


def test_guided_ig_without_slack_is_the_straight_line():
    out = quick_jit(paths.guided_ig(f, steps=10, max_dist=0.0))(X, baseline=B)
    straight_ig = jx.integrated_gradients(f, steps=11, rule="trapezoid")
    assert_close(out, quick_jit(straight_ig)(X, baseline=B))


def test_equal_features_are_guided_alike():
    explain = paths.guided_ig(lambda x: jnp.prod(x), steps=7)
    out = quick_jit(explain)(jnp.ones(4), baseline=0.0)
    assert_close(out, jnp.full(4, out[0]))


def test_guided_ig_is_complete_of_second_order():
    explain = lambda steps: quick_jit(paths.guided_ig(f, steps=steps))(X, baseline=B)
    gap = lambda steps: abs(explain(steps).sum() - (f(X) - f(B)))
    # Four times the steps leave a sixteenth; the path itself changes with them.
    assert gap(80) < gap(20) / 8


# Expected gradients.

BACKGROUND = jr.normal(jr.key(4), (6, 3), jnp.float64)


def test_expected_gradients_use_every_baseline_before_any_twice():
    linear = lambda x: x.sum()
    explain = paths.expected_gradients(linear, num_samples=12, chunk_size=5)
    out = quick_jit(explain)(X, baseline=BACKGROUND, key=jr.key(0))
    assert_close(out, X - BACKGROUND.mean(0))


EVEN = paths.expected_gradients(f, num_samples=24)


@functools.cache
def many(explain, num):
    """The answers for many keys."""
    one = lambda key: explain(X, baseline=BACKGROUND, key=key)
    return quick_jit(lambda keys: jax.lax.map(one, keys))(jr.split(jr.key(5), num))


def test_expected_gradients_are_those_of_integrated_gradients_on_average():
    draws = many(EVEN, 200)
    exact = quick_jit(jx.expected(jx.integrated_gradients(f)))(X, baseline=BACKGROUND)
    error = draws.std(0, ddof=1) / np.sqrt(len(draws))
    assert jnp.all(jnp.abs(draws.mean(0) - exact) < 4 * error)


def test_expected_gradients_err_less_than_independent_draws():
    def independent(x, *, key, baseline):
        which, place = jr.split(key)
        b = baseline[jr.randint(which, (), 0, len(baseline))]
        t = jr.uniform(place, (), x.dtype)
        return (x - b) * jax.grad(f)(b + t * (x - b))

    plain = jx.monte_carlo(independent, num_samples=24)
    spread = lambda explain: many(explain, 200).std(0)
    # 200 draws tell a deviation to within 5 %.
    assert jnp.all(spread(EVEN) < 0.6 * spread(plain))


# Pairs.


def test_integrated_hessians_of_a_quadratic_are_known():
    a = jr.normal(jr.key(7), (3, 3), jnp.float64)
    c = jnp.array([0.5, -1.0, 2.0])
    delta, hessian = X - B, a + a.T
    explain = paths.integrated_hessians(lambda x: x @ a @ x + c @ x, steps=1)
    out = quick_jit(explain)(X, baseline=B)
    # At `b + u delta` the gradient is linear in `u`, and -ln u has mean 1/4 there.
    slope = hessian @ B + c + hessian @ delta / 4
    known = jnp.outer(delta, delta) * hessian / 4 + jnp.diag(delta * slope)
    assert_close(out, known)


def test_rows_of_integrated_hessians_are_integrated_gradients():
    explain = paths.integrated_hessians(f, steps=12, chunk_size=5)
    out = quick_jit(explain)(X, baseline=B)
    assert_close(out, out.T)
    ig = quick_jit(jx.integrated_gradients(f))(X, baseline=B)
    assert_close(out.sum(1), ig, tol=1e-9)  # 12 nodes


def test_integrated_hessians_are_the_double_integral_of_the_paper():
    nodes, weights = np.polynomial.legendre.leggauss(24)
    nodes, weights = (nodes + 1) / 2, weights / 2
    products, weights = np.outer(nodes, nodes).ravel(), np.outer(weights, weights)
    delta, weights = X - B, jnp.asarray(weights.ravel())
    derivatives = lambda u: (jax.hessian(f)(B + u * delta), jax.grad(f)(B + u * delta))
    hessians, slopes = quick_jit(jax.vmap(derivatives))(jnp.asarray(products))
    second = jnp.tensordot(weights * products, hessians, 1)
    first = jnp.tensordot(weights, slopes, 1)
    known = jnp.outer(delta, delta) * second + jnp.diag(delta * first)
    out = quick_jit(paths.integrated_hessians(f, steps=16))(X, baseline=B)
    assert_close(out, known, tol=1e-10)  # both rules are spectral


def test_interactions_with_a_mask_are_products_with_integrated_hessians():
    mask = jnp.array([1.0, 0.0, 0.5])
    explain = paths.interactions_with(f, chunk_size=3)
    out = quick_jit(explain)(X, 2.0, baseline=B, mask=mask)
    pairs = quick_jit(paths.integrated_hessians(f))(X, 2.0, baseline=B)
    assert_close(out, pairs @ mask)


def test_the_rule_for_the_double_integral_is_exact_for_polynomials():
    for rule, power in zip(paths._hessians._weighted_rules(20), (2, 1), strict=True):
        (nodes, weights), degrees = rule, np.arange(40)
        moments = weights @ nodes[:, None] ** degrees
        # 20 positive terms, relative to their sum.
        np.testing.assert_allclose(moments, 1 / (degrees + power) ** 2, rtol=1e-12)


# What all of them promise.

LIKE_X = {
    "along": (lambda f: paths.along(f, straight, steps=3), {"baseline": 0.0}),
    "blur_ig": (lambda f: paths.blur_ig(f, steps=3), {}),
    "guided_ig": (lambda f: paths.guided_ig(f, steps=3), {"baseline": 0.0}),
    "expected_gradients": (
        lambda f: paths.expected_gradients(f, num_samples=3),
        {"baseline": jnp.zeros((2, 1, 1)), "key": jr.key(0)},
    ),
    "interactions_with": (
        lambda f: paths.interactions_with(f, steps=2),
        {"baseline": 0.0, "mask": 1.0},
    ),
}
every = pytest.mark.parametrize(("make", "given"), LIKE_X.values(), ids=LIKE_X)


@every
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_an_explanation_has_the_shape_and_dtype_of_the_input(make, given, dtype):
    x = {"a": jnp.ones((3, 2), dtype), "b": (jnp.ones((2, 1), jnp.float32),)}
    g = lambda x: jnp.sum(x["a"].astype(jnp.float32) ** 2) + jnp.sum(x["b"][0])
    out = jax.eval_shape(lambda x: make(g)(x, **given), x)
    assert jax.tree.map(lambda a: (a.shape, a.dtype), out) == jax.tree.map(
        lambda a: (a.shape, a.dtype), x
    )


@every
def test_a_batch_in_a_compiled_program_is_a_loop(make, given):
    xs = jr.normal(jr.key(8), (2, 3, 1), jnp.float64)
    explain = lambda x, scale: make(lambda x, s: f(x.ravel(), s))(x, scale, **given)
    batch = quick_jit(jax.vmap(explain, in_axes=(0, None)))(xs, 2.0)
    # Batched sums may add in another order.
    assert_close(batch[1], quick_jit(explain)(xs[1], 2.0), tol=1e-10)

"""Linear and logistic models of a function, and how they are judged."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check
from scipy.optimize import minimize

import jaxplain as jx
from jaxplain import distill

KEY = jr.key(0)
# Columns as tables have them: of very different sizes.
XS = jr.normal(KEY, (40, 3)) * jnp.array([[1.0, 300.0, 1e-3]]) + jnp.array(
    [[0.0, 280.0, 0.0]]
)
SLOPES, WEIGHTS = jnp.array([2.0, -0.01, 500.0]), jr.uniform(jr.key(1), (40,))


def line(x):
    return 3.0 + jnp.sum(x * SLOPES.astype(x.dtype))


def bent(x, sharpness=1.0):
    return jnp.tanh(sharpness * x[0]) + 0.001 * x[1] * x[0] + 1e3 * x[2]


def chance(x):
    return jax.nn.sigmoid(bent(x))


def linear(f, xs=XS, weights=None, **options):
    return quick_jit(distill.linear(f, **options))(xs, weights=weights)


def logistic(f, xs=XS, weights=None, **options):
    return quick_jit(distill.logistic(f, **options))(xs, weights=weights)


def fidelity(f, g, xs=XS, weights=None, **options):
    return quick_jit(distill.fidelity(f, g, **options))(xs, weights=weights)


def design(xs):
    return np.c_[np.ones(len(xs)), np.asarray(xs, float)]


# Linear models.


def test_a_linear_function_is_recovered_exactly():
    model = linear(line)
    assert_close(model.weights * XS.std(0), SLOPES * XS.std(0))
    assert_close(model.intercept, 3.0, tol=1e-10)  # 280 of a slope of 0.01 cancel
    assert_close(model.r2, 1.0)
    assert model.rows == 40


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_weights_and_their_errors_are_those_of_weighted_least_squares(weights):
    model = linear(bent, chunk_size=7, weights=weights)
    w = np.ones(40) if weights is None else np.asarray(weights)
    z, y = design(XS), np.asarray(jax.vmap(bent)(XS))
    inverse = np.linalg.inv(z.T @ (w[:, None] * z))
    beta = inverse @ z.T @ (w * y)
    leverage = w * np.einsum("ij,jk,ik->i", z, inverse, z)
    score = w * (y - z @ beta) / (1 - leverage)
    covariance = inverse @ z.T @ np.diag(score**2) @ z @ inverse
    rest, spread = (y - z @ beta) ** 2, (y - np.average(y, weights=w)) ** 2
    # The oracle inverts a matrix of condition 1e11.
    assert_close(model.weights / beta[1:], np.ones(3), tol=1e-6)
    assert_close(model.intercept, beta[0], tol=1e-6)
    errors = np.sqrt(np.diag(covariance))[1:]
    assert_close(model.standard_error / errors, np.ones(3), tol=1e-6)
    assert_close(model.r2, 1 - (w @ rest) / (w @ spread))


def test_a_penalty_acts_on_weights_in_units_of_their_column():
    z = (XS - XS.mean(0, keepdims=True)) / XS.std(0)[None]
    y = jax.vmap(bent)(XS)
    expected = np.linalg.solve(z.T @ z + 5.0 * np.eye(3), z.T @ (y - y.mean()))
    model = linear(bent, ridge=5.0)
    assert_close(model.weights * XS.std(0), expected)


def test_around_one_example_the_weights_go_to_the_gradient():
    x = jnp.array([0.3, 1.0, 2.0])
    f = lambda x: jnp.sin(x[0] * x[1]) + x[2] ** 2
    xs = distill.neighbourhood(x, std=1e-4, num_samples=20, key=KEY)
    # The curvature leaves an error of the order of the noise.
    assert_close(linear(f, xs).weights, jax.grad(f)(x), tol=1e-3)


def test_columns_that_rows_cannot_tell_apart_share_a_weight_of_infinite_error():
    xs = jnp.stack([XS[:, 0], XS[:, 0], XS[:, 2], jnp.full(40, 7.0)], 1)
    model = linear(lambda x: x[0] + 3 * x[1] + x[3], xs)
    assert_close(model.weights, jnp.array([2.0, 2.0, 0.0, 0.0]))
    np.testing.assert_array_equal(jnp.isinf(model.standard_error), [1, 1, 0, 1])
    assert_close(model(xs[0]), 4 * xs[0, 0] + 7)


def test_rows_that_are_not_finite_are_left_out_and_counted():
    broken = XS.at[0, 1].set(jnp.nan).at[1, 0].set(jnp.inf)
    f = lambda x: jnp.where(x[0] == XS[2, 0], jnp.nan, bent(x))
    model, whole = linear(f, broken), linear(bent, XS[3:])
    assert model.rows == 37
    # Another order of sums, under a matrix that is not far from singular.
    assert_close(model[:4], whole[:4], tol=1e-9)


@pytest.mark.slow
def test_without_a_finite_row_nothing_is_known():
    nowhere = lambda x: jnp.nan * x[0]
    for fit in (linear, logistic):
        model = fit(nowhere)
        assert model.rows == 0
        assert jnp.isnan(model(XS[0]))


@pytest.mark.slow
def test_a_batch_of_neighbourhoods_is_a_loop():
    stacks = jax.vmap(
        lambda x, key: distill.neighbourhood(x, std=0.1, num_samples=9, key=key)
    )(XS[:2], jr.split(KEY))
    for fit in (distill.linear(bent), distill.logistic(chance, ridge=0.1)):
        batch = quick_jit(jax.vmap(fit))(stacks)
        loop = [quick_jit(fit)(stack) for stack in stacks]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *loop)
        # Newton's method stops within 4e-8 of its end.
        assert_close(batch.weights, stacked.weights, tol=1e-6)


@pytest.mark.slow
def test_all_classes_are_fitted_by_mapping_over_labels():
    logits = lambda x, label: jnp.stack([line(x), bent(x)])[label]
    fit = quick_jit(jax.vmap(distill.linear(logits), (None, 0)))
    model = fit(XS, jnp.arange(2))
    assert_close(model.weights[1], linear(bent).weights)


# Logistic models.


def test_a_logistic_function_is_recovered_exactly():
    f = lambda x: jax.nn.sigmoid(line(x))
    model = logistic(f)
    assert model.converged
    # Newton's method stops within 4e-8 of its end, and far beyond in the last step.
    assert_close(model.weights * XS.std(0), SLOPES * XS.std(0), tol=1e-8)
    assert_close(model.explained, 1.0)
    assert_close(jax.vmap(model)(XS), jax.vmap(f)(XS), tol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 2.0])
def test_a_logistic_model_has_the_lowest_divergence(ridge):
    q, w = np.asarray(jax.vmap(chance)(XS)), np.asarray(WEIGHTS)
    x = np.asarray(XS)
    apart = x - np.average(x, axis=0, weights=w)
    scale = np.sqrt(np.average(apart**2, axis=0, weights=w))
    z = design(apart / scale)

    def loss(beta):
        eta = z @ beta
        slope = z.T @ (w / (1 + np.exp(-eta)) - w * q)
        penalty = np.r_[0, ridge * beta[1:]]
        return w @ (
            np.logaddexp(0, eta) - q * eta
        ) + beta @ penalty / 2, slope + penalty

    best = minimize(loss, np.zeros(4), jac=True, tol=1e-12).x
    fit = distill.logistic(chance, ridge=ridge, chunk_size=9)
    model = quick_jit(fit)(XS, weights=WEIGHTS)
    assert_close(model.weights * scale, best[1:], tol=1e-5)  # that of BFGS
    if ridge == 0:
        mean = jnp.average(jax.vmap(model)(XS), weights=WEIGHTS)
        assert_close(mean, jnp.average(q, weights=WEIGHTS), tol=1e-8)


def test_errors_of_a_logistic_model_are_those_of_the_sandwich():
    model = logistic(chance)
    z, q = design(XS), np.asarray(jax.vmap(chance)(XS))
    p = np.asarray(jax.vmap(model)(XS))
    inverse = np.linalg.inv(z.T @ ((p * (1 - p))[:, None] * z))
    leverage = p * (1 - p) * np.einsum("ij,jk,ik->i", z, inverse, z)
    score = (q - p) / (1 - leverage)
    covariance = inverse @ z.T @ np.diag(score**2) @ z @ inverse
    # Of a matrix of condition 1e11.
    errors = np.sqrt(np.diag(covariance))[1:]
    assert_close(model.standard_error / errors, np.ones(3), tol=1e-5)


def test_classes_that_a_plane_separates_have_no_best_weights_without_a_penalty():
    hard = lambda x: (x[0] > 0).astype(x.dtype)
    model = logistic(hard)
    assert not model.converged
    assert jnp.isinf(model.standard_error).all()
    np.testing.assert_array_equal(jax.vmap(model)(XS) > 0.5, XS[:, 0] > 0)
    assert logistic(hard, ridge=0.1).converged


@pytest.mark.slow
def test_classes_that_a_plane_separates_but_for_ties_have_none_either():
    i = jnp.arange(40.0)
    xs = jnp.stack([i % 3 - 1, i // 3], 1)
    hard = lambda x: jnp.where(x[0] == 0, x[1] % 2, (x[0] > 0).astype(x.dtype))
    assert not logistic(hard, xs).converged


# Judging.


def test_fidelity_of_a_function_to_itself_is_perfect():
    found = fidelity(bent, bent)
    assert_close(jnp.stack(found[:-1]), jnp.array([1.0, 0, 0, 0, 1, 0]))
    assert found.rows == 40


def test_fidelity_is_what_it_says():
    g = linear(bent)
    found = fidelity(bent, g, threshold=0.2, chunk_size=7)
    a, b = (np.asarray(jax.vmap(h)(XS)) for h in (bent, g))
    assert_close(found.r2, g.r2)
    assert_close(found.gap, np.abs(a - b).mean())
    assert_close(found.gap_error, np.abs(a - b).std(ddof=1) / np.sqrt(40))
    assert_close(found.agreement, np.mean((a > 0.2) == (b > 0.2)))


def test_a_weight_of_two_is_a_row_twice():
    g = lambda x: line(x) * 0.01
    weights = jnp.ones(40).at[3].set(2)
    found = fidelity(bent, g, weights=weights)
    twice = fidelity(bent, g, jnp.concatenate([XS, XS[3:4]]))
    for field in ("r2", "gap", "agreement"):
        assert_close(getattr(found, field), getattr(twice, field))


def test_vectors_agree_where_the_same_entry_is_the_largest():
    f = lambda x: jnp.stack([x[0], -x[0], 0.0 * x[0]])
    g = lambda x: jnp.stack([x[0] - 0.5, -x[0], 0.0 * x[0]])
    found = fidelity(f, g)
    a, b = (np.asarray(jax.vmap(h)(XS)).argmax(1) for h in (f, g))
    assert_close(found.agreement, np.mean(a == b))
    assert 0 < found.agreement < 1


@pytest.mark.slow
def test_the_error_of_r2_is_its_spread_over_draws():
    f, g = (lambda x: x[0] + x[1] ** 2), (lambda x: x[0] + 1.0)
    draws = jr.normal(KEY, (300, 200, 2))
    found = quick_jit(jax.vmap(distill.fidelity(f, g)))(draws)
    # The spread of 300 draws is known to 1 / sqrt(600): four of them.
    assert_close(found.r2_error.mean(), found.r2.std(), tol=4 / 600**0.5)


def test_rows_where_f_is_not_finite_are_left_out_and_those_of_g_are_not():
    half = lambda x: jnp.where(x[0] > 0, x[0], jnp.nan)
    whole = lambda x: jnp.abs(x[0])
    found = fidelity(half, whole)
    assert (found.rows, found.r2) == ((XS[:, 0] > 0).sum(), 1)
    assert jnp.isnan(fidelity(whole, half).r2)


def test_a_model_of_a_constant_is_perfect_or_infinitely_bad():
    constant = lambda x: 0.1 + 0 * x[0]
    assert fidelity(constant, constant).r2 == 1
    assert fidelity(constant, line).r2 == -jnp.inf


# Units, trees of arrays, dtypes.


@pytest.mark.parametrize(
    "unit", [2.0**-90, pytest.param(2.0**90, marks=pytest.mark.slow)]
)
def test_units_change_nothing_but_the_units(unit):
    xs = XS.astype(jnp.float32)
    model = linear(bent, xs)
    scaled = linear(lambda x: bent(x / unit) * unit, xs * unit)
    assert_close(scaled.weights, model.weights)
    assert_close(scaled.r2, model.r2)


def test_examples_may_be_trees_of_arrays():
    xs = {"a": XS[:, :1], "b": (XS[:, 1], XS[:, 2].reshape(40, 1, 1))}
    f = lambda x: bent(jnp.stack([x["a"][0], x["b"][0], x["b"][1][0, 0]]))
    model, flat = linear(f, xs), linear(bent)
    assert model.weights["b"][1].shape == (1, 1)
    assert_close(model.weights["b"][0], flat.weights[1])
    assert_close(model(jax.tree.map(lambda leaf: leaf[0], xs)), flat(XS[0]))


@pytest.mark.parametrize(
    "dtype", [jnp.bfloat16, pytest.param(jnp.float32, marks=pytest.mark.slow)]
)
def test_models_have_the_dtype_of_the_examples_and_sum_in_float32(dtype):
    xs = XS.astype(dtype)
    for model in (linear(line, xs), logistic(chance, xs, ridge=1.0)):
        assert model.weights.dtype == model.standard_error.dtype == dtype
        assert model.intercept.dtype == model(xs[0]).dtype == jnp.float32
    assert fidelity(line, line, xs).gap.dtype == jnp.float32


def test_a_model_is_itself_a_function_to_explain():
    model = linear(line)
    phi = quick_jit(jx.input_x_gradient(model))(XS[0])
    assert_close(phi, model.weights * XS[0])


def test_examples_around_one_have_its_mean_and_the_spread_asked_for():
    x = {"a": jnp.array([1.0, -5.0]), "b": jnp.array(2.0, jnp.bfloat16)}
    std = {"a": jnp.array([0.1, 3.0]), "b": 0.0}
    xs = distill.neighbourhood(x, std=std, num_samples=4000, key=KEY)
    assert xs["b"].dtype == jnp.bfloat16
    assert (xs["b"] == 2).all()
    # Four standard errors, of a mean and of a standard deviation.
    assert jnp.abs((xs["a"].mean(0) - x["a"]) / std["a"]).max() < 4 / 4000**0.5
    assert jnp.abs(xs["a"].std(0) / std["a"] - 1).max() < 4 / 8000**0.5


# Errors.


@cases(
    no_stack=(
        lambda: distill.linear(line)(jnp.ones(())),
        ValueError,
        "`xs` must be a stack, with one example per entry of the first axis of every "
        "leaf, but has shapes [()]. Stack examples with `jax.numpy.stack`, or draw "
        "them around one with `distill.neighbourhood`.",
    ),
    few=(
        lambda: distill.logistic(chance)(XS[:4]),
        ValueError,
        "`xs` must hold at least 5 examples for logistic on 3 columns without a "
        "penalty, but holds 4. Pass more, or a penalty such as `ridge=1.0`.",
    ),
    weights=(
        lambda: distill.linear(line)(XS, weights=jnp.ones(3)),
        ValueError,
        "`weights` must have shape (40,), one weight per example of `xs`, but has "
        "shape (3,). Leave it out to weigh all alike.",
    ),
    negative=(
        lambda: distill.linear(line)(XS, weights=-jnp.arange(40.0)),
        ValueError,
        "`weights` must be finite and not negative, but run from -39 to -0. Give "
        "weight 0 to a row that is to be left out.",
    ),
    zero=(
        lambda: distill.linear(line)(XS, weights=jnp.zeros(40)),
        ValueError,
        "`weights` must not all be 0, but are. A kernel that is too narrow underflows: "
        "widen it.",
    ),
    no_probability=(
        lambda: distill.logistic(lambda x: 2.5 - 0 * x[0])(XS),
        ValueError,
        "`f` must return a probability, from 0 to 1, but returned 2.5. Return "
        "`jax.nn.sigmoid` of the log-odds, or fit them with `distill.linear`.",
    ),
    shapes=(
        lambda: distill.fidelity(line, lambda x: x)(XS),
        ValueError,
        "`g` must return what `f` returns, shape (), but returns shape (3,). Select "
        "the same output of both.",
    ),
    matrix=(
        lambda: distill.fidelity(lambda x: jnp.outer(x, x), line)(XS),
        ValueError,
        "`f` must return a scalar or a vector for one example, but returned shape "
        "(3, 3). Select one output, for example `lambda x: model(x)[0]`.",
    ),
    classes=(
        lambda: distill.fidelity(lambda x: x.argmax(), line)(XS),
        TypeError,
        "`f` must return floating-point numbers, but returned int64. Return scores, "
        "such as logits, rather than a class.",
    ),
    one_row=(
        lambda: distill.fidelity(line, line)(XS[:1]),
        ValueError,
        "`xs` must hold at least 2 examples to judge on, but holds 1. Draw some around "
        "it with `distill.neighbourhood`.",
    ),
)
def test_mistakes_are_told_with_their_mend(call, error, message):
    check(call, error, message)


def test_what_is_no_probability_is_nan_where_it_cannot_be_seen():
    model = quick_jit(distill.logistic(line, ridge=1.0))(XS)
    assert jnp.isnan(model(XS[0]))

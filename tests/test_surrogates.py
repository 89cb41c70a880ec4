"""What a surrogate does with its options, and where the algebra is hard."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import lime_oracles as oracles
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import coalitions, surrogates
from jaxplain.surrogates._limit import limit_functional

KEY = jr.key(0)
X = jnp.array([1.0, -2.0, 0.5, 3.0])
ZERO = {"baseline": 0.0}


def logits(x):
    rows = jnp.arange(1.0, 4.0)
    return jnp.tanh(jnp.outer(rows, x)).sum(1) + rows * x[0] * x[1]


def f(x, label=1):
    return logits(x)[label]


def masks_of(design, number):
    return np.asarray(jax.vmap(design)(jnp.arange(number)))


def numbers(found):
    """All that is known, as floating-point numbers."""
    return [field.astype(float) for field in found]


# One factorisation.


def decompositions(jaxpr):
    """The shapes of all matrices that a program decomposes, branch by branch."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "eigh":
            yield eqn.invars[0].aval.shape
        for value in eqn.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if hasattr(inner, "jaxpr"):
                    yield from decompositions(inner.jaxpr)


def test_all_classes_share_one_decomposition_where_every_value_is_finite():
    explain = jx.surrogate(f, num_samples=20)
    of_class = lambda label: explain(X, label, **ZERO, key=KEY)
    jaxpr = jax.make_jaxpr(jax.vmap(of_class))(jnp.arange(3)).jaxpr
    # The branch for values that are missing, and the one for all.
    assert list(decompositions(jaxpr)) == [(3, 4, 4), (4, 4)]


def test_a_class_that_lacks_values_leaves_the_others_as_they_are():
    gone = lambda x, label: (label == 1) & (x[0] == 0) & (x[1] != 0)
    broken = lambda x, label: jnp.where(gone(x, label), jnp.nan, f(x, label))
    explain = jx.surrogate(broken, num_samples=20)
    of_class = lambda label: explain(X, label, **ZERO, key=KEY)
    together = quick_jit(jax.vmap(of_class))(jnp.arange(3))
    alone = quick_jit(of_class)
    each = [numbers(alone(label)) for label in range(3)]
    assert together.evaluations[1] < together.evaluations[0] == 20
    together = numbers(together)
    assert_close(together, jax.tree.map(lambda *rows: jnp.stack(rows), *each))


@pytest.mark.slow
def test_a_surrogate_of_all_classes_has_derivatives_of_both_kinds():
    explain = jx.lime(f, num_samples=20, num_features=2, selection="forward")
    each = jax.vmap(partial(explain, **ZERO, key=KEY), (None, 0))
    of_all = lambda x: each(x, jnp.arange(3))

    @quick_jit
    def along_and_against(x):
        weights, along = jax.jvp(of_all, (x,), (jnp.cos(x),))
        against = jax.vjp(of_all, x)[1](weights)[0]
        return jnp.vdot(weights, along), jnp.vdot(against, jnp.cos(x))

    along, against = along_and_against(X)
    assert_close(along, against)
    assert abs(along) > 0


# Where the algebra is hard.


def test_a_penalty_determines_more_features_than_there_are_samples():
    x = jnp.linspace(-1, 1, 30)
    explain = jx.surrogate(lambda x: jnp.sum(x**2) + x[0] * x[1], num_samples=12)
    found = quick_jit(partial(explain, **ZERO))(x, key=KEY)
    draw = coalitions.bernoulli(KEY, 30)
    masks = masks_of(lambda i: draw(i) | (i == 0), 12)
    kept = masks * np.asarray(x)
    values = (kept**2).sum(1) + kept[:, 0] * kept[:, 1]
    weights = np.exp(-((1 - np.sqrt(masks.mean(1))) ** 2) / (2 * 0.25**2))
    intercept, slope, _ = oracles.least_squares(masks * 1.0, values, weights, 1.0)
    assert_close(found.weights, slope)
    assert_close(found.intercept, intercept)
    assert jnp.isfinite(found.standard_error).all()
    assert found.condition < 2 * np.linalg.norm(masks) ** 2


def test_without_a_penalty_features_that_are_only_seen_together_are_unknown():
    every = coalitions.exhaustive(2)
    design = lambda i: every(i)[jnp.array([0, 0, 1])]
    v = lambda mask: mask.astype(float) @ jnp.array([2.0, 1.0, -3.0])
    fit = partial(surrogates.regress, v, design, 3, num_samples=4)
    found = quick_jit(lambda: fit(ridge=0.0))()
    assert jnp.isnan(found.weights[:2]).all()
    assert_close(found.weights[2], -3.0)
    assert jnp.isinf(found.condition)
    shared = quick_jit(lambda: fit(ridge=1e-9).weights)()
    assert_close(shared, jnp.array([1.5, 1.5, -3.0]), tol=1e-8)  # the penalty's pull


def test_weights_that_underflow_count_by_their_ratios_where_nothing_is_penalised():
    v = lambda mask: mask[0].astype(float) + (mask[1] & mask[2]).astype(float)

    @quick_jit
    def at(distance):
        return surrogates.regress(
            v,
            coalitions.exhaustive(3),
            3,
            num_samples=8,
            distance=lambda mask: distance,
            ridge=0.0,
        )

    far = at(50.0)  # exp(-1250) is 0
    assert_close(numbers(far), numbers(at(0.0)))
    # A penalty is in units of the weights, of which nothing would be left.
    options = {"num_samples": 8, "distance": lambda mask: 50.0}
    fit = partial(surrogates.regress, v, coalitions.exhaustive(3), 3, **options)
    penalised = quick_jit(fit)()
    assert_close(penalised.weights, jnp.zeros(3))
    assert_close(penalised.intercept, 0.75)  # the mean


@pytest.mark.parametrize(
    ("ridge", "dtype"), [(0.0, jnp.float32), (1.0, jnp.float32), (1.0, jnp.float64)]
)
def test_a_constant_has_no_weights_and_is_fully_explained(ridge, dtype):
    constant = lambda x: 0.1 + 0 * jnp.sum(x)
    explain = jx.surrogate(constant, num_samples=40, ridge=ridge)
    found = quick_jit(partial(explain, **ZERO))(X.astype(dtype), key=KEY)
    rounding = 100 * jnp.finfo(dtype).eps
    assert jnp.abs(found.weights).max() <= rounding
    assert jnp.abs(found.standard_error).max() <= rounding
    assert abs(found.intercept - 0.1) <= rounding
    assert found.r2 == 1


# Distances and sampling.


def test_a_distance_of_your_own_may_be_one_of_ours():
    own = lambda mask: jnp.sqrt(4.0 - mask.sum())
    fits = [
        quick_jit(jx.surrogate(f, num_samples=30, distance=d, width=1.3))(
            X, **ZERO, key=KEY
        )
        for d in (own, "euclidean")
    ]
    assert_close(*map(numbers, fits))


@pytest.mark.parametrize(
    ("dtype", "width"), [(jnp.float32, 1e-100), (jnp.float64, 1e-200)]
)
@pytest.mark.parametrize(
    "distance", ["cosine", "euclidean", lambda mask: 2.0 - mask.sum()]
)
def test_a_tiny_width_leaves_the_input_alone(distance, dtype, width):
    v = lambda mask: mask.astype(dtype) @ jnp.array([2.0, -1.0], dtype)
    design = coalitions.exhaustive(2)
    options = {"num_samples": 4, "distance": distance, "width": width}
    found = quick_jit(lambda: surrogates.regress(v, design, 2, **options))()
    assert found.effective_samples == 1


@pytest.mark.slow
def test_local_samples_weigh_the_same_and_are_the_same_in_chunks():
    def explain(chunk_size):
        options = {"num_samples": 20, "chunk_size": chunk_size, "width": 0.15}
        fit = jx.surrogate(f, sampling="local", **options)
        return numbers(quick_jit(partial(fit, **ZERO))(X, key=KEY))

    found = explain(None)
    assert_close(explain(7), found)
    assert_close(surrogates.Surrogate(*found).effective_samples, 20.0)


# Errors.


@cases(
    distance=(
        lambda: jx.lime(f, distance="euclidian"),
        ValueError,
        "`distance` must be one of 'cosine', 'euclidean', but is 'euclidian'. Did you "
        "mean 'euclidean'?",
    ),
    sampling=(
        lambda: jx.surrogate(f, sampling="sobol"),
        ValueError,
        "`sampling` must be one of 'bernoulli', 'quasi_random', 'text', 'local', but "
        "is 'sobol'.",
    ),
    selection=(
        lambda: jx.lime(f, selection="lasso"),
        ValueError,
        "`selection` must be one of 'highest_weights', 'forward', 'lasso_path', but is "
        "'lasso'. Did you mean 'lasso_path'?",
    ),
    num_features=(
        lambda: jx.lime(f, num_features=0),
        ValueError,
        "`num_features` must be at least 1, but is 0.",
    ),
    local=(
        lambda: jx.lime(f, sampling="local", distance=lambda mask: 0.0),
        TypeError,
        "`distance` must be 'cosine' or 'euclidean' for sampling='local', but is a "
        "function: a law is drawn by the sizes of coalitions. Draw it yourself, and "
        "fit `surrogates.regress` with `distance=lambda mask: 0.0`.",
    ),
    design=(
        lambda: surrogates.regress(
            lambda mask: mask.sum() * 1.0, coalitions.exhaustive(4), 3, num_samples=8
        ),
        ValueError,
        "`design` must return masks of shape (3,), for `num_groups`, but returns "
        "shape (4,). Make both for the same features, for example "
        "`coalitions.exhaustive(3)`.",
    ),
    shape=(
        lambda: jx.lime(f, distance=lambda mask: mask)(X, **ZERO, key=KEY),
        ValueError,
        "`distance` must map a mask to a scalar, but returns shape (4,). Reduce it "
        "over the features, for example by a sum.",
    ),
    limit=(
        lambda: limit_functional(4, distance=lambda mask: 0.0),
        TypeError,
        "`distance` must be 'cosine' or 'euclidean' to have a limit in closed form, "
        "but is a function. Fit `surrogates.regress` to all coalitions.",
    ),
)
def test_an_option_out_of_range_is_refused(call, error, message):
    check(call, error, message)


def test_fewer_features_need_fewer_samples():
    few = {"num_samples": 4, "ridge": 0.0}
    jax.eval_shape(partial(jx.lime(f, num_features=3, **few), **ZERO, key=KEY), X)
    with pytest.raises(ValueError, match="at least 5 evaluations"):
        jax.eval_shape(partial(jx.lime(f, **few), **ZERO, key=KEY), X)

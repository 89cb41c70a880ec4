"""The nearest input with a given value."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain.baselines import neutral

X = jnp.array([3.0, 4.0, -1.0])
NORMAL = jnp.array([1.0, 2.0, -2.0])


def plane(x):
    return x @ NORMAL.astype(x.dtype) - 4.0


search = quick_jit(neutral(lambda x, scale: scale * plane(x)))
FREE = jnp.full(3, jnp.inf)


def to_plane(x, target, *, scale=1.0, low=-FREE, high=FREE):
    return search(x, scale, target=target, low=low, high=high)


def test_the_nearest_point_of_a_plane_is_its_foot():
    found = to_plane(X, target=0.0)
    assert_close(found.baseline, X - plane(X) / 9 * NORMAL, tol=1e-3)  # `tolerance`
    assert_close(found.distance, jnp.abs(plane(X)) / 3, tol=1e-3)
    assert found.reached


def test_a_target_above_is_reached_uphill():
    found = to_plane(X, target=40.0)
    assert_close(found.value, jnp.asarray(40.0), tol=1e-3)
    assert_close(found.distance, (40.0 - plane(X)) / 3, tol=1e-3)


@pytest.mark.slow
def test_the_nearest_point_of_an_ellipse_is_that_of_lagrange():
    axes = jnp.array([1.0, 0.25, 0.5])
    found = quick_jit(neutral(lambda x: (axes * x**2).sum(), steps=60))(X, target=1.0)
    # x = b (1 + mu a), where mu makes the sum 1: by halving.
    low, high = 0.0, 100.0
    for _ in range(80):
        mu = (low + high) / 2
        b = X / (1 + mu * axes)
        low, high = (mu, high) if (axes * b**2).sum() > 1 else (low, mu)
    assert_close(found.baseline, b, tol=5e-3)  # `tolerance`, and the last steps
    assert found.reached


def test_within_bounds_the_nearest_point_is_cut():
    found = to_plane(X, target=0.0, low=jnp.array([2.5, -9.0, -9.0]))
    # The first entry stops at its bound; the others go on alone.
    stopped = jnp.array([2.5, 4.0, -1.0])
    rest = NORMAL.at[0].set(0.0)
    expected = stopped - plane(stopped) / 8 * rest
    assert_close(found.baseline, expected, tol=2e-3)
    assert found.reached


def test_an_input_out_of_bounds_is_the_one_that_the_distance_is_from():
    found = to_plane(X, target=0.0, high=FREE.at[0].set(2.0))
    # The foot of the plane is within the bounds.
    assert_close(found.baseline, X - NORMAL, tol=2e-3)
    assert_close(found.distance, jnp.asarray(3.0), tol=2e-3)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_the_scale_of_f_does_not_count(scale):
    x, free = X.astype(jnp.float32), FREE.astype(jnp.float32)
    found = to_plane(x, 0.0, scale=jnp.float32(scale), low=-free, high=free)
    assert_close(found.baseline, X - NORMAL, tol=1e-3)  # `tolerance`
    assert found.reached


def test_the_border_of_a_plateau_is_where_it_begins():
    f = lambda x: jax.nn.relu((x**2).sum() - 1)
    found = quick_jit(neutral(f))(jnp.array([3.0, 4.0]), target=0.0)
    assert_close(found.baseline, jnp.array([0.6, 0.8]), tol=2e-3)
    assert found.reached


def test_the_border_is_found_before_what_is_not_a_number():
    f = lambda x: jnp.sqrt(1 - (x**2).sum())
    found = quick_jit(neutral(f))(jnp.array([0.06, 0.08]), target=0.5)
    assert_close(found.baseline, jnp.sqrt(0.75) * jnp.array([0.6, 0.8]), tol=1e-3)
    assert found.reached


def test_an_input_that_is_neutral_already_is_its_own_baseline():
    found = to_plane(X, target=float(plane(X)))
    assert_close(found.baseline, X)
    assert found.distance == 0
    assert found.reached


def test_a_value_that_f_never_has_is_reported_and_not_reached():
    found = quick_jit(neutral(lambda x: (x**2).sum() + 1.0))(X, target=0.0)
    assert not found.reached
    assert found.value > 0.99
    assert_close(found.value, (found.baseline**2).sum() + 1.0)


@pytest.mark.slow
def test_attributions_from_a_neutral_baseline_sum_to_what_is_not_neutral():
    into = jr.normal(jr.key(0), (3, 8))
    f = lambda x: jax.nn.relu(x @ into).sum() - 6.0
    found = quick_jit(jax.vmap(neutral(f)))(jnp.stack([X, -X]), target=jnp.zeros(2))
    assert found.reached.all()  # at kinks too
    ig = quick_jit(jx.integrated_gradients(f, steps=64))
    phi = ig(X, baseline=found.baseline[0])
    assert_close(phi.sum(), f(X), tol=2e-2)  # 64 nodes on a line with kinks


def test_the_structure_and_dtypes_of_the_input_are_kept():
    f = lambda x: x["a"].astype(jnp.float32).sum() * x["b"]
    x = {"a": jnp.ones(2, jnp.bfloat16), "b": jnp.asarray(3.0, jnp.float32)}
    found = jax.eval_shape(neutral(f, steps=3), x, target=jnp.ones(()))
    assert jax.tree.map(lambda a: a.dtype, found.baseline) == {
        "a": np.dtype(jnp.bfloat16),
        "b": np.dtype(np.float32),
    }


@cases(
    target=(
        lambda: neutral(plane)(X),
        TypeError,
        "`target` is missing: say at which value `f` is neutral, for example "
        "`target=0.0` for log-odds.",
    ),
    targets=(
        lambda: neutral(plane)(X, target=jnp.zeros(2)),
        ValueError,
        "`target` must be one number, but has shape (2,). Map over several with "
        "`jax.vmap`.",
    ),
    low=(
        lambda: neutral(plane)(X, target=0.0, low=jnp.zeros(2)),
        ValueError,
        "`low` must broadcast to `x`, float64[3], but is float64[2]. Pass a number, "
        "or an array of the shape of `x`.",
    ),
    tolerance=(
        lambda: neutral(plane, tolerance=0.0),
        ValueError,
        "`tolerance` must be a positive number, but is 0.0.",
    ),
)
def test_a_baseline_that_cannot_be_sought_is_an_error(call, error, message):
    check(call, error, message)

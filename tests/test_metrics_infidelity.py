"""Infidelity, and the changes that it draws."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import metric_oracles
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from metric_cases import SHAPE, compiled, drawn
from test_metrics_curves import slow

import jaxplain as jx
from jaxplain import metrics

KEYS = jax.vmap(jr.fold_in, (None, 0))(jr.key(0), jnp.arange(5))  # of the samples
DRAWS = {
    "noise": (metrics.gaussian(0.5), ()),
    "removal": (metrics.to_baseline(), ("baseline",)),
    "squares": (metrics.squares(2), ("baseline",)),
}


def judge(name, *arrays):
    return compiled(name)(*arrays, jr.key(0))


@pytest.mark.parametrize(
    "name", [pytest.param("noise", marks=pytest.mark.slow), "removal", "squares"]
)
def test_infidelity_is_the_mean_squared_error_over_the_draws(name):
    x, a, phi, b = drawn(0)
    draw, words = DRAWS[name]
    refs = {"baseline": b} if words else {}
    several = quick_jit(jax.vmap(lambda key: draw(x, key, **refs)))(KEYS)
    moves = list(zip(*map(np.asarray, several)))
    expected = metric_oracles.infidelity(
        slow(a), x, phi, moves, normalise=name == "squares"
    )
    assert_close(judge(name, x, a, phi, b), expected)


def test_integrated_gradients_of_a_linear_function_make_no_error():
    x, a, _, b = drawn(1)
    weigh = lambda x: (a * x).sum()
    measure = metrics.infidelity(weigh, draw=metrics.to_baseline(), num_samples=9)

    @quick_jit
    def error(x):
        phi = jx.integrated_gradients(weigh, steps=1)(x, baseline=b)
        return measure(x, attribution=phi, key=jr.key(1), baseline=b)

    assert_close(error(x), 0.0)


def test_normalising_forgives_the_scale_and_nothing_else():
    x, a, phi, b = drawn(2)
    found = judge("squares", x, a, phi, b)
    for scale in (-7.0, 1e-200, 1e200):  # squares of which underflow, or overflow
        assert_close(judge("squares", x, a, scale * phi, b), found)
    # Nothing claimed has no scale: the drops themselves are what is left.
    nothing = judge("squares", x, a, 0 * phi, b)
    assert found <= nothing
    assert np.isfinite(nothing)


def test_infidelity_can_be_differentiated_in_the_attribution():
    x, a, phi, b = drawn(3)
    measure = metrics.infidelity(
        lambda x: (a * x).sum(), draw=metrics.to_baseline(1.0), num_samples=2
    )
    loss = lambda phi: measure(x, attribution=phi, key=jr.key(0), baseline=b)
    gap = phi.sum() - (a * (x - b)).sum()
    assert_close(quick_jit(jax.grad(loss))(phi), np.full(SHAPE, 2 * gap))


def test_nan_in_the_attribution_shows():
    x, a, phi, b = drawn(4)
    assert np.isnan(judge("removal", x, a, np.where(phi > 1, np.nan, phi), b))


# Draws.


def test_noise_in_a_narrow_dtype_is_the_step_that_was_taken():
    x = jnp.asarray([100.0, 1.0], jnp.bfloat16)  # steps of 0.5 at 100
    moved = metrics.gaussian(0.3)(x, jr.key(0))
    assert moved.change.dtype == jnp.float32
    there = x.astype(jnp.float32) - moved.change
    assert np.array_equal(there, moved.x.astype(jnp.float32))


def test_noise_scales_with_its_deviation_in_each_leaf():
    x = {"a": jnp.arange(4.0), "b": jnp.ones(2)}
    draw = lambda std: metrics.gaussian(std)(x, jr.key(0)).change
    one, two = draw(1.0), draw({"a": 2.0, "b": 0.0})
    assert_close(two, {"a": 2 * one["a"], "b": np.zeros(2)}, tol=1e-7)  # less `x`


def test_each_entry_goes_with_the_probability():
    x = {"a": jnp.ones(300), "b": jnp.ones((20, 10))}
    draw = partial(metrics.to_baseline(0.3), baseline={"a": -1.0, "b": 2.0})
    moved = quick_jit(draw)(x, jr.key(0))
    gone = np.concatenate([moved.change["a"], moved.change["b"].ravel()])
    assert abs(gone.mean() - 0.3) <= 4 * np.sqrt(0.3 * 0.7 / 500)  # of 500 coins
    assert_close(moved.x["a"], 1 - 2 * moved.change["a"])
    assert_close(moved.x["b"], 1 + moved.change["b"])


@pytest.mark.parametrize("draw", [metrics.to_baseline(), metrics.squares(2)])
def test_a_key_removes_the_same_with_and_without_x64(draw):
    x = jnp.ones((9, 9, 1), jnp.float32)
    run = quick_jit(lambda x, key: draw(x, key, baseline=0.0).change)
    wide = run(x, jr.key(0))
    with jax.enable_x64(False):
        narrow = run(x, jr.key(0))
    assert np.array_equal(wide, narrow)


def test_a_square_is_whole_and_every_place_is_drawn():
    x = jnp.ones((3, 4, 2))
    draw = lambda key: metrics.squares((2, 3))(x, key, baseline=0.0)
    moved = quick_jit(jax.vmap(draw))(jr.split(jr.key(0), 100))
    assert_close(moved.x, 1 - moved.change)
    assert np.all(moved.change.sum((1, 2, 3)) == 2 * 3 * 2)
    corners = {tuple(np.argwhere(change)[0]) for change in np.asarray(moved.change)}
    # Four places: that one is never drawn in 100 has a chance of 4 * 0.75 ** 100.
    assert corners == {(i, j, 0) for i in range(2) for j in range(2)}

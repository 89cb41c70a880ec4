"""Cutting through, and under, the transformations of JAX."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from jax.test_util import check_grads

import jaxplain as jx

X = np.array([0.5, -1.0, 2.0])
W = np.array([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0], [0.3, -0.2, 0.7]])


def layer(x):
    return jx.tap(jnp.sin(x), "sine")


INSIDE = {
    "jit": jax.jit(layer),
    "jit_of_jit": jax.jit(jax.jit(layer)),
    "checkpoint": jax.checkpoint(layer),
    "checkpoint_with_a_policy": jax.checkpoint(
        layer, policy=jax.checkpoint_policies.dots_saveable
    ),
    "jit_of_checkpoint": jax.jit(jax.checkpoint(layer)),
    "named_call": jax.named_call(layer),
    "vmap": jax.vmap(layer),
    "vmap_of_jit": jax.vmap(jax.jit(layer)),
    "jit_of_vmap": jax.jit(jax.vmap(layer)),
}


@pytest.mark.parametrize("inner", INSIDE.values(), ids=INSIDE.keys())
@pytest.mark.parametrize("mode", ["replace", "shift"])
def test_a_layer_is_found_inside(inner, mode):
    f = lambda x: jnp.sum(inner(2 * x) ** 2 * x)
    assert list(jx.taps(f, X)) == ["sine"]
    sine, head = jx.cut(f, X, at="sine", mode=mode)
    assert_close(sine, np.sin(2 * X))
    assert_close(head(sine), f(X))
    assert_close(jax.grad(head)(sine), 2 * np.sin(2 * X) * X)
    assert_close(jax.jit(head)(np.ones(3)), X.sum())


def test_a_layer_inside_a_checkpoint_is_rematerialised_after_a_cut():
    policy = jax.checkpoint_policies.everything_saveable
    inner = jax.checkpoint(lambda x: jnp.tan(layer(x)), policy=policy)
    sine, head = jx.cut(lambda x: jnp.sum(inner(x)), X, at="sine")
    (remat, _) = jax.make_jaxpr(head)(sine).jaxpr.eqns
    assert remat.primitive.name == "remat2" or "checkpoint" in remat.primitive.name
    assert remat.params["policy"] is policy


def test_a_layer_inside_a_function_that_was_compiled_before_is_found():
    traces = []

    @jax.jit
    def inner(x):
        traces.append("traced")
        return layer(x)

    f = lambda x: jnp.sum(inner(x))
    f(X)
    assert list(jx.taps(f, X)) == ["sine"]
    assert_close(jx.cut(f, X, at="sine")[0], np.sin(X))
    traced = len(traces)
    f(X)
    jx.cut(f, X, at="sine")
    assert len(traces) == traced  # both programs are cached


def test_a_vmapped_model_is_cut_with_its_batch_axis_first():
    model = jax.vmap(lambda x: layer(W @ x), in_axes=1, out_axes=1)
    f = lambda xs: jnp.sum(model(xs) ** 2)
    xs = np.stack([X, 2 * X], 1)
    assert jx.taps(f, xs)["sine"].shape == (2, 3)
    sine, head = jx.cut(f, xs, at="sine")
    assert_close(sine, np.sin(W @ xs).T)
    assert_close(jax.grad(head)(sine), 2 * sine)


def test_a_layer_that_no_batch_axis_reaches_has_none():
    def f(xs):
        each = jax.vmap(lambda x: x * jx.tap(jnp.asarray(W.sum(0)), "weights"))
        return jnp.sum(each(xs))

    weights, head = jx.cut(f, np.stack([X, X]), at="weights")
    assert_close(weights, W.sum(0))
    assert_close(jax.grad(head)(weights), 2 * X)


# Loops.


def recurrence(x, h0):
    def step(h, x):
        h = jx.tap(jnp.tanh(W @ h + x), "h")
        return h, h[0]

    h, firsts = jax.lax.scan(step, h0, x)
    return h.sum() + firsts[0]


SERIES = np.linspace(-1, 1, 12).reshape(4, 3)


def test_a_layer_inside_a_scan_is_stacked_over_its_steps():
    f = lambda x: recurrence(x, np.zeros(3))
    assert jx.taps(f, SERIES)["h"].shape == (4, 3)
    states, head = jx.cut(f, SERIES, at="h")
    h, expected = np.zeros(3), []
    for x in SERIES:
        h = np.tanh(W @ h + x)
        expected.append(h)
    assert_close(states, np.stack(expected))
    assert_close(head(states), f(SERIES))


def test_in_replace_mode_a_state_has_its_direct_effect():
    states, head = jx.cut(lambda x: recurrence(x, np.zeros(3)), SERIES, at="h")
    direct = np.zeros((4, 3))
    direct[-1] = 1.0
    direct[0, 0] = 1.0
    assert_close(jax.grad(head)(states), direct)


def test_in_shift_mode_a_state_has_its_effect_through_time():
    f = lambda x: recurrence(x, np.zeros(3))
    states, head = jx.cut(f, SERIES, at="h", mode="shift")

    def shifted(zeros):  # the textbook: add a zero to each state and derive by it
        h, first = np.zeros(3), None
        for x, zero in zip(SERIES, zeros, strict=True):
            h = jnp.tanh(W @ h + x) + zero
            first = h[0] if first is None else first
        return h.sum() + first

    assert_close(head(states), f(SERIES))
    assert_close(jax.grad(head)(states), jax.grad(shifted)(np.zeros((4, 3))))
    assert_close(head(states + 0.1), shifted(np.full((4, 3), 0.1)))


@pytest.mark.parametrize("options", [{"reverse": True}, {"unroll": 2}])
def test_the_options_of_a_scan_are_kept(options):
    def f(x):
        step = lambda c, x: (jx.tap(c * x, "c"), c)
        return jax.lax.scan(step, jnp.ones(3), x, **options)[0].sum()

    order = SERIES[::-1] if options.get("reverse") else SERIES
    expected = np.cumprod(order, 0)
    value, head = jx.cut(f, SERIES, at="c")
    assert_close(value, expected[::-1] if options.get("reverse") else expected)
    assert_close(head(value), f(SERIES))


def test_a_scan_inside_a_scan_is_stacked_twice():
    def f(x):
        inner = lambda c, y: (jx.tap(c + y, "c"), None)
        outer = lambda c, row: (jax.lax.scan(inner, c, row)[0], None)
        return jax.lax.scan(outer, 0.0, x)[0]

    value, head = jx.cut(f, SERIES, at="c")
    assert_close(value, np.cumsum(SERIES).reshape(4, 3))
    assert_close(head(value), f(SERIES))


def test_a_loop_with_a_fixed_number_of_steps_is_a_scan():
    f = lambda x: jax.lax.fori_loop(0, 3, lambda _, x: jx.tap(2 * x, "x"), x).sum()
    assert_close(jx.cut(f, X, at="x")[0], np.stack([2 * X, 4 * X, 8 * X]))


def test_two_calls_in_one_step_are_two_values():
    def f(x):
        step = lambda c, y: (jx.tap(jx.tap(c + y, "c") * 2, "c"), None)
        return jax.lax.scan(step, jnp.zeros(3), x)[0].sum()

    first, second = jx.cut(f, SERIES, at="c")[0]
    assert_close(second, 2 * first)
    assert_close(jx.cut(f, SERIES, at="c@1")[1](second), f(SERIES))


def test_a_scan_whose_layer_is_not_cut_is_left_as_it_is():
    def f(x):
        return recurrence(jx.tap(x, "inputs"), np.zeros(3))

    _, head = jx.cut(f, SERIES, at="inputs")
    jaxpr = str(jax.make_jaxpr(head)(SERIES))
    assert jaxpr.count("scan[") == str(jax.make_jaxpr(f)(SERIES)).count("scan[") == 1


# Derivatives of one's own.


@jax.custom_jvp
def odd_jvp(x):
    return x**2


odd_jvp.defjvp(lambda x, t: (odd_jvp(*x), 100.0 * t[0]))


@jax.custom_vjp
def odd_vjp(x):
    return x**2


odd_vjp.defvjp(lambda x: (x**2, None), lambda _, g: (100.0 * g,))


@pytest.mark.parametrize("odd", [odd_jvp, odd_vjp, jax.jit(odd_jvp), jax.jit(odd_vjp)])
def test_a_custom_derivative_after_the_layer_is_kept(odd):
    value, head = jx.cut(lambda x: jnp.sum(odd(layer(x))), X, at="sine")
    assert_close(jax.grad(head)(value), np.full(3, 100.0))


@pytest.mark.parametrize("odd", [odd_jvp, odd_vjp])
def test_a_custom_derivative_before_the_layer_is_kept(odd):
    sine = lambda x: jx.cut(lambda x: jnp.sum(layer(odd(x))), x, at="sine")[0].sum()
    assert_close(jax.grad(sine)(X), 100 * np.cos(X**2))


def test_a_layer_inside_a_function_with_a_custom_derivative_is_found():
    @jax.custom_vjp
    def f(x):
        return jnp.sum(layer(x) ** 2)

    f.defvjp(lambda x: (f(x), None), lambda _, g: (g,))
    value, head = jx.cut(f, X, at="sine")
    assert_close(jax.grad(head)(value), 2 * np.sin(X))


# The cut itself, transformed.


def score(x, w):
    hidden = jx.tap(jnp.tanh(w @ x), "hidden")
    return jnp.sum(hidden**3 * x)


def of_features(x, w):
    hidden, head = jx.cut(score, x, w, at="hidden")
    return jnp.sum(hidden * jax.grad(head)(hidden))


@pytest.mark.parametrize("mode", ["replace", "shift"])
def test_a_cut_can_be_jitted(mode):
    def run(x, w):
        hidden, head = jx.cut(score, x, w, at="hidden", mode=mode)
        return hidden, head(hidden), jax.grad(head)(hidden)

    for actual, expected in zip(jax.jit(run)(X, W), run(X, W), strict=True):
        assert_close(actual, expected)


def test_a_cut_under_vmap_is_a_loop_of_cuts():
    xs = np.stack([X, X + 1, -X])
    batched = jax.vmap(of_features, in_axes=(0, None))(xs, W)
    assert_close(batched, jnp.stack([of_features(x, W) for x in xs]))


def test_the_gradient_through_a_cut_agrees_with_finite_differences():
    check_grads(jax.jit(of_features), (X, W), order=2, modes=["fwd", "rev"])


def test_a_shifted_cut_has_the_gradient_of_finite_differences():
    def f(x):
        states, head = jx.cut(lambda x: recurrence(x, X), x, at="h", mode="shift")
        return jnp.sum(states * jax.grad(head)(states))

    check_grads(jax.jit(f), (SERIES,), order=1, modes=["rev"])


def test_parameters_closed_over_inside_jit_and_grad_are_derived():
    @jax.jit
    def loss(w):
        hidden, head = jx.cut(lambda x: score(x, w), X, at="hidden")
        return jnp.sum(hidden * jax.grad(head)(hidden))

    assert_close(jax.grad(loss)(W), jax.grad(of_features, argnums=1)(X, W))


def test_the_head_of_a_head_is_a_cut_further_on():
    f = lambda x: jnp.sum(jx.tap(jx.tap(2 * x, "a") ** 2, "b") * x)
    a, head = jx.cut(f, X, at="a")
    b, last = jx.cut(head, a, at="b")
    assert_close(b, 4 * X**2)
    assert_close(jax.grad(last)(b), X)


def test_a_cut_inside_the_function_that_is_explained_is_seen_through():
    f = functools.partial(of_features, w=W)
    assert_close(jx.saliency(f)(X), jax.grad(f)(X))

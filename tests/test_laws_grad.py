"""What every explainer owes an optimiser: its own derivatives are right."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from explainers import compiled, examples, f, having, quick_jit
from helpers import assert_close
from jax.flatten_util import ravel_pytree

import jaxplain as jx

STEP = 1e-5
# A central difference errs by `STEP ** 2` times a third derivative, and by
# `eps / STEP`, which is 2e-11.
DIFFERENCE = 1e-7


def floating(given):
    """What the explainer adds and can be differentiated in."""
    return {name: value for name, value in given.items() if name == "baseline"}


def inputs_and_direction(case):
    """An input with its scale and baselines, and a random direction in all of them."""
    x = examples()[0]
    inputs = x, 2.0, floating(case.given(x))
    flat, unravel = ravel_pytree(inputs)
    return inputs, unravel(jr.normal(jr.key(3), flat.shape, flat.dtype))


def derivatives(case, *, forward, **options):
    """The slope of a random projection of the answer, in reverse or in both modes."""
    inputs, direction = inputs_and_direction(case)
    fixed = case.given(examples()[0])
    explain = case.make(f, **options)
    answer = lambda x, scale, given: explain(x, scale, 1, **fixed | given)

    @quick_jit
    def slopes(inputs, direction):
        out, pull_back = jax.vjp(answer, *inputs)
        cotangent = projection(out)
        slopes = [dot(pull_back(cotangent), direction)]
        if forward:
            slopes += [dot(cotangent, jax.jvp(answer, inputs, direction)[1])]
        return slopes

    return slopes(inputs, direction)


def finite_difference(case):
    inputs, direction = inputs_and_direction(case)
    fixed = case.given(examples()[0])

    def at(step):
        moved = jax.tree.map(lambda a, d: a + step * d, inputs, direction)
        x, scale, given = moved
        return compiled(case)(x, float(scale), 1, **fixed | given)

    out = at(0.0)
    change = jax.tree.map(jnp.subtract, at(STEP), at(-STEP))
    return dot(projection(out), change) / (2 * STEP)


def projection(out):
    flat, unravel = ravel_pytree(out)
    return unravel(jr.normal(jr.key(4), flat.shape, flat.dtype))


def dot(a, b):
    return ravel_pytree(a)[0] @ ravel_pytree(b)[0]


@having(lambda case: True)
def test_derivatives_are_those_of_finite_differences(case):
    slope = finite_difference(case)
    assert abs(slope) > 1e-3  # there is something to find
    backward, forward = derivatives(case, forward=True)
    assert_close(backward, slope, tol=DIFFERENCE)
    assert_close(forward, backward, tol=1e-11)  # a sum of cancelling terms


@pytest.mark.slow
@having(lambda case: case.samples)
def test_derivatives_run_through_chunks(case):
    (backward,) = derivatives(case, forward=False, chunk_size=3)
    assert_close(backward, finite_difference(case), tol=DIFFERENCE)


def score(x, params):
    hidden = jnp.tanh(x @ params["into"] + params["bias"])
    return jnp.sum(hidden * params["out"])


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_a_model_can_be_trained_through_its_explanation(chunk_size):
    keys = jr.split(jr.key(0), 4)
    x = jr.normal(keys[0], (4,))
    params = {
        "into": jr.normal(keys[1], (4, 3)),
        "bias": jr.normal(keys[2], (3,)),
        "out": jr.normal(keys[3], (3,)),
    }
    explain = jx.integrated_gradients(score, steps=5, chunk_size=chunk_size)

    def loss(params):
        attribution = explain(x, params, baseline=0.0)
        return score(x, params) ** 2 + jnp.sum(jnp.abs(attribution[1:]))

    direction = jax.tree.map(jnp.cos, params)
    step = lambda t: jax.tree.map(lambda a, d: a + t * d, params, direction)
    value, gradient = quick_jit(loss), quick_jit(jax.grad(loss))
    slope = (value(step(STEP)) - value(step(-STEP))) / (2 * STEP)
    assert_close(dot(gradient(params), direction), slope, tol=DIFFERENCE)

    ahead, behind = gradient(step(STEP)), gradient(step(-STEP))
    change = jax.tree.map(lambda a, b: (a - b) / (2 * STEP), ahead, behind)
    forward = quick_jit(lambda p: jax.jvp(jax.grad(loss), (p,), (direction,))[1])
    backward = quick_jit(jax.grad(lambda p: dot(jax.grad(loss)(p), direction)))
    assert_close(forward(params), change, tol=DIFFERENCE)
    assert_close(backward(params), forward(params))


def test_training_on_an_explanation_removes_what_it_forbids():
    x = jnp.array([1.0, -2.0, 0.5])
    f = lambda x, w: jnp.tanh(w @ x) + 0.1 * jnp.sum((w * x) ** 2)
    explain = jx.integrated_gradients(f, steps=8)
    forbidden = lambda w: explain(x, w, baseline=0.0)[0] ** 2
    before = jnp.array([1.0, 0.5, -1.0])

    def step(w, _):
        value, gradient = jax.value_and_grad(forbidden)(w)
        return w - 0.1 * gradient, value

    values = quick_jit(lambda w: jax.lax.scan(step, w, length=100)[1])(before)
    assert values[-1] < 1e-4 * values[0]

"""What every explainer owes an optimiser: its own derivatives are right."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from explainers import examples, explain_of, f, having, quick_jit
from helpers import assert_close
from jax.flatten_util import ravel_pytree

import jaxplain as jx
from jaxplain import testing

STEP = 1e-5
# A central difference errs by `STEP ** 2` times a third derivative, and by
# `eps / STEP`, which is 2e-11.
DIFFERENCE = 1e-7


def own(case):
    """A call for `jaxplain.testing`, away from the kinks of `f`."""
    x = examples()[0]
    return {"f": f, "x": x, "args": (2.0, 1), "jit": quick_jit, **case.given(x)}


@having(lambda case: True)
def test_derivatives_are_those_of_finite_differences(case):
    testing.check_differentiable(explain_of(case), **own(case))


@pytest.mark.slow
@having(lambda case: case.samples)
def test_derivatives_run_through_chunks(case):
    chunked = lambda f: explain_of(case)(f, chunk_size=3)
    testing.check_differentiable(chunked, **own(case))


def dot(a, b):
    return ravel_pytree(a)[0] @ ravel_pytree(b)[0]


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

"""What a class activation map is at the hidden states of a recurrent network."""

import jax
import jax.numpy as jnp
import numpy as np
import tiny_models
from explainers import quick_jit
from helpers import assert_close
from tiny_models import B_OUT, BIAS, UNITS, W_IN, W_OUT, W_STATE

import jaxplain as jx
from jaxplain import cam

X = jnp.asarray(tiny_models.LSTM_X)


def last_step(x):
    return tiny_models.lstm_linen(x)[0]


def test_a_map_of_outputs_that_are_read_at_the_last_step_is_blind_to_the_others():
    (heatmap,) = quick_jit(cam.hires_cam(last_step, at="rnn"))(X)  # a batch of one
    assert (heatmap[:-1] == 0).all()
    # The readout is linear, so the one entry left is the score without its bias.
    assert_close(heatmap[-1], last_step(X) - B_OUT[0])


def test_grad_cam_of_outputs_that_are_read_at_the_last_step_spreads_its_weight():
    (heatmap,) = quick_jit(jx.grad_cam(last_step, at="rnn"))(X)
    (outputs,), _ = jx.cut(last_step, X, at="rnn")
    assert_close(heatmap, outputs @ W_OUT[0] / len(X))


def with_shifts(shifts):
    """The LSTM of `tiny_models`, whose states are shifted after every step."""

    def step(carry, x_and_shift):
        (h, c), (x, (to_c, to_h)) = carry, x_and_shift
        i, f, g, o = jnp.split(W_IN @ x + W_STATE @ h + BIAS, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        state = c, h
        return (h + to_h, c + to_c), state

    start = jnp.zeros(UNITS), jnp.zeros(UNITS)
    (h, _), states = jax.lax.scan(step, start, (X, shifts))
    return W_OUT[0] @ h, states


def test_a_cut_that_shifts_sees_what_every_state_does_to_the_score():
    ((c, h), out), head = jx.cut(last_step, X, at="cell", mode="shift")
    # The source gives the hidden state twice: to the next step, and as an output.
    (by_c, by_h), by_out = quick_jit(jax.grad(head))(((c, h), out))
    zeros = jnp.zeros((2, len(X), UNITS))
    expected, states = quick_jit(jax.grad(with_shifts, has_aux=True))(tuple(zeros))
    assert_close((c[:, 0], h[:, 0]), states)
    assert_close((by_c[:, 0], (by_h + by_out)[:, 0]), expected)
    hires = cam.reducers.hires_cam
    heatmap = hires(c, by_c) + hires(h, by_h) + hires(out, by_out)
    expected = sum((s * g).sum(-1) for s, g in zip(states, expected, strict=True))
    assert_close(heatmap[:, 0], expected)
    assert (np.abs(heatmap[:, 0]) > 1e-3).all()  # no step is blind


def mean_over_time(x):
    """The outputs of the same LSTM, averaged over its steps."""

    def step(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(W_IN @ x + W_STATE @ h + BIAS, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        h, c = jx.tap(jnp.stack([h, c]), "state")
        return (h, c), h

    zero = jnp.zeros(UNITS)
    _, hs = jax.lax.scan(step, (zero, zero), x)
    return jx.tap(hs, "hidden").mean(0) @ W_OUT[0]


def test_a_map_of_outputs_that_are_averaged_lives_on_hidden_time():
    heatmap = quick_jit(cam.hires_cam(mean_over_time, at="hidden"))(X)
    assert_close(heatmap, quick_jit(jx.grad_cam(mean_over_time, at="hidden"))(X))
    assert_close(heatmap.sum(), mean_over_time(X))
    # Not on the time of inputs: the entry of a step depends on those before it.
    slope = quick_jit(jax.jacobian(cam.hires_cam(mean_over_time, at="hidden")))(X)
    assert (jnp.abs(slope[-1, 0]) > 1e-4).all()


def test_full_gradients_of_states_are_a_map_over_time_that_sums_to_the_score():
    explain = quick_jit(cam.full_gradients(mean_over_time, at=["state"]))
    parts = explain(X)
    per_step = parts.input.sum(-1) + parts.biases[0].sum((1, 2))
    assert per_step.shape == (len(X),)
    assert_close(per_step.sum() + parts.rest, mean_over_time(X))
    assert_close(parts.rest, 0.0)

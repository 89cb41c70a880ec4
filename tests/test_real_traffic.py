"""Explanations of an LSTM that somebody else trained, on the traffic of Interstate 94.

The network is first held to its published error: an explanation of a network that was
loaded wrongly would prove nothing.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import real_models
from helpers import assert_close

import jaxplain as jx

pytestmark = real_models.needs_data

BATCH, TRAINING_HOURS = 24, 25656 - 4368
HOLIDAY_AFTERNOON = 25000  # 2018-09-03 16:00, Labor Day


@pytest.fixture(scope="module")
def traffic():
    return real_models.traffic()


def volume(dtype):
    """The network as a function of one window, alone: from the zero state."""
    variables = real_models.traffic_lstm(dtype)
    return partial(real_models.TrafficLSTM(dtype).apply, variables)


def week_before_the_holiday(traffic, dtype):
    hours = slice(HOLIDAY_AFTERNOON - real_models.WINDOW, HOLIDAY_AFTERNOON)
    return jnp.asarray(traffic[0][hours], dtype)


@pytest.mark.slow
def test_the_lstm_has_the_published_error_when_states_pass_from_batch_to_batch(traffic):
    inputs, volumes = traffic
    network, variables = real_models.TrafficLSTM(), real_models.traffic_lstm()
    table = jnp.asarray(inputs[:TRAINING_HOURS])
    hours = np.arange(BATCH)[:, None] + np.arange(real_models.WINDOW)

    def predict(carry, batch):
        windows = table[BATCH * batch + hours]
        return network.apply(variables, carry, windows, method="resume")

    @jax.jit
    def predict_all():
        zero = jnp.zeros((BATCH, real_models.UNITS), jnp.float32)
        num_batches = (TRAINING_HOURS - real_models.WINDOW) // BATCH
        return jax.lax.scan(predict, (zero, zero), jnp.arange(num_batches))[1]

    scale = volumes.max() - volumes.min()
    predicted = np.asarray(predict_all(), np.float64).ravel() * scale + volumes.min()
    error = predicted - volumes[real_models.WINDOW : TRAINING_HOURS]
    # Published as 473.4279. From the zero state for every window it would be 473.4414:
    # the Keras layer was stateful.
    assert abs(np.sqrt(np.mean(error**2)) - 473.4279) < 1e-3


@pytest.mark.slow
def test_the_head_after_the_states_of_the_lstm_gives_the_volume(traffic):
    f, window = volume(jnp.float32), week_before_the_holiday(traffic, jnp.float32)
    assert [name for name in jx.taps(f, window) if "/" not in name] == ["lstm", "dense"]
    hidden, head = jx.cut(f, window, at="lstm")
    assert hidden.shape == (real_models.WINDOW, real_models.UNITS)
    assert_close(head(hidden), f(window))
    # The output reads the last state and no other.
    assert not jax.grad(head)(hidden)[:-1].any()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_integrated_gradients_of_the_lstm_are_complete_and_those_of_a_transcription(
    traffic, dtype
):
    f, window = volume(dtype), week_before_the_holiday(traffic, dtype)
    explain = jax.jit(jx.integrated_gradients(f, steps=25))
    attribution = explain(window, baseline=0.0)
    assert attribution.dtype == dtype

    nodes, weights = np.polynomial.legendre.leggauss(25)
    exact = week_before_the_holiday(traffic, jnp.float64)
    points = jnp.asarray((nodes + 1) / 2)[:, None, None] * exact[None]
    gradients = jax.jit(jax.vmap(jax.grad(real_models.keras_lstm)))(points)
    expected = exact * jnp.tensordot(jnp.asarray(weights / 2), gradients, 1)
    assert_close(attribution, expected.astype(dtype))

    # The last ReLU is active all along the line, so the integrand is smooth and
    # Gauss-Legendre converges exponentially: off by 1e-3 with 5 steps, 1e-13 with 25.
    # What is left is the rounding of an output of 0.6; measured 2e-7 in float32.
    gap = jx.metrics.completeness_gap(f)(window, attribution=attribution, baseline=0.0)
    assert abs(gap) < float(jnp.finfo(dtype).eps) ** 0.75

"""DeepLIFT against the paper, and where it must agree with what is known."""

import itertools
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rule_oracles as oracle
import tiny_models
from explainers import quick_jit
from helpers import assert_close
from hypothesis import given
from oracles import shapley_by_permutations
from properties import close, fixed, numbers
from rule_models import LSTMS

import jaxplain as jx

RNG = np.random.default_rng(0)
X, B = RNG.normal(size=4), RNG.normal(size=4)
WIDTHS = (4, 5, 4, 3)
LAYERS = [
    oracle.dense(RNG.normal(size=(m, n)) / 2, RNG.normal(size=n))
    for m, n in itertools.pairwise(WIDTHS)
]


def lift(f, x, baseline):
    return quick_jit(jx.rules.deep_lift(f))(x, baseline=baseline)


def multipliers(f, x, baseline):
    return quick_jit(jx.rules.multipliers(f))(x, baseline=baseline)


# The rescale rule.

ACTIVATIONS = {
    "relu": (jax.nn.relu, lambda z: np.maximum(z, 0)),
    "tanh": (jnp.tanh, np.tanh),
    "sigmoid": (jax.nn.sigmoid, oracle.sigmoid),
    "softplus": (jax.nn.softplus, lambda z: np.log1p(np.exp(z))),
    "silu": (jax.nn.silu, lambda z: z * oracle.sigmoid(z)),
}
each_activation = pytest.mark.parametrize(
    ("activation", "slow"), ACTIVATIONS.values(), ids=ACTIVATIONS
)


def mlp(activation, x):
    for layer in LAYERS[:-1]:
        x = activation(x @ layer.weight + layer.bias)
    return (x @ LAYERS[-1].weight + LAYERS[-1].bias)[1]


@each_activation
def test_the_multipliers_of_a_network_are_those_of_the_paper(activation, slow):
    f = partial(mlp, activation)
    m = oracle.lift_network(LAYERS, slow, X, B, 1)
    assert_close(multipliers(f, X, B), m)
    assert_close(lift(f, X, B), m * (X - B))


def test_a_convolution_with_max_pooling_is_that_of_the_paper():
    image, blank = RNG.normal(size=(5, 4, 2)), 0.3 * RNG.normal(size=(5, 4, 2))
    kernel, bias = RNG.normal(size=(2, 2, 2, 3)), RNG.normal(size=3)
    weight = RNG.normal(size=(3 * 2 * 3, 1))
    params = {"params": {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}}
    conv = nn.Conv(3, (2, 2), padding=0, param_dtype=jnp.float64)

    def f(x):
        x = jnp.tanh(conv.apply(params, x))
        return (nn.max_pool(x, (2, 2), (1, 1)).ravel() @ weight)[0]

    slow = oracle.conv(image.shape, kernel, bias)
    z, z0 = slow(image.ravel()), slow(blank.ravel())
    pools = list(oracle.windows((4, 3, 3), 2, 1))
    credit = oracle.lift_max_pool(np.tanh(z), np.tanh(z0), weight[:, 0], pools)
    m = slow.weight @ (credit / (z - z0))
    expected = m * (image - blank).ravel()
    assert_close(lift(f, image, blank).ravel(), expected)


@pytest.mark.parametrize("make", LSTMS.values(), ids=LSTMS)
def test_the_multipliers_of_an_lstm_are_chained_step_by_step(make):
    lstm, x = make(), tiny_models.LSTM_X
    start = 0.5 * np.sin(np.arange(8.0)).reshape(4, 2)
    weights = tiny_models.W_IN, tiny_models.W_STATE, tiny_models.BIAS
    m = oracle.lstm_lift(x, start, *weights, tiny_models.W_OUT, 1)
    # The state starts from zero in both passes: a gate of it has no secant.
    phi = lift(lambda x: lstm(x)[1], x, start)
    assert_close(phi, m * (x - start), tol=1e-10)  # secants cancel digits


def test_contributions_are_multipliers_times_the_difference():
    f = lambda x: jnp.tanh(x @ LAYERS[0].weight).prod()
    assert_close(lift(f, X, B), multipliers(f, X, B) * (X - B))


# Where the answer is known.

linear = quick_jit(jx.rules.deep_lift(lambda x, w: x @ w + 3.0))
product = quick_jit(jx.rules.deep_lift(lambda x: 4.0 * x[0] * x[1]))
ridge = quick_jit(jx.rules.deep_lift(lambda x, w: jnp.tanh(x @ w) ** 3))
separate = quick_jit(jx.rules.deep_lift(lambda x: jnp.sum(jnp.tanh(x) - x**2)))


@fixed
@given(x=numbers(3), b=numbers(3), w=numbers(3))
def test_a_linear_function_gives_each_input_its_own_term(x, b, w):
    close(linear(x, w, baseline=b), w * (x - b))


@fixed
@given(x=numbers(2), b=numbers(2))
def test_a_product_is_shared_by_shapley(x, b):
    game = lambda mask: 4.0 * np.prod(np.where(mask, x, b))
    close(product(x, baseline=b), shapley_by_permutations(game, 2))


@fixed
@given(x=numbers(3), b=numbers(3))
def test_a_sum_of_functions_of_one_input_gives_each_its_own_change(x, b):
    value = lambda x: np.tanh(x) - x**2
    close(separate(x, baseline=b), value(x) - value(b))


def test_a_function_of_one_direction_is_shared_as_by_integrated_gradients():
    w = RNG.normal(size=4)
    f = lambda x: jnp.tanh(x @ w) + jax.nn.relu(x @ w - 0.1) ** 2
    value = lambda x: np.tanh(x @ w) + max(x @ w - 0.1, 0.0) ** 2
    shares = w * (X - B) / (w @ (X - B))
    assert_close(lift(f, X, B), shares * (value(X) - value(B)))


@fixed
@given(x=numbers(3), w=numbers(3))
def test_at_the_baseline_nothing_contributes(x, w):
    np.testing.assert_array_equal(ridge(x, w, baseline=x), np.zeros(3))


# Zero over zero.

STILL = {
    "relu": (jax.nn.relu, lambda z: float(z > 0)),
    "tanh": (jnp.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "exp": (jnp.exp, np.exp),
    "square": (lambda z: z**2, lambda z: 2 * z),
    "silu": (
        jax.nn.silu,
        lambda z: oracle.sigmoid(z) * (1 + z * oracle.sigmoid(-z)),
    ),
}


@pytest.mark.parametrize(("f", "slope"), STILL.values(), ids=STILL)
def test_a_unit_that_does_not_move_passes_its_derivative_on(f, slope):
    x, b = np.array([0.75, 0.5, 2.0]), np.array([1.25, 1.0, -1.0])
    unit = lambda x: f(x[0] - x[1]) + 3.0 * x[2]  # 0.25 at both
    expected = np.array([slope(0.25), -slope(0.25), 3.0])
    assert_close(multipliers(unit, x, b), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-30, 1e-300])
def test_a_unit_that_hardly_moves_has_a_slope_near_its_derivative(step, dtype):
    x = jnp.array([0.25, 0.25], dtype)
    b = x - jnp.array([step, 0.0], dtype)
    m = quick_jit(jx.rules.multipliers(lambda x: jnp.tanh(x).sum()))(x, baseline=b)
    # Half the step times the curvature, 0.5 here, and the digits that a secant loses.
    eps = float(jnp.finfo(dtype).eps)
    error = abs(float(m[0]) - (1 - np.tanh(0.25) ** 2))
    assert error <= 0.3 * step + 4 * eps**0.5
    assert m.dtype == dtype


def test_only_what_moved_contributes():
    f = lambda x: jnp.tanh(x @ LAYERS[0].weight).prod() + jnp.exp(x).prod()
    b = np.where(np.arange(4) == 2, B, X)
    phi = lift(f, X, b)
    assert_close(phi, np.where(np.arange(4) == 2, f(X) - f(b), 0.0), tol=1e-11)
    np.testing.assert_array_equal(np.delete(phi, 2), np.zeros(3))


def test_a_baseline_equal_to_the_input_gives_zeros_in_a_whole_network():
    phi = lift(partial(mlp, jax.nn.relu), X, X)
    np.testing.assert_array_equal(phi, np.zeros(4))


def test_dead_units_contribute_nothing():
    f = lambda x: jax.nn.relu(x[0] - 10.0) + jax.nn.relu(x[1])
    phi = lift(f, np.array([1.0, 2.0]), np.zeros(2))
    np.testing.assert_array_equal(phi, np.array([0.0, 2.0]))


# Max pooling.


def test_a_maximum_that_rises_is_credited_to_its_winner_and_else_to_the_one_before():
    f = lambda x: jnp.max(x[:3]) - 10.0 * jnp.max(x[3:])
    x, b = np.array([3.0, 5.0, 1.0, 0.5, 1.0]), np.array([4.0, 2.0, 0.0, 3.0, 0.0])
    assert_close(lift(f, x, b), np.array([0.0, 1.0, 0.0, 20.0, 0.0]))


def test_a_minimum_is_the_negative_of_the_maximum_of_negatives():
    f = lambda x: jnp.min(x[:3]) - 10.0 * jnp.min(x[3:])
    x, b = np.array([3.0, 5.0, 1.0, 0.5, 1.0]), np.array([4.0, 2.0, 0.0, 3.0, 0.0])
    assert_close(lift(f, -x, -b), np.array([0.0, -1.0, 0.0, -20.0, 0.0]))


def test_a_saturated_unit_sees_both_of_its_inputs():
    # Shrikumar et al. (2017), section 2.1 and figure 1: the gradient is zero here.
    f = lambda x: 1.0 - jax.nn.relu(1.0 - x[0] - x[1])
    x = np.array([1.0, 1.0])
    assert not jax.grad(f)(x).any()
    assert_close(lift(f, x, np.zeros(2)), np.array([0.5, 0.5]))


def test_a_threshold_makes_no_jump():
    # Section 2.2 and figure 2: gradient x input leaps from 0 to 10 at the threshold.
    f = lambda x: jax.nn.relu(x[0] - 10.0)
    at = lambda x: float(lift(f, np.array([x]), np.zeros(1))[0])
    assert at(10.0 - 1e-6) == 0.0
    assert abs(at(10.0 + 1e-6)) < 1.1e-6


# DeepSHAP.


def test_deep_shap_is_the_mean_over_baselines():
    f = partial(mlp, jnp.tanh)
    baselines = RNG.normal(size=(3, 4))
    phi = quick_jit(jx.expected(jx.rules.deep_lift(f)))(X, baseline=baselines)
    assert_close(phi, np.mean([lift(f, X, b) for b in baselines], axis=0))
    assert_close(phi.sum(), f(X) - np.mean([f(b) for b in baselines]))


def test_deep_shap_of_a_linear_function_is_its_shapley_value():
    w, baselines = RNG.normal(size=4), RNG.normal(size=(3, 4))
    explain = jx.expected(jx.rules.deep_lift(lambda x: x @ w))
    assert_close(explain(X, baseline=baselines), w * (X - baselines.mean(0)))


def test_a_module_that_returns_a_state_and_logits_is_lifted():
    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            state = nn.tanh(nn.Dense(3, param_dtype=x.dtype)(x))
            return state, nn.Dense(2, param_dtype=x.dtype)(state)

    model, x = Model(), jnp.asarray(X)
    params = model.init(jax.random.key(0), x)
    f = lambda x: model.apply(params, x)[1][0]
    assert_close(lift(f, x, 0.0).sum(), f(x) - f(0 * x))

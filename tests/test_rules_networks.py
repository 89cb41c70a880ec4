"""Rules through whole networks: nothing is lost on the way, and nothing is made up."""

import functools
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rule_oracles as oracle
from explainers import quick_jit
from flax import nnx
from helpers import assert_close
from rule_models import MODELS, NNXNetwork, average_pool, example, network

import jaxplain as jx

rules = jx.rules
each_model = pytest.mark.parametrize("name", MODELS)
LRP_0 = rules.epsilon(1e-9)


@functools.cache
def model(name, biases, dtype):
    return network(name, biases=biases, dtype=dtype)


@functools.cache
def lifted(name, dtype):
    """The contributions in a network with biases, and what they should sum to."""
    f, _, variables, x = model(name, True, dtype)
    baseline = example(x.shape, dtype, seed=2) / 2

    def explain(x, baseline, variables):
        phi = rules.deep_lift(f)(x, variables, baseline=baseline)
        return phi, f(x, variables) - f(baseline, variables)

    return quick_jit(explain)(x, baseline, variables)


@each_model
@pytest.mark.parametrize(("dtype", "tol"), [("float32", 1e-5), ("float64", 1e-9)])
def test_deep_lift_is_complete(name, dtype, tol):
    phi, difference = lifted(name, dtype)
    assert phi.dtype == dtype
    assert abs(difference) > 0.1
    # Relative to what is added up: contributions may cancel.
    assert abs(phi.sum() - difference) <= tol * abs(phi).sum()


@each_model
def test_deep_lift_in_float32_is_that_in_float64(name):
    (low, _), (high, _) = lifted(name, "float32"), lifted(name, "float64")
    # A secant of a unit that moves by d loses eps / d of its digits.
    assert_close(low.astype("float64"), high, tol=1e-4)


@functools.cache
def relevances(name, biases, dtype):
    """Relevance, the score, and input x gradient where gates and slopes are held."""
    f, held, variables, x = model(name, biases, dtype)

    def explain(x, variables):
        phi = rules.lrp(f, LRP_0)(x, variables)
        return phi, f(x, variables), jx.input_x_gradient(held)(x, variables)

    return quick_jit(explain)(x, variables)


@each_model
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relevance_is_conserved_where_no_bias_takes_any(name, dtype):
    phi, score, _ = relevances(name, False, dtype)
    assert phi.dtype == dtype
    assert abs(score) > 0.1
    assert abs(phi.sum() - score) <= 1e-5 * abs(phi).sum()


@each_model
@pytest.mark.parametrize("biases", [False, True], ids=["no_biases", "biases"])
def test_lrp_0_is_input_x_gradient_where_gates_and_slopes_are_held(name, biases):
    phi, _, expected = relevances(name, biases, "float64")
    # Denominators as small as 1e-3, which 1e-9 keeps from zero.
    assert_close(phi, expected, tol=1e-5)


def test_deconvolution_and_guided_backpropagation_keep_the_value():
    f, _, variables, x = model("CNN", True, "float64")
    for rule in (rules.guided, rules.deconvolution):
        value = quick_jit(rule(f))(x, variables)
        assert value == quick_jit(f)(x, variables)


def test_epsilon_takes_relevance_away():
    f, _, variables, x = model("CNN", False, "float64")
    total = lambda epsilon: rules.lrp(f, rules.epsilon(epsilon))(x, variables).sum()
    totals = quick_jit(lambda: [total(epsilon) for epsilon in (1e-3, 0.1, 10.0)])()
    kept = [float(part / relevances("CNN", False, "float64")[1]) for part in totals]
    assert kept[0] > kept[1] > kept[2] > 0
    assert kept[0] > 0.9 > 0.5 > kept[2]


# A module used twice, and functions that are not modules.


def unrolled(model):
    """The same network, of as many layers as calls."""
    layers = [model.first, model.shared, model.shared, model.last]
    table = [(jnp.asarray(a.kernel[...]), jnp.asarray(a.bias[...])) for a in layers]

    def f(x):
        for k, (kernel, bias) in enumerate(table):
            x = x @ kernel + bias
            x = jnp.maximum(x, 0.0) if k < len(table) - 1 else x
        return x[1]

    return f


@pytest.fixture(scope="module")
def shared():
    model = NNXNetwork(nnx.Rngs(0))
    return model, unrolled(model), example((4,))


RULES = {
    "LRP-0": LRP_0,
    "gamma": rules.gamma(0.25),
    "alphabeta": rules.alphabeta(2.0, 1.0),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_lrp_through_an_nnx_layer_used_twice_is_that_through_two(shared, rule):
    model, twin, x = shared
    phi = quick_jit(rules.lrp(lambda x: model(x)[1], rule))(x)
    assert_close(phi, quick_jit(rules.lrp(twin, rule))(x))


def test_deep_lift_through_an_nnx_layer_used_twice_is_that_through_two(shared):
    model, twin, x = shared
    explain = quick_jit(rules.deep_lift(lambda x: model(x)[1]))
    phi = explain(x, baseline=-x / 3)
    assert_close(phi, quick_jit(rules.deep_lift(twin))(x, baseline=-x / 3))
    assert_close(phi.sum(), twin(x) - twin(-x / 3))


class TwiceLinen(nn.Module):
    """One `nn.Dense`, called twice."""

    @nn.compact
    def __call__(self, x):
        dense = nn.Dense(3, param_dtype=jnp.float64)
        return dense(nn.relu(dense(x)))[0]


def test_rules_through_a_linen_layer_called_twice_are_those_of_the_papers():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(3, 3)), rng.normal(size=3)
    params = {"params": {"Dense_0": {"kernel": kernel, "bias": bias}}}
    f = lambda x: TwiceLinen().apply(params, x)
    x, baseline = rng.normal(size=3), rng.normal(size=3)
    layers = [oracle.dense(kernel, bias)] * 2
    by_gamma = partial(oracle.gamma, gamma=0.25)
    expected = oracle.lrp_network(layers, [by_gamma] * 2, x, 0)
    # Denominators above 0.1, which 1e-9 at most keeps from zero.
    assert_close(quick_jit(rules.lrp(f, rules.gamma(0.25)))(x), expected, tol=1e-7)
    m = oracle.lift_network(layers, lambda z: np.maximum(z, 0), x, baseline, 0)
    phi = quick_jit(rules.deep_lift(f))(x, baseline=baseline)
    assert_close(phi, m * (x - baseline))


# Networks that are trained with a scan over layers, or with rematerialisation.


class Block(nn.Module):
    """A residual block, as a step of a scan."""

    @nn.compact
    def __call__(self, x, _):
        return x + nn.tanh(nn.Dense(3, param_dtype=jnp.float64)(x)), None


class Deep(nn.Module):
    """Three blocks, with one set of stacked parameters."""

    @nn.compact
    def __call__(self, x):
        body = nn.remat(Block, prevent_cse=False)
        stack = nn.scan(
            body, variable_axes={"params": 0}, split_rngs={"params": True}, length=3
        )
        return stack(name="blocks")(x, None)[0].sum()


def deep(kernels, biases):
    params = {"Dense_0": {"kernel": jnp.asarray(kernels), "bias": jnp.asarray(biases)}}
    return lambda x: Deep().apply({"params": {"blocks": params}}, x)


def deep_by_hand(kernels, biases):
    def f(x):
        for kernel, bias in zip(kernels, biases, strict=True):
            x = x + jnp.tanh(x @ kernel + bias)
        return x.sum()

    return f


def test_a_scan_over_layers_is_a_loop():
    rng = np.random.default_rng(0)
    kernels, biases = rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3))
    x, baseline = rng.normal(size=3), rng.normal(size=3)
    scanned, looped = deep(kernels, biases), deep_by_hand(kernels, biases)
    for rule in (LRP_0, rules.gamma(0.25)):
        phi = quick_jit(rules.lrp(scanned, rule))(x)
        assert_close(phi, quick_jit(rules.lrp(looped, rule))(x))
    phi = quick_jit(rules.deep_lift(scanned))(x, baseline=baseline)
    assert_close(phi, quick_jit(rules.deep_lift(looped))(x, baseline=baseline))
    assert_close(phi.sum(), looped(x) - looped(baseline))


# Several inputs: what enters through a sum is not counted once for each.


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_relevance_of_a_sum_of_inputs_is_counted_once(rule):
    weight = np.array([1.0, 2.0, -1.0])
    f = lambda xs: jax.nn.relu(xs["a"] + xs["b"][0]) @ weight
    xs = {"a": np.array([1.0, 2.0, 3.0]), "b": (np.array([3.0, 1.0, -1.0]),)}
    whole = quick_jit(rules.lrp(lambda x: jax.nn.relu(x) @ weight, rule))
    total = whole(xs["a"] + xs["b"][0])
    phi = quick_jit(rules.lrp(f, rule))(xs)
    share = lambda part: total * part / (xs["a"] + xs["b"][0])
    assert_close(phi, {"a": share(xs["a"]), "b": (share(xs["b"][0]),)}, tol=1e-8)


def test_arguments_that_are_not_explained_are_constants():
    w, x = example((3, 2)), example((3,), seed=2)
    f = lambda x, w, k: jax.nn.relu(x @ w)[k]
    direct = quick_jit(rules.lrp(f, rules.gamma(0.5)))(x, w, 0)
    closed = quick_jit(rules.lrp(lambda x: f(x, w, 0), rules.gamma(0.5)))(x)
    assert_close(direct, closed)
    phi = quick_jit(rules.deep_lift(f))(x, w, jnp.array(0), baseline=0.0)
    assert_close(phi.sum(), f(x, w, 0) - f(0 * x, w, 0))


def test_a_pooled_convolution_of_flax_itself_conserves_relevance():
    # `nn.avg_pool` divides by an integer, and `nnx.avg_pool` counts its windows.
    x = example((4, 4, 2))
    pools = [lambda x: average_pool(x, 2, 2), lambda x: nnx.avg_pool(x, (2, 2), (2, 2))]
    with jax.numpy_dtype_promotion("standard"):
        phi = [
            quick_jit(rules.lrp(lambda x, p=p: (p(x) ** 3)[0, 0, 0], LRP_0))(x)
            for p in [*pools, lambda x: nn.avg_pool(x, (2, 2), (2, 2))]
        ]
    value = x[:2, :2, 0].mean() ** 3
    assert_close(phi[0][:2, :2, 0], x[:2, :2, 0] / x[:2, :2, 0].sum() * value, tol=1e-7)
    assert_close(phi[1:], [phi[0]] * 2)

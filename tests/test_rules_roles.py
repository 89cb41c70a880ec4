"""What LRP knows of a value, wherever the value goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx

rules = jx.rules
rng = np.random.default_rng(0)
W, V = jnp.asarray(rng.normal(size=(4, 4))), jnp.asarray(rng.normal(size=4))
X = jnp.array([0.9, -1.3, 0.4, 2.1])
stop = jax.lax.stop_gradient


def in_a_scan(fn):
    return lambda x: jax.lax.map(lambda _: fn(x), jnp.arange(1))[0]


def in_a_branch(fn):
    return lambda x: jax.lax.cond(X[0] > 0, fn, fn, x)


PLACES = {"checkpoint": jax.checkpoint, "scan": in_a_scan, "cond": in_a_branch}
everywhere = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


@everywhere
def test_the_units_of_the_input_may_change_anywhere(place):
    f = lambda x: V @ jax.nn.relu(W @ ((x - 0.5) / 0.25))
    rule = rules.zbox(-2.0, 6.0)
    assert_close(rules.lrp(place(f), rule)(X), rules.lrp(f, rule)(X))


@pytest.mark.parametrize("place", [jax.checkpoint, in_a_scan])
def test_a_gate_may_be_made_anywhere(place):
    gate = lambda x: jax.nn.sigmoid(W @ x)
    f = lambda gate: lambda x: jnp.sum(gate(x) * jnp.tanh(W.T @ x))
    assert_close(rules.lrp(f(place(gate)))(X), rules.lrp(f(gate))(X))


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("method", ["lrp", "deep_lift"])
def test_no_tracer_leaks(place, method):
    f = place(lambda x: jax.nn.silu(W @ (x * 2.0 + 1.0)) @ V)
    options = {"baseline": 0.0} if method == "deep_lift" else {}
    with jax.checking_leaks():
        jax.jit(lambda x: getattr(rules, method)(f)(x, **options))(X)


CONSTANTS = {
    "stopped": lambda x, w: stop(x @ w),
    "stopped before": lambda x, w: jnp.tanh(stop(x) @ w),
    "mask": lambda x, w: (x > 0).astype(x.dtype) @ w,
    "sigmoid of a mask": lambda x, w: jax.nn.sigmoid((x > 0).astype(x.dtype) @ w),
}
of_constants = pytest.mark.parametrize("held", CONSTANTS.values(), ids=CONSTANTS)


@of_constants
def test_a_factor_that_passes_no_gradient_gets_no_relevance(held):
    phi = rules.lrp(lambda x: jnp.sum(x * held(x, W)))(X)
    assert_close(phi, X * held(X, W), tol=1e-8)  # the stabiliser


@pytest.mark.parametrize("held", list(CONSTANTS.values())[1:], ids=list(CONSTANTS)[1:])
@pytest.mark.parametrize("method", ["lrp", "deep_lift"])
def test_a_model_is_trained_through_the_explanation_of_what_is_held(held, method):
    f = lambda x, w: jnp.sum(x * held(x, w))
    options = {"baseline": -X[::-1]} if method == "deep_lift" else {}
    explain = getattr(rules, method)(f)
    loss = lambda w: jnp.sum(explain(X, w, **options) ** 2)
    direction, step = jnp.cos(jnp.arange(16.0)).reshape(4, 4), 1e-5
    slope = jnp.vdot(quick_jit(jax.grad(loss))(W), direction)
    ahead, behind = loss(W + step * direction), loss(W - step * direction)
    # The error of a central difference, with values of about 10.
    assert_close(slope, (ahead - behind) / (2 * step), tol=1e-7)


@pytest.mark.parametrize(
    "spelling", [lambda v: v**-1, lambda v: v**-0.5, jax.lax.rsqrt]
)
def test_a_reciprocal_is_a_gate(spelling):
    scale = lambda x: spelling(jnp.mean(x**2) + 1e-3)
    phi = rules.lrp(lambda x: V @ (x * scale(x)))(X)
    assert_close(phi, V * X * scale(X), tol=1e-5)  # the epsilon of the default


def test_what_is_printed_is_printed_once(capfd):
    def f(x):
        jax.debug.print("seen {}", x[0])
        return jnp.sum(x**2)

    phi = rules.deep_lift(f, strict=True)(X, baseline=0.0)
    jax.effects_barrier()
    assert capfd.readouterr().out.count("seen") == 1
    assert_close(phi, X**2)


def test_an_activation_that_reads_its_layer_twice_does_not_run_it_twice():
    flops = lambda fn: jax.jit(fn).lower(X).compile().cost_analysis()["flops"]
    big = jnp.ones((4, 512))
    inner = lambda x: jax.nn.gelu(x @ big, approximate=False) @ jnp.ones((512, 512))
    f = lambda x: jnp.sum(jax.nn.leaky_relu(inner(x)))
    assert flops(rules.lrp(f)) <= 1.2 * flops(jax.grad(f))


@pytest.mark.parametrize("method", [rules.guided, rules.deconvolution])
def test_a_relu_in_a_body_that_is_not_opened_is_refused(method):
    mesh = jax.make_mesh((2,), ("i",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.P("i")
    inside = jax.shard_map(jax.nn.relu, mesh=mesh, in_specs=spec, out_specs=spec)
    with pytest.raises(NotImplementedError, match=r"inside `jax\.shard_map`"):
        jax.grad(method(lambda x: inside(x).sum()))(X)


@pytest.mark.parametrize("method", [rules.guided, rules.deconvolution])
def test_a_relu_is_found_by_a_rule_that_is_applied_inside(method):
    mesh = jax.make_mesh((2,), ("i",), axis_types=(jax.sharding.AxisType.Auto,))
    explain = jax.grad(method(lambda x: jnp.sum(jax.nn.relu(x) * jnp.sign(x - 1))))
    spec = jax.P("i")
    sharded = jax.shard_map(explain, mesh=mesh, in_specs=spec, out_specs=spec)
    assert_close(sharded(X), explain(X))


def test_a_scan_may_forget_what_it_started_from():
    step = lambda carry, a: (a, carry * a)
    f = lambda x: jnp.sum(jax.lax.scan(step, x[0], jnp.array([2.0, 3.0, 5.0]))[1])
    assert_close(rules.deep_lift(f)(X, baseline=0.0), np.array([2 * X[0], 0, 0, 0]))
    # The constants that are carried take their part of the sum.
    assert_close(rules.lrp(f)(X)[1:], np.zeros(3))

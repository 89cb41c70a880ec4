"""The shim over `jax.extend.core`: what it assumes of JAX, pinned."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from jaxplain import _convolutions, _jaxpr

X = np.array([0.5, -1.0, 2.0])


def leaves(tree):
    return jax.tree.leaves(tree)


# trace.


def test_trace_gives_a_program_its_arrays_and_the_shape_of_its_output():
    f = lambda x, scale, params: {"y": scale * params["w"] * x.sum(), "c": 3.0}
    closed, arrays, shape = _jaxpr.trace(f, X, 2, {"w": np.ones(2)})
    assert len(closed.jaxpr.invars) == len(arrays) == 2
    assert shape["y"].shape == (2,)
    out = jax.core.eval_jaxpr(closed.jaxpr, closed.consts, *arrays)
    assert_close(_jaxpr.unflatten_like(shape, out), f(X, 2, {"w": np.ones(2)}))


def test_trace_leaves_python_values_as_they_are():
    seen = []
    _jaxpr.trace(lambda x, *rest: seen.append(rest) or x, X, 3, True, None, "text")
    assert seen == [(3, True, None, "text")]


def test_trace_sees_arrays_of_numpy_and_numpy_scalars():
    kinds = []
    see = lambda *args: kinds.append([isinstance(a, jax.core.Tracer) for a in args])
    _jaxpr.trace(see, X, np.float32(1), jnp.ones(1), 1.0)
    assert kinds == [[True, True, True, False]]


def test_trace_works_inside_another_trace():
    @jax.jit
    def run(x):
        closed, arrays, _ = _jaxpr.trace(lambda y: y * x, x)
        return jax.core.eval_jaxpr(closed.jaxpr, closed.consts, *arrays)[0]

    assert_close(run(X), X**2)


# split.


def split(joint, new, *args, num_out=1):
    closed = jax.make_jaxpr(joint)(new, *args)
    return _jaxpr.split(closed, 1, num_out)


def count(fn, *args):
    """The primitives of a program, each as often as it is there."""
    eqns = jax.make_jaxpr(fn)(*args).jaxpr.eqns
    return sorted(eqn.primitive.name for eqn in eqns)


def test_split_puts_into_the_late_part_what_depends_on_the_new_values_alone():
    def joint(new, x):
        sine = jnp.sin(x)
        return jnp.cos(new) * sine + jnp.tan(sine)

    early, late = split(joint, X, X)
    extras, residuals = early(X)
    assert extras == []
    assert_close(late([X], residuals)[0], joint(X, X))
    assert count(lambda x: early(x)[1], X) == ["sin", "tan"]
    assert count(lambda new: late([new], residuals), X) == ["add", "cos", "mul"]


def test_split_drops_what_nobody_reads():
    def joint(new, x):
        jnp.exp(new), jnp.exp(x)
        return new + x

    early, late = split(joint, X, X)
    _, residuals = early(X)
    assert count(lambda x: early(x)[1], X) == []
    assert count(lambda new: late([new], residuals), X) == ["add"]
    assert len(residuals) == 1


def test_split_carries_constants_and_literals():
    table = jnp.arange(3.0)
    early, late = split(lambda new, x: new * table + 2.0 * x, X, X)
    assert_close(late([X], early(X)[1])[0], X * np.arange(3.0) + 2 * X)
    early, late = split(lambda new, _: (new.sum(), 5.0), X, X, num_out=2)
    assert [float(v) for v in late([X], early(X)[1])] == [X.sum(), 5.0]


def test_split_gives_the_extras_that_are_known_before_the_new_values():
    joint = lambda new, x: (new + x, jnp.sin(x), new * 2, 1.0)
    early, _ = split(joint, X, X)
    known, unknown, literal = early(X)[0]
    assert_close(known, np.sin(X))
    assert unknown is None
    assert float(literal) == 1.0


def test_split_works_where_the_output_is_an_argument():
    early, late = split(lambda _, x: x, X, X)
    assert_close(late([X], early(2 * X)[1])[0], 2 * X)
    early, late = split(lambda new, _: new, X, X)
    assert early(X)[1] == []
    assert_close(late([3 * X], [])[0], 3 * X)


def test_both_parts_are_traced_with_what_surrounds_them():
    joint = lambda new, x: jnp.sum(new * jnp.sin(x))

    @jax.jit
    def gradient(x):
        early, late = split(joint, x, x)
        return jax.grad(lambda x: late([jnp.cos(x)], early(x)[1])[0])(x)

    assert_close(gradient(X), np.cos(X) ** 2 - np.sin(X) ** 2)


# interpret.


def to_cosine(eqn):
    return jnp.cos if eqn.primitive.name == "sin" else None


def interpret(f, *args, replace=to_cosine, open_custom=True):
    closed, arrays, shape = _jaxpr.trace(f, *args)
    run = functools.partial(_jaxpr.interpret, closed, replace=replace)
    return _jaxpr.unflatten_like(shape, run(arrays, open_custom=open_custom))


@jax.custom_jvp
def custom_jvp_sine(x):
    return jnp.sin(x)


custom_jvp_sine.defjvp(lambda x, t: (custom_jvp_sine(*x), 100.0 * t[0]))


@jax.custom_vjp
def custom_vjp_sine(x):
    return jnp.sin(x)


custom_vjp_sine.defvjp(lambda x: (jnp.sin(x), None), lambda _, g: (100.0 * g,))

EVERYWHERE = {
    "plain": jnp.sin,
    "jit": lambda x: jax.jit(jnp.sin)(x),
    "checkpoint": jax.checkpoint(jnp.sin),
    "vmap": jax.vmap(jnp.sin),
    "scan": lambda x: jax.lax.scan(lambda c, y: (c, jnp.sin(y)), 0.0, x)[1],
    "scan_in_reverse": lambda x: jax.lax.scan(
        lambda c, y: (c + jnp.sin(y), c + jnp.sin(y)), 0.0, x, reverse=True
    )[1],
    "while": lambda x: jax.lax.while_loop(
        lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, x)
    )[1],
    "cond": lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.tan, x),
    "switch": lambda x: jax.lax.switch(1, [jnp.tan, jnp.sin, jnp.exp], x),
    "custom_jvp": custom_jvp_sine,
    "custom_vjp": custom_vjp_sine,
    "nested": jax.jit(
        lambda x: jax.checkpoint(jax.jit(lambda x: jax.lax.map(jnp.sin, x)))(x)
    ),
}


@pytest.mark.parametrize("sine", EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_an_equation_is_replaced_wherever_it_is(sine):
    f = lambda x: sine(x) * 2 + 1
    assert_close(interpret(f, X), EXPECTED[sine](X) * 2 + 1)
    assert_close(jax.jit(lambda x: interpret(f, x))(X), interpret(f, X))
    assert_close(interpret(f, X, replace=lambda _: None), f(X))


EXPECTED = dict.fromkeys(EVERYWHERE.values(), np.cos)
EXPECTED[EVERYWHERE["while"]] = lambda x: np.cos(np.cos(np.cos(x)))
EXPECTED[EVERYWHERE["scan_in_reverse"]] = lambda x: np.cumsum(np.cos(x)[::-1])[::-1]


@pytest.mark.parametrize("sine", [custom_jvp_sine, custom_vjp_sine])
def test_custom_derivatives_are_opened_only_if_asked(sine):
    assert_close(interpret(sine, X, open_custom=False), np.sin(X))
    opened = lambda x, flag: interpret(sine, x, open_custom=flag).sum()
    assert_close(jax.grad(opened)(X, False), np.full(3, 100.0))
    assert_close(jax.grad(opened)(X, True), -np.sin(X))


def test_what_holds_no_such_equation_is_kept_as_it_is():
    def f(x):
        y = jax.jit(lambda x: jnp.tan(x), inline=False)(x)
        y = jax.checkpoint(jnp.exp)(y)
        y = jax.lax.map(jnp.tanh, y)
        return jnp.sin(custom_vjp_sine(y))

    kept = jax.make_jaxpr(lambda x: interpret(f, x, open_custom=False))(X)
    original = jax.make_jaxpr(f)(X)
    primitives = lambda closed: [eqn.primitive.name for eqn in closed.jaxpr.eqns]
    assert primitives(kept)[:-1] == primitives(original)[:-1]
    assert (primitives(original)[-1], primitives(kept)[-1]) == ("sin", "cos")


def test_a_rebuilt_checkpoint_keeps_its_policy():
    policy = jax.checkpoint_policies.everything_saveable
    f = jax.checkpoint(jnp.sin, policy=policy, prevent_cse=False)
    (eqn,) = jax.make_jaxpr(lambda x: interpret(f, x))(X).jaxpr.eqns
    assert eqn.params["policy"] is policy
    assert not eqn.params["prevent_cse"]


# canonical_convolutions.

LAYOUTS = {
    "1d": ((1, 8, 3), (3, 3, 4), ("NHC", "HIO", "NHC")),
    "1d_channels_first": ((1, 3, 8), (4, 3, 3), ("NCH", "OIH", "NCH")),
    "2d": ((1, 6, 5, 3), (3, 2, 3, 4), ("NHWC", "HWIO", "NHWC")),
    "2d_channels_first": ((1, 3, 6, 5), (4, 3, 3, 2), ("NCHW", "OIHW", "NCHW")),
    "2d_mixed": ((1, 3, 6, 5), (3, 2, 3, 4), ("NCHW", "HWIO", "NHWC")),
    "2d_odd": ((6, 1, 3, 5), (3, 4, 2, 3), ("HNCW", "IOWH", "WCNH")),
    "3d": ((1, 4, 5, 3, 2), (2, 3, 2, 2, 3), ("NHWDC", "HWDIO", "NHWDC")),
}
STRIDED = [LAYOUTS["1d"][2], LAYOUTS["2d_odd"][2]]


@pytest.mark.parametrize(
    ("image", "kernel", "spec"), LAYOUTS.values(), ids=LAYOUTS.keys()
)
def test_a_canonical_convolution_is_the_plain_one(image, kernel, spec):
    stride, dilation = (2, 2) if spec in STRIDED else (1, 1)

    def f(x, k):
        out = jax.lax.conv_general_dilated(
            x,
            k,
            [stride, 1, 1][: x.ndim - 2],
            "SAME",
            dimension_numbers=spec,
            rhs_dilation=[1, dilation, 1][: x.ndim - 2],
        )
        return jnp.sum(jnp.sin(out)), out

    check_convolution(f, wave(image), wave(kernel))


@pytest.mark.parametrize("groups", ["feature_group_count", "batch_group_count"])
def test_a_canonical_grouped_convolution_is_the_plain_one(groups):
    image, kernel = ((2, 6, 6, 4), (3, 3, 2, 6))
    if groups == "batch_group_count":
        image, kernel = (4, 6, 6, 2), (3, 3, 2, 6)
    spec = ("NHWC", "HWIO", "NHWC")

    def f(x, k):
        out = jax.lax.conv_general_dilated(
            x, k, (1, 1), "VALID", dimension_numbers=spec, **{groups: 2}
        )
        return jnp.sum(jnp.sin(out)), out

    check_convolution(f, wave(image), wave(kernel))


def wave(shape):
    return jnp.asarray(np.sin(np.arange(np.prod(shape)))).reshape(shape)


def check_convolution(f, image, kernel):
    """Value and gradient, of the function and of its gradient made canonical."""
    value_and_grad = jax.value_and_grad(f, argnums=(0, 1), has_aux=True)
    canonical, shape = _convolutions.canonical_convolutions(f, image, kernel)
    afterwards, _ = _convolutions.canonical_convolutions(value_and_grad, image, kernel)
    before = jax.value_and_grad(canonical, argnums=(0, 1), has_aux=True)
    every = jax.jit(
        lambda *args: [g(*args) for g in (value_and_grad, before, afterwards)]
    )
    expected, *others = every(image, kernel)
    assert shape[1].shape == expected[0][1].shape
    for actual in others:
        assert_close(actual, expected)
    eqns = jax.make_jaxpr(canonical)(image, kernel).jaxpr.eqns
    (choice,) = [e for e in eqns if "branches_platforms" in e.params]
    on_cpu, _ = choice.params["branches"]
    (layout,) = [
        e.params["dimension_numbers"] for e in on_cpu.eqns if "conv_general" in str(e)
    ]
    last = image.ndim - 1
    assert layout.lhs_spec == layout.out_spec == (0, last, *range(1, last))
    assert layout.rhs_spec == (last, last - 1, *range(last - 1))


def test_what_a_scan_carries_depends_on_what_it_carried_before():
    def step(carry, x):
        first, second = carry
        return (second, x), first

    closed = jax.make_jaxpr(lambda x: jax.lax.scan(step, (0.0, 0.0), x))(X)
    (eqn,) = closed.jaxpr.eqns
    assert _jaxpr.dependents(eqn, [False, False, True]) == [True] * 3
    assert _jaxpr.dependents(eqn, [True, False, False]) == [True, False, True]
    assert _jaxpr.dependents(eqn, [False] * 3) == [False] * 3

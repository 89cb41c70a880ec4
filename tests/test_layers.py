"""Cutting plain JAX programs: what is named, what the value is, what the head does."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from jax.ad_checkpoint import checkpoint_name

import jaxplain as jx

X = np.array([0.5, -1.0, 2.0])
W = np.array([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0], [0.3, -0.2, 0.7]])


def mlp(x, w=W, name="hidden"):
    hidden = jx.tap(jnp.tanh(w @ x), name)
    return jnp.sum(hidden**2 * (1.0 + x))


def shape(*dims, dtype=jnp.float64):
    return jax.ShapeDtypeStruct(dims, dtype)


# What is there.


def test_taps_are_listed_with_their_shapes_in_the_order_of_execution():
    def f(x):
        x = jx.tap(2 * x, "zeta")
        return jx.tap(jx.tap(x[:2], "alpha").sum(), "total")

    found = jx.taps(f, X)
    assert list(found.items()) == [
        ("zeta", shape(3)),
        ("alpha", shape(2)),
        ("total", shape()),
    ]


def test_taps_computes_nothing():
    def f(x):
        jax.debug.callback(lambda: pytest.fail("computed"))
        return jx.tap(x, "x").sum()

    assert jx.taps(f, X) == {"x": shape(3)}


def test_a_function_without_names_has_no_taps():
    assert jx.taps(jnp.sum, X) == {}


def test_a_function_of_any_output_can_be_listed_and_cut():
    f = lambda x: {"logits": jx.tap(x * 2, "double") + 1, "aux": (x, 1.5)}
    value, head = jx.cut(f, X, at="double")
    assert jax.tree.structure(head(value)) == jax.tree.structure(f(X))
    assert_close(head(value), f(X))


def test_checkpoint_name_is_a_tap():
    f = lambda x: jnp.sum(checkpoint_name(jnp.sin(x), "sine") ** 2)
    sine, head = jx.cut(f, X, at="sine")
    assert_close(sine, np.sin(X))
    assert_close(jax.grad(head)(sine), 2 * np.sin(X))


def test_tap_is_the_identity_under_every_transformation():
    f = lambda x: jx.tap(x**3, "cube")
    assert_close(f(X), X**3)
    assert_close(jax.jit(f)(X), X**3)
    assert_close(jax.vmap(f)(X), X**3)
    assert_close(jax.vmap(f, in_axes=1, out_axes=1)(W), W**3)
    assert_close(jax.jvp(f, (X,), (X,))[1], 3 * X**3)
    assert_close(jax.vjp(f, X)[1](X)[0], 3 * X**3)
    assert_close(jax.hessian(lambda x: f(x).sum())(X), np.diag(6 * X))
    assert_close(jax.linearize(f, X)[1](X), 3 * X**3)


def test_tap_returns_a_pytree_with_its_other_leaves_untouched():
    tree = {"a": jnp.ones(2), "b": ("text", 3, None, np.ones(1))}
    out = jx.tap(tree, "tree")
    assert jax.tree.structure(out) == jax.tree.structure(tree)
    assert out["b"][0] == "text"
    assert out["b"][1] == 3
    assert jx.taps(lambda x: jx.tap({"x": x, "s": "text"}, "t")["x"].sum(), X)


def test_a_tapped_pytree_is_cut_whole():
    def f(x):
        pair = jx.tap({"a": x, "b": (2 * x, x.sum())}, "pair")
        return jnp.sum(pair["a"] * pair["b"][0]) * pair["b"][1]

    value, head = jx.cut(f, X, at="pair")
    assert_close(value, {"a": X, "b": (2 * X, X.sum())})
    assert_close(head(value), f(X))
    assert_close(jax.grad(head)(value)["b"][1], 2 * (X**2).sum())


# What the head is.


def test_the_head_of_the_value_is_the_function():
    value, head = jx.cut(mlp, X, at="hidden")
    assert_close(value, np.tanh(W @ X))
    assert_close(head(value), mlp(X))


def test_the_head_keeps_what_goes_around_the_layer():
    _, head = jx.cut(mlp, X, at="hidden")
    assert_close(head(np.ones(3)), (1 + X).sum())


@pytest.mark.parametrize("mode", ["replace", "shift"])
def test_the_gradient_of_the_head_is_that_of_what_follows(mode):
    value, head = jx.cut(mlp, X, at="hidden", mode=mode)
    assert_close(jax.grad(head)(value), 2 * value * (1 + X))
    assert_close(head(value + 1), np.sum((np.tanh(W @ X) + 1) ** 2 * (1 + X)))


def test_the_head_casts_a_new_value_to_the_dtype_of_the_layer():
    f = lambda x: jx.tap(x, "x").sum()
    _, head = jx.cut(f, np.float32(X), at="x")
    assert head(X).dtype == jnp.float32


def convolutions(fn, *args):
    return str(jax.make_jaxpr(fn)(*args)).count("conv_general_dilated[")


def three_convolutions(image, kernels):
    conv = lambda x, k: jax.lax.conv_general_dilated(x, k, (1, 1), "SAME")
    first = conv(image, kernels[0])
    second = jx.tap(jax.nn.relu(conv(first, kernels[1])), "second")
    return conv(second, kernels[2]).sum() + first.sum()


def test_the_head_recomputes_only_what_follows():
    image, kernels = jnp.ones((1, 2, 5, 5)), jnp.ones((3, 2, 2, 3, 3))
    second, head = jx.cut(three_convolutions, image, kernels, at="second")
    assert convolutions(three_convolutions, image, kernels) == 3
    assert convolutions(head, second) == 1
    # One forward and one backward, of what follows alone.
    assert convolutions(jax.value_and_grad(head), second) == 2
    whole = lambda *args: jx.cut(three_convolutions, *args, at="second")[0]
    assert convolutions(whole, image, kernels) == 2


def test_a_layer_that_nothing_depends_on_has_a_constant_head():
    f = lambda x: (jx.tap(x, "unused"), jnp.sum(x))[1]
    value, head = jx.cut(f, X, at="unused")
    assert_close(head(value + 1), X.sum())
    assert_close(jax.grad(head)(value), np.zeros(3))


def test_a_layer_that_is_the_output_or_the_input_can_be_cut():
    f = lambda x: jx.tap(jnp.sum(jx.tap(x, "in")), "out")
    assert_close(jx.cut(f, X, at="out")[1](jnp.asarray(7.0)), 7.0)
    value, head = jx.cut(f, X, at="in")
    assert_close(value, X)
    assert_close(head(2 * X), 2 * X.sum())


def test_a_layer_that_is_a_constant_can_be_cut():
    f = lambda x: jnp.sum(jx.tap(jnp.arange(3.0), "positions") * x)
    value, head = jx.cut(f, X, at="positions")
    assert_close(value, np.arange(3.0))
    assert_close(jax.grad(head)(value), X)


# Calls.


def repeated(x):
    for _ in range(3):
        x = jx.tap(x**2, "square")
    return x.sum()


def test_a_name_used_three_times_gives_a_list():
    assert jx.taps(repeated, X) == {"square": [shape(3)] * 3}
    values, head = jx.cut(repeated, X, at="square")
    assert_close(values, [X**2, X**4, X**8])
    assert_close(head(values), repeated(X))


def test_in_replace_mode_later_calls_do_not_feel_earlier_ones():
    values, head = jx.cut(repeated, X, at="square")
    first, second, third = jax.grad(head)(values)
    assert not first.any()
    assert not second.any()
    assert_close(third, np.ones(3))


def test_in_shift_mode_the_gradient_runs_through_all_calls():
    values, head = jx.cut(repeated, X, at="square", mode="shift")
    assert_close(head(values), repeated(X))
    first, second, third = jax.grad(head)(values)
    assert_close(first, 4 * X**6)
    assert_close(second, 2 * X**4)
    assert_close(third, np.ones(3))


@pytest.mark.parametrize(
    ("at", "power"),
    [("square@0", 2), ("square@1", 4), ("square@2", 8), ("square@-1", 8)],
)
@pytest.mark.parametrize("mode", ["replace", "shift"])
def test_a_number_after_the_name_picks_one_call(at, power, mode):
    value, head = jx.cut(repeated, X, at=at, mode=mode)
    assert_close(value, X**power)
    assert_close(head(value), repeated(X))
    assert_close(head(np.full(3, 2.0)), 3 * 2.0 ** (8 / power))
    assert_close(jax.grad(head)(value), (8 / power) * X ** (8 - power))


def test_the_end_of_a_path_will_do_if_it_is_the_only_one():
    f = lambda x: jx.tap(jx.tap(x, "a/b/conv") * 2, "a/c/norm").sum()
    assert_close(jx.cut(f, X, at="conv")[0], X)
    assert_close(jx.cut(f, X, at="c/norm")[0], 2 * X)


def test_the_end_of_a_path_begins_at_a_slash():
    f = lambda x: jx.tap(jx.tap(x, "a/preconv") * 2, "b/conv").sum()
    assert_close(jx.cut(f, X, at="conv")[0], 2 * X)


def test_a_full_name_wins_over_the_end_of_another_path():
    f = lambda x: jx.tap(jx.tap(x, "a/conv") * 2, "conv").sum()
    assert_close(jx.cut(f, X, at="conv")[0], 2 * X)


# Arguments.


def test_python_numbers_stay_numbers_and_arrays_are_traced():
    seen = []

    def f(x, depth, flag, mode, label):
        seen.append((depth, flag, mode, isinstance(label, jax.core.Tracer)))
        for _ in range(depth):
            x = jx.tap(x, "x") * 2
        return x[label] if flag and mode == "eval" else x.sum()

    value, head = jx.cut(f, X, 2, True, "eval", jnp.array(1), at="x@0")
    assert seen == [(2, True, "eval", True)]
    assert_close(head(value), 4 * X[1])


def test_a_label_of_a_batch_stays_traced_in_the_head():
    f = lambda x, label: (jx.tap(x, "x") * 2)[label]

    def gradient(label):
        value, head = jx.cut(f, X, label, at="x")
        return jax.grad(head)(value)

    assert_close(jax.vmap(gradient)(jnp.arange(3)), 2 * np.eye(3))


def test_keywords_and_pytrees_reach_the_function():
    f = lambda x, params, *, scale: scale * jnp.sum(jx.tap(params["w"] @ x["a"], "h"))
    value, head = jx.cut(
        functools.partial(f, scale=3.0), {"a": X}, {"w": W, "unused": None}, at="h"
    )
    assert_close(value, W @ X)
    assert_close(jax.grad(head)(value), np.full(3, 3.0))


@pytest.mark.parametrize("mode", ["replace", "shift"])
def test_the_function_is_traced_once(mode):
    traces = []

    def f(x):
        traces.append("traced")
        return mlp(x)

    jx.taps(f, X)
    assert len(traces) == 1
    value, head = jx.cut(f, X, at="hidden", mode=mode)
    jax.grad(head)(value), head(value)
    assert len(traces) == 2

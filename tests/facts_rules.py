"""Deconvolution, DeepLIFT and LRP: each fact as a user would ask for it."""

import jax
import jax.numpy as jnp
from tiny_models import multi_input, one_conv, relu, relu_deeplift, simple_lrp

import jaxplain as jx

deep_lift, lrp = jx.rules.deep_lift, jx.rules.lrp
tiny = jx.rules.epsilon(1e-9)  # as at the source
x3 = jnp.array([1.0, 2.0, 3.0])


def deconvolution():
    image = jnp.arange(16.0).reshape(4, 4)
    return jx.saliency(jx.rules.deconvolution(lambda x: one_conv(x)[0]))(image)


# RL, with a name for what enters its ReLUs.


def relu_linear(x):
    first = jnp.array([3.0, 1.0, 0.0]) @ x[0]
    second = jnp.array([2.0, 3.0, 0.0]) @ x[1]
    return relu(jx.tap(jnp.stack([first, second]), "sums")).sum()


def layer_deep_lift():
    x = jnp.array([[-10.0, 1.0, -5.0], [3.0, 3.0, 1.0]])
    start, _ = jx.cut(relu_linear, 0.0 * x, at="sums")
    value, head = jx.cut(relu_linear, x, at="sums")
    return deep_lift(head)(value, baseline=start)


# LP, with another first weight and with names.

FIRST = jnp.full((3, 3), 2.0).at[0, 0].set(-2.0)


def named_lrp(x):
    with jax.named_scope("first"):
        hidden = jx.tap(FIRST @ x, "hidden")
    with jax.named_scope("last"):
        return jnp.full(3, 3.0) @ relu(hidden)


def identity_rule_of_the_first_layer():
    value, head = jx.cut(named_lrp, x3, at="hidden")
    return lrp(head, tiny)(value)


def tanh_lrp(x):
    return jnp.full(3, 0.1) @ jnp.tanh(jnp.full((3, 3), 0.1) @ x)


# One linear layer of zennit, whose relevance is its output.

W = jnp.array([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]])


def zennit(rule):
    f = lambda x: jnp.sum(W @ x + jnp.array([0.5, -1.0]))
    return lambda: lrp(f, rule)(jnp.array([1.0, 2.0, -3.0]))


rules = jx.rules
RECIPES = {
    "DEC-1": deconvolution,
    "DL-1": lambda: deep_lift(relu_deeplift)(jnp.array([1.0, 2.0]), baseline=0.0),
    "DL-2": lambda: rules.multipliers(relu_deeplift)(
        jnp.array([1.0, 2.0]), baseline=0.0
    ),
    "DL-4": layer_deep_lift,
    "LRP-1": lambda: lrp(simple_lrp, tiny)(x3),
    "LRP-2": lambda: lrp(
        named_lrp, {"first": rules.gamma(1.0), "last": rules.gamma(0.25)}
    )(x3),
    "LRP-4": identity_rule_of_the_first_layer,
    "LRP-5": lambda: lrp(tanh_lrp, tiny)(x3),
    "LRP-7": lambda: lrp(lambda xs: multi_input(xs, 1.0)[0], tiny)((x3, 3 * x3))[0],
    "O-LRP-Epsilon": zennit(rules.epsilon(1e-6)),
    "O-LRP-Epsilon.5": zennit(rules.epsilon(0.5)),
    "O-LRP-ZPlus": zennit(rules.zplus()),
    "O-LRP-AlphaBeta21": zennit(rules.alphabeta(2.0, 1.0)),
    "O-LRP-WSquare": zennit(rules.wsquare()),
    "O-LRP-Flat": zennit(rules.flat()),
}

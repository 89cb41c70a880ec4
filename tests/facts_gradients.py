"""Gradients, paths and layers: each fact as a user would ask for it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from tiny_models import (
    b1,
    b2,
    multi_input,
    multi_layer,
    multi_layer_multidim,
    multi_layer_of_two,
)

import jaxplain as jx
from jaxplain.metrics._sensitivity import relative_change

IG = partial(jx.integrated_gradients, steps=50)  # as many nodes as at the source:
IG500 = partial(jx.integrated_gradients, steps=500)  # kinks keep a trace of them


def f(x):
    return multi_layer(x)[0]


def of_many(xs, *args):
    return multi_input(xs, *args)[0]


# Methods that are a few lines on top of `cut`.


def neuron(f, at, pick):
    """A neuron is a function of the input, to explain with any explainer."""
    return lambda x, *args: pick(jx.cut(f, x, *args, at=at)[0])


def layer_gradient_x_activation(f, at):
    def explain(x, *args):
        value, head = jx.cut(f, x, *args, at=at)
        return jx.input_x_gradient(head)(value)

    return explain


def layer_integrated_gradients(f, at):
    def explain(x, *args, baseline):
        start, _ = jx.cut(f, baseline, *args, at=at)
        value, head = jx.cut(f, x, *args, at=at)
        return IG(head)(value, baseline=start)

    return explain


def along_path(fn, x, baseline, steps=500):
    """The mean of `fn(point, x - baseline)` over the straight line."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    delta = jax.tree.map(jnp.subtract, x, baseline)

    def at_node(t):
        point = jax.tree.map(lambda b, d: b + t * d, baseline, delta)
        return fn(point, delta)

    values = jax.vmap(at_node)(jnp.asarray((nodes + 1) / 2))
    return jax.tree.map(lambda v: jnp.tensordot(weights / 2, v, 1), values)


def internal_influence(f, at):
    def influence(point, _, *args):
        value, head = jx.cut(f, point, *args, at=at)
        return jx.saliency(head)(value)

    return lambda x, *args, baseline: along_path(
        lambda p, d: influence(p, d, *args), x, baseline
    )


def conductance(f, at):
    def flow(point, delta, *args):
        value, head = jx.cut(f, point, *args, at=at)
        layer = lambda x: jx.cut(f, x, *args, at=at)[0]
        _, moved = jax.jvp(layer, (point,), (delta,))
        return jx.saliency(head)(value) * moved

    return lambda x, *args, baseline: along_path(
        lambda p, d: flow(p, d, *args), x, baseline
    )


def neuron_conductance(f, at, pick):
    def flow(point, delta):
        value, head = jx.cut(f, point, at=at)
        at_neuron = pick(jx.saliency(head)(value))
        return delta * jx.saliency(neuron(f, at, pick))(point) * at_neuron

    return lambda x, baseline: along_path(flow, x, baseline)


# The facts.


def sensitivity(explain):
    """How far an explanation moves, by its own length, for one step of the input."""
    x, step = jnp.array([1.0, 2.5, 3.3]), jnp.array([0.5, -0.25, 1.0])
    here, there = explain(x), explain(x + step)
    return relative_change(here, there)[None]


def inf_1():
    rows, ones = jnp.arange(1.0, 13.0).reshape(4, 3), jnp.ones(3)
    pick = lambda x, add, c: multi_layer_multidim(x, add)[c, 1, 1]

    all_gone = jx.metrics.to_baseline(1.0)
    measure = jx.metrics.infidelity(pick, draw=all_gone, num_samples=1)

    def judged(x, c):
        refs = {"attribution": IG(pick)(x, x, c, baseline=ones), "baseline": ones}
        return measure(x, x, c, key=jax.random.key(0), **refs)

    return jax.vmap(judged)(rows, jnp.array([0, 0, 1, 0]))[None]


def o_inf_sal():
    x = jnp.array([1.0, 2.5, 3.3])
    rows = jnp.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])

    def draw(x, key):
        step = jax.random.choice(key, rows) * x
        return jx.metrics.Perturbed(x - step, step)

    gradient = jx.saliency(f)(x)
    found = {"attr": gradient}
    for name, normalise in [("infid", False), ("infid_norm", True)]:
        measure = jx.metrics.infidelity(f, draw=draw, normalise=normalise)
        found[name] = measure(x, attribution=gradient, key=jax.random.key(0))
    return found


def cond_5():
    layer = jax.vmap(partial(conductance(of_many, "relu"), baseline=(zero, zero)))
    first = jnp.array([[0.0, 10.0, 1.0], [0.0, 0.0, 10.0]])
    second = jnp.array([[0.0, 4.0, 5.0], [0.0, 0.0, 10.0]])
    fixed = jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    return layer((first, second), fixed, jnp.array([5.0, 5.0]))


def ng_1():
    x = jnp.array([0.0, 100.0, 0.0])
    one = jx.saliency(neuron(f, "linear2", lambda h: h[0]))(x)
    many = jx.saliency(neuron(of_many, "linear2", lambda h: h[0]))((x, x), 3.0)
    return jnp.stack([one, many[0]])


def cube(x):
    return (x**3).sum()


def quadrature(f, rule, steps):
    one = jnp.ones((1, 1))
    return lambda: jx.integrated_gradients(f, steps=steps, rule=rule)(one, baseline=0.0)


zero, x100 = jnp.zeros(3), jnp.array([0.0, 100.0, 0.0])
x_11 = tuple(jnp.array([0.0, y, 0.0]) for y in (10.0, 10.0, 5.0))
line = lambda x: 3.0 * x.sum()
five = lambda x: 5.0 * x[0] + x[1] ** 2 + jnp.sin(x[2])

RECIPES = {
    "GIG-1": lambda: jx.paths.guided_ig(lambda x: 2.0 * x[0] + x[1])(
        jnp.array([10.0, 5.0]), baseline=jnp.array([-1.0, -3.0])
    )[None],
    "GIG-2": lambda: jx.paths.guided_ig(lambda x: 2.0 * x[0] ** 2 + x[1] ** 2)(
        jnp.array([3.0, 3.0]), baseline=0.0
    )[None],
    "IG-1": lambda: IG(b2)(jnp.array([3.0, 1.0]), baseline=0.0),
    "IG-2": lambda: IG(b2)(jnp.array([3.0, 1.0]), baseline=0.0) / jnp.array([3.0, 1.0]),
    "IG-4": lambda: IG(b1)(jnp.ones(()), baseline=0.0)[None],
    "IG-5": lambda: IG(five)(
        jnp.array([1.0, 2.0, 3.0]), baseline=jnp.array([0.5, 1.0, 1.0])
    ),
    "IG-7": lambda: (
        IG500(neuron(f, "linear2", lambda h: h[0]))(jnp.full(3, 100.0), baseline=0.0)
        / 100
    ),
    "IG-8": lambda: IG(neuron(f, "relu", lambda h: h[0]))(
        jnp.array([0.0, 6.0, 14.0]), baseline=0.0
    ),
    "IG-10": lambda: IG(neuron(f, "relu", lambda h: h[2:].sum()))(
        jnp.array([0.0, 5.0, 4.0]), baseline=0.0
    ),
    "IG-11": lambda: jnp.stack(
        IG500(neuron(of_many, "linear2", lambda h: h[0]))(x_11, 4.0, baseline=0.0)
    ),
    "INF-1": inf_1,
    "COND-1": lambda: conductance(f, "linear0")(x100, baseline=zero),
    "COND-2": lambda: conductance(f, "linear1")(x100, baseline=zero),
    "COND-4": lambda: conductance(f, "linear2")(x100, baseline=zero),
    "COND-5": cond_5,
    "II-1": lambda: internal_influence(f, "linear0")(x100, baseline=zero),
    "II-2": lambda: internal_influence(f, "linear1")(x100, baseline=zero),
    "II-4": lambda: internal_influence(f, "linear1")(
        jnp.array([30.0, 30.0, 0.0]), baseline=jnp.array([-20.0, -20.0, 0.0])
    ),
    "NC-1": lambda: neuron_conductance(f, "linear1", lambda h: h[0])(x100, zero),
    "NC-2": lambda: neuron_conductance(f, "relu", lambda h: h[3])(
        jnp.array([0.0, 70.0, 30.0]), zero
    ),
    "LIG-1": lambda: layer_integrated_gradients(
        lambda x: multi_layer_of_two(x)[0], "multi_relu"
    )(x100, baseline=zero)[1],
    "LGXA-1": lambda: layer_gradient_x_activation(f, "linear0")(x100),
    "LGXA-2": lambda: layer_gradient_x_activation(f, "linear1")(x100),
    "NG-1": ng_1,
    "SAL-1": lambda: jx.saliency(lambda x: b1(x).sum())(
        jnp.array([1.0, 2.0, 3.0, 0.0, -1.0, 7.0])
    ),
    "O-INF-sal": o_inf_sal,
    "O-SENS-ixg": lambda: sensitivity(jx.input_x_gradient(f)),
    "O-SENS-ig": lambda: sensitivity(partial(IG(f), baseline=0.0)),
    "O-PAIR-IG": lambda: jx.integrated_gradients(cube, steps=25)(
        jnp.array([1.0, 2.0]), baseline=0.0
    ),
    "O-QUAD-riemann_left-50": quadrature(line, "riemann_left", 50),
    "O-QUAD-riemann_right-5": quadrature(line, "riemann_right", 5),
    "O-QUAD-riemann_middle-5": quadrature(line, "riemann_middle", 5),
    "O-QUAD-riemann_middle-50": quadrature(line, "riemann_middle", 50),
    "O-QUAD-riemann_trapezoid-50": quadrature(line, "trapezoid", 50),
    "O-QUAD-gausslegendre-5": quadrature(line, "gauss_legendre", 5),
    "O-QUAD3-riemann_left-5": quadrature(cube, "riemann_left", 5),
    "O-QUAD3-riemann_right-5": quadrature(cube, "riemann_right", 5),
    "O-QUAD3-riemann_trapezoid-5": quadrature(cube, "trapezoid", 5),
    "O-QUAD3-gausslegendre-5": quadrature(cube, "gauss_legendre", 5),
}

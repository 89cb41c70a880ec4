"""What users see in their editor, held by pyright: `tests/test_typing.py` runs it.

A line that must be an error carries an ignore of that very error, and an ignore that
nothing needs is an error itself. Nothing here is run.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, assert_type

import jax
import jax.numpy as jnp
from jax import Array

import jaxplain as jx

x = jnp.ones(3)
label = jnp.array(1)
key = jax.random.key(0)
groups, num_groups = jx.groups.patches((4, 4), size=2)


class Inputs(NamedTuple):
    image: Array
    table: Array


pair = Inputs(x, x)


def f(x: Array, params: dict[str, Array], label: Array) -> Array:
    return (params["w"] @ x)[label]


def of_pair(x: Inputs) -> Array:
    return x.image.sum() + x.table.sum()


params = {"w": jnp.ones((2, 3))}

# An explainer takes the arguments of `f`, and returns what `x` is.

assert_type(jx.saliency(f)(x, params, label), Array)
assert_type(jx.input_x_gradient(of_pair)(pair), Inputs)

jx.saliency(f)(x, params)  # pyright: ignore[reportCallIssue]
jx.saliency(f)(x)  # pyright: ignore[reportCallIssue]
jx.saliency(f)(x, params, label, label)  # pyright: ignore[reportCallIssue]
jx.saliency(f)(x, label, params)  # pyright: ignore[reportArgumentType]
jx.saliency(f)(x, params, label, baseline=0.0)  # pyright: ignore[reportCallIssue]
jx.saliency(of_pair)(x)  # pyright: ignore[reportArgumentType]
jx.saliency(3)  # pyright: ignore[reportArgumentType]

# A function without annotations has its arguments counted all the same.


def unannotated(x, label):
    return x[label]


class Model:
    def __call__(self, x: Array) -> Array:
        return x.sum()


jx.saliency(unannotated)(x, label)
jx.saliency(unannotated)(x)  # pyright: ignore[reportCallIssue]
assert_type(jx.saliency(Model())(x), Array)
assert_type(jx.saliency(Model().__call__)(x), Array)

# A baseline is a keyword, and required.

ig = jx.integrated_gradients(f, steps=8, rule="trapezoid", chunk_size=4)
assert_type(ig(x, params, label, baseline=0.0), Array)
assert_type(ig(x, params, label, baseline=x), Array)
assert_type(jx.integrated_gradients(of_pair)(pair, baseline=pair), Inputs)
assert_type(jx.integrated_gradients(of_pair)(pair, baseline=0.0), Inputs)

ig(x, params, label)  # pyright: ignore[reportCallIssue]
ig(x, params, label, 0.0)  # pyright: ignore[reportCallIssue]
ig(x, params, label, basline=0.0)  # pyright: ignore[reportCallIssue]
ig(x, params, label, baseline=0.0, key=key)  # pyright: ignore[reportCallIssue]
ig(x, params, label, baseline="zero")  # pyright: ignore[reportArgumentType]

# So are the options of a transform.

jx.integrated_gradients(f, 8)  # pyright: ignore[reportCallIssue]
jx.integrated_gradients(f, step=8)  # pyright: ignore[reportCallIssue]
jx.integrated_gradients(f, steps=8.0)  # pyright: ignore[reportArgumentType]
jx.integrated_gradients(f, rule="trapezod")  # pyright: ignore[reportArgumentType]
jx.lime(f, kernel_width=0.25)  # pyright: ignore[reportCallIssue]
jx.kernel_shap(f, num_samples="many")  # pyright: ignore[reportArgumentType]
jx.smooth(ig)  # pyright: ignore[reportCallIssue]
jx.monte_carlo(ig)  # pyright: ignore[reportCallIssue]
jx.grad_cam(f)  # pyright: ignore[reportCallIssue]
jx.grad_cam(f, at=3)  # pyright: ignore[reportArgumentType]
jx.metrics.deletion(f, step=8)  # pyright: ignore[reportCallIssue]

# With groups the answer is a vector, whatever `x` is.

occlude = jx.occlusion(of_pair, num_groups=4)
assert_type(occlude(pair, baseline=0.0, groups=groups), Array)
assert_type(jx.occlusion(of_pair)(pair, baseline=0.0), Inputs)
occlude(pair, groups=groups)  # pyright: ignore[reportCallIssue]

shap = jx.kernel_shap(of_pair, num_groups=4)
assert_type(shap(pair, baseline=0.0, key=key, groups=groups), Array)
assert_type(jx.kernel_shap(of_pair)(pair, baseline=0.0, key=key), Inputs)
shap(pair, baseline=0.0, groups=groups)  # pyright: ignore[reportCallIssue]
shap(pair, key=key, groups=groups)  # pyright: ignore[reportCallIssue]
jx.lime(f)(x, params, baseline=0.0, key=key)  # pyright: ignore[reportCallIssue]
assert_type(jx.lime(f)(x, params, label, baseline=0.0, key=key), Array)

fit = jx.surrogate(of_pair)(pair, baseline=0.0, key=key)
assert_type(fit, jx.Surrogate[Inputs])
assert_type(fit.weights, Inputs)
assert_type(fit.r2.shape, tuple[int, ...])
by_group = jx.surrogate(of_pair, num_groups=4)(
    pair, baseline=0.0, key=key, groups=groups
)
assert_type(by_group.weights, Array)
print(fit.weight)  # pyright: ignore[reportAttributeAccessIssue]

# Combinators return what they average, and say which keyword they add.

saliency = jx.saliency(of_pair)
assert_type(jx.smooth(saliency, std=0.1)(pair, key=key), Inputs)
assert_type(jx.expected(ig)(x, params, label, baseline=jnp.ones((4, 3))), Array)
both = jx.smooth(jx.expected(ig), std=0.1)
assert_type(both(x, params, label, baseline=jnp.ones((4, 3)), key=key), Array)
jx.smooth(ig, std=0.1)(x, params, label, baseline=0.0)  # pyright: ignore[reportCallIssue]
jx.expected(ig)(x, params, label)  # pyright: ignore[reportCallIssue]


def rise(x: Array, *, key: Array) -> Array:
    return jax.random.normal(key, x.shape)


assert_type(jx.monte_carlo(rise, num_samples=4)(x, key=key), Array)
jx.monte_carlo(rise, num_samples=4)(x)  # pyright: ignore[reportCallIssue]

# Layers, games, rules.

value, head = jx.cut(f, x, params, label, at="features")
assert_type(head, Callable[[Any], Array])
jx.saliency(head)(value)
jx.cut(f, x, params, at="features")  # pyright: ignore[reportArgumentType]
jx.cut(f, x, params, label)  # pyright: ignore[reportCallIssue]
jx.cut(f, x, params, label, at="a", mode="add")  # pyright: ignore[reportArgumentType]
assert_type(jx.tap(pair, "pair"), Inputs)
assert_type(jx.grad_cam(f, at="features")(x, params, label), Array)
jx.grad_cam(f, at="features")(x, params)  # pyright: ignore[reportCallIssue]

v = jx.game(f, x, params, label, baseline=0.0)
jx.integrated_gradients(v)(jnp.ones(3), baseline=0.0)
jx.game(f, x, params, label, basline=0.0)  # pyright: ignore[reportCallIssue]

guided = jx.rules.guided(f)
assert_type(jx.saliency(guided)(x, params, label), Array)
jx.saliency(guided)(x, params)  # pyright: ignore[reportCallIssue]

# Metrics.

gap = jx.metrics.completeness_gap(f)(x, params, label, attribution=x, baseline=0.0)
assert_type(gap.shape, tuple[int, ...])
curve = jx.metrics.deletion(f)(x, params, label, attribution=x, baseline=0.0)
assert_type(curve, jx.metrics.Curve)
jx.metrics.deletion(f)(x, params, label, attribution=x)  # pyright: ignore[reportCallIssue]
jx.metrics.completeness_gap(f)(x, params, label, baseline=0.0)  # pyright: ignore[reportCallIssue]

# What JAX does to an explainer.

partial(ig, baseline=0.0)
batch = jax.jit(jax.vmap(partial(ig, baseline=0.0), in_axes=(0, None, 0)))
jax.grad(lambda x: ig(x, params, label, baseline=0.0).sum())(x)

# Functions whose arguments cannot be counted.

jx.saliency(lambda x: x.sum())(x)
jx.saliency(jax.jit(f))(x, params, label)
jx.saliency(partial(f, label=label))(x, params)

"""A cut costs nothing: it compiles to what a model split by hand compiles to."""

import collections
import re

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close

import jaxplain as jx

IMAGE = jnp.asarray(np.sin(np.arange(108.0)).reshape(6, 6, 3), jnp.float32)
VALUES = jnp.stack([jnp.full((6, 6, 4), v, jnp.float32) for v in (1.0, 2.0, 3.0)])


class Linen(nn.Module):
    def setup(self):
        self.stem, self.skip = nn.Conv(4, (3, 3)), nn.Conv(4, (3, 3))
        self.features, self.logits = nn.Conv(4, (3, 3)), nn.Dense(2)

    def before(self, x):
        x = nn.relu(self.stem(x))
        return self.features(x), self.skip(x)

    def after(self, features, skip):
        return self.logits(nn.relu(features + skip).mean((0, 1)))[0]

    def __call__(self, x):
        return self.after(*self.before(x))


class NNX(nnx.Module):
    def __init__(self):
        conv = lambda width: nnx.Conv(width, 4, (3, 3), rngs=nnx.Rngs(0))
        self.stem, self.skip, self.features = conv(3), conv(4), conv(4)
        self.logits = nnx.Linear(4, 2, rngs=nnx.Rngs(0))

    def before(self, x):
        x = nnx.relu(self.stem(x))
        return self.features(x), self.skip(x)

    def after(self, features, skip):
        return self.logits(nnx.relu(features + skip).mean((0, 1)))[0]

    def __call__(self, x):
        return self.after(*self.before(x))


def linen():
    """A model, its parameters, and its two halves, all as functions of both."""
    model = Linen()
    shapes = jax.eval_shape(model.init, jax.random.key(0), IMAGE)
    parameters = jax.tree.map(lambda s: jnp.full(s.shape, 0.1, s.dtype), shapes)
    apply = lambda method: lambda p, *args: model.apply(p, *args, method=method)
    return parameters, apply("__call__"), apply("before"), apply("after")


def of_nnx():
    definition, parameters = nnx.split(NNX())
    merged = lambda method: (
        lambda p, *args: getattr(nnx.merge(definition, p), method)(*args)
    )
    return parameters, merged("__call__"), merged("before"), merged("after")


@pytest.fixture(scope="module", params=[linen, of_nnx], ids=["linen", "nnx"])
def model(request):
    return request.param()


def compiled(fn, *args):
    return jax.jit(fn).lower(*args).compile()


def operations(program):
    """How often each operation, with its shape, is in the optimised program."""
    found = re.findall(r"= (\S+?\[[\d,]*\])\S* ([\w-]+)\(", program.as_text())
    assert len(found) > 10  # the pattern does find operations
    return collections.Counter(found)


def cost(program):
    analysis = program.cost_analysis()
    return analysis["flops"], analysis["bytes accessed"]


def flops(fn, *args):
    return cost(compiled(fn, *args))[0]


def by_name(call):
    return lambda x, p: jx.cut(lambda x, p: call(p, x), x, p, at="features")


def test_a_cut_and_its_head_compile_to_the_model(model):
    parameters, call, _, _ = model

    def both(x, p):
        features, head = by_name(call)(x, p)
        return head(features)

    ours = compiled(both, IMAGE, parameters)
    whole = compiled(lambda x, p: call(p, x), IMAGE, parameters)
    assert operations(ours) == operations(whole)
    assert cost(ours) == cost(whole)


def test_a_gradient_at_a_layer_compiles_to_that_of_a_model_split_by_hand(model):
    parameters, call, before, after = model

    def ours(x, p):
        features, head = by_name(call)(x, p)
        return features, jax.value_and_grad(head)(features)

    def by_hand(x, p):
        features, skip = before(p, x)
        return features, jax.value_and_grad(lambda f: after(p, f, skip))(features)

    programs = [compiled(fn, IMAGE, parameters) for fn in (ours, by_hand)]
    assert operations(programs[0]) == operations(programs[1])
    assert cost(programs[0]) == cost(programs[1])
    for mine, theirs in zip(*(fn(IMAGE, parameters)[:1] for fn in (ours, by_hand))):
        assert_close(mine, theirs)


def test_a_head_alone_costs_what_follows_the_layer(model):
    parameters, call, before, after = model
    features, head = by_name(call)(IMAGE, parameters)
    _, skip = before(parameters, IMAGE)
    assert flops(head, features) == flops(
        lambda f: after(parameters, f, skip), features
    )


def test_many_calls_of_a_head_run_what_comes_before_once(model):
    parameters, call, before, after = model

    def ours(x, p):
        _, head = by_name(call)(x, p)
        return jnp.stack([head(value) for value in VALUES])

    def by_hand(x, p):
        _, skip = before(p, x)
        return jnp.stack([after(p, value, skip) for value in VALUES])

    cheap = flops(ours, IMAGE, parameters)
    assert cheap == flops(by_hand, IMAGE, parameters)
    assert cheap < 1.2 * flops(lambda x, p: call(p, x), IMAGE, parameters)


def test_a_loop_over_a_head_holds_only_what_follows_the_layer(model):
    parameters, call, _, _ = model
    _, head = by_name(call)(IMAGE, parameters)
    (loop,) = jax.make_jaxpr(lambda xs: jax.lax.map(head, xs))(VALUES).jaxpr.eqns
    assert "dot_general" in str(loop)
    assert "conv_general_dilated" not in str(loop)

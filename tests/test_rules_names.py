"""Rules by the names of layers: which rule a layer gets, in every framework."""

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

import jaxplain as jx

rules = jx.rules
RNG = np.random.default_rng(40)  # each layer has ReLUs on, and the score is positive
X = RNG.normal(size=3)
KERNELS = RNG.normal(size=(4, 3, 3))
BIASES = 0.3 * RNG.normal(size=(4, 3))
OUT = 1
SLOW = {
    "epsilon": partial(oracle.epsilon, epsilon=1e-6),  # the default
    "gamma": partial(oracle.gamma, gamma=0.25),
    "alphabeta": partial(oracle.alphabeta, alpha=2.0, beta=1.0),
    "wsquare": oracle.wsquare,
    "zplus": oracle.zplus,
}
OURS = {
    "gamma": rules.gamma(),
    "alphabeta": rules.alphabeta(),
    "wsquare": rules.wsquare(),
    "zplus": rules.zplus(),
}
SCALES = np.array([1.5, -0.5, 2.0])
WIDE = {"param_dtype": jnp.float64}

# Four dense layers with ReLUs in between: two blocks of two.


class Block(nn.Module):
    """Two layers and their ReLUs."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(3, **WIDE)(x))
        return nn.relu(nn.Dense(3, **WIDE)(x))


class Linen(nn.Module):
    """Blocks named by flax: `Block_0/Dense_0` to `Block_1/Dense_1`."""

    @nn.compact
    def __call__(self, x):
        x = Block()(x)
        return Block()(x)[OUT]


def linen(x):
    dense = lambda k: {
        "kernel": jnp.asarray(KERNELS[k]),
        "bias": jnp.asarray(BIASES[k]),
    }
    block = lambda k: {"Dense_0": dense(k), "Dense_1": dense(k + 1)}
    params = {"Block_0": block(0), "Block_1": block(2)}
    return Linen().apply({"params": params}, x)


class NNXBlock(nnx.Module):
    """Two layers and their ReLUs."""

    def __init__(self, first, rngs):
        self.Dense_0 = nnx.Linear(3, 3, rngs=rngs, **WIDE)
        self.Dense_1 = nnx.Linear(3, 3, rngs=rngs, **WIDE)
        for k, layer in enumerate((self.Dense_0, self.Dense_1), start=first):
            layer.kernel.set_value(jnp.asarray(KERNELS[k]))
            layer.bias.set_value(jnp.asarray(BIASES[k]))

    def __call__(self, x):
        return nnx.relu(self.Dense_1(nnx.relu(self.Dense_0(x))))


class NNX(nnx.Module):
    """Blocks named by their attributes, as flax names those of linen."""

    def __init__(self, rngs):
        self.Block_0 = NNXBlock(0, rngs)
        self.Block_1 = NNXBlock(2, rngs)

    def __call__(self, x):
        return self.Block_1(self.Block_0(x))[OUT]


def plain(x):
    for k in range(4):
        with jax.named_scope(f"Block_{k // 2}"), jax.named_scope(f"Dense_{k % 2}"):
            x = jax.nn.relu(x @ KERNELS[k] + BIASES[k])
    return x[OUT]


FRAMEWORKS = {
    "linen": lambda: linen,
    "nnx": functools.cache(lambda: NNX(nnx.Rngs(0))),
    "named_scope": lambda: plain,
    "jit": lambda: jax.jit(plain),
    "checkpoint": lambda: jax.checkpoint(plain),
}
each_framework = pytest.mark.parametrize("framework", FRAMEWORKS)


COMPOSITES = {
    "the layer's path": (
        {"Block_0/Dense_1": "gamma"},
        ["epsilon", "gamma", "epsilon", "epsilon"],
    ),
    "the last part of the path": (
        {"Dense_0": "gamma", "Dense_1": "alphabeta"},
        ["gamma", "alphabeta", "gamma", "alphabeta"],
    ),
    "a block": (
        {"Block_1": "wsquare"},
        ["epsilon", "epsilon", "wsquare", "wsquare"],
    ),
    "a glob": ({"Dense_*": "zplus"}, ["zplus"] * 4),
    "a glob of paths": (
        {"Block_?/Dense_1": "zplus"},
        ["epsilon", "zplus", "epsilon", "zplus"],
    ),
    "the first pattern that matches": (
        {"Block_0/Dense_0": "wsquare", "Block_0": "gamma", "*": "alphabeta"},
        ["wsquare", "gamma", "alphabeta", "alphabeta"],
    ),
    "the order of the dict": (
        {"Block_0": "gamma", "Dense_0": "wsquare"},
        ["gamma", "gamma", "wsquare", "epsilon"],
    ),
    "one rule": ("gamma", ["gamma"] * 4),
}


@functools.cache
def by_every_composite(framework):
    f = FRAMEWORKS[framework]()

    def ours(table):
        if isinstance(table, str):
            return OURS[table]
        return {pattern: OURS[rule] for pattern, rule in table.items()}

    every = {name: rules.lrp(f, ours(table)) for name, (table, _) in COMPOSITES.items()}
    return quick_jit(lambda x: {name: lrp(x) for name, lrp in every.items()})(X)


@pytest.mark.parametrize("composite", COMPOSITES)
@each_framework
def test_a_layer_gets_the_rule_of_its_name(framework, composite):
    _, expected = COMPOSITES[composite]
    layers = [oracle.dense(w, b) for w, b in zip(KERNELS, BIASES, strict=True)]
    swept = oracle.lrp_network(layers, [SLOW[name] for name in expected], X, OUT)
    assert abs(swept).max() > 0.1  # the last ReLU is on, and passes relevance on
    assert_close(by_every_composite(framework)[composite], swept, tol=1e-8)


def explained(f, by_name):
    return quick_jit(rules.lrp(f, by_name))(X)


def refused(f, by_name):
    """The message of the error, which is raised while `f` is traced."""
    with pytest.raises(ValueError, match="matches no") as raised:
        jax.eval_shape(rules.lrp(f, by_name), X)
    return str(raised.value)


def test_layers_are_named_as_taps_list_them():
    layers = [name for name in jx.taps(linen, X) if "Dense" in name]
    assert len(layers) == 4
    alone = [explained(linen, {name: rules.wsquare()}) for name in layers]
    assert len({tuple(map(float, phi)) for phi in alone}) == 4


@each_framework
def test_a_pattern_that_matches_nothing_is_an_error_that_lists_the_layers(framework):
    f = FRAMEWORKS[framework]()
    message = refused(f, {"Dense_0": rules.gamma(), "Conv_*": rules.zplus()})
    assert "'Conv_*'" in message
    for k in range(4):
        assert f"Block_{k // 2}/Dense_{k % 2}" in message


def test_a_pattern_that_is_shadowed_by_others_is_no_error():
    dense = {"Dense_0": rules.gamma(), "Dense_1": rules.gamma()}
    shadowed = explained(linen, dense | {"Block_0": rules.flat()})
    assert_close(shadowed, explained(linen, rules.gamma()))


@pytest.mark.parametrize(
    "pattern", ["Dense", "ense_0", "Block", "Dense_0/Block_0", "0", ""]
)
def test_patterns_match_whole_names(pattern):
    assert repr(pattern) in refused(linen, {pattern: rules.gamma()})


@pytest.mark.parametrize("pattern", ["*ense_[01]", "Block_?", "*", "B*/*"])
def test_patterns_are_globs(pattern):
    by_name = explained(linen, {pattern: rules.gamma()})
    assert_close(by_name, explained(linen, rules.gamma()))


class Shared(nn.Module):
    """One layer, called twice under one name."""

    @nn.compact
    def __call__(self, x):
        dense = nn.Dense(3, name="shared", **WIDE)
        return dense(nn.relu(dense(x)))[0]


def test_both_calls_of_a_shared_layer_get_its_rule():
    params = {"kernel": jnp.asarray(KERNELS[0]), "bias": jnp.asarray(BIASES[0])}
    f = lambda x: Shared().apply({"params": {"shared": params}}, x)
    by_name = explained(f, {"shared": rules.gamma()})
    assert_close(by_name, explained(f, rules.gamma()))


class Convolutions(nn.Module):
    """A convolution with a norm, in a block, and a dense layer."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(3, (2, 2), name="first", **WIDE)(x)
        norm = nn.BatchNorm(use_running_average=True, name="norm", **WIDE)
        x = nn.relu(norm(x))
        return nn.Dense(2, name="last", **WIDE)(x.ravel())[0]


def test_a_folded_norm_gets_the_rule_of_its_layer_and_needs_no_pattern():
    norm = {"scale": SCALES, "bias": SCALES - 1.0}
    statistics = {"mean": SCALES, "var": SCALES**2}
    params = {
        "first": {"kernel": RNG.normal(size=(2, 2, 2, 3)), "bias": SCALES},
        "norm": norm,
        "last": {"kernel": RNG.normal(size=(27, 2)), "bias": np.ones(2)},
    }
    variables = {"params": params, "batch_stats": {"norm": statistics}}
    variables = jax.tree.map(jnp.asarray, variables)
    x = jnp.asarray(RNG.normal(size=(3, 3, 2)))
    f = lambda x: Convolutions().apply(variables, x)
    both = {"first": rules.gamma(), "norm": rules.flat()}
    with pytest.raises(ValueError, match="'norm'"):  # part of the layer before it
        jax.eval_shape(rules.lrp(f, both), x)
    named = {"first": rules.gamma(), "last": rules.gamma()}
    lrp = lambda by_name: quick_jit(rules.lrp(f, by_name))(x)
    assert_close(lrp(named), lrp(rules.gamma()))


class Cell(nn.Module):
    """A named layer in a scan over depth."""

    @nn.compact
    def __call__(self, x, _):
        return nn.relu(nn.Dense(3, name="inner", **WIDE)(x)), None


class Scanned(nn.Module):
    """Three times the same block, of different weights."""

    @nn.compact
    def __call__(self, x):
        stack = nn.scan(
            Cell, variable_axes={"params": 0}, split_rngs={"params": True}, length=3
        )
        return stack(name="blocks")(x, None)[0].sum()


@pytest.mark.parametrize("pattern", ["inner", "blocks", "blocks/inner", "*"])
def test_a_layer_inside_a_scan_has_its_name(pattern):
    inner = {"kernel": jnp.asarray(KERNELS[:3]), "bias": jnp.asarray(BIASES[:3])}
    params = {"params": {"blocks": {"inner": inner}}}
    f = lambda x: Scanned().apply(params, x)
    by_name = quick_jit(rules.lrp(f, {pattern: rules.gamma()}))(X)
    assert_close(by_name, quick_jit(rules.lrp(f, rules.gamma()))(X))

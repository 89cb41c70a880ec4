"""Listening: it is off before and after, it costs nothing, and it is one at a time."""

import collections
import re
import threading

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close

import jaxplain as jx
from jaxplain import frameworks

X = jnp.asarray(np.sin(np.arange(6 * 6 * 3)).reshape(6, 6, 3), jnp.float32)


class CNN(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.features = nnx.Conv(3, 4, (3, 3), rngs=rngs)
        self.logits = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.logits(nnx.relu(self.features(x)).mean((-3, -2)))


MODEL = CNN()
DEFINITION, PARAMETERS = nnx.split(MODEL)


def f(x):
    return MODEL(x)[0]


def calls_of(*classes):
    return [cls.__call__ for cls in classes]


def test_the_classes_of_nnx_are_restored():
    classes = nnx.Module, nnx.Conv, nnx.Linear, nnx.BatchNorm, nnx.RNN, CNN
    before = calls_of(*classes)
    own = ["__call__" in vars(cls) for cls in classes]
    jx.cut(f, X, at="features")
    assert calls_of(*classes) == before
    assert ["__call__" in vars(cls) for cls in classes] == own


def test_an_exception_inside_the_function_restores_everything():
    before = calls_of(nnx.Conv, nnx.Linear, CNN)

    def broken(x):
        assert nnx.Conv.__call__ is not before[0]
        MODEL(x)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError) as raised:
        jx.taps(broken, X)
    assert str(raised.value) == "broken"
    assert calls_of(nnx.Conv, nnx.Linear, CNN) == before
    assert list(jx.taps(f, X)) == ["features", "logits"]


def test_a_program_that_is_compiled_normally_holds_no_taps():
    jx.cut(f, X, at="features")
    assert "tap" not in str(jax.make_jaxpr(f)(X))


@pytest.mark.parametrize("framework", ["linen", "nnx"])
def test_ordinary_calls_are_compiled_once_whatever_is_cut(framework):
    traces = []
    linen = nn.Dense(4)
    variables = linen.init(jax.random.key(0), X)

    @jax.jit
    def model(x):
        traces.append("traced")
        return (linen.apply(variables, x) if framework == "linen" else MODEL(x)).sum()

    g = lambda x: model(jx.tap(2 * x, "double"))
    expected = model(2 * X)
    assert len(traces) == 1
    value, head = jx.cut(g, X, at="double")
    traced = len(traces)
    assert traced <= 2  # once more at most, to listen
    assert_close(head(value), expected)
    jx.cut(g, X, at="double")
    assert_close(model(2 * X), expected)
    assert len(traces) == traced
    assert "tap" not in str(jax.make_jaxpr(model)(X))


def test_a_function_compiled_before_still_shows_its_layers():
    compiled = jax.jit(f)
    compiled(X)
    assert list(jx.taps(compiled, X)) == ["features", "logits"]
    features, head = jx.cut(compiled, X, at="features")
    assert_close(features, MODEL.features(X))
    assert_close(head(features), f(X))


def test_a_function_first_seen_by_a_cut_is_compiled_without_taps_afterwards():
    compiled = jax.jit(lambda x: MODEL(x)[1])
    assert list(jx.taps(compiled, X)) == ["features", "logits"]
    assert "tap" not in str(jax.make_jaxpr(compiled)(X))


def test_names_are_given_once_where_a_cut_is_inside_a_cut():
    def outer(x):
        features, head = jx.cut(f, x, at="features")
        return head(features) * jx.tap(x.sum(), "sum")

    # What the inner cut replaced has lost its name; what follows has kept one.
    shapes = {name: spec.shape for name, spec in jx.taps(outer, X).items()}
    assert shapes == {"logits": (2,), "sum": ()}
    value, head = jx.cut(outer, X, at="sum")
    assert_close(head(value), outer(X))


def test_two_threads_can_cut_at_once():
    """A barrier inside the functions, so that both do trace at the same time."""
    meet = threading.Barrier(2, timeout=30)
    before = calls_of(nnx.Conv, nnx.Linear, CNN)
    results = {}

    def trace(name, scale):
        model = CNN()

        def score(x):
            try:
                meet.wait(0.2)
            except threading.BrokenBarrierError:  # a lock may keep the other one out
                meet.reset()
            return scale * model(x)[0]

        for _ in range(3):
            features, head = jx.cut(score, X, at="features")
            results[name] = head(features), score(X), list(jx.taps(score, X))

    threads = [threading.Thread(target=trace, args=(n, n + 1.0)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in range(2):
        head, score, names = results[name]
        assert_close(head, score)
        assert names == ["features", "logits"]
    assert calls_of(nnx.Conv, nnx.Linear, CNN) == before


def test_a_thread_that_does_not_listen_sees_plain_modules():
    seen = {}

    def listening_meanwhile(x):
        def elsewhere():
            seen["jaxpr"] = str(jax.make_jaxpr(MODEL)(X))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(30)
        return MODEL(x)[0]

    assert list(jx.taps(listening_meanwhile, X)) == ["features", "logits"]
    assert "conv_general_dilated" in seen["jaxpr"]
    assert "tap" not in seen["jaxpr"]


def test_a_listener_is_entered_only_if_its_framework_is_imported(monkeypatch):
    listen = lambda: pytest.fail("entered")
    monkeypatch.setitem(frameworks.LISTENERS, "a_framework_nobody_imported", listen)
    jx.taps(f, X)


# What is compiled.


def operations(fn, *args):
    """How often each operation, with its shape, is in the optimised program."""
    text = jax.jit(fn).lower(*args).compile().as_text()
    found = re.findall(r"= (\S+?\[[\d,]*\])\S* ([\w-]+)\(", text)
    return collections.Counter(found)


def split_by_hand(x, parameters):
    model = nnx.merge(DEFINITION, parameters)
    features = model.features(x)
    rest = lambda features: model.logits(nnx.relu(features).mean((-3, -2)))[0]
    weights = jax.grad(rest)(features).mean((0, 1))
    return jnp.sum(jnp.broadcast_to(weights, features.shape) * features, -1)


def test_a_cut_compiles_to_the_operations_of_a_model_split_by_hand():
    g = lambda x, parameters: nnx.merge(DEFINITION, parameters)(x)[0]
    by_name = jx.grad_cam(g, at="features")
    assert_close(by_name(X, PARAMETERS), split_by_hand(X, PARAMETERS))
    ours = operations(by_name, X, PARAMETERS)
    assert ours == operations(split_by_hand, X, PARAMETERS)
    assert sum(ours.values()) > 10  # the pattern does find operations


def test_a_cut_costs_the_flops_of_the_function():
    def both(x):
        features, head = jx.cut(f, x, at="features")
        return head(features)

    cost = lambda fn: jax.jit(fn).lower(X).compile().cost_analysis()["flops"]
    assert cost(both) == cost(f) > 1000

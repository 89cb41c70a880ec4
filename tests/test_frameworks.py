"""Listening: it is off before and after, and it costs nothing."""

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


def test_a_listener_is_entered_only_if_its_framework_is_imported(monkeypatch):
    listen = lambda: pytest.fail("entered")
    monkeypatch.setitem(frameworks.LISTENERS, "a_framework_nobody_imported", listen)
    jx.taps(f, X)

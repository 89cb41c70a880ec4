"""The layers of Equinox models, named by key paths from the outermost module."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cutting import check, names
from helpers import assert_close

import jaxplain as jx

eqx = pytest.importorskip("equinox")

X = jnp.asarray(np.sin(np.arange(3.0)))
SERIES = jnp.asarray(np.sin(np.arange(15.0)).reshape(5, 3))
KEYS = iter(jax.random.split(jax.random.key(0), 50))


def linear(inputs, outputs):
    return eqx.nn.Linear(inputs, outputs, key=next(KEYS))


class Block(eqx.Module):
    first: eqx.nn.Linear
    norm: eqx.nn.LayerNorm
    second: eqx.nn.Linear

    def __init__(self, width=3):
        self.first, self.second = linear(width, 4), linear(4, width)
        self.norm = eqx.nn.LayerNorm(4)

    def __call__(self, x):
        return x + self.second(jax.nn.relu(self.norm(self.first(x))))


class Nested(eqx.Module):
    blocks: list
    named: dict
    top: eqx.nn.MLP

    def __init__(self):
        self.blocks, self.named = [Block(), Block()], {"skip": linear(3, 3)}
        self.top = eqx.nn.MLP(3, 2, 5, 1, key=next(KEYS))

    def __call__(self, x):
        skip = self.named["skip"](x)
        for block in self.blocks:
            x = block(x)
        return self.top(x + skip)


def test_equinox_layers_are_named_by_their_key_paths_in_the_order_of_execution():
    model = Nested()
    f = lambda x: model(x)[0]
    found = jx.taps(f, X)
    assert [(name, spec.shape) for name, spec in found.items()] == [
        ("named/skip", (3,)),
        ("blocks/0/first", (4,)),
        ("blocks/0/norm", (4,)),
        ("blocks/0/second", (3,)),
        ("blocks/0", (3,)),
        ("blocks/1/first", (4,)),
        ("blocks/1/norm", (4,)),
        ("blocks/1/second", (3,)),
        ("blocks/1", (3,)),
        ("top/layers/0", (5,)),
        ("top/layers/1", (2,)),
        ("top", (2,)),
    ]
    for name in ("blocks/0/norm", "blocks/1", "skip", "top/layers/0"):
        check(f, X, name)
    assert_close(jx.cut(f, X, at="blocks/0")[0], model.blocks[0](X))


@pytest.mark.parametrize("inner", [eqx.filter_vmap, jax.vmap, eqx.filter_checkpoint])
def test_an_equinox_model_inside_a_transformation_keeps_its_names(inner):
    model = Block()
    x = X if inner is eqx.filter_checkpoint else SERIES
    f = lambda x: inner(model)(x).sum()
    assert names(f, x) == ["first", "norm", "second"]
    assert_close(
        check(f, x, "first"), jnp.vectorize(model.first, signature="(n)->(m)")(x)
    )


def test_an_equinox_model_may_be_an_argument_or_the_function():
    model = Nested()
    score = lambda x, model: model(x)[0]
    assert_close(check(lambda x: score(x, model), X, "top"), model(X))
    assert_close(jx.cut(score, X, model, at="top")[0], model(X))
    assert_close(jx.cut(model, X, at="top")[0], model(X))
    first = lambda model: jx.cut(score, X, model, at="blocks/0/first")[0].sum()
    assert jnp.any(eqx.filter_grad(first)(model).blocks[0].first.weight)


class Jitted(eqx.Module):
    inner: Block
    other: Block

    def __init__(self):
        self.inner, self.other = Block(), Block()

    @eqx.filter_jit
    def __call__(self, x):
        return self.other(self.inner(x)).sum()


def test_copies_that_nothing_tells_apart_are_named_by_their_class():
    model = Jitted()
    model(X)  # compiled before
    block = ["Block/first", "Block/norm", "Block/second", "Block"]
    assert names(model, X) == block
    assert_close(check(model, X, "Block@0"), model.inner(X))


class Twins(eqx.Module):
    left: eqx.Module
    right: eqx.Module

    def __call__(self, x):
        return jnp.sum(self.left(x) * self.right(x))


class Compiled(eqx.Module):
    linear: eqx.nn.Linear

    @eqx.filter_jit
    def __call__(self, x):
        return self.linear(x)


def test_equinox_modules_that_share_a_compiled_program_have_names_of_their_own():
    model = Twins(Compiled(linear(3, 3)), Compiled(linear(3, 3)))
    assert names(model, X) == ["left/linear", "left", "right/linear", "right"]
    assert_close(check(model, X, "right/linear"), model.right(X))


def test_an_equinox_layer_called_twice_gives_a_list():
    class Model(eqx.Module):
        layer: eqx.nn.Linear

        def __call__(self, x):
            return self.layer(jnp.tanh(self.layer(x))).sum()

    f = Model(linear(3, 3))
    first, second = check(f, X, "layer")
    assert_close(check(f, X, "layer@0"), first)
    assert_close(check(f, X, "layer@-1"), second)
    assert_close(second.sum(), f(X))


class Recurrent(eqx.Module):
    cell: eqx.nn.LSTMCell
    out: eqx.nn.Linear

    def __init__(self):
        self.cell = eqx.nn.LSTMCell(3, 4, key=next(KEYS))
        self.out = linear(4, 1)

    def __call__(self, xs):
        step = lambda state, x: (self.cell(x, state), None)
        (h, _), _ = jax.lax.scan(step, (jnp.zeros(4), jnp.zeros(4)), xs)
        return self.out(h)[0]


def test_an_equinox_cell_inside_a_scan_is_stacked_over_time():
    f = Recurrent()
    assert names(f, SERIES) == ["cell", "out"]
    h, c = check(f, SERIES, "cell")
    assert h.shape == c.shape == (5, 4)
    assert_close(f.out(h[-1])[0], f(SERIES))


class Deep(eqx.Module):
    layers: Block

    def __call__(self, x):
        arrays, rest = eqx.partition(self.layers, eqx.is_array)
        step = lambda x, layer: (eqx.combine(layer, rest)(x), None)
        return jax.lax.scan(step, x, arrays)[0].sum()


def test_a_scan_over_the_depth_of_an_equinox_model_is_stacked_over_depth():
    f = Deep(eqx.filter_vmap(lambda key: Block())(jnp.arange(4)))
    assert names(f, X) == [f"layers/{n}" for n in ("first", "norm", "second")] + [
        "layers"
    ]
    assert check(f, X, "layers").shape == (4, 3)
    assert check(f, X, "layers/first").shape == (4, 4)


class Coder(eqx.Module):
    dense: eqx.nn.Linear

    def encode(self, x):
        return {"code": self.dense(x), "none": None}

    def replaced(self):
        return eqx.tree_at(lambda coder: coder.dense, self, self.dense)


class OfCoder(eqx.Module):
    coder: Coder

    def __call__(self, x):
        return self.coder.replaced().encode(x)["code"].sum()


def test_other_methods_of_an_equinox_module_are_named_with_the_method():
    f = OfCoder(Coder(linear(3, 2)))
    assert names(f, X) == ["coder/dense", "coder.encode"]
    assert_close(check(f, X, "coder.encode")["code"], f.coder.dense(X))
    assert names(lambda x: f.coder.encode(x)["code"].sum(), X) == ["dense"]


class Scaled(eqx.nn.Linear):
    def __call__(self, x, *, key=None):
        return 2.0 * super().__call__(x)


class OfScaled(eqx.Module):
    child: Scaled

    def __call__(self, x):
        return self.child(x).sum()


def test_a_call_of_super_in_equinox_is_not_a_call_of_its_own():
    f = OfScaled(Scaled(3, 2, key=next(KEYS)))
    assert names(f, X) == ["child"]
    assert_close(check(f, X, "child"), f.child(X))


def test_an_equinox_module_is_explained_as_a_function():
    f = Recurrent()
    assert_close(jx.saliency(f)(SERIES), jax.grad(f)(SERIES))


def test_the_classes_of_equinox_are_restored():
    classes = eqx.Module, eqx.nn.Linear, eqx.nn.MLP, Block, Coder
    before = [dict(vars(cls)) for cls in classes]
    names(Nested(), X)
    with pytest.raises(ZeroDivisionError):
        jx.taps(lambda x: Block()(x) / (1 // 0), X)
    assert [dict(vars(cls)) for cls in classes] == before

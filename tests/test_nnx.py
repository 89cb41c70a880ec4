"""The layers of nnx models, named by their paths from the outermost module."""

import jax
import jax.numpy as jnp
import numpy as np
from cutting import check, names
from flax import nnx
from helpers import assert_close

import jaxplain as jx

IMAGE = jnp.asarray(np.sin(np.arange(6 * 6 * 3)).reshape(6, 6, 3), jnp.float32)
SERIES = jnp.asarray(np.sin(np.arange(5 * 3)).reshape(5, 3), jnp.float32)
RNGS = nnx.Rngs(0)


class Block(nnx.Module):
    def __init__(self, width_in, width):
        self.first = nnx.Conv(width_in, width, (3, 3), rngs=RNGS)
        self.second = nnx.Conv(width, width, (3, 3), rngs=RNGS)

    def __call__(self, x):
        return self.second(nnx.relu(self.first(x)))


class Nested(nnx.Module):
    def __init__(self):
        self.blocks = nnx.List([Block(3, 4), Block(4, 4)])
        self.top = nnx.Sequential(
            nnx.Linear(4, 5, rngs=RNGS), nnx.relu, nnx.Linear(5, 2, rngs=RNGS)
        )

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        return self.top(x.mean((0, 1)))


def test_nnx_layers_are_named_by_their_paths_in_the_order_of_execution():
    f = Nested()
    found = jx.taps(f, IMAGE)
    assert [(name, spec.shape) for name, spec in found.items()] == [
        ("blocks/0/first", (6, 6, 4)),
        ("blocks/0/second", (6, 6, 4)),
        ("blocks/0", (6, 6, 4)),
        ("blocks/1/first", (6, 6, 4)),
        ("blocks/1/second", (6, 6, 4)),
        ("blocks/1", (6, 6, 4)),
        ("top/layers/0", (5,)),
        ("top/layers/2", (2,)),
        ("top", (2,)),
    ]
    for name in ("blocks/0/first", "blocks/1", "top/layers/2"):
        check(f, IMAGE, name)
    assert_close(check(f, IMAGE, "blocks/0/first"), f.blocks[0].first(IMAGE))
    assert_close(check(f, IMAGE, "top"), f(IMAGE))


def test_a_function_that_closes_over_an_nnx_module_has_its_layers():
    model = Nested()
    f = lambda image, label: model(image)[label]
    value, head = jx.cut(f, IMAGE, jnp.array(1), at="blocks/1")
    assert_close(head(value), model(IMAGE)[1])
    heatmap = jx.grad_cam(f, at="blocks/1")(IMAGE, 1)
    assert heatmap.shape == (6, 6)


def test_an_nnx_module_may_be_an_argument():
    model = Nested()
    f = lambda image, model: model(image)[0]
    value, head = jx.cut(f, IMAGE, model, at="blocks/1")
    assert_close(head(value), f(IMAGE, model))


def test_a_merged_nnx_module_is_derived_by_its_parameters():
    definition, parameters = nnx.split(Nested())

    def loss(parameters):
        f = lambda image: nnx.merge(definition, parameters)(image)[0]
        value, head = jx.cut(f, IMAGE, at="blocks/0")
        return jnp.sum(value * jax.grad(head)(value))

    gradient = jax.grad(loss)(parameters)
    assert jnp.any(gradient["blocks"][1]["second"]["kernel"][...])


class Shared(nnx.Module):
    def __init__(self):
        self.dense = nnx.Linear(3, 3, rngs=RNGS)
        self.again = self.dense

    def __call__(self, x):
        return self.again(jnp.tanh(self.dense(x)))


def test_an_nnx_layer_called_twice_gives_a_list():
    f = Shared()
    first, second = check(f, SERIES[0], names(f, SERIES[0])[0])
    assert_close(first, f.dense(SERIES[0]))
    assert_close(second, f(SERIES[0]))
    assert_close(check(f, SERIES[0], names(f, SERIES[0])[0] + "@-1"), second)


class Recurrent(nnx.Module):
    def __init__(self):
        self.rnn = nnx.RNN(nnx.LSTMCell(3, 4, rngs=nnx.Rngs(0)))
        self.out = nnx.Linear(4, 2, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return self.out(self.rnn(x[None])[0, -1])


def recurrent():
    """Merged at every call: a scan of nnx may not change a module from outside."""
    definition, state = nnx.split(Recurrent())
    return lambda x: nnx.merge(definition, state, copy=True)(x)


def test_an_nnx_cell_inside_an_rnn_is_stacked_over_time():
    f = recurrent()
    found = jx.taps(f, SERIES)
    cell = next(name for name in found if name.endswith("cell"))
    (carry, hidden), output = check(f, SERIES, cell)
    assert hidden.shape == carry.shape == output.shape == (5, 1, 4)
    assert_close(check(f, SERIES, "rnn")[0], output[:, 0])


def test_a_shift_of_the_states_of_an_nnx_lstm_is_felt_by_later_steps():
    logits = recurrent()
    f = lambda x: logits(x)[0]
    cell = next(n for n in names(f, SERIES) if n.endswith("cell"))
    value, head = jx.cut(f, SERIES, at=cell, mode="shift")
    (carry, hidden), _ = jax.grad(head)(value)
    assert (jnp.abs(carry[:-1]).max((1, 2)) > 0).all()
    assert (jnp.abs(hidden[:-1]).max((1, 2)) > 0).all()


class Normalised(nnx.Module):
    def __init__(self):
        self.norm = nnx.BatchNorm(3, use_running_average=True, rngs=RNGS)
        self.dropout = nnx.Dropout(0.5, deterministic=True, rngs=nnx.Rngs(0))
        self.out = nnx.Linear(3, 2, rngs=RNGS)

    def __call__(self, x):
        return self.out(self.dropout(self.norm(x)))


def test_nnx_batch_norm_and_dropout_in_inference_are_layers():
    f = Normalised()
    assert names(f, SERIES) == ["norm", "dropout", "out"]
    assert_close(check(f, SERIES, "dropout"), check(f, SERIES, "norm"))


class Several(nnx.Module):
    def __init__(self):
        self.dense = nnx.Linear(3, 2, rngs=RNGS)

    def __call__(self, x):
        return {"mean": self.dense(x), "pair": (x, None, "text")}


class OfSeveral(nnx.Module):
    def __init__(self):
        self.several = Several()

    def __call__(self, x):
        out = self.several(x)
        return out["mean"].sum() * out["pair"][0].sum()


def test_an_nnx_module_with_several_outputs_is_cut_whole():
    mean, x = jax.tree.leaves(check(OfSeveral(), SERIES[0], "several"))
    assert mean.shape == (2,)
    assert_close(x, SERIES[0])


def test_an_nnx_model_is_cut_in_a_batch():
    f = Nested()
    images = jnp.stack([IMAGE, -IMAGE])
    block = lambda image: jx.cut(f, image, at="blocks/1")[0]
    assert_close(jax.vmap(block)(images), jnp.stack(list(map(block, images))))
    batch = lambda images: jax.vmap(f)(images).sum()
    assert_close(check(batch, images, "blocks/1"), jax.vmap(block)(images))


def test_an_nnx_layer_inside_jit_and_checkpoint_is_found():
    model = Nested()
    f = lambda x: model.top(jax.checkpoint(jax.jit(model.blocks[0]))(x).mean((0, 1)))
    for name in names(f, IMAGE):
        check(f, IMAGE, name)


class Child(nnx.Linear):
    def __call__(self, x):
        return 2.0 * super().__call__(x)


class OfChild(nnx.Module):
    def __init__(self):
        self.child = Child(3, 2, rngs=RNGS)

    def __call__(self, x):
        return self.child(x).sum()


def test_a_call_of_super_is_not_a_call_of_its_own():
    f = OfChild()
    assert names(f, SERIES[0]) == ["child"]
    assert_close(check(f, SERIES[0], "child"), f.child(SERIES[0]))


class Recursive(nnx.Module):
    def __init__(self):
        self.inner = nnx.Linear(3, 3, rngs=RNGS)

    def __call__(self, x, depth=2):
        x = self.inner(x)
        return self(x, depth - 1) if depth else x


def test_a_module_that_calls_itself_can_be_cut():
    f = Recursive()
    assert names(f, SERIES[0]) == ["inner"]
    assert len(check(f, SERIES[0], "inner")) == 3


def test_a_child_that_calls_itself_is_called_as_often():
    class OfRecursive(nnx.Module):
        def __init__(self):
            self.child = Recursive()

        def __call__(self, x):
            return self.child(x).sum()

    calls = jx.taps(OfRecursive(), SERIES[0])
    assert {name: len(sites) for name, sites in calls.items()} == {
        "child/inner": 3,
        "child": 3,
    }


class Mixin:
    def __call__(self, x):
        return 3.0 * super().__call__(x)


class Mixed(Mixin, Child):
    pass


class OfMixed(nnx.Module):
    def __init__(self):
        self.child = Mixed(3, 2, rngs=RNGS)

    def __call__(self, x):
        return self.child(x).sum()


def test_a_call_of_super_through_several_classes_is_not_a_call_of_its_own():
    assert names(OfMixed(), SERIES[0]) == ["child"]

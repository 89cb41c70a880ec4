"""The layers of linen models, named by their paths."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from cutting import check, names
from helpers import assert_close

import jaxplain as jx

IMAGE = jnp.asarray(np.sin(np.arange(6 * 6 * 3)).reshape(6, 6, 3), jnp.float32)
SERIES = jnp.asarray(np.sin(np.arange(5 * 3)).reshape(5, 3), jnp.float32)


def linen(module, x, *args):
    """A linen module with parameters, as a function of `x`."""
    variables = parameters(module, x, *args)
    return lambda x: module.apply(variables, x, *args)


def parameters(module, *args):
    """Any numbers will do, without the time to compile an initialisation."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *args)
    fill = lambda s: 0.3 + 0.2 * jnp.cos(jnp.arange(s.size, dtype=s.dtype))
    return jax.tree.map(lambda s: fill(s).reshape(s.shape), shapes)


# linen.


class Block(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(4, (3, 3))(x))
        return nn.Conv(4, (3, 3), name="second")(x)


class Nested(nn.Module):
    def setup(self):
        self.blocks = [Block(), Block()]
        self.top = nn.Sequential([nn.Dense(5), nn.relu, nn.Dense(2)])

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        return self.top(x.mean((0, 1)))


def test_linen_layers_are_named_by_their_paths_in_the_order_of_execution():
    f = linen(Nested(), IMAGE)
    found = jx.taps(f, IMAGE)
    assert [(name, spec.shape) for name, spec in found.items()] == [
        ("blocks_0/Conv_0", (6, 6, 4)),
        ("blocks_0/second", (6, 6, 4)),
        ("blocks_0", (6, 6, 4)),
        ("blocks_1/Conv_0", (6, 6, 4)),
        ("blocks_1/second", (6, 6, 4)),
        ("blocks_1", (6, 6, 4)),
        ("top/layers_0", (5,)),
        ("top/layers_2", (2,)),
        ("top", (2,)),
    ]
    for name in found:
        check(f, IMAGE, name)


def test_the_end_of_a_linen_path_will_do():
    f = linen(Nested(), IMAGE)
    assert_close(jx.cut(f, IMAGE, at="layers_0")[0], check(f, IMAGE, "top/layers_0"))


def test_a_linen_layer_is_what_captures_of_linen_say():
    module = Nested()
    variables = parameters(module, IMAGE)
    _, state = module.apply(variables, IMAGE, capture_intermediates=True)
    captured = state["intermediates"]["blocks_1"]["second"]["__call__"][0]
    f = lambda x: module.apply(variables, x)
    assert_close(jx.cut(f, IMAGE, at="blocks_1/second")[0], captured)


class Shared(nn.Module):
    @nn.compact
    def __call__(self, x):
        dense = nn.Dense(3, name="dense")
        return dense(nn.tanh(dense(x)))


def test_a_linen_layer_called_twice_gives_a_list():
    f = linen(Shared(), SERIES[0])
    first, second = check(f, SERIES[0], "dense")
    assert_close(check(f, SERIES[0], "dense@0"), first)
    assert_close(check(f, SERIES[0], "dense@-1"), second)
    assert_close(second, f(SERIES[0]))


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.RNN(nn.LSTMCell(4), name="rnn")(x[None])[0]
        return nn.Dense(2, name="out")(x[-1])


def test_a_linen_cell_inside_an_rnn_is_stacked_over_time():
    f = linen(Recurrent(), SERIES)
    found = jx.taps(f, SERIES)
    cell = next(name for name in found if name.endswith("LSTMCell_0"))
    (carry, hidden), output = check(f, SERIES, cell)
    assert hidden.shape == carry.shape == output.shape == (5, 1, 4)
    assert_close(check(f, SERIES, "rnn")[0], output[:, 0])
    # Every gate is there too, by its own name.
    assert found[f"{cell}/ii"].shape == (5, 1, 4)


def test_a_shift_of_the_states_of_an_lstm_is_felt_by_later_steps():
    logits = linen(Recurrent(), SERIES)
    f = lambda x: logits(x)[0]
    cell = next(n for n in names(f, SERIES) if n.endswith("LSTMCell_0"))
    direct = jax.grad(jx.cut(f, SERIES, at=cell)[1])
    through_time = jax.grad(jx.cut(f, SERIES, at=cell, mode="shift")[1])
    value, _ = jx.cut(f, SERIES, at=cell)
    assert not any(jnp.any(g[:-1]) for g in jax.tree.leaves(direct(value)))
    (carry, hidden), _ = through_time(value)
    assert (jnp.abs(carry[:-1]).max((1, 2)) > 0).all()
    assert (jnp.abs(hidden[:-1]).max((1, 2)) > 0).all()


def test_a_linen_layer_inside_remat_is_found():
    class Remat(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.remat(Block)(name="block")(x).mean()

    f = linen(Remat(), IMAGE)
    assert names(f, IMAGE) == ["block/Conv_0", "block/second", "block"]
    check(f, IMAGE, "block/Conv_0")


class Step(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        return nn.tanh(nn.Dense(3, name="dense")(x)), None


def test_a_linen_scan_over_depth_is_stacked_over_depth():
    class Deep(nn.Module):
        @nn.compact
        def __call__(self, x):
            scan = nn.scan(
                Step, variable_axes={"params": 0}, split_rngs={"params": True}, length=4
            )
            return scan(name="steps")(x, None)[0].sum()

    f = linen(Deep(), SERIES[0])
    assert check(f, SERIES[0], "steps/dense").shape == (4, 3)


def test_a_linen_module_under_its_own_vmap_and_jit_is_found():
    class Lifted(nn.Module):
        @nn.compact
        def __call__(self, x):
            vmapped = nn.vmap(
                nn.Dense, variable_axes={"params": None}, split_rngs={"params": False}
            )
            x = vmapped(3, name="vmapped")(x)
            return nn.jit(nn.Dense)(2, name="jitted")(x).sum()

    f = linen(Lifted(), SERIES)
    assert names(f, SERIES) == ["vmapped", "jitted"]
    assert check(f, SERIES, "vmapped").shape == (5, 3)
    assert check(f, SERIES, "jitted").shape == (5, 2)


class Compiled(nn.Module):
    @nn.compact
    def __call__(self, x):
        block = nn.jit(Step)
        x, _ = block(name="left")(x, None)
        return block(name="right")(x, None)[0].sum()


def test_linen_modules_that_share_a_compiled_program_have_names_of_their_own():
    f = linen(Compiled(), SERIES[0])
    once = ["left/dense", "left", "right/dense", "right"]
    assert names(f, SERIES[0]) == names(f, SERIES[0]) == once
    right, _ = jx.cut(f, SERIES[0], at="right")[0], check(f, SERIES[0], "right/dense")
    assert_close(right[0].sum(), f(SERIES[0]))


class Other(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Conv(4, (1, 1))(x)


def test_linen_models_side_by_side_are_told_apart_by_their_classes():
    block, other = linen(Block(), IMAGE), linen(Other(), IMAGE)
    f = lambda x: jnp.sum(block(x) * other(x))
    assert names(f, IMAGE) == [
        "Block/Conv_0",
        "second",
        "Block",
        "Other/Conv_0",
        "Other",
    ]
    assert_close(check(f, IMAGE, "Other/Conv_0"), check(f, IMAGE, "Other"))
    assert_close(check(f, IMAGE, "second"), block(IMAGE))


class Normalised(nn.Module):
    train: bool

    @nn.compact
    def __call__(self, x):
        x = nn.BatchNorm(use_running_average=not self.train, name="norm")(x)
        x = nn.Dropout(0.5, deterministic=not self.train, name="dropout")(x)
        return nn.Dense(2, name="out")(x)


def test_linen_batch_norm_and_dropout_in_inference_are_layers():
    f = linen(Normalised(train=False), SERIES)
    assert names(f, SERIES) == ["norm", "dropout", "out"]
    assert_close(check(f, SERIES, "dropout"), check(f, SERIES, "norm"))


def test_a_linen_module_with_several_outputs_is_cut_whole():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, x):
            return {"mean": nn.Dense(2)(x), "pair": (x, {"n": 3})}

    class Head(nn.Module):
        @nn.compact
        def __call__(self, x):
            out = Two(name="two")(x)
            return out["mean"].sum() * out["pair"][0].sum()

    f = linen(Head(), SERIES[0])
    mean, x = jax.tree.leaves(check(f, SERIES[0], "two"))
    assert mean.shape == (2,)
    assert_close(x, SERIES[0])


def test_other_methods_of_a_linen_module_are_named_with_the_method():
    class Coder(nn.Module):
        def setup(self):
            self.dense = nn.Dense(2)

        def encode(self, x):
            return self.dense(x)

        def __call__(self, x):
            return self.encode(x)

    class Root(nn.Module):
        def setup(self):
            self.coder = Coder()

        def __call__(self, x):
            return self.coder.encode(x).sum()

    f = linen(Root(), SERIES)
    assert names(f, SERIES) == ["coder/dense", "coder.encode"]
    check(f, SERIES, "coder.encode")


def test_a_linen_model_is_cut_in_a_batch():
    f = linen(Nested(), IMAGE)
    images = jnp.stack([IMAGE, -IMAGE])
    top = lambda image: jx.cut(f, image, at="blocks_1")[0]
    assert_close(jax.vmap(top)(images), jnp.stack(list(map(top, images))))
    batch = lambda images: jax.vmap(f)(images).sum()
    assert_close(check(batch, images, "blocks_1"), jax.vmap(top)(images))


def test_linen_parameters_are_derived_through_a_cut():
    module = Nested()
    variables = parameters(module, IMAGE)

    def loss(variables):
        f = lambda x: module.apply(variables, x)[0]
        value, head = jx.cut(f, IMAGE, at="blocks_0")
        return jnp.sum(value * jax.grad(head)(value))

    gradient = jax.grad(loss)(variables)["params"]
    later = gradient["blocks_1"]["second"]["kernel"]
    assert jnp.any(later)
    # Along one direction, by the definition of a derivative.
    step = lambda t: loss(
        jax.tree.map(lambda p: p * jnp.asarray(1 + t, p.dtype), variables)
    )
    slope = jax.jvp(step, (0.0,), (1.0,))[1]
    exact = (step(1e-2) - step(-1e-2)) / 2e-2
    assert_close(slope, exact, tol=1e-3)  # a second-order difference in float32

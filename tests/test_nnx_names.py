"""Names of nnx modules that do not know theirs: copies, and models side by side."""

import jax
import jax.numpy as jnp
import pytest
from cutting import check, names
from flax import nnx
from helpers import assert_close
from test_nnx import IMAGE, RNGS, SERIES, Block, Child, Recurrent

import jaxplain as jx

# Copies that transforms make.


def compiled(method):
    try:
        return nnx.jit(method)
    except TypeError:  # Flax 0.12.1 asks for an option that JAX 0.9 has no more
        return nnx.remat(method)


class Transformed(nnx.Module):
    """A linear layer inside a compiled and a rematerialised call."""

    def __init__(self):
        self.linear = nnx.Linear(3, 3, rngs=RNGS)

    @compiled
    def _compiled(self, x):
        return self.linear(x)

    def run(self, x):
        return self._compiled(x)

    @nnx.remat
    def __call__(self, x):
        return jnp.tanh(self.run(x))


class Twins(nnx.Module):
    def __init__(self):
        self.left, self.right = Transformed(), Transformed()

    def __call__(self, x):
        return jnp.sum(self.left(x) * self.right(x))


TWINS = [f"{side}{of}" for side in ("left", "right") for of in ("/linear", ".run", "")]


def pure(model):
    definition, state = nnx.split(model)
    return lambda x: nnx.merge(definition, state, copy=True)(x)


@pytest.mark.parametrize("wrap", [lambda model: model, pure])
def test_copies_that_nnx_transforms_make_are_named_after_what_they_copy(wrap):
    model = Twins()
    f = wrap(model)
    assert names(f, SERIES[0]) == names(f, SERIES[0]) == TWINS
    assert_close(
        check(pure(model), SERIES[0], "right/linear"), model.right.linear(SERIES[0])
    )


@pytest.mark.parametrize("wrap", [lambda model: model, pure])
def test_the_names_of_an_nnx_cell_do_not_depend_on_how_the_model_is_passed(wrap):
    found = names(wrap(Recurrent()), SERIES)
    gates = [f"rnn/cell/{io}{gate}" for gate in ("i", "f", "g", "o") for io in "ih"]
    assert found == [name.replace("/if", "/if_") for name in gates] + [
        "rnn/cell",
        "rnn",
        "out",
    ]


@nnx.split_rngs(splits=4)
@nnx.vmap(in_axes=0, out_axes=0)
def children(rngs):
    return Child(3, 3, rngs=rngs)


class Scanned(nnx.Module):
    def __init__(self):
        self.layers = children(nnx.Rngs(0))

    def __call__(self, x):
        run = nnx.scan(
            lambda x, layer: layer(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry
        )
        return run(x, self.layers).sum()


def test_a_scan_over_the_depth_of_an_nnx_model_is_stacked_over_depth():
    f = Scanned()
    assert names(f, SERIES[0]) == ["layers"]
    assert check(pure(f), SERIES[0], "layers").shape == (4, 3)


# Several modules.


class Other(nnx.Module):
    def __init__(self):
        self.second = nnx.Linear(4, 1, rngs=RNGS)

    def __call__(self, x):
        return self.second(x)


def test_nnx_models_side_by_side_are_told_apart_by_their_classes():
    block, other = Block(3, 4), Other()
    f = lambda x: other(jax.jit(block)(x)).sum()
    expected = ["first", "Block/second", "Block", "Other/second", "Other"]
    # The second time `block` is compiled, and not called.
    assert names(f, IMAGE) == names(f, IMAGE) == expected
    assert_close(check(f, IMAGE, "Block/second"), block(IMAGE))
    check(f, IMAGE, "Other/second")


def test_two_calls_of_an_nnx_model_are_two_calls_of_its_layers():
    block = Block(3, 4)
    f = lambda x: jnp.sum(block(x) * block(2 * x))
    found = jx.taps(f, IMAGE)
    assert {name: len(calls) for name, calls in found.items()} == {
        "first": 2,
        "second": 2,
        "Block": 2,
    }
    assert_close(check(f, IMAGE, "Block@1"), block(2 * IMAGE))


class Coder(nnx.Module):
    def __init__(self):
        self.dense = nnx.Linear(3, 2, rngs=RNGS)

    def encode(self, x):
        return self.dense(x)

    def itself(self):
        return self


class OfCoder(nnx.Module):
    def __init__(self):
        self.coder = Coder()

    def __call__(self, x):
        assert self.coder.itself() is self.coder
        return self.coder.encode(x).sum()


def test_other_methods_of_an_nnx_module_are_named_with_the_method():
    f = OfCoder()
    assert names(f, SERIES[0]) == ["coder/dense", "coder.encode"]
    assert_close(check(f, SERIES[0], "coder.encode"), f.coder.encode(SERIES[0]))
    both = lambda x: jnp.sum(f.coder.encode(x)) + f(x)
    assert "Coder.encode" in names(both, SERIES[0])

"""The layers of Keras models on JAX, named by the layers that are being called."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cutting import check, names
from helpers import assert_close

import jaxplain as jx

os.environ["KERAS_BACKEND"] = "jax"
keras = pytest.importorskip("keras")
layers = keras.layers
keras.utils.set_random_seed(0)

X = jnp.asarray(np.sin(np.arange(3.0)), jnp.float32)
SERIES = jnp.asarray(np.sin(np.arange(15.0)).reshape(5, 3), jnp.float32)


@pytest.fixture(autouse=True)
def _as_keras_is_written():
    """Keras leaves promotion to JAX, which the other tests forbid."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def pure(model, pick=lambda out: out[0, 0]):
    """A Keras model as a function of one example: batch axis in, batch axis out."""
    trainable = [v.value for v in model.trainable_variables]
    rest = [v.value for v in model.non_trainable_variables]

    def f(x):
        out, _ = model.stateless_call(trainable, rest, x[None], training=False)
        return pick(out)

    return f


def block(name):
    inputs = keras.Input((3,))
    x = layers.Dense(4, activation="relu", name="wide")(inputs)
    return keras.Model(inputs, layers.Dense(3, name="narrow")(x), name=name)


def functional():
    inputs = keras.Input((3,))
    x = block("sub")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Add(name="skip")([x, inputs])
    return keras.Model(inputs, layers.Dense(2, name="out")(x))


def test_keras_layers_are_named_by_their_names_in_the_order_of_execution():
    f = pure(functional())
    found = jx.taps(f, X)
    assert [(name, spec.shape) for name, spec in found.items()] == [
        ("sub/wide", (1, 4)),
        ("sub/narrow", (1, 3)),
        ("sub", (1, 3)),
        ("norm", (1, 3)),
        ("dropout", (1, 3)),
        ("skip", (1, 3)),
        ("out", (1, 2)),
    ]
    for name in ("wide", "norm", "out"):
        check(f, X, name)
    assert_close(check(f, X, "dropout"), check(f, X, "norm"))


def test_a_keras_model_that_is_called_has_the_same_layers():
    model = functional()
    f = lambda x: model(x[None], training=False)[0, 0]
    assert names(f, X) == names(pure(model), X)
    assert_close(
        check(f, X, "sub/wide"), model.get_layer("sub").get_layer("wide")(X[None])
    )


def test_keras_layers_called_without_a_model_are_layers():
    first, second = layers.Dense(3, name="first"), layers.Dense(3, name="second")
    first.build((None, 3)), second.build((None, 3))
    f = lambda x: second(jnp.tanh(first(x[None]))).sum()
    assert names(f, X) == ["first", "second"]
    assert_close(check(f, X, "first"), first(X[None]))


def test_a_keras_layer_called_twice_gives_a_list():
    dense = layers.Dense(3, name="dense")
    model = keras.Sequential(
        [keras.Input((3,)), dense, layers.Activation("tanh"), dense]
    )
    f = pure(model)
    first, second = check(f, X, "dense")
    assert_close(check(f, X, "dense@0"), first)
    assert_close(check(f, X, "dense@-1"), second)
    assert_close(second[0, 0], f(X))


class Own(layers.Dense):
    def call(self, x):
        return {"wide": super().call(x), "sum": x.sum()}


def test_a_keras_layer_with_several_outputs_is_cut_whole():
    own = Own(4, name="own")
    own.build((None, 3))

    class Model(keras.Model):
        def call(self, x):
            out = own(x)
            return out["wide"].sum() * out["sum"]

    value = check(lambda x: Model()(x[None]), X, "own")
    assert value["wide"].shape == (1, 4)
    assert_close(value["sum"], X.sum())


def test_a_keras_cell_inside_a_recurrence_is_stacked_over_time():
    f = pure(keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, name="rnn")]))
    assert names(f, SERIES) == ["rnn/lstm_cell", "rnn"]
    output, (h, c) = check(f, SERIES, "lstm_cell")
    assert output.shape == h.shape == c.shape == (5, 1, 4)
    assert_close(output[-1, 0, 0], f(SERIES))


def test_a_keras_model_is_cut_in_a_batch():
    f, xs = pure(functional()), jnp.stack([X, -X])
    norm = lambda x: jx.cut(f, x, at="norm")[0]
    assert_close(jax.vmap(norm)(xs), jnp.stack(list(map(norm, xs))))
    assert_close(
        check(lambda xs: jax.vmap(f)(xs).sum(), xs, "norm"), jax.vmap(norm)(xs)
    )


def test_grad_cam_of_a_keras_convolution_is_a_map():
    conv = layers.Conv2D(4, 3, padding="same", name="features")
    model = keras.Sequential(
        [keras.Input((6, 6, 3)), conv, layers.ReLU(), layers.GlobalAveragePooling2D()]
    )
    f = pure(model, lambda out: out[0].sum())
    image = jnp.asarray(np.sin(np.arange(108.0)).reshape(6, 6, 3), jnp.float32)
    features, head = jx.cut(f, image, at="features")
    gradient = jax.grad(head)(features)
    weights = gradient.mean((1, 2), keepdims=True)
    assert features.shape == (1, 6, 6, 4)
    assert_close(weights.squeeze(), (features > 0).mean((0, 1, 2)) / 36)


def test_the_classes_of_keras_are_restored():
    classes = keras.Operation, keras.Layer, keras.Model, layers.Dense
    before = [dict(vars(cls)) for cls in classes]
    names(pure(functional()), X)
    assert [dict(vars(cls)) for cls in classes] == before

"""Errors about layers and maps, word for word."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

IMAGE = jnp.ones((8, 8, 3), jnp.float32)
X = jnp.ones(3, jnp.float32)
LayerError = jx.LayerError


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(8, (3, 3), name="edges")(x))
        x = nn.relu(nn.Conv(16, (3, 3), name="features")(x))
        return nn.Dense(10, name="logits")(x.mean((0, 1)))


SHAPES = jax.eval_shape(CNN().init, jax.random.key(0), IMAGE)
VARIABLES = jax.tree.map(lambda s: jnp.ones(s.shape, s.dtype), SHAPES)
LISTING = """
Its layers, in order of execution:
  edges     float32[8,8,8]
  features  float32[8,8,16]
  logits    float32[10]"""


def cnn(x):
    return CNN().apply(VARIABLES, x)[0]


def f(x):
    pair = jx.tap((x, {"twice": 2 * x}), "pair")
    for _ in range(2):
        x = jx.tap(x * pair[0], "again")
    return jnp.sum(jx.tap(jx.tap(x, "a/conv"), "b/conv"))


def branching(x):
    known = jx.tap(x, "known")
    double = lambda x: jx.tap(2 * x, "branch")
    x = jax.lax.cond(known.sum() > 0, double, lambda x: x, x)
    body = lambda c: (c[0] + 1, jx.tap(c[1] * 2, "body"))
    return jax.lax.while_loop(lambda c: c[0] < 3, body, (0, x))[1].sum()


def cut(f, x, at):
    return lambda: jx.cut(f, x, at=at), LayerError


COUNTED = (
    "layer {} runs inside `{}`, where it has no single value. Move it out; or use "
    "`jax.lax.scan` for a loop, `jax.numpy.where` for a condition, and cut inside a "
    "`jax.shard_map`."
)
LISTING_OF_F = """
Its layers, in order of execution:
  pair    float32[3] float32[3]
  again   float32[3]  called 2 times
  a/conv  float32[3]
  b/conv  float32[3]"""


@cases(
    near=(
        *cut(cnn, IMAGE, "featurs"),
        "no layer 'featurs' in `f`. Did you mean 'features'?" + LISTING,
    ),
    far=(*cut(cnn, IMAGE, "zzz"), "no layer 'zzz' in `f`." + LISTING),
    upper_case=(
        *cut(cnn, IMAGE, "LOGITS"),
        "no layer 'LOGITS' in `f`. Did you mean 'logits'?" + LISTING,
    ),
    call=(
        *cut(cnn, IMAGE, "features@5"),
        "no layer 'features@5': 'features' is called once. Its calls are 'features@0'.",
    ),
    negative_call=(
        *cut(f, X, "again@-3"),
        "no layer 'again@-3': 'again' is called 2 times. Its calls are 'again@0', "
        "'again@1'.",
    ),
    no_number=(
        *cut(f, X, "again@first"),
        "no layer 'again@first': 'again' is called 2 times. Its calls are 'again@0', "
        "'again@1'.",
    ),
    strange_number=(
        *cut(f, X, "again@--0"),
        "no layer 'again@--0': 'again' is called 2 times. Its calls are 'again@0', "
        "'again@1'.",
    ),
    none=(
        lambda: jx.cut(f, X, at=None),
        TypeError,
        "`at` must be the name of a layer, but is None.",
    ),
    ambiguous=(
        *cut(f, X, "conv"),
        "no layer 'conv' in `f`. Did you mean 'a/conv' or 'b/conv'?" + LISTING_OF_F,
    ),
    no_taps=(
        *cut(jnp.sum, X, "features"),
        "no layer 'features': `f` names no value. What modules of Flax, Equinox and "
        "Keras return is named by itself, but for the outermost one; name any other "
        'value with `jaxplain.tap(value, "name")`.',
    ),
    inside_cond=(*cut(branching, X, "branch"), COUNTED.format("'branch'", "cond")),
    inside_while=(*cut(branching, X, "body"), COUNTED.format("'body'", "while_loop")),
    with_loops=(
        *cut(branching, X, "zzz"),
        "no layer 'zzz' in `f`.\nIts layers, in order of execution:\n"
        "  known   float32[3]\n"
        "  branch  float32[3]  inside a cond\n"
        "  body    float32[3]  inside a while_loop",
    ),
    grad_cam=(
        lambda: jx.grad_cam(cnn, at="featurs")(IMAGE),
        LayerError,
        "no layer 'featurs' in `f`. Did you mean 'features'?" + LISTING,
    ),
)
def test_a_wrong_layer_is_answered_with_those_that_there_are(call, error, message):
    check(call, error, message)

    def traced(_):
        call()

    check(lambda: jax.eval_shape(traced, 0.0), error, message)


def test_a_layer_error_is_a_key_error():
    assert issubclass(LayerError, KeyError)


def test_a_layer_beside_a_condition_can_still_be_cut():
    value, head = jx.cut(branching, X, at="known")
    assert float(head(value)) == 48.0


def test_a_long_list_of_layers_is_cut_short():
    def deep(x):
        for i in range(100):
            x = jx.tap(x, f"layer{i:02}")
        return x.sum()

    lines = [f"  layer{i:02}  float32[3]" for i in range(40)]
    message = "no layer 'zzz' in `f`.\nIts layers, in order of execution:\n"
    message += "\n".join([*lines, "  ... and 60 more"])
    check(lambda: jx.cut(deep, X, at="zzz"), LayerError, message)


def test_a_layer_inside_a_scan_is_listed_as_such():
    f = lambda x: jax.lax.scan(lambda c, y: (jx.tap(c + y, "c"), c), x[0], x)[0]
    message = (
        "no layer 'd' in `f`.\nIts layers, in order of execution:\n"
        "  c  float32[3]  inside a scan"
    )
    check(lambda: jx.cut(f, X, at="d"), LayerError, message)


# head, tap.

HEAD = (
    "`head` takes the value of layer '{}', {}, but got {}. Its residuals belong to one "
    "input: cut again for another one."
)


def to_head(f, x, at, new, value, got):
    call = lambda: jx.cut(f, x, at=at)[1](new)
    return call, ValueError, HEAD.format(at, value, got)


PAIR = "('float32[3]', {'twice': 'float32[3]'})"


@cases(
    shape=to_head(f, X, "a/conv", jnp.ones(2), "float32[3]", "float64[2]"),
    structure=to_head(f, X, "a/conv", (X, X), "float32[3]", str(("float32[3]",) * 2)),
    none=to_head(f, X, "a/conv", None, "float32[3]", "None"),
    part_of_a_pair=to_head(f, X, "pair", X, PAIR, "float32[3]"),
    one_call_of_two=to_head(f, X, "again", X, str(["float32[3]"] * 2), "float32[3]"),
)
def test_a_head_takes_a_value_like_that_of_the_layer(call, error, message):
    check(call, error, message)


@pytest.mark.parametrize("name", ["a@b", "", 3, None, b"a"])
def test_a_tap_is_named_by_a_string(name):
    message = (
        f"`name` must be a string without '@', but is {name!r}: '@0' picks the first "
        "call of a layer."
    )
    check(lambda: jx.tap(X, name), TypeError, message)


# Maps.


@cases(
    dense=(
        lambda: jx.grad_cam(cnn, at="logits")(IMAGE),
        ValueError,
        "layer 'logits' must have channels and at least one other axis, but is "
        "float32[10]. Choose a layer before the pooling; `jaxplain.taps(f, x)` lists "
        "them with their shapes.",
    ),
    twice=(
        lambda: jx.grad_cam(f, at="again")(X),
        ValueError,
        "layer 'again' is called 2 times, so it has no single map. Pick a call, for "
        "example `at='again@0'`.",
    ),
    tuple=(
        lambda: jx.grad_cam(f, at="pair")(X),
        ValueError,
        f"layer 'pair' must give one array, but gives {PAIR}. Name the part to look at "
        "with `jaxplain.tap`.",
    ),
    upsample=(
        lambda: jx.cam.upsample(jnp.ones((4, 4)), (8, 8, 3)),
        ValueError,
        "`shape` must have one length per axis of `heatmap`, which has shape (4, 4), "
        "but is (8, 8, 3). Leave the channels out, for example `image.shape[:2]`.",
    ),
    upsample_integers=(
        lambda: jx.cam.upsample(np.ones((4, 4), int), (8, 8)),
        TypeError,
        "`heatmap` must be floating-point, but is int64[4,4].",
    ),
)
def test_a_map_that_cannot_be_made_is_an_error(call, error, message):
    check(call, error, message)

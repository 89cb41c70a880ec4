"""Explanations of randomised models, beside loops over models made by hand."""

import functools
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from flax import nnx
from helpers import assert_close
from scipy.stats import entropy, spearmanr

import jaxplain as jx
from jaxplain import metrics

KEY, OTHER = jr.split(jr.key(4))
RNG = np.random.default_rng(4)
X = jnp.asarray(RNG.normal(size=8))
PARAMS = {
    # The order of the program is neither that of the tree nor of the alphabet.
    "m": {"kernel": jnp.asarray(RNG.normal(size=(8, 6))), "steps": jnp.arange(3)},
    "z": {"kernel": jnp.asarray(RNG.normal(size=(6, 5))), "bias": jnp.arange(5.0)},
    "a": {"kernel": jnp.asarray(RNG.normal(size=5))},
}


def model(params, x):
    x = jnp.tanh(jnp.dot(x, params["m"]["kernel"]))
    x = jnp.tanh(jnp.dot(x, params["z"]["kernel"]) + params["z"]["bias"])
    return jnp.dot(x, params["a"]["kernel"])


def explain(params, x):
    return jx.saliency(lambda x: model(params, x))(x)


@functools.cache
def drawn():
    return quick_jit(metrics.randomised)(PARAMS, KEY)


map_of = quick_jit(explain)


def curve(**options):
    measure = metrics.parameter_randomisation(explain, **options)
    return quick_jit(partial(measure, key=KEY))(PARAMS, X)


@functools.cache
def cascade():
    return curve()


def by_hand(layers):
    mixed = {name: (drawn() if name in layers else PARAMS)[name] for name in PARAMS}
    return float(spearmanr(map_of(PARAMS, X), map_of(mixed, X))[0])


def test_a_cascade_randomises_from_the_output_down():
    layers = ["a", "z", "m"]
    expected = np.array([by_hand(layers[:i]) for i in range(4)])
    assert_close(cascade().similarity, expected)
    assert_close(cascade().similarity[0], 1.0)
    assert_close(cascade().mean, expected[1:].mean())


def test_layers_may_be_randomised_alone_in_chunks_and_in_any_order():
    alone = curve(order="independent", layers=("m", "z/bias"), chunk_size=2)
    bias = PARAMS | {"z": PARAMS["z"] | {"bias": drawn()["z"]["bias"]}}
    other = spearmanr(map_of(PARAMS, X), map_of(bias, X))[0]
    assert_close(alone.similarity, np.array([1.0, by_hand(["m"]), other]))
    assert_close(curve(chunk_size=None).similarity, cascade().similarity)


@pytest.mark.slow
def test_a_batch_is_a_loop():
    measure = metrics.parameter_randomisation(explain, similarity=metrics.cosine)
    xs, keys = jnp.stack([X, X[::-1]]), jnp.stack([OTHER, KEY])
    batch = jax.vmap(lambda x, key: measure(PARAMS, x, key=key).similarity)
    loop = lambda: [batch(xs[i:][:1], keys[i:][:1])[0] for i in range(2)]
    found, expected = quick_jit(lambda: (batch(xs, keys), jnp.stack(loop())))()
    assert_close(found, expected)


def test_an_explanation_that_ignores_the_weights_stays_the_same():
    edges = lambda params, x: x - jnp.roll(x, 1)
    measure = metrics.parameter_randomisation(edges)
    smooth = metrics.smooth_parameter_randomisation(edges, std=0.5, num_samples=3)
    for similarity, _ in quick_jit(
        lambda: (measure(PARAMS, X, key=KEY), smooth(PARAMS, X, key=KEY))
    )():
        assert_close(similarity, np.ones(4))


def test_any_comparison_is_stacked_even_the_maps_themselves():
    maps = curve(similarity=lambda own, other: other)
    assert maps.similarity.shape == (4, 8)
    assert_close(maps.similarity[0], map_of(PARAMS, X))
    output = metrics.parameter_randomisation(model, similarity=jnp.subtract)
    change = quick_jit(partial(output, key=KEY))(PARAMS, X)
    assert_close(change.similarity[-1], model(PARAMS, X) - model(drawn(), X))


@pytest.mark.slow
def test_smooth_randomisation_averages_over_noise_first():
    measure = metrics.smooth_parameter_randomisation(
        explain, std=0.5, num_samples=4, similarity=lambda own, other: own
    )
    found = quick_jit(partial(measure, key=KEY))(PARAMS, X).similarity
    noise = jr.split(KEY)[1]
    smooth = jx.smooth(partial(explain, PARAMS), std=0.5, num_samples=4)
    mean = quick_jit(partial(smooth, key=noise))(X)
    assert_close(found[0], mean)
    assert np.max(np.abs(found[0] - map_of(PARAMS, X))) > 0.01


def test_efficient_randomisation_is_the_rise_of_the_entropy_of_a_histogram():
    measure = metrics.efficient_parameter_randomisation(explain, num_bins=5)
    found = quick_jit(partial(measure, key=KEY))(PARAMS, X)
    before, after = (
        entropy(np.histogram(map_of(p, X), 5)[0]) for p in (PARAMS, drawn())
    )
    assert_close(found, after / before - 1)


def test_permuted_parameters_hold_the_same_numbers_elsewhere():
    for own, new in zip(*map(jax.tree.leaves, (PARAMS, drawn())), strict=True):
        np.testing.assert_array_equal(np.sort(own, None), np.sort(new, None))
        assert np.any(own != new) == jnp.issubdtype(own.dtype, jnp.floating)
    another = quick_jit(metrics.randomised)(PARAMS, OTHER)
    assert np.any(another["z"]["bias"] != drawn()["z"]["bias"])


def test_redrawn_parameters_have_the_moments_of_the_array():
    own = {"w": jnp.asarray(3 + 2 * RNG.normal(size=400), jnp.bfloat16), "n": 7}
    redraw = partial(metrics.randomised, own, method="redraw")
    new = quick_jit(redraw)(key=KEY)
    assert new["n"] == 7
    assert new["w"].dtype == jnp.bfloat16
    before, after = (np.asarray(p["w"], float) for p in (own, new))
    assert abs(after.mean() - before.mean()) <= 4 * 2 / np.sqrt(400)
    assert abs(after.std() - before.std()) <= 4 * 2 / np.sqrt(800)
    assert abs(np.corrcoef(before, after)[0, 1]) <= 4 / np.sqrt(400)


# The layers, from the output down.


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(2, (3, 3), name="stem")(x))
        x = nn.BatchNorm(use_running_average=True, name="norm")(x)
        x = nn.relu(nn.Conv(3, (3, 3), name="body")(x)) + nn.Conv(
            3, (1, 1), name="skip"
        )(x)
        return nn.Dense(2, name="head")(x.mean((0, 1)))


def test_layers_of_linen_come_in_the_order_of_the_program():
    image = jnp.ones((5, 5, 3), jnp.float32)
    variables = jax.eval_shape(Net().init, KEY, image)
    variables = jax.tree.map(lambda s: jnp.ones(s.shape, s.dtype), variables)
    expected = ["head", "skip", "body", "norm", "norm", "stem"]

    def path(variables, x):
        f = lambda x: Net().apply(variables, x)[0]
        return jx.integrated_gradients(f, steps=4, chunk_size=2)(x, baseline=0.0)

    for explain in (path, lambda v, x: Net().apply(v, x)[0]):
        found = metrics.parameter_layers(explain, variables, image)
        assert [name.rpartition("/")[2] for name in found] == expected
        assert set(found) >= {"params/head", "params/norm", "batch_stats/norm"}


class Stack(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.late = nnx.Linear(4, 2, rngs=rngs)
        self.early = nnx.List(
            [nnx.Linear(3, 4, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)]
        )

    def __call__(self, x):
        return self.late(jnp.tanh(self.early[0](x)))[0]


DEFINITION, STATE = nnx.split(Stack())
SERIES = jnp.arange(3, dtype=jnp.float32)


def of_state(state, x):
    return jx.saliency(nnx.merge(DEFINITION, state))(x)


def test_layers_of_nnx_come_in_the_order_of_the_program():
    layers = metrics.parameter_layers(of_state, STATE, SERIES)
    assert layers == ("late", "early/0")


@pytest.mark.slow
def test_the_state_of_nnx_is_randomised_but_for_its_random_keys():
    measure = metrics.parameter_randomisation(of_state, similarity=lambda own, b: b)
    maps, own, random = quick_jit(
        lambda: (
            measure(STATE, SERIES, key=KEY).similarity,
            of_state(STATE, SERIES),
            of_state(metrics.randomised(STATE, KEY), SERIES),
        )
    )()
    assert_close(maps[0], own)
    assert_close(maps[-1], random)


def test_a_cast_is_no_use_and_loops_and_branches_are_walked_into():
    params = {"last": jnp.ones((4, 4)), "loop": jnp.ones((4, 4)), "unused": jnp.ones(2)}
    params |= {"branch": jnp.ones(4), "wide": jnp.ones((4, 4))}

    @jax.jit
    def f(params, x):
        p = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), params)
        x = jnp.dot(p["wide"], x.astype(jnp.float32))
        x = jax.lax.cond(x[0] > 0, lambda x: x * p["branch"], lambda x: x, x)
        x, _ = jax.lax.scan(lambda h, _: (jnp.dot(p["loop"], h), None), x, length=2)
        x = jax.lax.while_loop(lambda h: h[0] > 9, lambda h: h / 2, x)
        return jnp.dot(p["last"], x).sum()

    expected = ("last", "loop", "branch", "wide", "unused")
    assert metrics.parameter_layers(f, params, X[:4]) == expected
    explain = lambda params, x: jax.jacfwd(partial(f, params))(x)
    assert metrics.parameter_layers(explain, params, X[:4]) == expected


def test_layers_and_parameters_that_do_not_fit_are_refused():
    layers = partial(metrics.parameter_layers, explain, PARAMS, X)
    assert layers(layers=("z", "m/kernel")) == ("z", "m/kernel")
    with pytest.raises(ValueError, match="no parameters in layer 'ker'") as raised:
        layers(layers=("z", "ker"))
    assert "Its layers are 'a', 'm', 'z'." in str(raised.value)
    with pytest.raises(ValueError, match="no parameters in layer 'm/steps'"):
        layers(layers=("m/steps",))  # integers
    with pytest.raises(TypeError, match="`layers` must be a sequence of names"):
        layers(layers="head")
    with pytest.raises(ValueError, match="`params` must hold floating-point arrays"):
        metrics.parameter_layers(explain, {"n": 3}, X)
    measure = partial(metrics.parameter_randomisation, explain, layers=("z",))
    with pytest.raises(TypeError, match="`key` is missing: parameter_randomisation"):
        measure()(PARAMS, X)
    with pytest.raises(ValueError, match="`order` must be one of 'cascading', 'indep"):
        measure(order="bottom_up")
    with pytest.raises(ValueError, match="`chunk_size` must be at least 1"):
        measure(chunk_size=0)
    with pytest.raises(ValueError, match="`randomise` must return parameters like"):
        measure(randomise=lambda params, key: params["z"])(PARAMS, X, key=KEY)
    with pytest.raises(ValueError, match="`method` must be one of 'permute', 'redraw'"):
        metrics.randomised(PARAMS, KEY, method="shuffle")

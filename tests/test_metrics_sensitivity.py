"""How far explanations move: beside loops over the same samples, and closed forms."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain import metrics
from jaxplain.metrics import _ball

KEYS = jr.split(jr.key(3), 4)
RNG = np.random.default_rng(3)
W, V = RNG.normal(size=(9, 6)), RNG.normal(size=9)
XS = RNG.normal(size=(4, 6))
RADIUS, NUMBER = 0.1, 7


def f(x, scale):
    return jnp.dot(V, jax.nn.softplus(jnp.dot(W, jx.tap(scale * x, "scaled"))))


def gradient(x):
    return W.T @ (V / (1 + np.exp(-W @ x)))


def value(x):
    return V @ np.log1p(np.exp(W @ x))


def measures(chunk_size):
    explain = jx.saliency(f)
    layer = lambda x, scale: jx.cut(f, x, scale, at="scaled")[0] ** 2
    options = {"radius": RADIUS, "num_samples": NUMBER, "chunk_size": chunk_size}
    return {
        "max": metrics.max_sensitivity(explain, **options),
        "mean": metrics.mean_sensitivity(explain, **options),
        "worst": metrics.worst_sensitivity(explain, steps=4, **options),
        "lipschitz": metrics.local_lipschitz(explain, **options),
        "input": metrics.relative_input_stability(explain, **options),
        "output": metrics.relative_output_stability(explain, f, **options),
        "layer": metrics.relative_representation_stability(explain, layer, **options),
    }


def run(chunk_size):
    def one(x, key):
        return {name: m(x, 1.0, key=key) for name, m in measures(chunk_size).items()}

    return one


@functools.cache
def batch():
    return quick_jit(jax.vmap(run(3)))(XS, KEYS)


@jax.jit
@jax.vmap
def samples(x, key):
    bound = jnp.full_like(x, RADIUS)
    return jax.vmap(lambda i: _ball.near(x, bound, jr.fold_in(key, i)))(
        jnp.arange(NUMBER)
    )


@functools.cache
def nearby():
    return np.asarray(samples(XS, KEYS))


def over_samples(compare, reduce=np.max):
    return np.array(
        [
            reduce([compare(x, gradient(x), y, gradient(y)) for y in ys])
            for x, ys in zip(XS, nearby(), strict=True)
        ]
    )


def length(v):
    return np.linalg.norm(v)


def test_samples_fill_the_box_around_the_input():
    steps = nearby() - XS[:, None]
    assert np.abs(steps).max() <= RADIUS * (1 + 1e-12)  # rounding of x + r
    # Even over the box: 168 numbers, whose mean has a standard error of r / sqrt(504).
    assert abs(steps.mean()) <= 4 * RADIUS / np.sqrt(504)
    assert np.abs(steps).max() >= 0.9 * RADIUS


def test_sensitivity_is_the_relative_change_of_the_explanation():
    change = lambda x, own, y, other: length(other - own) / length(own)
    assert_close(batch()["max"], over_samples(change))
    assert_close(batch()["mean"], over_samples(change, np.mean))


def test_stability_divides_by_what_moved():
    steep = lambda x, own, y, other: length(other - own) / length(y - x)
    assert_close(batch()["lipschitz"], over_samples(steep))
    ratio = lambda a, b: length((b - a) / a)
    by_input = lambda x, own, y, other: ratio(own, other) / ratio(x, y)
    by_output = lambda x, own, y, other: ratio(own, other) / abs(value(y) - value(x))
    by_layer = lambda x, own, y, other: ratio(own, other) / ratio(x**2, y**2)
    assert_close(batch()["input"], over_samples(by_input))
    assert_close(batch()["output"], over_samples(by_output))
    assert_close(batch()["layer"], over_samples(by_layer))


def test_a_sample_that_rounding_leaves_in_place_has_no_steepness():
    steep = partial(metrics.local_lipschitz, jx.saliency(lambda x: x**2))
    x = jnp.ones((), jnp.bfloat16)  # between numbers 1 / 256 and 1 / 128 away
    run = quick_jit(
        lambda: (steep(radius=0.02)(x, key=KEYS[0]), steep(radius=1e-3)(x, key=KEYS[0]))
    )
    some, none = run()
    assert_close(some, jnp.float32(2.0))
    assert np.isnan(none)


@pytest.mark.slow
def test_a_batch_in_chunks_is_a_loop_of_whole_calls():
    whole = quick_jit(run(None))
    for i in range(2):
        expected = jax.tree.map(lambda leaf, i=i: leaf[i], batch())
        assert_close(whole(XS[i], KEYS[i]), expected)


def test_ascent_finds_no_less_than_its_samples_and_more_where_there_is_a_slope():
    assert np.all(batch()["worst"] > 1.05 * batch()["max"])


@partial(quick_jit, static_argnames="explain")
def worst(explain, x, key):
    options = {"radius": RADIUS, "num_samples": 2}
    return (
        metrics.worst_sensitivity(explain, steps=4, **options)(x, key=key),
        metrics.max_sensitivity(explain, **options)(x, key=key),
    )


def test_ascent_finds_the_corner_of_a_quadratic():
    explain = jx.saliency(lambda x: jnp.dot(x, x) / 2)
    found, _ = worst(explain, XS[0], KEYS[0])
    assert_close(found, RADIUS * np.sqrt(6) / length(XS[0]))


def test_ascent_cannot_climb_the_saliency_of_relus():
    explain = jx.saliency(lambda x: jnp.dot(V, jax.nn.relu(jnp.dot(W, x))))
    found, sampled = worst(explain, XS[0], KEYS[0])
    assert found == sampled


@pytest.mark.slow
def test_entries_with_a_radius_of_zero_stay():
    explain = jx.saliency(lambda x: jnp.dot(x["a"], x["a"]) / 2 + x["b"] ** 2)
    radius = {"a": jnp.array([0.5, 0.0]), "b": 0.0}
    measure = jax.jit(metrics.max_sensitivity(explain, radius=radius, num_samples=1))
    found = measure({"a": jnp.array([0.0, 3.0]), "b": jnp.array(2.0)}, key=KEYS[0])
    # What is explained is (0, 3) and 4, of length 5, and moves as the first entry does.
    assert 0 < found <= 0.5 / 5


def test_an_explanation_of_zeros_has_no_relative_change():
    measure = metrics.max_sensitivity(jx.saliency(lambda x: 0 * x.sum()))
    assert np.isnan(jax.jit(measure)(XS[0], key=KEYS[0]))


def test_half_precision_is_measured_in_float32():
    x = jnp.ones(6, jnp.bfloat16)
    explain = jx.saliency(lambda x: (x**2).sum())
    for make in (metrics.max_sensitivity, metrics.worst_sensitivity):
        found = jax.eval_shape(partial(make(explain), key=KEYS[0]), x)
        assert found.dtype == jnp.float32


# What is attacked: the explanation moves, the output does not.


@partial(quick_jit, static_argnames=("objective",))
def attacked(objective, x, key):
    explain, model = jx.saliency(f), lambda x, scale: f(x, scale)
    attack = metrics.fragility(
        explain, model, radius=0.5, tolerance=0.05, objective=objective, k=2, steps=20,
        similarity=metrics.cosine,
    )  # fmt: skip
    return attack(x, 1.0, key=key), explain(x, 1.0)


@pytest.mark.parametrize(
    "objective", ["top_k", pytest.param("mass_centre", marks=pytest.mark.slow)]
)
def test_an_attack_moves_the_explanation_within_its_bounds(objective):
    found, own = attacked(objective, XS[1], KEYS[1])
    assert np.max(np.abs(found.x - XS[1])) <= 0.5 * (1 + 1e-12)  # rounding of x + r
    assert 0 < abs(found.change) <= 0.05
    change = value(np.asarray(found.x)) - value(XS[1])
    assert_close(found.change, change, tol=1e-10)  # it cancels
    assert_close(found.attribution, gradient(found.x))
    angle = own @ found.attribution / length(own) / length(found.attribution)
    assert_close(found.similarity, angle)
    if objective == "top_k":
        first = np.argsort(-own)[:2]
        share = lambda phi: phi[first].sum() / length(phi)
        assert share(found.attribution) < 0.9 * share(own)
    else:
        centre = lambda phi: np.abs(phi) @ np.arange(6) / np.abs(phi).sum()
        assert abs(centre(found.attribution) - centre(own)) > 0.2


def test_a_number_has_no_centre_to_move():
    f = lambda x: jnp.sin(x["a"]).sum() * x["b"]
    attack = metrics.fragility(
        jx.saliency(f), f, radius=0.1, tolerance=0.1, objective="mass_centre", k=1,
        steps=1,
    )  # fmt: skip
    x = {"a": jnp.ones(3), "b": jnp.ones(())}
    found = jax.eval_shape(partial(attack, key=KEYS[0]), x)
    assert found.x["b"].shape == ()


@pytest.mark.slow
def test_an_attack_that_finds_nothing_keeps_the_input():
    flat = metrics.fragility(
        lambda x: jnp.ones(3), lambda x: x.sum(), radius=0.1, tolerance=0.1, k=1,
        steps=2, similarity=metrics.cosine,
    )  # fmt: skip
    found = jax.jit(flat)(XS[0], key=KEYS[0])
    assert_close(found, metrics._fragility.Attacked(XS[0], np.ones(3), 1.0, 0.0))


# The same explanation of another label, or of an input that is written differently.


def test_logits_that_share_a_gradient_share_an_explanation():
    slopes = jnp.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [4.0, 2.0, 1.0]])
    explain = jx.saliency(lambda x, label, shift: jnp.dot(slopes, x + shift)[label])
    measure = jax.jit(metrics.random_logit(explain))
    assert_close(measure(jnp.ones(3), 0, 1, 5.0), 1.0)
    assert_close(measure(jnp.ones(3), 0, 2, 5.0), -1.0)


def test_gradients_do_not_feel_a_shift_that_the_model_undoes_and_products_do():
    def invariance(make, **refs):
        return metrics.input_invariance(f, make=make)(XS[0], 1.0, shift=2.0, **refs)

    still, moved, path = jax.jit(
        lambda: (
            invariance(jx.saliency),
            invariance(jx.input_x_gradient),
            invariance(partial(jx.integrated_gradients, steps=4), baseline=0.0),
        )
    )()
    assert still <= 1e-12  # rounding of x + s - s
    own = XS[0] * gradient(XS[0])
    assert_close(moved, 2 * length(gradient(XS[0])) / length(own))
    assert path > 0.1


def test_options_of_sensitivity_are_checked():
    explain = jx.saliency(lambda x: (x**2).sum())
    x = jnp.ones(3)
    for make in (
        metrics.max_sensitivity,
        metrics.worst_sensitivity,
        partial(metrics.relative_output_stability, f=jnp.sum),
        partial(metrics.fragility, f=jnp.sum, tolerance=1.0, k=1),
    ):
        with pytest.raises(ValueError, match="`radius` must be positive, but is"):
            make(explain, radius=0.0)
        with pytest.raises(TypeError, match="`key` is missing"):
            make(explain, radius=0.1)(x)
        with pytest.raises(ValueError, match="`radius` must broadcast to `x`, which"):
            make(explain, radius=jnp.ones(4))(x, key=KEYS[0])
    with pytest.raises(ValueError, match="`num_samples` must be at least 1"):
        metrics.local_lipschitz(explain, num_samples=0)
    with pytest.raises(ValueError, match="`eps` must be a positive number"):
        metrics.relative_input_stability(explain, eps=0.0)
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        metrics.worst_sensitivity(explain, steps=0)
    attack = partial(metrics.fragility, explain, jnp.sum, radius=0.1)
    with pytest.raises(ValueError, match="`tolerance` must be a positive number"):
        attack(tolerance=0.0)
    with pytest.raises(ValueError, match="`objective` must be one of 'top_k', 'mass"):
        attack(tolerance=1.0, objective="top")
    with pytest.raises(ValueError, match="`k` must be at most the number of features"):
        attack(tolerance=1.0, k=4)(x, key=KEYS[0])
    shifted = metrics.input_invariance(jnp.sum, make=jx.saliency)
    with pytest.raises(TypeError, match="`shift` is missing: say what is added"):
        shifted(x)
    with pytest.raises(ValueError, match="`shift` must broadcast to `x`, which is"):
        shifted(x, shift=jnp.ones(4))

"""Each check of a law of JAX fails on an explainer that breaks it; and the report."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from hypothesis import given
from properties import fixed

import jaxplain as jx
from jaxplain import testing
from jaxplain.testing import _draw


def f(x):
    return jnp.sin(x[0]) * x[1] + x[2] ** 3


X = np.array([0.5, -1.0, 2.0])
XS = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, 1.5], [-0.5, 2.0, 1.0], [2.0, 1.0, 0.5]])
OWN = {"f": f, "x": X}


def change(of_gradient):
    return lambda f, **_: lambda x, **refs: of_gradient(jax.grad(f)(x), **refs)


def by_tracing(f):
    """Twice as much where it is compiled."""

    def explain(x):
        traced = isinstance(x, jax.core.Tracer)
        return jax.grad(f)(x) * (2 if traced else 1)

    return explain


@jax.custom_batching.custom_vmap
def standardised(g):
    return g


@standardised.def_vmap
def _(axis_size, in_batched, g):
    mean = jnp.broadcast_to(g.mean(0, keepdims=True), g.shape)
    return g - mean, True


def by_chunk(f, chunk_size=1):
    return lambda x: jax.grad(f)(x) * chunk_size


COUNTER = itertools.count()


def counted(f):
    """Another answer whenever it is traced."""
    return lambda x, key: jax.grad(f)(x) + jax.random.normal(key) * next(COUNTER)


def by_loop(f):
    return lambda x: (jax.grad(f)(x) + jax.grad(f)(2 * x)) / 2


@jax.custom_jvp
def wrong_slope(g):
    return g


wrong_slope.defjvps(lambda t, ans, g: 2 * t)

rounded = change(lambda g: (g + 300) - 300)
stopped = change(lambda g: jax.lax.stop_gradient(g) * g)
single = change(lambda g: g.astype(jnp.float32))
keyless = change(lambda g, key: g)
keyed = change(lambda g, key: g + jax.random.normal(key))

BROKEN = {
    "jit": (lambda: testing.check_jit(by_tracing, **OWN), "A compiled explainer"),
    "batch": (
        lambda: testing.check_batch(change(standardised), f=f, xs=XS),
        "Row 0 of a batch",
    ),
    "devices": (
        lambda: testing.check_devices(change(standardised), f=f, xs=XS),
        "Row 0 of a batch",
    ),
    "place": (
        lambda: testing.check_devices(jx.saliency, f=f, xs=XS, jit=gathered),
        "stays on the device",
    ),
    "chunks": (lambda: testing.check_chunks(by_chunk, **OWN), "in chunks of 3"),
    "state": (
        lambda: testing.check_key(counted, **OWN, key=testing.KEY),
        "The same key",
    ),
    "no_draw": (
        lambda: testing.check_key(keyless, **OWN, key=testing.KEY),
        "expected True, but got False",
    ),
    "a_draw": (
        lambda: testing.check_key(keyed, random=False, **OWN, key=testing.KEY),
        "expected False, but got True",
    ),
    "loop": (
        lambda: testing.check_traced_once(by_loop, **OWN),
        "1 times, but traced it 2 times",
    ),
    "dtype": (
        lambda: testing.check_dtype(single, **OWN),
        r"expected float16\[3\], but got float32\[3\]",
    ),
    "precision": (
        lambda: testing.check_precision(rounded, **OWN),
        "bfloat16 is that in float64, rounded",
    ),
    "reverse": (
        lambda: testing.check_differentiable(stopped, **OWN),
        "A derivative in reverse mode",
    ),
    "forward": (
        lambda: testing.check_differentiable(change(wrong_slope), **OWN),
        "A derivative in",
    ),
    "no_slope": (
        lambda: testing.check_differentiable(change(jnp.sign), **OWN),
        "are zero",
    ),
}


def test_an_explanation_that_is_not_a_number_has_no_derivative():
    with pytest.raises(AssertionError, match="expected: finite numbers"):
        testing.check_differentiable(change(lambda g: g * np.nan), **OWN)


def test_a_derivative_is_compared_in_every_direction():
    # Of 200 inputs and weights, some multiples of 1/8 would be zero.
    seen = [_draw.directions(_draw.source(seed, 0), np.ones(4)) for seed in range(50)]
    assert np.min(np.abs(seen)) == 1 / 8


def test_low_precision_explains_the_same_baseline():
    # The input and its baseline are one number after rounding: both explain nothing.
    difference = lambda f: lambda x, baseline: jax.grad(f)(x) * (x - baseline)
    for baseline in (0.1, np.full(2, 0.1)):
        testing.check_precision(
            difference, f=lambda x: x @ x, x=np.full(2, 0.1), baseline=baseline
        )


def test_a_number_for_an_input_has_every_dtype():
    testing.check_dtype(jx.saliency, f=lambda x: x**2, x=2.0)


def gathered(fn):
    """A program that brings the whole batch to each of the devices."""
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    return jax.jit(fn, out_shardings=jax.NamedSharding(mesh, jax.P()))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_law_is_found(name):
    call, message = BROKEN[name]
    with pytest.raises(AssertionError, match=message):
        call()


ig = partial(jx.integrated_gradients, steps=8)


def test_integrated_gradients_keep_what_they_promise():
    promises = [*testing.LAWS, "complete", "sensitive", "dummy", "symmetric", "linear"]
    found = testing.check_explainer(
        ig,
        promises=[name for name in promises if name != "key"],
        f=lambda x: x[0] * x[1] - x[2] ** 3,
        x=X,
        baseline=testing.LIKE_X,
        chunk_sizes=[3],
        jit=quick_jit,
    )
    assert set(found.holds) == {*testing.AXIOMS, *testing.LAWS} - {"key"}
    assert found.skipped == {"key": "no keyword is `KEY`"}
    assert not found.broken


def test_a_report_lists_what_does_not_hold_and_raises_if_it_was_promised():
    check = partial(testing.check_explainer, jx.saliency, **OWN, jit=quick_jit)
    found = check(promises=["linear"])
    assert set(found.broken) == {"affine"}
    assert "affine          broken. The units of a feature do not matter." in str(found)
    assert "linear          holds" in str(found)
    assert "complete        skipped: the call takes no `baseline`" in str(found)
    with pytest.raises(AssertionError, match="do not hold: complete, affine"):
        check(promises=["complete", "linear", "affine"])


def test_an_explainer_that_raises_is_reported():
    def make(f, **options):
        raise RuntimeError("not today")

    found = testing.check_explainer(make, promises=[], **OWN, baseline=0.0)
    assert not found.holds
    assert set(found.skipped) == {"affine", "chunks", "key"}
    assert set(found.broken.values()) == {
        "The explainer raised RuntimeError: not today"
    }


def test_an_assertion_without_words_is_reported():
    def make(f, **options):
        raise AssertionError

    found = testing.check_explainer(make, promises=[], **OWN)
    assert "dtype           broken. The explainer raised" in str(found)


class Unhashable:
    __hash__ = None

    def __call__(self, x):
        return f(x)


def test_a_model_need_not_be_hashable():
    check = partial(testing.check_explainer, jx.saliency, jit=quick_jit)
    check(promises=["jit", "batch"], f=Unhashable(), x=X)


def test_a_baseline_of_the_users_shape_says_nothing_of_polynomials():
    def make(f, **options):
        return lambda x, *args, baseline: x

    check = partial(testing.check_explainer, make, promises=["dtype"], jit=quick_jit)
    found = check(**OWN, baseline=np.zeros(3))
    assert "draw it" in found.skipped["linear"]
    assert "complete" in found.broken
    assert "efficient" in check(**OWN, baseline=0.5).skipped


@fixed
@given(testing.strategies.inputs((2, 3)), testing.strategies.masks(4))
def test_inputs_are_exact_in_half_precision_and_masks_are_zeros_and_ones(x, mask):
    assert x.shape == (2, 3)
    assert (x.astype(np.float16).astype(x.dtype) == x).all()
    assert set(mask) <= {0, 1}


@fixed
@given(testing.strategies.labels((2, 3), 4), testing.strategies.keys())
def test_every_label_occurs_and_keys_are_keys(labels, key):
    assert labels.shape == (2, 3)
    assert set(labels.ravel()) == {0, 1, 2, 3}
    assert jax.random.key_data(key).shape == (2,)

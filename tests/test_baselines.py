"""Fills: what they keep, what they take, and what they refuse."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from raising import cases, check

import jaxplain as jx
from jaxplain import baselines

IMAGE = jnp.asarray(np.sin(np.arange(90.0)).reshape(6, 5, 3))
LABELS, N = jx.groups.patches((6, 5), size=2)
HALF = np.random.default_rng(0).random((6, 5)) < 0.5

FILLS = {
    "segment_mean": lambda image: baselines.segment_mean(image, LABELS, N),
    "blurred": lambda image: baselines.blurred(image, sigma=1.5),
    "shuffled": lambda image: baselines.shuffled(jr.key(0), image),
    "inpaint": lambda image: baselines.inpaint(image, HALF),
    "inpaint_all": lambda image: baselines.inpaint(image, jnp.zeros((6, 5))),
    "noise": lambda image: baselines.noise(jr.key(0), image, low=-1.0, high=2.0),
}
each = pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS.keys())


# All of them.


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_a_fill_has_the_shape_and_dtype_of_the_image(name, dtype):
    fill = jax.jit(FILLS[name])
    filled = fill(IMAGE.astype(dtype))
    assert (filled.shape, filled.dtype) == (IMAGE.shape, dtype)
    # bfloat16 is filled in float32; both see the image rounded.
    expected = fill(IMAGE.astype(dtype).astype(jnp.float64))
    if name != "noise":  # other bits for other dtypes
        assert_close(filled, expected.astype(dtype))


@each
def test_a_fill_is_compiled_and_mapped(fill):
    stack = jnp.stack([IMAGE, 2 * IMAGE, -IMAGE])
    batch, alone = jax.jit(jax.vmap(fill))(stack), jax.jit(fill)
    assert_close(batch, jnp.stack([alone(image) for image in stack]))


@each
def test_a_fill_explains_an_image(fill):
    slopes = jnp.cos(IMAGE)
    f = lambda image: (slopes * image).sum()
    explain = jax.jit(jx.occlusion(f, num_groups=N))
    filled = jax.jit(fill)(IMAGE)
    phi = explain(IMAGE, baseline=filled, groups=LABELS)
    drop = (slopes * (IMAGE - filled)).sum(-1)
    assert_close(phi, jnp.stack([drop[i == LABELS].sum() for i in range(N)]))


@pytest.mark.parametrize("name", sorted(set(FILLS) - {"noise"}))
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_a_constant_image_is_its_own_fill(name, dtype):
    image = jnp.broadcast_to(jnp.array([0.1, -3.0, 7.0], dtype), IMAGE.shape)
    assert_close(jax.jit(FILLS[name])(image), image)


# The mean of a segment.


def test_every_segment_gets_its_mean_colour():
    filled = baselines.segment_mean(IMAGE, LABELS, N)
    for label in range(N):
        mean = IMAGE[label == LABELS].mean(0)
        assert_close(
            filled[label == LABELS],
            jnp.broadcast_to(mean, (4, 3))[: (label == LABELS).sum()],
        )


def test_means_of_segments_are_their_own_means():
    image = IMAGE.astype(jnp.float32)
    once = baselines.segment_mean(image, LABELS, N)
    np.testing.assert_array_equal(baselines.segment_mean(once, LABELS, N), once)


def test_means_of_cells_and_of_columns_of_a_series():
    series = IMAGE[..., 0]
    cells, n = jx.groups.cells((6, 5), size=3)
    filled = baselines.segment_mean(series, cells, n)
    assert_close(filled[:3], jnp.broadcast_to(series[:3].mean(0), (3, 5)))
    columns, n = jx.groups.columns((6, 5))
    filled = baselines.segment_mean(series, columns, n)
    assert_close(filled, jnp.broadcast_to(series.mean(0), (6, 5)))


def test_a_value_that_is_not_finite_stays_in_its_segment_and_channel():
    filled = baselines.segment_mean(IMAGE.at[0, 0, 0].set(jnp.nan), LABELS, N)
    broken = (LABELS == 0)[..., None] & (np.arange(3) == 0)
    np.testing.assert_array_equal(jnp.isnan(filled), broken)


def test_the_mean_of_a_traced_label_out_of_range_is_nan():
    fill = jax.jit(lambda g: baselines.segment_mean(jnp.ones((3, 1)), g, 2))
    assert jnp.isnan(fill(jnp.array([0, 5, -1]))).ravel().tolist() == [
        False,
        True,
        True,
    ]


# Noise and shuffles.


def test_noise_lies_within_its_bounds_for_each_channel(getkey):
    low, high = np.array([0.0, -5.0, 2.0]), np.array([1.0, -4.0, 2.0])
    found = np.asarray(baselines.noise(getkey(), IMAGE, low=low, high=high))
    assert (found >= low).all()
    assert (found <= high).all()
    assert found[..., 0].std() > 0.1


@pytest.mark.parametrize(
    "fill", [partial(baselines.noise, low=0, high=1), baselines.shuffled]
)
def test_the_same_key_gives_the_same_fill_and_another_key_another(fill, getkey):
    one, other = getkey(), getkey()
    np.testing.assert_array_equal(fill(one, IMAGE), fill(one, IMAGE))
    assert (fill(one, IMAGE) != fill(other, IMAGE)).any()


def test_shuffled_pixels_keep_their_colours(getkey):
    shuffled = baselines.shuffled(getkey(), IMAGE).reshape(-1, 3)
    by_red = lambda rows: rows[jnp.argsort(rows[:, 0])]
    np.testing.assert_array_equal(by_red(shuffled), by_red(IMAGE.reshape(-1, 3)))


def test_a_blurred_image_is_that_of_the_path():
    expected = jx.paths.blur(IMAGE, sigma=2.0)
    np.testing.assert_array_equal(baselines.blurred(IMAGE, sigma=2.0), expected)


# Inpainting.


settled = jax.jit(partial(baselines.inpaint, sweeps=1000))
inpaint = jax.jit(baselines.inpaint)


def harmonic(image, present):
    """`u = m x + (1 - m) A u`, by a dense solve."""
    shape = present.shape
    index = np.arange(present.size).reshape(shape)
    mean = np.zeros((present.size, present.size))
    for axis in range(len(shape)):
        for step in (-1, 1):
            place = np.clip(np.arange(shape[axis]) + step, 0, shape[axis] - 1)
            mean[index.ravel(), np.take(index, place, axis).ravel()] += 0.5 / len(shape)
    m = present.reshape(-1, 1).astype(float)
    pixels = np.asarray(image, float).reshape(present.size, -1)
    u = np.linalg.solve(np.eye(len(m)) - (1 - m) * mean, m * pixels)
    return u.reshape(image.shape)


SOFT = np.random.default_rng(1).random((6, 5))


@pytest.mark.parametrize("present", [HALF, SOFT, SOFT < 0.1, np.full((6, 5), 0.3)])
def test_with_many_sweeps_every_absent_pixel_is_the_mean_of_its_neighbours(present):
    filled = settled(IMAGE, present)
    # 1000 sweeps leave 1e-10 of the slowest mode where one pixel is present.
    assert_close(filled, jnp.asarray(harmonic(IMAGE, present)), tol=1e-8)


def test_the_gap_of_a_series_is_bridged_by_a_straight_line():
    series = jnp.outer(jnp.arange(12.0), jnp.array([1.0, -2.0]))
    present = np.ones(12, bool)
    present[[3, 4, 5, 8]] = False
    assert_close(settled(series, present), series, tol=1e-9)  # as above


def test_few_holes_in_a_ramp_are_hardly_seen():
    y, x = np.mgrid[:24.0, :20.0]
    ramp = jnp.asarray(np.stack([y + 2 * x, 3 - x], -1))
    present = np.ones((24, 20), bool)
    present[5, 5] = present[10:12, 7] = present[15:18, 9:12] = False
    # Within a tenth of the step from one pixel to the next, by the default sweeps.
    assert jnp.abs(inpaint(ramp, present) - ramp).max() < 0.1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**30 - 1), st.sampled_from([1, 3]))
def test_present_pixels_stay_and_others_lie_within_their_range(bits, sweeps):
    present = np.array([bits >> i & 1 for i in range(30)], bool).reshape(6, 5)
    image = IMAGE.astype(jnp.float32)
    filled = np.asarray(FILL[sweeps](image, present))
    np.testing.assert_array_equal(filled[present], image[present])
    seen = image[present] if present.any() else image.mean((0, 1))[None]
    seen = np.asarray(seen)
    slack = 1e-5  # sums in float32
    assert (filled >= seen.min(0) - slack).all()
    assert (filled <= seen.max(0) + slack).all()


FILL = {n: jax.jit(partial(baselines.inpaint, sweeps=n)) for n in (1, 3)}


@pytest.mark.slow
def test_with_nothing_present_the_image_is_its_mean_and_so_it_is_in_the_limit():
    mean = jnp.broadcast_to(IMAGE.mean((0, 1)), IMAGE.shape)
    assert_close(baselines.inpaint(IMAGE, np.zeros((6, 5))), mean)
    nearly = settled(IMAGE, np.full((6, 5), 1e-9))
    assert_close(nearly, mean, tol=1e-6)  # 1e-9 of the image, in each of 30 pixels


def test_what_is_absent_does_not_count_even_if_it_is_nan():
    broken = jnp.where(jnp.asarray(HALF)[..., None], IMAGE, jnp.nan)
    np.testing.assert_array_equal(inpaint(broken, HALF), inpaint(IMAGE, HALF))


@pytest.mark.parametrize("shape", [(7, 1), (1, 3), (1, 1, 2), (3, 2, 4, 2)])
def test_any_number_of_axes_of_any_length_is_filled(shape):
    image = jnp.asarray(np.cos(np.arange(np.prod(shape) * 1.0)).reshape(shape))
    present = np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) % 2 == 0
    filled = settled(image, present)
    assert_close(filled, jnp.asarray(harmonic(image, present)), tol=1e-8)


@pytest.mark.slow
def test_inpainting_is_differentiable_in_what_is_present_and_in_the_image():
    series = IMAGE[:, 0]

    @jax.jit
    def total(m, x):
        return (jnp.sin(baselines.inpaint(x, m, sweeps=3)) ** 2).sum()

    soft = 0.2 + 0.6 * jnp.asarray(SOFT[:, 0])
    check_grads(total, (soft, series), order=1, modes=("rev",), rtol=1e-5)
    slope = jax.jit(jax.grad(total))
    for m in (jnp.zeros(6), jnp.ones(6), jnp.array([1.0, 0, 0, 1, 0, 1])):
        assert jnp.isfinite(slope(m, series)).all()


# A function of what is present.


def score(image, label):
    return jnp.tanh(image[..., 0].sum() * image[2, 2, 1]) + label * image.mean()


PRESENT = jnp.ones((6, 5))


def test_an_inpainted_function_is_the_function_of_the_filled_image():
    g = jax.jit(baselines.inpainted(score))
    assert_close(g(PRESENT, IMAGE, 2.0), score(IMAGE, 2.0))
    filled = inpaint(IMAGE, HALF)
    assert_close(g(jnp.asarray(HALF, float), IMAGE, 2.0), score(filled, 2.0))


def difference(image, label):
    """What separates the image from its mean colour."""
    mean = jnp.broadcast_to(image.mean((0, 1)), image.shape)
    return score(image, label) - score(mean, label)


@pytest.mark.slow
def test_kernel_shap_shares_what_separates_the_image_from_its_mean():
    g = baselines.inpainted(score)
    explain = partial(jx.kernel_shap(g, num_groups=N, num_samples=64), key=jr.key(0))
    explain = jax.jit(partial(explain, baseline=0.0, groups=LABELS))
    phi = explain(PRESENT, IMAGE, 2.0)
    assert_close(phi.sum(), difference(IMAGE, 2.0), tol=1e-9)  # a regression in float64


def test_occlusion_sees_what_a_filled_region_takes_away():
    explain = jx.occlusion(baselines.inpainted(score), num_groups=N)
    explain = jax.jit(partial(explain, baseline=0.0, groups=LABELS))
    phi = explain(PRESENT, IMAGE, 2.0)
    for label in range(N):
        filled = inpaint(IMAGE, label != LABELS)
        assert_close(phi[label], score(IMAGE, 2.0) - score(filled, 2.0))


@pytest.mark.slow  # its derivative is long to compile
def test_integrated_gradients_of_what_is_present_are_complete():
    series = IMAGE[:, :1]
    g = baselines.inpainted(lambda x: jnp.tanh(x[2, 0, 0] * x[5, 0, 1]))
    explain = jax.jit(partial(jx.integrated_gradients(g, steps=64), baseline=0.0))
    phi = explain(jnp.ones((6, 1)), series)
    mean = jnp.broadcast_to(series.mean((0, 1)), series.shape)
    whole = g(jnp.ones((6, 1)), series) - g(jnp.ones((6, 1)), mean)
    # 64 nodes of a path that turns sharply near nothing: within a thousandth.
    assert_close(phi.sum(), whole, tol=1e-3)


def test_dtypes_of_image_and_presence_may_differ():
    seen = []

    def f(image):
        seen.append(image.dtype)
        return image.mean()

    g = baselines.inpainted(f)
    jax.eval_shape(g, PRESENT.astype(jnp.float32), IMAGE)
    jax.eval_shape(g, PRESENT, IMAGE.astype(jnp.bfloat16))
    assert seen == [jnp.float64, jnp.bfloat16]


# Errors.

INTEGERS = (
    "`image` must be floating-point, but is uint8[4,4,3]. Scale it as the model does, "
    "for example `image.astype(jax.numpy.float32) / 255`."
)
RANK = (
    "`image` must have channels last, behind at least one other axis, and at least one "
    "pixel, but has shape {}. Give a grey image an axis of one channel: "
    "`image[..., None]`."
)
TAKES = {
    "segment_mean": lambda image: baselines.segment_mean(image, 0, 1),
    "blurred": lambda image: baselines.blurred(image, sigma=1.0),
    "noise": lambda image: baselines.noise(jr.key(0), image, low=0.0, high=1.0),
    "shuffled": lambda image: baselines.shuffled(jr.key(0), image),
    "inpaint": lambda image: baselines.inpaint(image, 1.0),
}


@pytest.mark.parametrize("fill", TAKES.values(), ids=TAKES.keys())
def test_a_fill_takes_one_floating_point_image_with_channels(fill):
    check(lambda: fill(np.ones((4, 4, 3), np.uint8)), TypeError, INTEGERS)
    check(lambda: fill(jnp.ones(4)), ValueError, RANK.format((4,)))
    check(lambda: fill(jnp.ones((0, 4, 3))), ValueError, RANK.format((0, 4, 3)))
    message = "`image` must be one array, but is {}. Fill the arrays one by one."
    tree = {"a": jnp.ones((4, 3))}
    shown = message.format(jax.tree.structure(tree))
    check(lambda: fill(tree), TypeError, shown)


@cases(
    sigma=(
        lambda: baselines.blurred(IMAGE, sigma=-1.0),
        ValueError,
        "`sigma` must not be negative, but is -1.0. Pass a standard deviation in "
        "pixels or time steps, or 0 for no blur.",
    ),
    present=(
        lambda: baselines.inpaint(IMAGE, jnp.ones((5, 6))),
        ValueError,
        "`present` must have one entry per pixel, which is the shape of the image "
        "without its channels, (6, 5), but has shape (5, 6). Pass "
        "`jax.numpy.ones((6, 5))` for the whole image.",
    ),
    sweeps=(
        lambda: baselines.inpainted(jnp.sum, sweeps=0),
        ValueError,
        "`sweeps` must be at least 1, but is 0.",
    ),
    scalar=(
        lambda: baselines.inpainted(jnp.sin)(PRESENT, IMAGE),
        ValueError,
        "`f` must return a scalar, but returned shape (6, 5, 3). Select one output, "
        "for example `lambda x: model(x)[label]`.",
    ),
    labels=(
        lambda: baselines.segment_mean(IMAGE, np.zeros((5, 6), int), 1),
        ValueError,
        "`groups` must label the leading axes of `x`, which is float64[6,5,3], but is "
        "int64[5,6]. Give it shape (6, 5, 3) or a leading part of it, with 1 for an "
        "axis that shares its labels.",
    ),
    label_range=(
        lambda: baselines.segment_mean(IMAGE, LABELS, 2),
        ValueError,
        "`groups` must hold labels from 0 to 1 for 2 groups, but they run from 0 to 8. "
        "Number the groups from 0, and count them all in `num_groups`.",
    ),
    low=(
        lambda: baselines.noise(jr.key(0), IMAGE, low=jnp.ones(2), high=1.0),
        ValueError,
        "`low` must broadcast to the image, which is float64[6,5,3], but has shape "
        "(2,). Pass a number, or one per channel.",
    ),
    key=(
        lambda: baselines.noise(None, IMAGE, low=0.0, high=1.0),
        TypeError,
        "`key` is missing: noise draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    ),
)
def test_a_fill_that_cannot_be_made_is_an_error(call, error, message):
    check(call, error, message)

"""Groups: labels from 0 without gaps, and back to the input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxplain as jx

groups = jx.groups
f = lambda x: jnp.sum(x)


def occlude(x, labels, number, f=f):
    explain = jax.jit(
        lambda x: jx.occlusion(f, num_groups=number)(x, baseline=0.0, groups=labels)
    )
    return explain(x)


def check(labels, number):
    """Every label from 0 to `number - 1` is there, as int32."""
    assert labels.dtype == np.int32
    assert isinstance(number, int)
    np.testing.assert_array_equal(np.unique(labels), np.arange(number))
    return labels


# Patches, windows, columns.


def test_patches_are_numbered_in_reading_order():
    labels, n = groups.patches((4, 6), size=2)
    assert n == 6
    expected = np.kron(np.arange(6).reshape(2, 3), np.ones((2, 2)))
    np.testing.assert_array_equal(labels, expected)


def test_the_last_patch_is_smaller_where_the_length_is_no_multiple():
    labels, n = groups.patches((3, 5), size=(2, 4))
    assert n == 4
    assert labels.tolist() == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [2, 2, 2, 2, 3]]


def test_patches_have_any_number_of_axes():
    labels, n = groups.patches((4,), size=3)
    assert (labels.tolist(), n) == ([0, 0, 0, 1], 2)
    labels, n = groups.patches((4, 4, 3), size=(2, 2, 3))
    assert n == 4
    np.testing.assert_array_equal(labels[..., 0], groups.patches((4, 4), size=2)[0])


def test_a_patch_larger_than_the_grid_is_the_whole():
    labels, n = groups.patches((3, 3), size=100)
    assert n == 1
    assert not labels.any()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 12)), min_size=1, max_size=3)
)
def test_patches_are_boxes(axes):
    shape, size = zip(*axes, strict=True)
    labels, n = groups.patches(shape, size=size)
    check(labels, n)
    for label in range(n):
        where = np.argwhere(labels == label)
        extent = where.max(0) - where.min(0) + 1
        assert (extent <= size).all()
        assert len(where) == extent.prod()  # full, and so connected


def test_windows_are_counted_from_the_end():
    assert groups.windows(7, size=3)[0].tolist() == [0, 1, 1, 1, 2, 2, 2]
    assert groups.windows(6, size=3)[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert groups.windows(2, size=3)[0].tolist() == [0, 0]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50))
def test_windows_are_full_but_for_the_first(length, size):
    labels, n = groups.windows(length, size=size)
    check(labels, n)
    assert (np.diff(labels) >= 0).all()
    counts = np.bincount(labels)
    assert (counts[1:] == size).all()
    assert 1 <= counts[0] <= size


def test_columns_share_their_labels_over_all_other_axes():
    labels, n = groups.columns((5, 4, 3))
    assert (labels.shape, n) == ((1, 1, 3), 3)
    x = jnp.arange(60.0).reshape(5, 4, 3)
    phi = occlude(x, labels, n)
    assert_close(phi, x.sum((0, 1)))


# What an explainer makes of them.


def test_groups_of_an_image_hold_whole_pixels():
    labels, n = groups.patches((4, 6), size=2)
    x = jnp.asarray(np.sin(np.arange(72.0)).reshape(4, 6, 3))
    phi = occlude(x, labels, n)
    assert_close(phi, [x[labels == i].sum() for i in range(n)])


def test_groups_of_a_series_hold_whole_steps():
    labels, n = groups.windows(7, size=3)
    x = jnp.arange(14.0).reshape(7, 2)
    phi = occlude(x, labels, n)
    assert_close(phi, jnp.array([x[:1].sum(), x[1:4].sum(), x[4:].sum()]))


def test_groups_may_join_features_of_several_leaves():
    x = {"image": jnp.ones((2, 2)), "table": jnp.array([1.0, 2.0, 4.0])}
    g = {"image": 0, "table": np.array([0, 1, 2])}
    score = lambda x: x["image"].sum() + x["table"].sum()
    phi = occlude(x, g, 3, score)
    assert_close(phi, jnp.array([5.0, 2.0, 4.0]))


def test_groups_may_be_mapped():
    x = jnp.array([1.0, 2.0, 4.0])
    explain = lambda g: occlude(x, g, 2)
    mapped = jax.vmap(explain)(jnp.array([[0, 0, 1], [1, 0, 0]]))
    assert_close(mapped, jnp.array([[3.0, 4.0], [6.0, 1.0]]))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint32, np.int64])
def test_labels_may_be_of_any_integer_dtype(dtype):
    x = jnp.array([1.0, 2.0, 4.0])
    labels = np.array([1, 0, 1], dtype)
    explain = jx.occlusion(f, num_groups=2)
    assert_close(explain(x, baseline=0.0, groups=labels), jnp.array([2.0, 5.0]))
    traced = jax.jit(lambda g: explain(x, baseline=0.0, groups=g))
    assert_close(traced(labels), jnp.array([2.0, 5.0]))


@pytest.mark.parametrize("label", [-1, 2, -3, 100])
def test_a_traced_label_out_of_range_makes_the_values_nan(label):
    x = jnp.array([1.0, 2.0, 4.0])
    for explain in (
        jx.occlusion(f, num_groups=2),
        lambda *a, **k: jx.kernel_shap(f, num_groups=2)(*a, key=jax.random.key(0), **k),
    ):
        phi = jax.jit(lambda g, e=explain: e(x, baseline=0.0, groups=g))
        assert jnp.isnan(phi(jnp.array([0, 1, label]))).all()


def test_a_group_without_features_has_the_value_zero():
    x = jnp.array([1.0, 2.0, 4.0])
    g = np.array([0, 2, 2])
    phi = occlude(x, g, 3)
    assert_close(phi, jnp.array([1.0, 0.0, 6.0]))
    shap = jx.kernel_shap(f, num_groups=3)
    phi = shap(x, baseline=0.0, groups=g, key=jax.random.key(0))
    assert_close(phi, jnp.array([1.0, 0.0, 6.0]))


# Regions of an image.

HALVES = np.zeros((16, 24, 3))
HALVES[:, 12:] = [200.0, 50.0, 10.0]
REGIONS = {
    "superpixels": lambda image: groups.superpixels(image, num_groups=8),
    "quickshift": lambda image: groups.quickshift(image, kernel_size=1, max_dist=4),
}
regions = pytest.mark.parametrize("find", REGIONS.values(), ids=REGIONS.keys())


@regions
def test_regions_do_not_cross_an_edge(find):
    labels, n = find(HALVES)
    assert check(labels, n).shape == (16, 24)
    assert not set(labels[:, :12].flat) & set(labels[:, 12:].flat)


@regions
@pytest.mark.parametrize("scale", [1 / 255, 1e3])
def test_regions_do_not_depend_on_the_range_of_the_image(find, scale):
    image = np.random.default_rng(0).uniform(0, 255, (12, 12, 3))
    expected = find(image)[0]
    np.testing.assert_array_equal(find(scale * image - 7.0)[0], expected)


@regions
@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, jnp.bfloat16])
def test_regions_of_grey_and_colour_images_of_any_dtype(find, channels, dtype):
    image = HALVES[..., 0] if channels is None else HALVES[..., :channels]
    labels, n = find(jnp.asarray(image, dtype))
    assert check(labels, n).shape == (16, 24)
    assert n > 1


@regions
def test_regions_are_found_alike_every_time(find):
    image = np.random.default_rng(1).random((12, 12, 3))
    np.testing.assert_array_equal(find(image)[0], find(image)[0])


@regions
def test_an_image_without_structure_has_regions_all_the_same(find):
    check(*find(np.full((8, 8), 3.0)))
    check(*find(np.ones((1, 1, 3))))


@pytest.mark.parametrize("number", [1, 4, 16])
def test_there_are_about_as_many_superpixels_as_asked(number):
    image = np.random.default_rng(2).random((32, 32, 3)) * 0.01
    _, n = groups.superpixels(image, num_groups=number, compactness=100.0)
    assert number / 2 <= n <= 2 * number


def test_superpixels_explain():
    labels, n = groups.superpixels(HALVES, num_groups=4)
    x = jnp.asarray(HALVES)
    phi = occlude(x, labels, n)
    heatmap = groups.spread(phi, labels)
    assert heatmap.shape == labels.shape
    assert not heatmap[:, :12].any()
    assert (heatmap[:, 12:] > 0).all()


# And back.


def test_spread_gives_each_feature_the_value_of_its_group():
    labels, _ = groups.patches((4, 4), size=2)
    values = jnp.array([1.0, -2.0, 4.0, 8.0], jnp.float32)
    spread = groups.spread(values, labels)
    assert spread.dtype == values.dtype
    np.testing.assert_array_equal(spread, np.asarray(values)[labels])


def test_spread_is_traced_mapped_and_derived():
    labels = np.array([[0, 1], [1, 1]])
    values = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    batch = jax.jit(jax.vmap(lambda v: groups.spread(v, labels)))(values)
    assert_close(batch, values[:, labels])
    total = lambda v: groups.spread(v, labels).sum()
    assert_close(jax.grad(total)(values[0]), jnp.array([1.0, 3.0]))


@pytest.mark.parametrize("label", [-1, 2, 100])
def test_spread_of_a_traced_label_out_of_range_is_nan(label):
    spread = jax.jit(lambda g: groups.spread(jnp.ones(2), g))
    values = spread(jnp.array([0, label]))
    assert values[0] == 1.0
    assert jnp.isnan(values[1])

"""Cells, batches, unions and pruned pasts: labels made of labels, and back."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import skimage
from helpers import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from raising import cases, check

import jaxplain as jx

groups = jx.groups
ROWS = np.array([[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 4]])
X = jnp.array([1.0, -2.0, 0.5, 3.0, -1.0, 0.25])


def interact(x):
    return jnp.tanh(x[0] * x[3]) + x[1] * x[2] * x[5] + x[4] ** 2


# Cells.


def test_cells_are_numbered_by_window_and_then_by_channel():
    labels, n = groups.cells((168, 14), size=24)
    assert (labels.shape, labels.dtype, n) == ((168, 14), np.int32, 7 * 14)
    time, channel = groups.windows(168, size=24)[0], np.arange(14)
    np.testing.assert_array_equal(labels, np.add.outer(14 * time, channel))


def test_cells_of_the_first_window_may_be_shorter():
    labels, n = groups.cells((5, 2), size=3)
    assert n == 4
    assert labels[:, 0].tolist() == [0, 0, 2, 2, 2]


def test_values_of_cells_form_a_row_per_window():
    labels, n = groups.cells((6, 3), size=2)
    x = jnp.asarray(np.sin(np.arange(18.0)).reshape(6, 3))
    drops = jx.occlusion(jnp.sum, num_groups=n)(x, baseline=0.0, groups=labels)
    assert_close(drops.reshape(-1, 3), x.reshape(3, 2, 3).sum(1))


# Regions.


def test_felzenszwalb_does_not_cross_an_edge():
    image = np.zeros((16, 24, 3), np.uint8)
    image[:, 12:] = [200, 50, 10]
    # Blurred regions have an edge of their own: only without a blur is it sharp.
    labels, n = groups.felzenszwalb(image, sigma=0.0, min_size=4)
    assert (labels.dtype, n) == (np.int32, 2)
    assert not set(labels[:, :12].flat) & set(labels[:, 12:].flat)


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("scale", [1 / 255, 1e3])
def test_felzenszwalb_takes_any_range_in_grey_or_in_colour(channels, scale):
    shape = (12, 12) if channels is None else (12, 12, channels)
    image = np.random.default_rng(0).uniform(0, 255, shape)
    labels, n = groups.felzenszwalb(image, min_size=4)
    np.testing.assert_array_equal(np.unique(labels), np.arange(n))
    again = groups.felzenszwalb(scale * image - 7.0, min_size=4)
    np.testing.assert_array_equal(again[0], labels)


def test_every_way_to_segment_a_photograph_gives_labels_without_gaps():
    cat = skimage.data.chelsea()[60:160, 120:220]
    for find in (groups.superpixels, groups.quickshift, groups.felzenszwalb):
        labels, n = find(cat)
        assert labels.shape == cat.shape[:2]
        np.testing.assert_array_equal(np.unique(labels), np.arange(n))
        assert 5 < n < 500


# Round trip.


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_the_mean_by_label_of_what_is_spread_is_what_was_spread(labels):
    values = np.cos(np.arange(6.0))
    spread = np.asarray(groups.spread(values, np.array(labels)))
    for label in set(labels):
        here = spread[np.array(labels) == label]
        assert_close(here.mean(), values[label])


# Any grouping of an additive function.

EXPLAINERS = {
    "occlusion": lambda f, n: jx.occlusion(f, num_groups=n),
    "kernel_shap": lambda f, n: partial(
        jx.kernel_shap(f, num_groups=n, num_samples=30), key=jr.key(0)
    ),
    "gp_shap": lambda f, n: partial(
        jx.gp_shap(f, num_groups=n, num_samples=30), key=jr.key(0)
    ),
    "lime": lambda f, n: partial(
        jx.lime(f, num_groups=n, num_samples=64, ridge=0.0), key=jr.key(0)
    ),
}
each = pytest.mark.parametrize("make", EXPLAINERS.values(), ids=EXPLAINERS.keys())


@each
def test_an_additive_function_is_explained_exactly_in_any_grouping(make):
    shape, n = (3, 4), 6
    slopes = jnp.asarray(np.sin(1.0 + np.arange(24.0)).reshape(3, 4, 2))
    x = jnp.asarray(np.cos(np.arange(24.0)).reshape(3, 4, 2))
    additive = lambda x: (slopes * x).sum()
    explain = jax.jit(partial(make(additive, n), x, baseline=0.1))
    parts = np.asarray(slopes * (x - 0.1)).sum(-1)

    @settings(max_examples=20, deadline=None)
    @given(st.permutations(range(n)), st.lists(st.integers(0, 5), min_size=6))
    def run(order, rest):
        # Each label once, so that every player has a weight, and any others after it.
        labels = np.resize([*order, *rest[:6]], shape)
        phi = explain(groups=jnp.asarray(labels))
        expected = [parts[labels == i].sum() for i in range(n)]
        assert_close(phi, jnp.asarray(expected), tol=1e-10)  # a regression in float64

    run()


# Batches of different segmentations.


def test_a_stack_has_one_more_axis_and_the_largest_number_of_groups():
    labels, n = groups.stack(list(ROWS))
    assert (labels.shape, labels.dtype, n) == ((3, 6), np.int32, 5)
    np.testing.assert_array_equal(labels, ROWS)
    assert groups.stack([jnp.array([1, 0], jnp.int8)])[0].dtype == np.int32


@pytest.mark.slow
@each
def test_a_stack_is_explained_in_one_program_as_each_input_alone(make):
    # The kernel of LIME counts the players, so it is alike where all is a line; and the
    # Shapley values see all coalitions of five players.
    f = jnp.sum if make is EXPLAINERS["lime"] else interact
    labels, n = groups.stack(list(ROWS))
    explain = partial(make(f, n), baseline=0.0)
    batch = jax.jit(jax.vmap(lambda g: explain(X, groups=g)))(labels)
    for phi, row in zip(batch, ROWS, strict=True):
        number = int(row.max()) + 1
        alone = jax.jit(partial(make(f, number), baseline=0.0, groups=row))(X)
        padded = jnp.concatenate([alone, jnp.zeros(n - number)])
        assert_close(phi, padded, tol=1e-9)  # a regression in float64


def test_a_distance_between_real_players_leaves_padding_out_of_lime():
    def fit(labels, n, used=None):
        def distance(mask):
            there = mask * used
            return 1 - jnp.sqrt(there.sum() / used.sum())

        v = jx.game(interact, X, baseline=0.0, groups=labels)
        found = jx.surrogates.regress(
            lambda m: v(m.astype(float)),
            jx.coalitions.exhaustive(n),
            n,
            num_samples=2**n,
            distance="cosine" if used is None else distance,
            width=0.25,
            ridge=0.0,
        )
        return found.weights

    fit = jax.jit(fit, static_argnums=1)
    alone, padded = fit(ROWS[0], 3), fit(ROWS[0], 6)
    used = jnp.isin(jnp.arange(6), ROWS[0]).astype(float)
    assert abs(padded[:3] - alone).max() > 1e-3  # by default they count
    assert_close(fit(ROWS[0], 6, used)[:3], alone, tol=1e-9)


# Unions.


def test_cells_are_in_the_window_of_their_time():
    days, number = groups.windows(10, size=4)
    fine, n = groups.cells((10, 3), size=2)
    unions = groups.unions(fine, days)
    assert unions.dtype == np.int32
    assert len(unions) == n
    # Two windows of cells in each day, but for the first, which has one.
    np.testing.assert_array_equal(unions, np.repeat([0, 1, 1, 2, 2], 3))
    assert number == 3


def test_columns_and_cells_nest_as_well():
    fine, _ = groups.cells((4, 3), size=2)
    unions = groups.unions(fine, groups.columns((4, 3))[0])
    assert unions.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_group_in_several_goes_to_that_which_holds_most_and_numbers_have_no_gaps():
    fine = np.array([0, 0, 0, 1, 1, 1, 2])
    coarse = np.array([0, 0, 1, 1, 3, 3, 3])
    assert groups.unions(fine, coarse).tolist() == [0, 1, 1]


def test_values_of_unions_are_shapley_values_of_the_coarse_groups():
    coarse, m = groups.windows(6, size=2)
    fine, n = groups.windows(6, size=1)
    f = lambda x: x[0] * x[2] * x[5] + jnp.tanh(x[1] + x[3])
    unions = groups.unions(fine, coarse)
    explain = jx.owen_values(f, unions=unions, num_groups=n)
    phi = explain(X, baseline=0.0, groups=fine)
    days = jx.shapley_values(f, num_groups=m)(X, baseline=0.0, groups=coarse)
    assert_close(jax.ops.segment_sum(phi, jnp.asarray(unions), m), days)


def test_superpixels_come_in_larger_superpixels():
    cat = skimage.data.chelsea()[60:92, 120:152]
    (fine, n), (coarse, _) = (groups.superpixels(cat, num_groups=k) for k in (12, 4))
    unions = groups.unions(fine, coarse)
    explain = jx.owen_values(jnp.mean, unions=unions, num_groups=n, chunk_size=64)
    x = jnp.asarray(cat, float)
    phi = jax.jit(partial(explain, baseline=0.0, groups=fine))(x)
    assert_close(phi.sum(), x.mean())


# Pruned pasts.


def test_a_pruned_past_is_the_first_group_and_the_others_keep_their_order():
    labels, n = groups.prune(groups.cells((6, 2), size=2)[0], first=3)
    assert (labels.dtype, n) == (np.int32, 5)
    assert labels.tolist() == [[0, 0], [0, 0], [0, 0], [1, 2], [3, 4], [3, 4]]


def test_nothing_is_pruned_before_the_first_step():
    labels, n = groups.cells((6, 2), size=2)
    pruned, number = groups.prune(labels, first=0)
    np.testing.assert_array_equal(pruned, labels)
    assert number == n


def test_a_traced_past_is_one_more_group():
    labels, n = groups.windows(6, size=2)
    shap = jx.shapley_values(interact, num_groups=n + 1)

    @jax.jit
    def explain(first):
        pruned = jnp.where(np.arange(6) < first, n, labels)
        return shap(X, baseline=0.0, groups=pruned)

    pruned, k = groups.prune(labels, first=3)
    alone = jx.shapley_values(interact, num_groups=k)(X, baseline=0.0, groups=pruned)
    phi = explain(3)
    assert phi[0] == 0  # no step is left in it
    assert_close(jnp.roll(phi[1:], 1), alone)


# Errors.

TRACED = (
    "`{}` must be concrete, but is traced: the number of groups shapes the program. "
    "Make the labels outside `jax.jit` and `jax.vmap`."
)
INTEGERS = "`{}` must hold integer labels, but holds {}. Number the groups from 0."
CHANNELS = (
    "`image` must be grey or have 3 channels for {}, but has shape (8, 8, 5). Choose "
    "three channels, or use `superpixels`."
)
FROM_0 = (
    "`{}` must hold labels from 0, but {}. Number the groups from 0, one label per "
    "feature."
)


@cases(
    cells_rank=(
        lambda: groups.cells((4, 4, 3), size=2),
        ValueError,
        "`shape` must be (length, channels), but is (4, 4, 3). For a grid with more "
        "axes, use `jaxplain.groups.patches`.",
    ),
    cells_empty=(
        lambda: groups.cells((4, 0), size=2),
        ValueError,
        "`shape` must be at least 1, but is 0.",
    ),
    cells_size=(
        lambda: groups.cells((4, 3), size=0),
        ValueError,
        "`size` must be at least 1, but is 0.",
    ),
    scale=(
        lambda: groups.felzenszwalb(np.eye(8), scale=0.0),
        ValueError,
        "`scale` must be a positive number, but is 0.0.",
    ),
    sigma=(
        lambda: groups.felzenszwalb(np.eye(8), sigma=-1.0),
        ValueError,
        "`sigma` must be a non-negative number, but is -1.0.",
    ),
    nan=(
        lambda: groups.felzenszwalb(np.full((8, 8), np.nan)),
        ValueError,
        "`image` must be finite, but 64 of its values are not. Fill them before "
        "looking for regions.",
    ),
    quickshift_channels=(
        lambda: groups.quickshift(np.ones((8, 8, 5))),
        ValueError,
        CHANNELS.format("quickshift"),
    ),
    felzenszwalb_channels=(
        lambda: groups.felzenszwalb(np.ones((8, 8, 5))),
        ValueError,
        CHANNELS.format("felzenszwalb"),
    ),
    stack_shapes=(
        lambda: groups.stack([[0, 1], [0, 1, 2]]),
        ValueError,
        "`labels` must be arrays of one shape, but have shapes [(2,), (3,)]. Bring the "
        "inputs to one size before finding their groups.",
    ),
    stack_none=(
        lambda: groups.stack([]),
        ValueError,
        "`labels` must be arrays of one shape, but have shapes []. Bring the inputs "
        "to one size before finding their groups.",
    ),
    stack_floats=(
        lambda: groups.stack([[0.0, 1.0]]),
        TypeError,
        INTEGERS.format("labels", "float64"),
    ),
    stack_negative=(
        lambda: groups.stack([[0, -1]]),
        ValueError,
        FROM_0.format("labels", "one is negative"),
    ),
    stack_empty=(
        lambda: groups.stack([np.zeros((0, 2), int)]),
        ValueError,
        FROM_0.format("labels", "has shape (0, 2)"),
    ),
    unions_shapes=(
        lambda: groups.unions(np.zeros((4, 3), int), np.zeros(5, int)),
        ValueError,
        "`fine` and `coarse` must label one input, but have shapes (4, 3) and (5,). "
        "Leave out last axes only, or give them length 1.",
    ),
    unions_gap=(
        lambda: groups.unions([0, 2], [0, 1]),
        ValueError,
        "`fine` must use every label from 0 up, since each is a player, but no feature "
        "has label 1. `numpy.unique(fine, return_inverse=True)[1]` numbers them "
        "without gaps.",
    ),
    prune_late=(
        lambda: groups.prune([0, 1], first=2),
        ValueError,
        "`first` must be a step of the series, but is 2 for labels of shape (2,). Keep "
        "at least the last step.",
    ),
    prune_negative=(
        lambda: groups.prune([0, 1], first=-1),
        ValueError,
        "`first` must be at least 0, but is -1.",
    ),
)
def test_labels_that_cannot_be_made_are_an_error(call, error, message):
    check(call, error, message)


@cases(
    stack=(lambda g: groups.stack([g]), ValueError, TRACED.format("labels")),
    fine=(lambda g: groups.unions(g, [0, 1]), ValueError, TRACED.format("fine")),
    coarse=(lambda g: groups.unions([0, 1], g), ValueError, TRACED.format("coarse")),
    prune=(lambda g: groups.prune(g, first=1), ValueError, TRACED.format("labels")),
)
def test_labels_are_made_on_the_host(call, error, message):
    check(lambda: jax.eval_shape(call, jnp.array([0, 1])), error, message)


@pytest.mark.parametrize("shape", [(4,), (1, 4, 4, 3), (0, 4)])
def test_felzenszwalb_takes_one_concrete_image(shape):
    message = (
        "`image` must have shape (height, width) or (height, width, channels), but has "
        f"shape {shape}."
    )
    check(lambda: groups.felzenszwalb(np.ones(shape)), ValueError, message)
    with pytest.raises(ValueError, match="must be concrete, but is traced"):
        jax.eval_shape(lambda x: groups.felzenszwalb(x)[0], jnp.ones((4, 4)))

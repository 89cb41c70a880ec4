"""Errors about metrics, figures and regions of an image, word for word."""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

IMAGE = jnp.ones((8, 8, 3), jnp.float32)
X = jnp.ones(3, jnp.float32)

# Metrics.

RANKING = (
    "`attribution` must have the shape of `x`, {}, or of its leading axes, but is {}. "
    "Spread values of groups with `jaxplain.groups.spread`, and stretch the map of a "
    "layer with `jaxplain.cam.upsample`."
)


@pytest.mark.parametrize("name", ["deletion", "insertion"])
@pytest.mark.parametrize(
    ("x", "attribution", "shown_x", "shown"),
    [
        (IMAGE, jnp.ones(3), "float32[8,8,3]", "float64[3]"),
        (IMAGE, jnp.ones((4, 4)), "float32[8,8,3]", "float64[4,4]"),
        (IMAGE, jnp.ones((8, 8, 1)), "float32[8,8,3]", "float64[8,8,1]"),
        (X, {"a": X}, "float32[3]", "{'a': 'float32[3]'}"),
        ({"a": X}, X, "{'a': 'float32[3]'}", "float32[3]"),
    ],
    ids=["trailing", "smaller", "ones", "structure", "leaf"],
)
def test_an_attribution_must_rank_the_input(name, x, attribution, shown_x, shown):
    score = lambda x: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(x))
    measure = getattr(jx.metrics, name)(score)
    run = lambda x: measure(x, attribution=attribution, baseline=0.0)
    check(lambda: run(x), ValueError, RANKING.format(shown_x, shown))
    check(lambda: jax.eval_shape(run, x), ValueError, RANKING.format(shown_x, shown))


@pytest.mark.parametrize("name", ["deletion", "insertion", "completeness_gap"])
def test_an_attribution_is_required(name):
    measure = getattr(jx.metrics, name)(jnp.sum)
    message = (
        "`attribution` is missing: pass the explanation to judge, for example "
        "`attribution=explain(x, *args, baseline=0.0)`."
    )
    check(lambda: measure(X, baseline=0.0), TypeError, message)


# Figures.

NAN = np.array([[1.0, np.nan], [2.0, np.inf]])
FINITE = (
    "`{}` must be finite, but {} of {} values are not. Look for the inputs where `f` "
    "is not finite: a picture would hide them."
)
MAP = (
    "`{}` must have shape (height, width) or (height, width, channels), but has shape "
    "{}."
)
LENGTH = "`{}` must have shape ({},), but has shape ({},)."
plot = jx.plot


def drawn(draw, message):
    return draw, ValueError, message


@cases(
    heatmap_nan=drawn(lambda: plot.heatmap(NAN), FINITE.format("values", 2, 4)),
    image_nan=drawn(
        lambda: plot.heatmap(np.ones((2, 2)), image=NAN), FINITE.format("image", 2, 4)
    ),
    heatmap_rank=drawn(
        lambda: plot.heatmap(np.ones(3)),
        MAP.format("values", (3,)) + " Draw one example at a time, and a series with "
        "`jaxplain.plot.series`.",
    ),
    heatmap_batch=drawn(
        lambda: plot.heatmap(np.ones((1, 2, 2, 3))),
        MAP.format("values", (1, 2, 2, 3)) + " Draw one example at a time, and a "
        "series with `jaxplain.plot.series`.",
    ),
    image_rank=drawn(
        lambda: plot.heatmap(np.ones((2, 2)), image=np.ones(4)),
        MAP.format("image", (4,)),
    ),
    series_nan=drawn(lambda: plot.series(NAN), FINITE.format("attribution", 2, 4)),
    series_rank=drawn(
        lambda: plot.series(np.ones((2, 2, 2))),
        "`attribution` must have shape (steps,) or (steps, features), but has shape "
        "(2, 2, 2). Draw one example at a time.",
    ),
    series_time=drawn(
        lambda: plot.series(np.ones(3), time=[1, 2]), LENGTH.format("time", 3, 2)
    ),
    series_values=drawn(
        lambda: plot.series(np.ones(3), values=[1, 2]), LENGTH.format("values", 3, 2)
    ),
    series_names=drawn(
        lambda: plot.series(np.ones((3, 2)), names=["a"]), LENGTH.format("names", 2, 1)
    ),
    bars_nan=drawn(lambda: plot.bars(NAN[0]), FINITE.format("weights", 1, 2)),
    bars_rank=drawn(
        lambda: plot.bars(np.ones((2, 2))),
        "`weights` must have shape (features,), but has shape (2, 2). Draw one example "
        "at a time.",
    ),
    bars_names=drawn(lambda: plot.bars([1, 2], ["a"]), LENGTH.format("names", 2, 1)),
    bars_errors=drawn(
        lambda: plot.bars([1, 2], errors=[1]), LENGTH.format("errors", 2, 1)
    ),
    bars_nan_errors=drawn(
        lambda: plot.bars([1, 2], errors=NAN[0]), FINITE.format("errors", 1, 2)
    ),
)
def test_a_figure_that_cannot_be_drawn_is_an_error(call, error, message):
    try:
        check(call, error, message)
    finally:
        plt.close("all")


# Regions.

TRACED = (
    "`image` must be concrete, but is traced: superpixels are found on the host, and "
    "their number shapes the program. Find them outside `jax.jit` and `jax.vmap`, and "
    "pass the labels in as `groups`."
)
groups = jx.groups
regions = pytest.mark.parametrize("find", [groups.superpixels, groups.quickshift])


@regions
def test_regions_are_found_in_a_concrete_image(find):
    check(lambda: jax.jit(lambda x: find(x)[0])(IMAGE), ValueError, TRACED)
    check(lambda: jax.vmap(lambda x: find(x)[0])(IMAGE[None]), ValueError, TRACED)


@regions
def test_regions_are_found_in_a_finite_image(find):
    message = (
        "`image` must be finite, but 2 of its values are not. Fill them before looking "
        "for regions."
    )
    check(lambda: find(NAN), ValueError, message)


@regions
@pytest.mark.parametrize("shape", [(4,), (1, 4, 4, 3), (0, 4)])
def test_regions_are_found_in_one_image(find, shape):
    message = f"{MAP.format('image', shape)}"
    check(lambda: find(np.ones(shape)), ValueError, message)


@cases(
    size=(
        lambda: groups.patches((4, 4), size=0),
        ValueError,
        "`size` must be at least 1, but is 0.",
    ),
    sizes=(
        lambda: groups.patches((4, 4), size=(2, 2, 2)),
        ValueError,
        "`size` must be one number, or one per axis of shape (4, 4), but is (2, 2, 2).",
    ),
    shape=(
        lambda: groups.patches((4, 0), size=2),
        ValueError,
        "`shape` must be at least 1, but is 0.",
    ),
    columns=(
        lambda: groups.columns((4, 0)),
        ValueError,
        "`shape` must be at least 1, but is 0.",
    ),
    spread=(
        lambda: groups.spread(np.ones((2, 2)), np.array([0])),
        ValueError,
        "`values` must have shape (num_groups,), but has shape (2, 2). Map over "
        "attributions with `jax.vmap`.",
    ),
    spread_too_high=(
        lambda: groups.spread(np.ones(2), np.array([0, 2])),
        ValueError,
        "`groups` must hold labels from 0 to 1 for 2 groups, but they run from 0 to 2. "
        "Number the groups from 0, and count them all in `num_groups`.",
    ),
)
def test_groups_that_cannot_be_made_are_an_error(call, error, message):
    check(call, error, message)

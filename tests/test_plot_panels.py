"""Figures of several panels: a picture with its regions, a series with its cells."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from raising import cases, check

import jaxplain as jx

plot = jx.plot
IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
SEGMENTS, N = jx.groups.patches((8, 12), size=4)  # six of them
WEIGHTS = np.array([0.5, -2.0, 1.0, 0.0, 3.0, -0.1])
PHI = np.outer(np.sin(np.arange(5.0)), [1.0, -2.0, 0.5])
DRAWN = {
    "explanation": (4, lambda **kw: plot.explanation(IMAGE, SEGMENTS, WEIGHTS, **kw)),
    "cells": (2, lambda **kw: plot.cells(PHI, values=PHI, series=PHI[:, 0], **kw)),
}
each = pytest.mark.parametrize(("number", "draw"), DRAWN.values(), ids=DRAWN.keys())


@pytest.fixture(autouse=True)
def _no_show(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("shown"))
    yield
    plt.close("all")


@each
def test_panels_are_drawn_in_a_new_figure_and_nothing_global_changes(number, draw):
    before = dict(mpl.rcParams)
    axes = draw()
    assert len(axes) == number
    assert len(plt.get_fignums()) == 1
    axes[0].figure.canvas.draw()
    assert dict(mpl.rcParams) == before


@each
def test_panels_are_drawn_on_the_axes_that_are_given(number, draw, monkeypatch):
    figure = mpl.figure.Figure()
    monkeypatch.setattr(plt, "subplots", lambda *_, **__: pytest.fail("pyplot"))
    given = figure.subplots(1, number)
    assert list(draw(axes=given)) == list(given)
    figure.canvas.draw()


# The four panels.


def pixels(ax):
    return np.asarray(ax.get_images()[0].get_array())


def test_the_first_panel_is_the_picture_in_its_own_colours():
    picture, *_ = plot.explanation(IMAGE, SEGMENTS, WEIGHTS)
    low, high = IMAGE.min(), IMAGE.max()
    np.testing.assert_allclose(pixels(picture), (IMAGE - float(low)) / (high - low))


def test_a_picture_without_three_channels_is_grey():
    picture, *_ = plot.explanation(IMAGE[..., 0], SEGMENTS, WEIGHTS)
    assert pixels(picture).shape == (8, 12, 3)
    assert (np.ptp(pixels(picture), axis=-1) == 0).all()


def test_lines_are_drawn_wherever_two_regions_meet():
    _, regions, *_ = plot.explanation(IMAGE, SEGMENTS, WEIGHTS)
    (lines,) = regions.collections
    # Two columns of eight pixels, and one row of twelve.
    assert len(lines.get_segments()) == 2 * 8 + 12
    assert regions.get_title() == "6 regions"


@pytest.mark.parametrize(("most", "shown"), [(1, {4}), (2, {4, 2}), (9, {4, 2, 0})])
def test_only_the_strongest_regions_in_favour_keep_their_colours(most, shown):
    picture, _, top, _ = plot.explanation(IMAGE, SEGMENTS, WEIGHTS, most=most)
    kept = np.isin(SEGMENTS, list(shown))
    np.testing.assert_array_equal(pixels(top)[kept], pixels(picture)[kept])
    greyed = pixels(top)[~kept]
    assert (np.ptp(greyed, axis=-1) == 0).all()
    assert greyed.min() >= 0.8


def test_the_last_panel_is_the_heatmap_of_the_weights():
    *_, weighed = plot.explanation(IMAGE, SEGMENTS, WEIGHTS, limit=2.0)
    drawn = weighed.get_images()[-1]
    np.testing.assert_array_equal(drawn.get_array(), WEIGHTS[SEGMENTS])
    assert drawn.get_clim() == (-2.0, 2.0)


def test_the_scale_beside_a_heatmap_over_an_image_goes_through_white():
    ax = plot.heatmap(np.eye(4), image=np.ones((4, 4)), colorbar=True)
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    colours = bar.collections[-1].cmap(np.linspace(0, 1, 3))[:, :3]
    np.testing.assert_allclose(colours[1], 1, atol=0.01)  # 256 colours, none is zero's
    assert colours[0][0] > colours[0][2]
    assert colours[2][2] > colours[2][0]


def test_weights_of_zero_are_drawn_without_a_region_in_favour():
    _, _, top, _ = plot.explanation(IMAGE, SEGMENTS, np.zeros(N))
    assert (np.ptp(pixels(top), axis=-1) == 0).all()
    top.figure.canvas.draw()


# Cells.


def test_sums_over_channels_stand_above_the_map_and_share_its_time():
    above, below = plot.cells(PHI, time=np.arange(-4, 1))
    heights = [bar.get_height() for bar in above.patches]
    np.testing.assert_allclose(heights, PHI.sum(1))
    assert above.get_xlim() == below.get_xlim() == (-4.5, 0.5)
    mesh = below.collections[0]
    np.testing.assert_array_equal(np.reshape(mesh.get_array(), (3, 5)), PHI.T)


def test_each_channel_is_a_line_inside_its_row_that_rises_as_it_does():
    values = np.stack([np.arange(5.0), -100 * np.arange(5.0), np.ones(5)], 1)
    _, below = plot.cells(PHI, values=values)
    first, second, flat = [line.get_ydata() for line in below.lines]
    assert (np.diff(first) < 0).all()  # the axis counts rows downwards
    assert (np.diff(second) > 0).all()
    for row, line in enumerate((first, second, flat)):
        assert row < line.min() <= line.max() < row + 1
    np.testing.assert_array_equal(flat, 2.5)
    assert below.get_ylim() == (3, 0)


def test_the_series_is_drawn_above_against_an_axis_of_its_own():
    above, _ = plot.cells(PHI, series=100 * PHI[:, 0])
    twins = [ax for ax in above.figure.axes if ax.get_lines() and ax is not above]
    assert any(np.array_equal(t.lines[0].get_ydata(), 100 * PHI[:, 0]) for t in twins)


# Errors.


@cases(
    segments=(
        lambda: plot.explanation(IMAGE, SEGMENTS[:4], WEIGHTS),
        ValueError,
        "`segments` must hold one label per pixel, shape (8, 12), but has shape "
        "(4, 12). Pass the labels that the weights belong to.",
    ),
    range=(
        lambda: plot.explanation(IMAGE, SEGMENTS, WEIGHTS[:3]),
        ValueError,
        "`groups` must hold labels from 0 to 2 for 3 groups, but they run from 0 to 5. "
        "Number the groups from 0, and count them all in `num_groups`.",
    ),
    weights=(
        lambda: plot.explanation(IMAGE, SEGMENTS, np.full(6, np.nan)),
        ValueError,
        "`weights` must be finite, but 6 of 6 values are not. Look for the inputs "
        "where `f` is not finite: a picture would hide them.",
    ),
    image=(
        lambda: plot.explanation(np.ones(4), SEGMENTS, WEIGHTS),
        ValueError,
        "`image` must have shape (height, width) or (height, width, channels), but has "
        "shape (4,).",
    ),
    most=(
        lambda: plot.explanation(IMAGE, SEGMENTS, WEIGHTS, most=0),
        ValueError,
        "`most` must be at least 1, but is 0.",
    ),
    axes=(
        lambda: plot.explanation(IMAGE, SEGMENTS, WEIGHTS, axes=[1, 2]),
        ValueError,
        "`axes` must hold 4 Axes, but holds 2. Make them with "
        "`matplotlib.pyplot.subplots`, or leave `axes` out.",
    ),
    cells=(
        lambda: plot.cells(PHI[:, 0]),
        ValueError,
        "`attribution` must have shape (steps, channels), but has shape (5,). Spread "
        "values of cells with `jaxplain.groups.spread`, and draw one value per step "
        "with `jaxplain.plot.series`.",
    ),
    values=(
        lambda: plot.cells(PHI, values=PHI[:, :2]),
        ValueError,
        "`values` must have the shape of the attribution, (5, 3), but has shape "
        "(5, 2). Pass the input that was explained.",
    ),
    series=(
        lambda: plot.cells(PHI, series=PHI[:3, 0]),
        ValueError,
        "`values` must have shape (5,), but has shape (3,).",
    ),
)
def test_panels_that_cannot_be_drawn_are_an_error(call, error, message):
    check(call, error, message)

"""Figures: drawn on an Axes that is returned, and on nothing else."""

import jax.numpy as jnp
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

import jaxplain as jx

plot = jx.plot
MAP = np.outer(np.sin(np.arange(4.0)), np.cos(np.arange(3.0)))
IMAGE = np.linspace(0, 255, 8 * 6 * 3).reshape(8, 6, 3)
PHI = np.array([0.5, -2.0, 1.0, 0.0])

DRAWN = {
    "heatmap": lambda **kw: plot.heatmap(MAP, **kw),
    "heatmap_over_image": lambda **kw: plot.heatmap(MAP, image=IMAGE, **kw),
    "heatmap_with_colorbar": lambda **kw: plot.heatmap(MAP, colorbar=True, **kw),
    "series": lambda **kw: plot.series(PHI, **kw),
    "series_with_values": lambda **kw: plot.series(PHI, values=10 * PHI, **kw),
    "series_of_features": lambda **kw: plot.series(MAP, **kw),
    "bars": lambda **kw: plot.bars(PHI, **kw),
    "bars_with_errors": lambda **kw: plot.bars(PHI, errors=np.ones(4), **kw),
}
each = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())


@pytest.fixture(autouse=True)
def _no_show(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("shown"))
    yield
    plt.close("all")


@each
def test_a_figure_is_drawn_on_a_new_axes_and_nothing_global_changes(draw):
    before, interactive = dict(mpl.rcParams), mpl.is_interactive()
    ax = draw()
    assert isinstance(ax, Axes)
    assert len(plt.get_fignums()) == 1
    ax.figure.canvas.draw()
    assert dict(mpl.rcParams) == before
    assert mpl.is_interactive() == interactive


@each
def test_a_figure_is_drawn_on_the_axes_that_is_given(draw):
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(ax=right) is right
    assert plt.get_fignums() == [figure.number]
    assert not left.has_data()
    assert right.has_data()


@each
def test_a_figure_can_be_drawn_without_pyplot(draw, monkeypatch):
    figure = mpl.figure.Figure()
    monkeypatch.setattr(plt, "subplots", lambda *_, **__: pytest.fail("pyplot"))
    monkeypatch.setattr(plt, "figure", lambda *_, **__: pytest.fail("pyplot"))
    ax = figure.add_subplot()
    assert draw(ax=ax) is ax


@each
def test_a_figure_can_be_saved(draw, tmp_path):
    draw().figure.savefig(tmp_path / "figure.png", dpi=40)
    pixels = plt.imread(tmp_path / "figure.png")
    assert pixels[..., :3].std() > 0.01


# heatmap.


def drawn(ax):
    return ax.get_images()[-1]


def test_a_heatmap_is_symmetric_about_zero():
    image = drawn(plot.heatmap(MAP))
    limit = np.abs(MAP).max()
    assert image.get_clim() == (-limit, limit)
    np.testing.assert_array_equal(image.get_array(), MAP)
    assert drawn(plot.heatmap(MAP, limit=3.0)).get_clim() == (-3.0, 3.0)


def colour(ax, value):
    image = drawn(ax)
    return np.array(image.cmap(image.norm(value)))[:3]


@pytest.mark.parametrize("image", [None, IMAGE])
def test_evidence_in_favour_is_blue_and_evidence_against_is_orange(image):
    ax = plot.heatmap(MAP, image=image)
    red, _, blue = colour(ax, np.abs(MAP).max())
    assert blue > 2 * red
    red, _, blue = colour(ax, -np.abs(MAP).max())
    assert red > 2 * blue


def test_zero_is_white_without_an_image_and_transparent_over_one():
    assert colour(plot.heatmap(MAP), 0.0).min() > 0.99
    ax = plot.heatmap(np.array([[0.0, 1.0], [-0.5, 0.0]]), image=np.ones((2, 2)))
    np.testing.assert_allclose(drawn(ax).get_alpha(), [[0.0, 0.75], [0.375, 0.0]])


def test_a_smaller_map_is_stretched_to_the_image_as_by_upsample():
    ax = plot.heatmap(MAP, image=IMAGE)
    below, above = ax.get_images()
    assert below.get_array().shape == above.get_array().shape == (8, 6)
    assert below.get_extent() == above.get_extent()
    expected = jx.cam.upsample(MAP, (8, 6))
    np.testing.assert_allclose(above.get_array(), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1 / 255, -1.0])
def test_the_image_below_is_grey_and_stretched_to_its_own_range(scale):
    below = plot.heatmap(MAP, image=scale * IMAGE).get_images()[0]
    pixels = below.get_array()
    assert (pixels.min(), pixels.max()) == (0.0, 1.0)
    assert below.get_clim() == (0, 1)


def test_channels_of_a_map_are_summed():
    channels = np.stack([MAP, 2 * MAP], -1)
    np.testing.assert_allclose(drawn(plot.heatmap(channels)).get_array(), 3 * MAP)


@pytest.mark.parametrize("image", [None, np.ones((3, 3))])
def test_a_map_of_zeros_is_drawn(image):
    ax = plot.heatmap(np.zeros((3, 3)), image=image)
    ax.figure.canvas.draw()
    assert drawn(ax).get_clim() == (-1.0, 1.0)


def test_maps_of_jax_are_drawn_in_any_dtype():
    ax = plot.heatmap(jnp.ones((2, 2), jnp.bfloat16), image=jnp.ones((4, 4, 3)))
    ax.figure.canvas.draw()
    assert drawn(ax).get_array().shape == (4, 4)


# series.


def test_the_bars_of_a_series_are_centred_on_its_times():
    ax = plot.series(PHI, time=[-6, -4, -2, 0])
    bars = ax.patches
    assert [bar.get_height() for bar in bars] == list(PHI)
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == [-6, -4, -2, 0]
    assert {bar.get_width() for bar in bars} == {2.0}
    assert bars[0].get_facecolor()[2] > bars[1].get_facecolor()[2]


def test_the_values_of_a_series_have_an_axis_of_their_own():
    ax = plot.series(PHI, values=100 * PHI)
    (twin,) = [other for other in ax.figure.axes if other is not ax]
    np.testing.assert_array_equal(twin.lines[0].get_ydata(), 100 * PHI)
    assert ax.get_ylim()[1] < 10 < twin.get_ylim()[1]


def test_a_series_of_features_has_a_row_for_each_from_the_top():
    ax = plot.series(MAP, names=["a", "b", "c"])
    mesh = ax.collections[0]
    np.testing.assert_array_equal(np.reshape(mesh.get_array(), (3, 4)), MAP.T)
    assert mesh.get_clim() == (-np.abs(MAP).max(), np.abs(MAP).max())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    bottom, top = ax.get_ylim()
    assert (bottom, top) == (3, 0)
    assert ax.get_xlim() == (-0.5, 3.5)


def test_a_series_of_one_step_is_drawn():
    assert len(plot.series([2.0]).patches) == 1
    assert plot.series([[2.0, 1.0]]).has_data()


# bars.


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_bars_are_sorted_by_strength_from_the_top():
    ax = plot.bars(PHI, ["a", "b", "c", "d"])
    assert labels(ax) == ["b", "c", "a", "d"]
    assert [bar.get_width() for bar in ax.patches] == [-2.0, 1.0, 0.5, 0.0]
    bottom, top = ax.get_ylim()
    assert bottom > top


def test_equal_bars_keep_their_order():
    assert labels(plot.bars([1.0, -1.0, 1.0])) == ["0", "1", "2"]


def test_only_the_strongest_bars_are_drawn_if_asked():
    assert labels(plot.bars(PHI, most=2)) == ["1", "2"]
    assert labels(plot.bars(PHI, most=9)) == ["1", "2", "0", "3"]


def test_error_bars_are_two_standard_errors_on_each_side():
    ax = plot.bars(PHI, errors=[0.1, 0.2, 0.3, 0.4], most=2)
    (lines,) = ax.collections
    ends = [segment[:, 0] for segment in lines.get_segments()]
    np.testing.assert_allclose(ends, [[-2.4, -1.6], [0.4, 1.6]])

"""The photographs of the experiment: what its truth rests on."""

import numpy as np
import pytest

from experiments.pictures import data, measure, scene
from experiments.pictures.data import CLASSES, CLUTTER, GRID, SIZE, TILE

LABELS = np.arange(40) % len(CLASSES)


@pytest.fixture(scope="module")
def held_out():
    return data.sources("held_out")


def drawn(held_out, seed=0):
    rng = np.random.default_rng(seed)
    return data.draw_mosaics(rng, data.single_kinds(rng, LABELS), held_out)


@pytest.mark.parametrize("name", [name for name, _ in data.TEXTURES.values()])
def test_the_two_sides_of_a_photograph_are_disjoint_and_make_up_the_whole(name):
    whole = data.photograph(name)
    train, held_out = (data.side(whole, split) for split in ("train", "held_out"))
    np.testing.assert_array_equal(np.concatenate([train, held_out], 1), whole)
    assert min(train.shape[1], held_out.shape[1]) > TILE


def test_no_face_is_on_both_sides():
    faces = np.load(data.shipped("lfw_subset.npy"))[:100]
    assert len(np.unique(faces, axis=0)) == 100
    assert 0 < data.TRAIN_FACES < 100


def test_every_kind_has_pictures_at_least_as_large_as_a_tile(held_out):
    assert sorted(held_out) == list(range(data.NUM_KINDS))
    for pictures in held_out.values():
        assert all(min(picture.shape) >= TILE for picture in pictures)


def test_the_portrait_and_its_photograph_are_on_neither_side():
    names = [name for name, _ in (*data.TEXTURES.values(), *data.OTHERS)]
    assert "astronaut.png" not in names


def test_exactly_one_tile_of_a_mosaic_is_of_the_class_that_is_asked_for():
    kinds = data.single_kinds(np.random.default_rng(0), LABELS)
    np.testing.assert_array_equal((kinds == LABELS[:, None, None]).sum((1, 2)), 1)
    assert set(np.unique(kinds)) == set(range(CLUTTER + 1))


def test_the_tile_of_the_class_is_at_every_place_about_as_often():
    labels = np.zeros(4000, int)
    kinds = data.single_kinds(np.random.default_rng(0), labels)
    often = (kinds == 0).reshape(4000, -1).mean(0)
    standard_error = np.sqrt(0.25 * 0.75 / 4000)
    np.testing.assert_allclose(often, 0.25, atol=4 * standard_error)


def test_the_true_region_is_where_the_tile_was_laid():
    rng = np.random.default_rng(0)
    flat = {kind: [np.full((TILE, TILE), 0.0)] for kind in range(data.NUM_KINDS)}
    stripes = np.tile([0.0, 1.0], (TILE, TILE // 2))
    for label in range(len(CLASSES)):
        kinds = data.single_kinds(rng, np.array([label]))
        image = data.draw_mosaics(rng, kinds, flat | {label: [stripes]}).images[0]
        striped = np.abs(np.diff(image, axis=1)) > 0.1
        region = data.true_region(kinds[0], label)
        assert region.shape == (SIZE, SIZE)
        assert region.sum() == TILE * TILE
        # Columns of differences that lie within a tile, not across two of them.
        within = region[:, 1:] & region[:, :-1]
        inner = np.arange(SIZE - 1) % TILE != TILE - 1
        np.testing.assert_array_equal(striped[:, inner], within[:, inner])


def test_what_is_present_is_what_was_laid(held_out):
    mosaics = drawn(held_out)
    for kinds, present in zip(mosaics.kinds, mosaics.present, strict=True):
        expected = [float(label in kinds) for label in range(len(CLASSES))]
        assert present.tolist() == expected


def test_mosaics_have_their_shape_and_stay_within_black_and_white(held_out):
    mosaics = drawn(held_out)
    assert mosaics.images.shape == (len(LABELS), SIZE, SIZE)
    assert mosaics.images.dtype == np.float32
    assert mosaics.kinds.shape == (len(LABELS), GRID, GRID)
    assert 0 <= mosaics.images.min() < mosaics.images.max() <= 1


def test_brightness_and_contrast_say_little_of_the_class(held_out):
    rng = np.random.default_rng(0)
    kinds = np.tile(np.arange(len(CLASSES)), 100)
    tiles = data.draw_tiles(rng, kinds, held_out)
    looks = np.stack([tiles.mean((1, 2)), tiles.std((1, 2))], -1)
    looks = (looks - looks.mean(0)) / looks.std(0)
    centres = np.stack([looks[kinds == k].mean(0) for k in range(len(CLASSES))])
    nearest = np.linalg.norm(looks[:, None] - centres, axis=-1).argmin(1)
    assert (nearest == kinds).mean() < 2 / len(CLASSES)  # twice chance


def test_the_same_seed_draws_the_same_mosaics_and_another_does_not(held_out):
    once, again, other = (drawn(held_out, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once.images, again.images)
    assert not np.array_equal(once.images, other.images)


def test_the_whole_face_is_in_every_window_of_the_portrait():
    windows = scene.windows()
    assert windows.images.shape == windows.regions.shape
    assert windows.images.shape[1:] == (SIZE, SIZE)
    height, width = (
        (last - first) / scene.FACTOR
        for first, last in (scene.FACE_ROWS, scene.FACE_COLUMNS)
    )
    np.testing.assert_array_equal(windows.regions.sum((1, 2)), height * width)


def test_a_photograph_that_is_not_shipped_says_what_to_do():
    with pytest.raises(ValueError, match=r"Expected 'no_such\.png'.*pip install"):
        data.shipped("no_such.png")


def test_the_share_inside_counts_positive_attribution_only():
    region = np.array([[[True, False], [False, False]]])
    maps = np.array([[[3.0, 1.0], [-5.0, 0.0]]])
    assert measure.share_inside(maps, region) == [0.75]
    assert measure.share_inside(-np.abs(maps), region) == [0.0]


def test_pixels_that_share_the_highest_attribution_share_the_hit():
    region = np.array([[[True, False], [False, False]]])
    assert measure.pointing(np.array([[[2.0, 1.0], [0.0, 0.0]]]), region) == [1.0]
    assert measure.pointing(np.array([[[2.0, 2.0], [0.0, 0.0]]]), region) == [0.5]

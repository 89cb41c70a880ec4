"""The experiment on compression: its digits, and its measures of agreement."""

import numpy as np
import pytest

from experiments.compression import agree, data
from experiments.compression.__main__ import main


def rng():
    return np.random.default_rng(0)


def test_no_picture_is_on_both_sides():
    digits = data.drawn(rng(), 90)
    train, held_out = data.split(digits, rng())
    assert (len(train.labels), len(held_out.labels)) == (60, 30)
    both = np.concatenate([train.images, held_out.images]).reshape(90, -1)
    assert len(np.unique(both, axis=0)) == 90


def test_drawn_digits_light_the_segments_of_a_display():
    lit = [len(set(segments)) for segments in data.SEGMENTS]
    assert lit == [6, 2, 5, 5, 4, 5, 6, 3, 7, 6]
    assert len({frozenset(segments) for segments in data.SEGMENTS}) == data.NUM_CLASSES
    digits = data.drawn(rng(), 50)
    assert digits.images.shape == (50, data.SIZE, data.SIZE)
    assert 0 <= digits.images.min() < digits.images.max() <= 1


def test_attributions_agree_fully_with_themselves_and_not_with_their_negative():
    maps = rng().normal(size=(5, 4, 4))
    for values in agree.agreement(maps, 3 * maps).values():
        np.testing.assert_allclose(values, 1)
    against = agree.agreement(maps, -maps)
    np.testing.assert_allclose(against["cosine"], -1)
    np.testing.assert_allclose(against["rank_correlation"], -1)
    np.testing.assert_allclose(against["top_overlap"], 0)


def test_agreement_by_rank_is_that_of_spearman():
    from scipy.stats import spearmanr

    a, b = rng().normal(size=(2, 4, 10)).round(1)  # with ties
    found = agree.agreement(a, b)["rank_correlation"]
    expected = [spearmanr(*pair).statistic for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, expected)


def test_a_map_of_zeros_agrees_with_nothing():
    found = agree.agreement(np.zeros((1, 6)), np.ones((1, 6)))
    assert found["cosine"] == found["rank_correlation"] == 0


@pytest.mark.slow
def test_the_quick_experiment_writes_its_figure_and_numbers(tmp_path):
    import jax

    # Experiments run in the precision that their readers have.
    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        main(["--quick", "--out", str(tmp_path)])
    assert (tmp_path / "compression.png").stat().st_size < 300_000
    assert (tmp_path / "metrics.json").exists()

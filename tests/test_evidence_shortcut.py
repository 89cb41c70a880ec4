"""The benchmark on a planted shortcut: its pictures, its measures, one tiny run."""

import json

import numpy as np
import pytest

from experiments.evidence.shortcut import data, explain
from experiments.evidence.shortcut.__main__ import main

TASK = data.Task(np.zeros((40, 8, 8), np.float32), np.arange(40) % 10)


def marked(mark):
    """Where the mark is, from the column of class 0 on; -1 for none."""
    images = data.pictures(TASK, mark, np.random.default_rng(0))
    assert images.shape == (40, 12, 12)
    found = images[:, -data.BORDER :]
    assert (images.sum((1, 2)) == found.sum((1, 2))).all()  # the digits are blank
    return np.where(found.any((1, 2)), found.sum(1).argmax(1) - 1, -1)


def test_the_place_of_the_mark_is_the_class_or_lies_or_says_nothing():
    assert (marked("right") == TASK.labels).all()
    assert (marked("wrong") != TASK.labels).all()
    assert (marked("absent") == -1).all()
    agreement = (marked("random") == TASK.labels).mean()
    assert agreement < 0.1 + 4 * np.sqrt(0.1 * 0.9 / 40)  # four standard errors


def test_all_marks_are_in_the_strip():
    strip = data.strip(12)
    assert strip.mean() == data.BORDER / 12
    images = data.pictures(TASK, "wrong", np.random.default_rng(0))
    assert (images * (1 - strip) == 0).all()


def test_the_share_of_a_map_is_that_of_its_positive_part_in_the_strip():
    maps = np.zeros((3, 12, 12), np.float32)
    maps[0, -1, 0], maps[0, 0, 0], maps[0, 0, 1] = 1, 3, -9
    maps[1, 0, 0] = -1  # nothing positive at all
    maps[2, -1, :] = 2
    np.testing.assert_allclose(explain.shares(maps, data.strip(12)), [0.25, 0, 1])


def test_networks_are_told_apart_by_all_pairs_of_pictures():
    assert explain.told_apart(np.array([0.4, 0.5]), np.array([0.1, 0.2])) == 1
    same = np.array([0.1, 0.2, 0.3])
    assert explain.told_apart(same, same) == 0.5


@pytest.mark.slow
def test_the_quick_benchmark_writes_its_figure_and_numbers(tmp_path):
    import jax

    # Experiments run in the precision that their readers have.
    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert (tmp_path / "shortcut.png").stat().st_size > 10_000
    found = json.loads((tmp_path / "metrics.json").read_text())
    plain, clean = (found["accuracy"][k] for k in ("plain", "no shortcut"))
    assert plain["right"]["mean"] > clean["right"]["mean"]
    assert plain["wrong"]["mean"] < clean["wrong"]["mean"]
    told = {k: v["told_apart"]["mean"] for k, v in found["explainers"].items()}
    assert told["integrated gradients"] > told["its edges"] == 0.5

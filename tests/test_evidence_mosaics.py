"""The benchmark on mosaics: what it asks, and one small run."""

import numpy as np
import pytest

from experiments.evidence.mosaics import explain, study
from experiments.pictures import data


@pytest.fixture(autouse=True)
def as_users_run_it():
    """Experiments run in the precision that their readers have."""
    import jax

    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield


def quarters():
    regions = np.zeros((4, data.SIZE, data.SIZE), bool)
    regions[:, : data.TILE, : data.TILE] = True
    return regions


def test_a_map_of_the_quarter_is_right_and_one_without_evidence_points_nowhere():
    regions = quarters()
    maps = [regions * 1.0, -1.0 - regions, np.ones(regions.shape)]
    found = study.places(maps, [regions] * 3)
    np.testing.assert_allclose(found.relevance_mass, [1, 0, 0.25])
    # The highest value of the second is anywhere outside.
    np.testing.assert_allclose(found.pointing_game, [1, 0, 0.25])


def test_at_least_ten_explainers_are_asked_quick_or_not():
    names = list(explain.methods(0.5, 4))
    assert len(names) == len(set(names))
    assert len(set(names) - set(explain.SAMPLED)) >= 10
    assert set(explain.SAMPLED) < set(names)


def test_a_network_that_sees_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(
        study.measure, "scores", lambda params, images, labels: -np.ones(len(labels))
    )
    held_out = {k: [np.eye(data.TILE)] for k in range(data.NUM_KINDS)}
    with pytest.raises(ValueError, match=r"'stars': 0.*Train for more steps"):
        study.choose(np.random.default_rng(0), None, held_out, 0, 1)


@pytest.mark.slow
def test_the_quick_benchmark_writes_its_figure_and_numbers(tmp_path):
    from experiments.evidence.mosaics.__main__ import main

    main(["--quick", "--out", str(tmp_path), "--seeds", "1"])
    assert 0 < (tmp_path / "mosaics.png").stat().st_size < 400_000
    assert (tmp_path / "metrics.json").exists()

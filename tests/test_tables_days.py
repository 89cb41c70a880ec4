"""The generated days of the experiment on tables, of which the rule is known."""

import jax
import jax.numpy as jnp
import numpy as np
from explainers import quick_jit

from experiments import common
from experiments.tables import data

DAYS = data.generate(np.random.default_rng(0))


def test_rentals_follow_the_rule_but_for_the_noise():
    expected = quick_jit(jax.vmap(data.rule))(jnp.asarray(DAYS.rows))
    noise = DAYS.rentals - np.asarray(expected)
    # Days with hardly any rentals cannot have fewer than none.
    busy = np.asarray(expected) > 4 * data.NOISE
    assert abs(noise[busy].std() / data.NOISE - 1) < 4 / (2 * busy.sum()) ** 0.5


def test_wind_and_season_have_no_effect():
    unused = [data.FEATURES.index(name) for name in data.WITHOUT_EFFECT]
    columns = np.isin(data.LAYOUT.labels, unused)
    slopes = quick_jit(jax.vmap(jax.grad(data.rule)))(jnp.asarray(DAYS.rows))
    strongest = np.abs(np.asarray(slopes)).max(0)
    assert not strongest[columns].any()
    # The first value of a category is what the others are compared with.
    others = ~columns & ~np.isin(np.arange(len(columns)), [8, 11])
    assert strongest[others].all()


def test_every_category_occurs_and_every_row_is_one_hot():
    for j, values in zip(data.LAYOUT.categorical, data.CATEGORIES.values()):
        block = DAYS.rows[:, data.LAYOUT.labels == j]
        assert block.shape[1] == len(values)
        assert (block.sum(1) == 1).all()
        assert block.any(0).all()


def test_a_folder_without_the_table_is_said_to_lack_it(tmp_path, capsys):
    assert common.data_file(tmp_path, "bike.csv", common.Clock()) is None
    assert f"no bike.csv in {tmp_path}" in capsys.readouterr().out
    (tmp_path / "bike.csv").touch()
    assert common.data_file(tmp_path, "bike.csv", common.Clock()) is not None
    assert common.data_file(None, "bike.csv", common.Clock()) is None

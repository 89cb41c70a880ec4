"""The chapter's explanations of the network that its author published.

Two numbers of the printed notebook are not what they are called. `errors` and `maps`
reproduce how each arose, and give what the network does instead.
"""

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.traffic import explain, model, published, situations
from experiments.traffic.series import WINDOW, Table, windows
from jaxplain import series

STEPS = 25  # Gauss-Legendre nodes, as in the chapter
# The notebook cuts windows by a variable that the loop before it left at the longer
# model's 672 hours: its maps are of the week that *starts* so long before the target.
PRINTED_LAG = 672
TOLERANCE = 50.0  # vehicles/hour that the past may be worth, and be left out


class Forecasts(NamedTuple):
    """Of the published network, run as the stateful layer it was trained as."""

    rows: np.ndarray
    volumes: np.ndarray
    errors: dict[str, Any]


def forecast(table: Table, network: published.Network, *, quick: bool) -> Forecasts:
    """Forecasts of the training rows and the test rows, and their errors.

    In quick form only the test rows, which then start from rest.
    """
    held_out = published.HELD_OUT
    size, border = len(table), len(table) - 2 * held_out
    train, test = np.arange(WINDOW, border), np.arange(size - held_out + WINDOW, size)
    state, in_training = published.rest(published.BATCH, network), None
    if not quick:
        # The states at the end of the training rows are those the test starts from.
        state, in_training = published.stateful(table.inputs[:border], state, network)
    _, in_test = published.stateful(table.inputs[-held_out:], state, network)
    in_test = np.asarray(in_test)
    # The printed error compares the test forecasts with the last training targets.
    mistaken = train[-len(test) :]
    errors = {
        "test": model.score(in_test, table.volume[test]),
        "test_forecasts_against_last_training_targets": {
            "rows": [int(mistaken[0]), int(mistaken[-1])],
            **model.score(in_test, table.volume[mistaken]),
        },
        "printed": published.PRINTED,
    }
    if in_training is None:
        return Forecasts(test, in_test, errors)
    in_training = np.asarray(in_training)
    errors["train"] = model.score(in_training, table.volume[train])
    rows, volumes = np.append(train, test), np.append(in_training, in_test)
    return Forecasts(rows, volumes, errors)


class Map(NamedTuple):
    """Explanations of one window, in vehicles/hour.

    `by_hour` are integrated gradients; `past` is what everything before each hour is
    worth against a mean week, and `first` the first hour that has to be explained.
    """

    name: str
    row: int
    hours: np.ndarray
    volume: np.ndarray
    forecast: float
    start: float
    by_hour: np.ndarray
    gap: float
    past: np.ndarray
    first: int


def maps(
    table: Table, network: published.Network, mean_week: np.ndarray
) -> dict[str, list[Map]]:
    """Of each named situation: of the week before it, and of the week of the print.

    The path starts where all scaled inputs are zero. The scales are part of the
    function to explain, so that is the lowest value of each column: an endless Monday
    midnight in the greatest cold, without weather of any kind.
    """
    named = situations.metro(table)
    wanted = {
        "labelled": dict(named),
        "printed": {
            name: row - PRINTED_LAG + WINDOW
            for name, row in named.items()
            if name != "Hot Saturday"  # not in the printed notebook
        },
    }
    rows = np.array([row for group in wanted.values() for row in group.values()])
    zero = jnp.broadcast_to(network.inputs.offset, (WINDOW, len(table.columns)))
    explain = jx.integrated_gradients(published.forecast, steps=STEPS)
    gap = jx.metrics.completeness_gap(published.forecast)
    past = series.past(published.forecast, tolerance=TOLERANCE, chunk_size=64)

    @jax.jit
    def of_all(stack: jax.Array, network: published.Network) -> tuple[jax.Array, ...]:
        def of_one(window: jax.Array) -> tuple[jax.Array, ...]:
            phi = explain(window, network, baseline=zero)
            volume = published.forecast(window, network)
            left = gap(window, network, attribution=phi, baseline=zero)
            return phi, volume, left, *past(window, network, baseline=mean_week)

        return jax.lax.map(of_one, stack)

    stack = jnp.asarray(windows(table.inputs, rows))
    found = zip(*map(np.asarray, of_all(stack, network)), strict=True)
    start = float(published.forecast(zero, network))
    drawn = {kind: [] for kind in wanted}
    for kind, group in wanted.items():
        for name, row in group.items():
            phi, volume, left, worth, first = next(found)
            hours = slice(row - WINDOW, row + 1)
            drawn[kind].append(
                Map(
                    *(name, row, table.time[hours], table.volume[hours]),
                    *(float(volume), start, phi, float(left), worth, int(first)),
                )
            )
    return drawn


class Shapley(NamedTuple):
    """Of the named situations: (situations, players), in vehicles/hour.

    They sum to the forecast minus the average forecast over the background.
    """

    values: np.ndarray
    forecast: np.ndarray
    average: float


def shapley_values(
    table: Table,
    network: published.Network,
    background: np.ndarray,
    players: explain.Players,
) -> Shapley:
    """What each column, in all of its hours, is worth against real weeks, exactly."""
    number = len(players.names)
    exact = jx.shapley_values(published.forecast, num_groups=number, chunk_size=32)
    over_weeks = jx.expected(exact, chunk_size=1)
    rows = np.array(list(situations.metro(table).values()))

    @jax.jit
    def of_all(
        stack: jax.Array, background: jax.Array, network: published.Network
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        def of_one(window: jax.Array) -> tuple[jax.Array, jax.Array]:
            labels = jnp.asarray(players.labels)
            phi = over_weeks(window, network, baseline=background, groups=labels)
            return phi, published.forecast(window, network)

        average = jax.lax.map(lambda b: published.forecast(b, network), background)
        return *jax.lax.map(of_one, stack), average.mean()

    stack = jnp.asarray(windows(table.inputs, rows))
    values, volume, average = of_all(stack, jnp.asarray(background), network)
    return Shapley(np.asarray(values), np.asarray(volume), float(average))


def describe(table: Table, drawn: dict[str, list[Map]]) -> dict[str, Any]:
    """The numbers behind the maps, and how much the two weeks differ."""
    holiday = table.columns.index("is_holiday")
    labelled = {m.name: m.by_hour for m in drawn["labelled"]}

    def numbers(m: Map) -> dict[str, Any]:
        return {
            "row": m.row,
            "target": str(m.hours[-1]),
            "observed": float(m.volume[-1]),
            "forecast": m.forecast,
            "forecast_at_the_start": m.start,
            "completeness_gap": m.gap,
            "hours_that_matter": len(m.past) - m.first,
            "by_column": dict(
                zip(table.columns, m.by_hour.sum(axis=0).tolist(), strict=True)
            ),
            "largest_entry_of_the_holiday": float(np.abs(m.by_hour[:, holiday]).max()),
        }

    return {
        "steps": STEPS,
        "labelled": {m.name: numbers(m) for m in drawn["labelled"]},
        "as_printed": {
            m.name: numbers(m)
            | {
                "correlation_with_the_labelled": float(
                    np.corrcoef(m.by_hour.ravel(), labelled[m.name].ravel())[0, 1]
                )
            }
            for m in drawn["printed"]
        },
    }


def available(folder: Path | None) -> bool:
    """Whether the folder has the published weights."""
    return folder is not None and (folder / published.FILE).is_file()

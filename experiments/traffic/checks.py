"""Do the explanations say what is known to be true?"""

from typing import NamedTuple

import numpy as np

from experiments.traffic.explain import DAY, Explanation, Players, by_player
from experiments.traffic.generate import COLUMNS, DISTRACTORS, DRIVERS


class Check(NamedTuple):
    """One claim, what was measured, and whether it is within what was asked for."""

    claim: str
    value: float
    wanted: str
    passed: bool


def at_most(claim: str, value: float, limit: float) -> Check:
    return Check(claim, float(value), f"<= {limit:g}", bool(value <= limit))


def at_least(claim: str, value: float, limit: float) -> Check:
    return Check(claim, float(value), f">= {limit:g}", bool(value >= limit))


def share(values: np.ndarray, part: np.ndarray | list[int]) -> float:
    """Share of the last axis' entries `part` in the sum of |values|."""
    size = np.abs(values).sum(axis=tuple(range(values.ndim - 1)))
    return float(size[part].sum() / size.sum())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's, over all entries."""
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def identities(explanation: Explanation) -> list[Check]:
    """What holds for any forecaster: attributions add up to what they explain."""
    change = explanation.forecast - explanation.average
    efficiency_gap = explanation.by_column.sum(axis=1) - change
    return [
        at_most(
            "integrated gradients: largest completeness gap, vehicles/hour",
            np.abs(explanation.completeness_gap).max(),
            10,
        ),
        at_most(
            "KernelSHAP: largest efficiency gap, vehicles/hour",
            np.abs(efficiency_gap).max(),
            0.1,
        ),
    ]


def expected_signs(
    named: tuple[str, ...], names: tuple[str, ...], phi: np.ndarray
) -> list[Check]:
    """What anyone who drives would say of the named situations of the Metro table."""
    of = lambda name, player: phi[named.index(name), names.index(player)]
    return [
        at_most(
            "Holiday afternoon: the holiday", of("Holiday afternoon", "holiday"), 0
        ),
        at_least("Peak morning: the hour", of("Peak morning", "hour"), 0),
        at_least("Peak morning: the weekday", of("Peak morning", "weekday"), 0),
        at_most("Hot Saturday: the weekday", of("Hot Saturday", "weekday"), 0),
    ]


def _signs(names: tuple[str, ...], met: np.ndarray, phi: np.ndarray) -> list[Check]:
    lowers = {
        "holiday": "holiday",
        "rain": "rain",
        "snow": "snow",
        "weekend": "weekend",
    }
    return [
        at_least(
            f"share of {condition} rush hours where {driver} lowers the forecast",
            (phi[met == condition, names.index(driver)] < 0).mean(),
            0.95,
        )
        for condition, driver in lowers.items()
        if (met == condition).any()
    ]


def against_truth(
    players: Players,
    met: np.ndarray,
    model: Explanation,
    process: Explanation,
    exact: np.ndarray,
) -> list[Check]:
    """What is known of the generated process, against explanations of the forecaster.

    Args:
        players: Of the games behind KernelSHAP.
        met: The condition each explained window meets.
        model: Explanations of the forecaster.
        process: Explanations of the process itself, by the same explainers.
        exact: Shapley values of the process, by enumeration: (windows, players).
    """
    names = players.names
    unused = [COLUMNS.index(name) for name in DISTRACTORS]
    used = [names.index(name) for name in DRIVERS]
    ignored = [names.index(name) for name in DISTRACTORS]
    phi, size = model.by_column, np.abs(model.by_column).mean(axis=0)
    last_day = np.abs(model.by_hour[:, -DAY:]).sum() / np.abs(model.by_hour).sum()
    return [
        at_most(
            "the library on the process: largest error of KernelSHAP, vehicles/hour",
            np.abs(process.by_column - exact).max(),
            1.0,
        ),
        at_least(
            "KernelSHAP: correlation with the truth", correlation(phi, exact), 0.97
        ),
        at_most(
            "KernelSHAP: root mean squared error, vehicles/hour",
            np.sqrt(np.mean((phi - exact) ** 2)),
            100,
        ),
        # Summed over the hours: neighbouring hours tell the same hour of the day and
        # mostly the same weekday, so which of them the network reads is its own choice.
        at_least(
            "integrated gradients by column: correlation with those of the process",
            correlation(
                *(by_player(e.by_hour, players) for e in (model, process)),
            ),
            0.9,
        ),
        at_most("KernelSHAP: share on the distractors", share(phi, ignored), 0.05),
        at_most(
            "integrated gradients: share on the distractors",
            share(model.by_hour, unused),
            0.1,
        ),
        at_least(
            "KernelSHAP: weakest driver over strongest distractor",
            size[used].min() / size[ignored].max(),
            1.0,
        ),
        at_least("occlusion: share of the last day", share(model.by_day, [-1]), 0.9),
        at_least("integrated gradients: share of the last day", last_day, 0.8),
        *_signs(names, met, phi),
    ]

"""What the paper says of its box plots, asked of these numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from experiments.evidence.seeds import interval
from experiments.evidence.tris.data import Setting
from experiments.evidence.tris.explain import CONTROLS
from experiments.evidence.tris.study import Result, Scores

Results = Mapping[Setting, Result]


def claims(results: Results) -> dict[str, Any]:
    """All of them, by precision."""
    return {
        "better_than_every_control": better(results),
        "white_less_correlated": noise(results),
        "best": best(results),
        "between_architectures": architectures(results),
    }


def over_seeds(values: np.ndarray) -> dict[str, float]:
    """The interval over those seeds whose network reached the criterion."""
    return interval(values[np.isfinite(values)])


def explained(results: Results) -> Iterator[tuple[Setting, str, Scores]]:
    """Every network of every setting that was explained."""
    for setting, result in results.items():
        for network, scores in result.explainers.items():
            yield setting, network, scores


def strongest(result: Result) -> str:
    """The control of the highest mean precision."""
    return max(CONTROLS, key=lambda name: result.controls.precision[name].mean())


def better(results: Results) -> dict[str, dict[str, Any]]:
    """How often an explainer is above the strongest control, and how often below.

    Only where the interval of the difference, paired by seed, leaves out zero; what one
    seed alone was asked about does not count.
    """
    found: dict[str, dict[str, Any]] = {"all": {"of": 0, "above": 0, "below": 0}}
    for setting, _, scores in explained(results):
        control = results[setting].controls.precision[strongest(results[setting])]
        for values in scores.precision.values():
            gain = over_seeds(values - control)
            if np.isnan(gain["half_width"]):
                continue
            for kind in ("all", setting.background, setting.scenario):
                count = found.setdefault(kind, {"of": 0, "above": 0, "below": 0})
                count["of"] += 1
                count["above"] += int(gain["mean"] > gain["half_width"])
                count["below"] += int(gain["mean"] < -gain["half_width"])
    return found


def noise(results: Results) -> dict[str, dict[str, float]]:
    """What precision is lost from white to correlated noise, by explainer.

    Over scenarios, signals and networks that have both; the strengths of the signal
    differ too, for the paper chose them to be learnt equally well.
    """
    lost: dict[str, list[float]] = {}
    for setting, network, scores in explained(results):
        twin = setting._replace(background="correlated")
        if setting.background == "white" and twin in results:
            other = results[twin].explainers.get(network)
            for name, values in scores.precision.items() if other else ():
                change = np.nanmean(values) - np.nanmean(other.precision[name])
                lost.setdefault(name, []).append(float(change))
    return {
        name: {"mean": float(np.mean(v)), "share_lost": float(np.mean(np.array(v) > 0))}
        for name, v in lost.items()
    }


def best(results: Results) -> list[dict[str, Any]]:
    """The map of the highest precision for each network, controls among them."""
    found = []
    for setting, network, scores in explained(results):
        everything = scores.precision | results[setting].controls.precision
        name = max(everything, key=lambda name: np.nanmean(everything[name]))
        control = strongest(results[setting])
        found.append(
            setting._asdict()
            | {"network": network, "best": name}
            | {"precision": over_seeds(everything[name])}
            | {"strongest_control": control}
            | {"of_it": over_seeds(results[setting].controls.precision[control])}
        )
    return found


def architectures(results: Results) -> dict[str, Any]:
    """How far the same explainer of two networks that see the same pictures differs."""
    gaps, spread = {}, []
    for setting, result in results.items():
        networks = [result.explainers.get(name) for name in ("MLP", "CNN")]
        if None in networks:
            continue
        first, second = (scores.precision for scores in networks)
        for name in first:
            gap = np.nanmean(first[name]) - np.nanmean(second[name])
            gaps[f"{setting}: {name}"] = float(gap)
            both = (a[name][np.isfinite(a[name])] for a in (first, second))
            spread += [np.std(a, ddof=1) for a in both if len(a) > 1]
    if not gaps:
        return {}
    widest = max(gaps, key=lambda name: abs(gaps[name]))
    return {
        "mean_absolute_difference": float(np.mean(np.abs(list(gaps.values())))),
        "standard_deviation_over_seeds": float(np.mean(spread)) if spread else None,
        "widest": {"where": widest, "MLP_less_CNN": gaps[widest]},
    }

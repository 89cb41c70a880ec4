"""A page that says what the metrics found, and what they cannot say."""

import csv
import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .. import _checks, plot
from . import _figures, _page
from ._catalogue import MEASURES
from ._types import DASH, MINUS, Evidence, number

PACKAGES = ("jaxplain", "jax", "jaxlib", "flax", "numpy")
ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}


def report(
    evidence: Evidence,
    out: str | PathLike[str],
    *,
    title: str = "Is the explanation right?",
    command: str | None = None,
    num_examples: int = 4,
) -> Path:
    """Write an evaluation as a page, with its numbers beside it.

    The page needs nothing from elsewhere: no script, no style sheet, no font; pictures
    are inside. Warnings in words come first; then the maps side by side, the table with
    intervals, the curves, the randomisation of the parameters, the agreement between
    explainers, and what each metric cannot tell. Beside it are `scores.csv`, a line per
    metric, explainer and example, and `metrics.json`, what the page says as data.

    Args:
        evidence: What `evaluate` returned.
        out: Folder to write to; made if it is not there.
        title: Of the page.
        command: How to make it again, to be shown.
        num_examples: How many examples to draw, at most eight.

    Returns:
        The path of the page, `report.html`.

    Raises:
        ValueError: If `num_examples` is below 1.

    Example:
        >>> import tempfile
        >>> from jaxplain.evidence import evaluate
        >>> xs = jax.random.normal(jax.random.key(0), (8, 3))
        >>> maps, only = {"gradient": jx.saliency(jnp.sum)}, ["sparseness"]
        >>> found = evaluate(jnp.sum, maps, xs, key=jax.random.key(1), only=only)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report(found, folder).name
        'report.html'
    """
    _checks.count("num_examples", num_examples)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _write_scores(evidence, folder / "scores.csv")
    _write_metrics(evidence, folder / "metrics.json", command)
    sections = list(_sections(evidence, num_examples, command))
    path = folder / "report.html"
    path.write_text(_page.page(title, _about(evidence), sections), encoding="utf-8")
    return path


def _about(evidence: Evidence) -> str:
    kinds = {"image": "pictures", "series": "series", "table": "rows of a table"}
    explainers = len(evidence.names) - len(evidence.controls)
    return (
        f"{explainers} explainer{'s' * (explainers != 1)} and "
        f"{len(evidence.controls)} controls, measured by "
        f"{len(evidence.table.metrics)} metrics on {evidence.settings['examples']} "
        f"{kinds.get(evidence.kind, 'examples')}."
    )


def _sections(
    evidence: Evidence, num_examples: int, command: str | None
) -> Iterator[tuple[str, str, str]]:
    yield "words", "In words", _words(evidence)
    if drawn := _figures.maps(evidence, num_examples):
        said = (
            "The first examples. Blue is evidence in favour, orange evidence against; "
            "each map has its own scale. Controls know nothing of the model."
        )
        yield "maps", "Maps", _page.note(said) + _page.figure(*drawn, "Maps")
    yield "table", "Metrics", _table(evidence)
    if evidence.curves:
        said = (
            "The value of f as the features with the highest attribution are removed, "
            "or inserted, first. Means over the examples, and two standard errors."
        )
        titles = dict(zip(evidence.table.metrics, evidence.table.titles, strict=True))
        drawn = _figures.curves(evidence.curves, titles, evidence.names)
        yield "curves", "Curves", _page.note(said) + _page.figure(*drawn, "Curves")
    if evidence.cascade is not None:
        said = (
            "How much of a map is left as the layers of the model are randomised, from "
            "the output down. A map that stays does not show what the model learned; "
            "one that changes may still be wrong."
        )
        drawn = _figures.cascade(evidence.cascade)
        yield (
            "randomisation",
            "Random weights",
            _page.note(said) + _page.figure(*drawn, "Similarity by layer"),
        )
    yield "agreement", "Agreement", _agreement(evidence)
    yield "limits", "What the metrics cannot tell", _limits(evidence)
    yield "made", "How this was made", _made(evidence, command)


def _words(evidence: Evidence) -> str:
    if evidence.warnings:
        return _page.bullets(evidence.warnings)
    return _page.note(
        "Nothing to warn of, where it was measured: every explainer beats a random "
        "order and is not worse than the other controls, its maps change with the "
        "weights, and no two contradict each other. That is no proof that any of them "
        "is right."
    )


def _table(evidence: Evidence) -> str:
    table = evidence.table
    said = (
        f"Means over the examples with {100 * table.level:.0f} % bootstrap intervals; "
        "f is in its own units. Shaded: no other is better by a paired test (sign "
        "flips, Holm). Bold: better than all others by that test. Controls in italics."
    )
    kind = lambda name: "control" if name in evidence.controls else ""
    head = [_page.cell("", tag="th")]
    head += [_page.cell(name, tag="th", kind=kind(name)) for name in table.names]
    rows = []
    for i, (title, better) in enumerate(zip(table.titles, table.better, strict=True)):
        cells = [_page.cell(title + ARROWS[better])]
        alone = table.leads[i].sum() == 1
        for j, name in enumerate(table.names):
            lead = ("best" if alone else "lead") if table.leads[i, j] else ""
            ends = f"{number(table.low[i, j])} … {number(table.high[i, j])}"
            below = ends if np.isfinite(table.low[i, j]) else ""
            mean = number(table.mean[i, j])
            marks = f"{lead} {kind(name)}".strip()
            cells.append(_page.cell(mean, kind=marks, below=below))
        rows.append(cells)
    return _page.note(said) + _page.table(head, rows)


def _agreement(evidence: Evidence) -> str:
    said = (
        "Mean rank correlation of the maps of two explainers, over the examples. "
        "Explainers that agree may be wrong together."
    )
    values = evidence.agreement
    found = np.isfinite(values)
    mean = np.where(found, values, 0).sum(0) / np.maximum(found.sum(0), 1)
    head = [_page.cell("", tag="th")]
    head += [_page.cell(name, tag="th") for name in evidence.names]
    rows = []
    for i, name in enumerate(evidence.names):
        cells = [_page.cell(name)]
        for j in range(len(evidence.names)):
            known = found[:, i, j].any()
            value = float(mean[i, j]) if known else 0.0
            text = f"{value:.2f}".replace("-", MINUS) if known else DASH
            cells.append(_page.square(text, *_shade(value)))
        rows.append(cells)
    return _page.note(said) + _page.table(head, rows)


def _shade(value: float) -> tuple[str, str]:
    """White at zero, to the colours of the maps at -1 and 1."""
    end = plot.FAVOUR if value > 0 else plot.AGAINST
    strength = min(1.0, abs(value))
    mixed = [round(255 + strength * (int(end[k : k + 2], 16) - 255)) for k in (1, 3, 5)]
    return "#" + "".join(
        f"{c:02x}" for c in mixed
    ), "#fff" if strength > 0.6 else "#000"


def _limits(evidence: Evidence) -> str:
    shown = [m for m in MEASURES if m.name in evidence.table.metrics]
    said: dict[str, list[str]] = {}
    for measure in shown:
        said.setdefault(measure.cannot, []).append(measure.title)
    rows = [
        [_page.cell(", ".join(titles)), _page.cell(cannot)]
        for cannot, titles in said.items()
    ]
    return _page.table([_page.cell("metric", tag="th"), "<th></th>"], rows, "text")


def _made(evidence: Evidence, command: str | None) -> str:
    total = sum(evidence.seconds.values())
    slow = sorted(evidence.seconds.items(), key=lambda item: -item[1])[:6]
    took = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in slow)
    settings = ", ".join(f"{name} {value}" for name, value in evidence.settings.items())
    versions = ", ".join(f"{name} {value}" for name, value in _versions().items())
    ran = f"<p><code>{_page.escape(command)}</code></p>" if command else ""
    return ran + _page.bullets(
        [
            f"{total:.0f} s, compilation included. The longest: {took}.",
            f"Settings: {settings}.",
            f"Made with {versions}.",
        ]
    )


def _versions() -> dict[str, str]:
    found = {
        "Python": platform.python_version(),
        "device": jax.devices()[0].device_kind,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a checkout that is not installed
            continue
    return found


def _write_scores(evidence: Evidence, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["metric", "explainer", "example", "score"])
        for metric, by_name in evidence.scores.items():
            for name, values in by_name.items():
                for row, value in enumerate(values):
                    writer.writerow([metric, name, row, repr(float(value))])


def _write_metrics(evidence: Evidence, path: Path, command: str | None) -> None:
    table = evidence.table
    found: dict[str, Any] = {}
    for i, metric in enumerate(table.metrics):
        found[metric] = {"better": table.better[i]}
        for j, name in enumerate(table.names):
            if not table.examples[i, j]:
                continue
            found[metric][name] = {
                "mean": _plain(table.mean[i, j]),
                "low": _plain(table.low[i, j]),
                "high": _plain(table.high[i, j]),
                "examples": int(table.examples[i, j]),
                "leads": bool(table.leads[i, j]),
                "p": {c: _plain(p[i, j]) for c, p in table.against.items()},
            }
    page = {
        "warnings": evidence.warnings,
        "metrics": found,
        "level": table.level,
        "settings": evidence.settings,
        "seconds": evidence.seconds,
        "versions": _versions(),
        "command": command,
    }
    text = json.dumps(page, indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> float | None:
    """JSON has no NaN."""
    return float(value) if np.isfinite(value) else None

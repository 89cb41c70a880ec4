"""What an evaluation holds."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


class Curves(NamedTuple):
    """Curves of one metric.

    Attributes:
        fraction: Share of the features treated so far, shape `(points,)`.
        values: `f` at each of them, shape `(examples, points)`, by explainer.
    """

    fraction: np.ndarray
    values: dict[str, np.ndarray]


class Cascade(NamedTuple):
    """How much of a map is left as the layers lose what they learned, from the top.

    Attributes:
        layers: Names of the layers, in the order in which they are randomised.
        similarity: Rank correlation with the map of the trained model, by explainer;
            shape `(examples, layers + 1)`: first none is random, at last all are.
    """

    layers: tuple[str, ...]
    similarity: dict[str, np.ndarray]


class Table(NamedTuple):
    """Means over examples, with intervals and tests. Rows are metrics.

    Attributes:
        metrics: Names of the rows.
        titles: The same for people.
        better: `"higher"`, `"lower"` or `"neither"`, one per row.
        names: Names of the columns: explainers, then controls.
        mean: Shape `(metrics, names)`; NaN where a metric does not apply.
        low: Lower ends of the intervals.
        high: Upper ends.
        examples: How many examples have a finite score.
        leads: Whether an explainer leads: the best, and those that the paired test does
            not separate from it at the level (Holm, within the row). Controls compete
            too. The best is picked by the same scores, and each row is tested alone:
            in a large table some that are as good do not lead.
        against: By control, p-values of the paired test against it, corrected for all
            explainers and metrics (Holm); shape `(metrics, names)`.
        level: Of the intervals; tests are at `1 - level`.
    """

    metrics: tuple[str, ...]
    titles: tuple[str, ...]
    better: tuple[str, ...]
    names: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    examples: np.ndarray
    leads: np.ndarray
    against: dict[str, np.ndarray]
    level: float

    def __str__(self) -> str:
        head = ["metric", *self.names]
        rows = [head]
        for i, (title, better) in enumerate(zip(self.titles, self.better, strict=True)):
            arrow = {"higher": " (up)", "lower": " (down)"}.get(better, "")
            cells = [
                number(self.mean[i, j]) + ("*" if self.leads[i, j] else " ")
                for j in range(len(self.names))
            ]
            rows.append([title + arrow, *cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0])]
                + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            )
            for row in rows
        ]
        return "\n".join(lines) + "\n* leads: no other is better by the paired test"


class Evidence(NamedTuple):
    """What the metrics say of some explainers, on the same examples.

    Attributes:
        names: Names of the explainers, then of the controls.
        controls: Names of the controls: maps that know nothing of `f`.
        kind: What an example is: `"image"`, `"series"`, `"table"` or `"tree"`.
        examples: The first of the inputs, for pictures.
        attributions: Maps, stacked over examples, by name.
        scores: Scores of shape `(examples,)`, by metric and name.
        curves: Curves of the metrics that have them.
        cascade: What random weights do to the maps; None without parameters.
        agreement: Rank correlations between maps, shape `(examples, names, names)`.
        table: Means, intervals and tests.
        warnings: What a reader must know before the numbers, in words.
        seconds: How long each stage took, compilation included.
        settings: What the metrics were configured with.
    """

    names: tuple[str, ...]
    controls: tuple[str, ...]
    kind: str
    examples: PyTree
    attributions: dict[str, PyTree]
    scores: dict[str, dict[str, np.ndarray]]
    curves: dict[str, Curves]
    cascade: Cascade | None
    agreement: np.ndarray
    table: Table
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    settings: dict[str, Any]


def number(value: float) -> str:
    """Three digits that count; a dash for what is not there."""
    if not np.isfinite(value):
        return DASH
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5 or size < 1e-3:
        return f"{value:.1e}".replace("-", MINUS)
    places = max(0, 2 - int(np.floor(np.log10(size)))) if size < 1000 else 0
    return f"{value:.{places}f}".replace("-", MINUS)

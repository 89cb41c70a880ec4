"""Comments with their words coloured, by method: a figure, and a page."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

import jaxplain as jx

INK, GREY = "#222222", "#777777"
SMALL, NORMAL = 6.5, 8.0  # points
WIDTH, MARGIN, NAMES = 518.0, 8.0, 92.0  # points: 7.2 inches
LINE, HEAD, GAP, FOOT = 15.5, 17.0, 9.0, 34.0
SPACE, PADDING = 2.2, 2.6  # between two boxes, and around a word
COLOURS = LinearSegmentedColormap.from_list(
    "signed", [jx.plot.AGAINST, "white", jx.plot.FAVOUR]
)


class Shown(NamedTuple):
    """A comment to draw: what is known of it, and one number per word and method."""

    text: str
    spans: list[tuple[int, int]]
    title: str
    rule: set[str]
    by_method: Mapping[str, np.ndarray]


def draw(comments: Sequence[Shown], path: Path) -> Path:
    """Write a PNG, 7.2 inches wide: a block per comment, a line per method."""
    blocks = [_lines(comment) for comment in comments]
    lines = sum(len(rows) for block in blocks for rows in block.values())
    height = lines * LINE + len(blocks) * (HEAD + GAP) + FOOT
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    ax.set_axis_off()
    y = GAP
    for comment, block in zip(comments, blocks, strict=True):
        ax.text(
            MARGIN,
            y + HEAD / 2,
            comment.title,
            fontsize=NORMAL,
            va="center",
            color=INK,
            fontweight="bold",
        )
        y += HEAD
        limit = _strongest(comment)
        for name, rows in block.items():
            ax.text(
                MARGIN,
                y + LINE / 2,
                name,
                fontsize=NORMAL - 0.5,
                va="center",
                color=GREY,
            )
            for row in rows:
                _row(ax, comment, comment.by_method[name] / limit, row, y)
                y += LINE
        y += GAP
    _scale(figure, ax, y, height, any(comment.rule for comment in comments))
    figure.savefig(path, dpi=150, pil_kwargs={"optimize": True})
    return path


def _strongest(comment: Shown) -> float:
    """One scale for all methods of a comment: they share the unit."""
    return max(float(np.abs(w).max()) for w in comment.by_method.values()) or 1.0


def _width(text: str) -> float:
    return TextPath((0, 0), text, size=NORMAL).get_extents().width + 2 * PADDING


def _lines(comment: Shown) -> dict[str, list[list[int]]]:
    """Numbers of the words on each line, the same for every method."""
    rows, x = [[]], NAMES
    for i, (start, end) in enumerate(comment.spans):
        width = _width(comment.text[start:end]) + SPACE
        if x + width > WIDTH - MARGIN and rows[-1]:
            rows.append([])
            x = NAMES
        rows[-1].append(i)
        x += width
    return dict.fromkeys(comment.by_method, rows)


def _row(
    ax: Axes, comment: Shown, weights: np.ndarray, row: Sequence[int], y: float
) -> None:
    x = NAMES
    for i in row:
        word = comment.text[slice(*comment.spans[i])]
        width = _width(word)
        colour = COLOURS((weights[i] + 1) / 2)
        marked = word.lower() in comment.rule
        box = FancyBboxPatch(
            (x, y + 1.5),
            width,
            LINE - 3,
            boxstyle="round,pad=0,rounding_size=2",
            facecolor=colour,
            edgecolor=INK if marked else "#dddddd",
            linewidth=0.9 if marked else 0.4,
        )
        ax.add_patch(box)
        light = np.dot(colour[:3], [0.299, 0.587, 0.114]) < 0.56
        ax.text(
            x + width / 2,
            y + LINE / 2 - 0.2,
            word,
            fontsize=NORMAL,
            ha="center",
            va="center_baseline",
            color="white" if light else "black",
        )
        x += width + SPACE


def _scale(figure: Figure, ax: Axes, y: float, height: float, outlined: bool) -> None:
    box = (NAMES / WIDTH, 1 - (y + 8) / height, 100 / WIDTH, 6 / height)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), COLOURS),
        cax=figure.add_axes(box),
        orientation="horizontal",
    )
    bar.set_ticks([-0.72, 0.72], labels=["against", "in favour"])
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(labelsize=SMALL, length=0, pad=2, labelcolor=INK)
    style = dict(fontsize=SMALL, va="center", color=INK)
    ax.text(NAMES + 112, y + 11, NOTE, **style)
    if outlined:
        ax.text(NAMES + 112, y + 20, RULE, **style)


NOTE = (
    "Evidence of spam, in log-odds. The strongest colour of a comment is its largest "
    "number."
)
RULE = "Outlined: words of the rule."


def page(comments: Sequence[Shown], path: Path) -> Path:
    """Write the same comments as a page of HTML that needs nothing else."""
    parts = []
    for comment in comments:
        limit = _strongest(comment)
        parts.append(f"<h2>{escape(comment.title)}</h2>")
        for name, weights in comment.by_method.items():
            shown = jx.text.html(
                comment.text, comment.spans, weights, limit=limit, unit="log-odds"
            )
            parts.append(f"<h3>{escape(name)}</h3>{shown}")
    path.write_text(PAGE.format("\n".join(parts)), encoding="utf-8")
    return path


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Which words make it spam?</title>
<style>
body {{ max-width: 46em; margin: 2em auto; padding: 0 1em; background: #fff;
  color: #222; font: 15px/1.5 system-ui, sans-serif }}
h2 {{ font-size: 1.05em; margin: 2em 0 .4em; border-top: 1px solid #ddd;
  padding-top: 1em }}
h3 {{ font-size: .85em; font-weight: normal; color: #777; margin: .6em 0 0 .9em }}
</style></head><body>
<h1>Which words make it spam?</h1>
{}
</body></html>
"""

"""Pictures of an evaluation, as PNG inside the page."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from .. import plot
from ._controls import RANDOM
from ._types import Cascade, Curves, Evidence

COLOURS = (
    "#1d5fa8 #c2570c #2a8a57 #8a3fa0 #b8860b #0f8b8d #a83253 #5a6b2f #4b4ecf #7a4b2a"
).split()
MOST_FEATURES = 12


class Picture(NamedTuple):
    """The source of an `img`, and the width at which letters are of one size."""

    source: str
    width: int


def maps(evidence: Evidence, number: int) -> Picture | None:
    """One row per example: the input, then what each explainer makes of it."""
    if evidence.kind == "tree":
        return None
    number = min(number, len(jax.tree.leaves(evidence.examples)[0]))
    draw = {"image": _image, "series": _series, "table": _bars}[evidence.kind]
    wide, high = {"image": (1.35, 1.35), "series": (2.0, 1.15), "table": (2.0, 1.6)}[
        evidence.kind
    ]
    columns = len(evidence.names) + 1
    figure, axes = _panels(number, columns, wide, high)
    for i in range(number):
        x = np.asarray(evidence.examples[i])
        draw(axes[i, 0], x, None)
        for j, name in enumerate(evidence.names, 1):
            draw(axes[i, j], np.asarray(evidence.attributions[name][i]), x)
    for ax, name in zip(axes[0], ("input", *evidence.names), strict=True):
        ax.set_title(_folded(name), fontsize=9)
    return png(figure)


def curves(found: dict[str, Curves], titles: dict[str, str], names: Any) -> Picture:
    """A panel per metric: means over examples, and two standard errors."""
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = _panels(rows, columns, 4.2, 3.0)
    for ax, (metric, curve) in zip(axes.flat, found.items()):
        for name, colour, style in _styles(names, curve.values):
            _band(ax, curve.fraction, curve.values[name], name, colour, style)
        ax.set(title=titles[metric], xlabel="share of the features")
        ax.margins(x=0)
    axes.flat[0].set_ylabel("f")
    for ax in list(axes.flat)[len(found) :]:
        ax.set_visible(False)
    _legend(figure, axes.flat[0])
    return png(figure)


def cascade(found: Cascade) -> Picture:
    """Similarity of the maps as layer after layer becomes random."""
    places = np.arange(len(found.layers) + 1)
    width = max(6.0, 0.55 * len(places) + 3)
    figure, axes = _panels(1, 1, width, 3.4)
    ax = axes[0, 0]
    for name, colour, style in _styles(tuple(found.similarity), found.similarity):
        _band(ax, places, found.similarity[name], name, colour, style)
    short = [layer.removeprefix("params/") for layer in found.layers]
    rotated = 30 if len(places) > 5 else 0
    ax.set_xticks(
        places,
        ["none", *(f"+ {layer}" for layer in short)],
        rotation=rotated,
        ha="right" if rotated else "center",
    )
    ax.axhline(0, color=plot.GREY, linewidth=0.6)
    ax.set(ylabel="rank correlation", xlabel="random layers, from the output down")
    _legend(figure, ax)
    return png(figure)


def png(figure: Any) -> Picture:
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=140)
    data = base64.b64encode(memory.getvalue()).decode()
    return Picture(f"data:image/png;base64,{data}", round(84 * figure.get_figwidth()))


def _panels(rows: int, columns: int, wide: float, high: float) -> tuple[Any, Any]:
    # A figure of its own, unknown to pyplot: nothing to close, no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide * columns, high * rows + 0.35), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=0, posinf=0, neginf=0)


def _image(ax: Any, values: np.ndarray, x: np.ndarray | None) -> None:
    if x is not None:
        plot.heatmap(_finite(values), ax=ax)
        return
    pixels = _finite(np.asarray(values, np.float64))
    pixels = pixels[..., 0] if pixels.shape[2:] not in ((), (3,)) else pixels
    low, high = pixels.min(), pixels.max()
    pixels = (pixels - low) / (high - low if high > low else 1)
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _series(ax: Any, values: np.ndarray, x: np.ndarray | None) -> None:
    if x is None:
        ax.plot(_finite(values), linewidth=0.8)
    else:
        plot.series(_finite(values), ax=ax, colorbar=False)
    ax.set(xticks=[], yticks=[], ylabel="")
    ax.margins(x=0)
    ax.spines[:].set_visible(False)


def _bars(ax: Any, values: np.ndarray, x: np.ndarray | None) -> None:
    shown = _finite(values)[:MOST_FEATURES]
    plot.bars(shown, sort=False, ax=ax)
    ax.set_xticks([])
    ax.tick_params(labelsize=7)
    if x is not None:
        ax.set_yticks([])


def _band(
    ax: Any, at: np.ndarray, values: np.ndarray, name: str, colour: str, style: str
) -> None:
    values = values[np.isfinite(values).all(-1)]
    if not len(values):
        return
    middle = values.mean(0)
    error = values.std(0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
    ax.plot(at, middle, color=colour, linestyle=style, label=name, linewidth=1.5)
    ax.fill_between(
        at, middle - 2 * error, middle + 2 * error, color=colour, alpha=0.1, linewidth=0
    )
    ax.spines[["top", "right"]].set_visible(False)


def _styles(names: Sequence[str], found: Any) -> Iterator[tuple[str, str, str]]:
    """Explainers in colours and controls in grey, if they have a curve."""
    controls = {RANDOM: "--", "input itself": ":", "edges": "-."}
    for i, name in enumerate(names):
        if name in found and name in controls:
            yield name, "#555555", controls[name]
        elif name in found:
            yield name, COLOURS[i % len(COLOURS)], "-" if i < len(COLOURS) else "--"


def _legend(figure: Any, ax: Any) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside right upper",
            frameon=False,
            fontsize=9,
        )


def _folded(name: str) -> str:
    """A long name on two lines."""
    if len(name) <= 14 or " " not in name:
        return name
    middle = min(
        (i for i, c in enumerate(name) if c == " "),
        key=lambda i: abs(i - len(name) / 2),
    )
    return f"{name[:middle]}\n{name[middle + 1 :]}"

"""Weights of words, as HTML."""

import re
from collections.abc import Sequence
from html import escape

from jaxtyping import ArrayLike

from ..plot import AGAINST, FAVOUR
from . import _valid
from ._colours import ink, shade, signed, to_hex, underlined

FRAME = (
    "background:#fff;color:#000;padding:.6em .8em;border-radius:4px;"
    "font:15px/1.9 system-ui,sans-serif"
)
TEXT = "white-space:pre-wrap;overflow-wrap:anywhere"
WORD = "border-radius:3px;padding:.12em .1em"
LEGEND = "font-size:12px;line-height:1.5;color:#444"
BAR = (
    "display:inline-block;width:7em;height:.8em;margin:0 .4em;vertical-align:-.05em;"
    f"border-radius:2px;background:linear-gradient(90deg,{AGAINST},#fff,{FAVOUR})"
)


NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Html(str):
    """A fragment of HTML: a string, which notebooks show as what it describes."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def html(
    text: str,
    spans: Sequence[tuple[int, int]],
    weights: ArrayLike,
    *,
    limit: float | None = None,
    unit: str = "",
) -> Html:
    """A text with its words coloured by their weights, as a fragment of HTML.

    Blue is evidence in favour, orange evidence against, which is underlined too unless
    it is faint; the number is shown where the pointer rests. Between the tags stands
    the text as it was, escaped: markup that it holds is shown and never run; NUL and
    lone surrogates, which no page can hold, are shown as U+FFFD. Black or white
    letters, whichever stand out more: the contrast is never below 4.5. No script, no
    style sheet and nothing from elsewhere.

    Args:
        text: The text.
        spans: `(start, end)` of each word, as `split` returns.
        weights: One number per span.
        limit: Weight of the strongest colour; the largest magnitude by default. Give
            several texts the same to compare them.
        unit: What the weights are measured in, such as `"log-odds"`.

    Returns:
        A string that notebooks show as HTML.

    Raises:
        ValueError: If a weight is not finite, there is not one per span, or spans
            overlap or leave the text.
        TypeError: If `weights` are traced or no real numbers, `text` or `unit` is no
            string, or a span is no pair of integers.

    Example:
        >>> words, spans = jx.text.split("no <b>")
        >>> shown = html("no <b>", spans, [-1.0, 2.0], unit="log-odds")
        >>> "&lt;" in shown, "<b>" in shown
        (True, False)
    """
    ordered, values, strongest = _valid.weights(text, spans, weights, limit, unit)
    pieces, before = [], 0
    for (start, end), value in zip(ordered, values):
        colour = shade(value, strongest)
        style = f"background:{to_hex(colour)};color:{to_hex(ink(colour))};{WORD}"
        if underlined(value, strongest):
            style += ";text-decoration:underline"
        title = _safe(f"{signed(value)} {unit}".strip())
        word = _safe(text[start:end])
        pieces.append(_safe(text[before:start]))
        pieces.append(f'<span style="{style}" title="{title}">{word}</span>')
        before = end
    pieces.append(_safe(text[before:]))
    scale = (
        f'<u>against</u> {signed(-strongest)}<span style="{BAR}"></span>'
        f"{signed(strongest)} in favour{_safe(f', {unit}' if unit else '')}"
    )
    return Html(
        f'<div style="{FRAME}"><div data-jaxplain="text" style="{TEXT}">'
        f'{"".join(pieces)}</div><div data-jaxplain="legend" style="{LEGEND}">'
        f"{scale}</div></div>"
    )


def _safe(text: str) -> str:
    # A carriage return that is not escaped would be read as a line feed.
    return NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", escape(text)).replace("\r", "&#13;")

"""Weights of words, for a terminal."""

import unicodedata
from collections.abc import Sequence

from jaxtyping import ArrayLike

from . import _valid
from ._colours import ink, shade, signed, underlined

RESET, UNDERLINE = "\x1b[0m", "\x1b[4m"


def terminal(
    text: str,
    spans: Sequence[tuple[int, int]],
    weights: ArrayLike,
    *,
    limit: float | None = None,
    unit: str = "",
) -> str:
    """A text with its words coloured by their weights, to print.

    Blue is evidence in favour, orange evidence against, which is underlined too unless
    it is faint; see `html` for the colours. Control characters of the text, which could
    command the terminal, and lone surrogates, which cannot be printed, are shown as
    signs; without the colours, everything else is the text as it was.

    Args:
        text: The text.
        spans: `(start, end)` of each word, as `split` returns.
        weights: One number per span.
        limit: Weight of the strongest colour; the largest magnitude by default.
        unit: What the weights are measured in, such as `"log-odds"`.

    Returns:
        The text with ANSI codes for 24-bit colours, and the scale on a line below.

    Raises:
        ValueError: If a weight is not finite, there is not one per span, or spans
            overlap or leave the text.
        TypeError: If `weights` are traced or no real numbers, `text` or `unit` is no
            string, or a span is no pair of integers.

    Example:
        >>> words, spans = jx.text.split("visit me")
        >>> painted = terminal("visit me", spans, [2.0, 0.0], unit="log-odds")
        >>> painted.splitlines()[1].endswith("log-odds")
        True
    """
    ordered, values, strongest = _valid.weights(text, spans, weights, limit, unit)
    pieces, before = [], 0
    for (start, end), value in zip(ordered, values):
        pieces.append(_tame(text[before:start]))
        pieces.append(_painted(_tame(text[start:end]), value, strongest))
        before = end
    pieces.append(_tame(text[before:]))
    against = _painted(" against ", -strongest, strongest)
    favour = _painted(" in favour ", strongest, strongest)
    scale = f"{against} {signed(-strongest)} \u2026 {signed(strongest)} {favour}"
    return "".join(pieces) + f"\n{scale} {_tame(unit)}".rstrip(" ")


def _painted(text: str, weight: float, strongest: float) -> str:
    background = shade(weight, strongest)
    codes = "\x1b[48;2;{};{};{}m\x1b[38;2;{};{};{}m".format(
        *background, *ink(background)
    )
    line = UNDERLINE if underlined(weight, strongest) else ""
    # Colours end with the line: a terminal would fill the next one with them.
    return "\n".join(f"{codes}{line}{part}{RESET}" for part in text.split("\n"))


def _tame(text: str) -> str:
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs"):
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"

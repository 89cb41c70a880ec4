"""Colours that words stay readable on."""

from typing import TypeAlias

from ..plot import AGAINST, FAVOUR

Colour: TypeAlias = tuple[int, int, int]  # sRGB, from 0 to 255
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
FAINT = 0.05  # of the strongest weight


def shade(weight: float, strongest: float) -> Colour:
    """White for zero; blue for evidence in favour, orange for evidence against."""
    full = from_hex(FAVOUR if weight > 0 else AGAINST)
    strength = min(abs(weight) / strongest, 1.0)
    red, green, blue = (round(255 + strength * (c - 255)) for c in full)
    return red, green, blue


def ink(background: Colour) -> Colour:
    """Black or white, whichever reads better: never below a contrast of 4.5."""
    return max(BLACK, WHITE, key=lambda colour: contrast(colour, background))


def contrast(a: Colour, b: Colour) -> float:
    """The contrast ratio of the Web Content Accessibility Guidelines, from 1 to 21."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def from_hex(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def underlined(weight: float, strongest: float) -> bool:
    """Evidence against that can be seen: a line says more than a tint of 5 %."""
    return weight < -FAINT * strongest


def to_hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def signed(value: float) -> str:
    """A number with its sign, and a minus as wide as the plus."""
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def _luminance(colour: Colour) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

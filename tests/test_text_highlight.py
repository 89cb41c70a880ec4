"""Highlighted text: the same text, safe to show, readable, with its scale."""

import re
from html.parser import HTMLParser

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import fixed

from jaxplain import plot, text
from jaxplain.text import _colours

COMMENT = "For Christmas Song\nvisit my channel! ;)"
SPANS = text.split(COMMENT)[1]
WEIGHTS = np.array([0.0, -0.25, -1.5, 2.0, 0.5, 3.0])
CODE = re.compile(r"\x1b\[[\d;]*m")
characters = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
nasty = st.text(alphabet="ab<>&\"'/=\r\n\t -!", max_size=40)
numbers = st.floats(-1e6, 1e6)


class Fragment(HTMLParser):
    """What a browser makes of a fragment: text by part, elements, and styles."""

    def __init__(self, source):
        super().__init__()
        self.parts, self.tags, self.words, self.open = {}, [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.open.append(attrs.get("data-jaxplain"))
        if "title" in attrs:
            style = dict(item.split(":") for item in attrs["style"].split(";"))
            self.words.append((attrs["title"], style))

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        part = next(name for name in reversed(self.open) if name)
        self.parts[part] = self.parts.get(part, "") + data


def rgb(colour):
    return _colours.from_hex(colour)


def contrast(a, b):
    """The contrast ratio of WCAG 2, in NumPy."""

    def luminance(colour):
        c = np.array(colour) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


# The text.


@fixed
@given(characters | nasty)
def test_html_gives_the_text_back(line):
    spans = text.split(line)[1]
    shown = Fragment(text.html(line, spans, np.linspace(-1, 1, len(spans))))
    assert shown.parts.get("text", "") == line.replace("\0", "\ufffd")


@pytest.mark.parametrize("show", [text.html, text.terminal])
def test_what_no_page_can_hold_is_replaced(show):
    shown = show("a\0b\ud800c", [(0, 5)], [1.0], unit="\ud800")
    assert not {"\0", "\ud800"} & set(shown)
    assert shown.encode().decode() == shown


@fixed
@given(characters | nasty, characters | nasty)
def test_no_text_and_no_unit_adds_an_element(line, unit):
    spans = text.split(line)[1]
    shown = Fragment(text.html(line, spans, np.ones(len(spans)), unit=unit))
    spare = [tag for tag, attrs in shown.tags if "title" not in attrs]
    assert spare == ["div", "div", "div", "u", "span"]
    assert len(shown.words) == len(spans)
    assert all(set(a) <= {"style", "title", "data-jaxplain"} for _, a in shown.tags)


def test_markup_in_a_word_is_shown_and_not_run():
    line = '<script>alert(1)</script> <img src=x onerror="x()">'
    spans = text.split(line, pattern=r"\S+")[1]
    shown = text.html(line, spans, np.ones(len(spans)), unit='"><b>')
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown


@fixed
@given(characters | nasty)
def test_a_terminal_gives_the_text_back_but_for_control_characters(line):
    spans = text.split(line)[1]
    painted = text.terminal(line, spans, np.ones(len(spans)))
    plain = CODE.sub("", painted).rsplit("\n", 1)[0]
    assert len(plain) == len(line)
    harmless = lambda c: c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160)
    assert all(a == b or not harmless(b) for a, b in zip(plain, line))
    assert all(map(harmless, plain))


def test_a_text_cannot_command_the_terminal():
    line = "red \x1b[31m and a title \x1b]0;x\x07 and \x9b2J"
    painted = text.terminal(line, [(0, 3)], [1.0], unit="\x1b[2J")
    assert "\x1b" not in CODE.sub("", painted)
    assert "\x1b[31m" not in painted
    assert "\x1b[2J" not in painted
    assert not {"\x07", "\x9b"} & set(painted)


def test_a_text_without_words_is_shown_as_it_is():
    assert Fragment(text.html(" ;)", [], [])).parts["text"] == " ;)"
    assert text.terminal(" ;)", [], []).startswith(" ;)\n")


# Colours and numbers.


def test_the_sign_of_a_weight_is_its_colour_and_its_line():
    shown = Fragment(text.html(COMMENT, SPANS, WEIGHTS))
    for (_, style), weight in zip(shown.words, WEIGHTS):
        red, _, blue = rgb(style["background"])
        assert np.sign(blue - red) == np.sign(weight)
        assert ("text-decoration" in style) == (weight < 0)


def test_faint_evidence_against_is_not_underlined():
    shown = Fragment(text.html("a b", [(0, 1), (2, 3)], [-0.04, 1.0]))
    assert "text-decoration" not in shown.words[0][1]
    assert "\x1b[4m" not in text.terminal("a b", [(0, 1), (2, 3)], [-0.04, 1.0])[:40]


def test_zero_is_white_and_the_strongest_has_the_colours_of_the_plots():
    shown = Fragment(text.html(COMMENT, SPANS, WEIGHTS))
    colours = [style["background"] for _, style in shown.words]
    assert colours[0] == "#ffffff"
    assert colours[5] == plot.FAVOUR
    shown = Fragment(text.html(COMMENT, SPANS, -WEIGHTS))
    assert shown.words[5][1]["background"] == plot.AGAINST


@fixed
@given(numbers, st.floats(0.1, 1e6))
def test_letters_stand_out_from_every_colour(weight, strongest):
    background = _colours.shade(weight, strongest)
    assert contrast(_colours.ink(background), background) >= 4.5


def test_a_limit_makes_texts_comparable_and_clips():
    shown = lambda weight, limit: Fragment(
        text.html("a", [(0, 1)], [weight], limit=limit)
    ).words[0][1]["background"]
    assert shown(1.0, 4.0) == shown(2.0, 8.0) != shown(1.0, None)
    assert shown(9.0, 4.0) == shown(4.0, 4.0)


def test_weights_that_are_all_zero_are_white():
    shown = Fragment(text.html(COMMENT, SPANS, np.zeros(6)))
    assert {style["background"] for _, style in shown.words} == {"#ffffff"}


def test_numbers_and_units_can_be_read():
    shown = Fragment(text.html(COMMENT, SPANS, WEIGHTS, unit="log-odds & more"))
    titles = [title for title, _ in shown.words]
    minus = "\N{MINUS SIGN}"
    assert titles[0] == "0 log-odds & more"
    assert titles[2] == f"{minus}1.5 log-odds & more"
    legend = shown.parts["legend"]
    assert legend == f"against {minus}3+3 in favour, log-odds & more"
    scale = CODE.sub("", text.terminal(COMMENT, SPANS, WEIGHTS, unit="log-odds"))
    assert scale.splitlines()[-1].split() == (
        ["against", f"{minus}3", "\u2026", "+3", "in", "favour", "log-odds"]
    )


def test_colours_of_a_terminal_end_with_the_line():
    painted = text.terminal("a\nb c", [(0, 3)], [1.0])
    assert all(
        line.count("\x1b[48") == line.count("\x1b[0m")
        for line in painted.split("\n")[:2]
    )
    assert painted.count("\x1b[48") == 4  # two lines of the word, two of the scale


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32"])
def test_weights_may_have_any_dtype(dtype):
    weights = jnp.array([1, 0, -1, 2, 0, 1], dtype)
    assert text.html(COMMENT, SPANS, weights) == text.html(
        COMMENT, SPANS, weights.tolist()
    )


def test_a_notebook_shows_the_fragment_as_html():
    shown = text.html(COMMENT, SPANS, WEIGHTS)
    assert isinstance(shown, str)
    assert shown._repr_html_() == shown


def test_explaining_under_jit_and_highlighting_outside_works():
    weights = jax.jit(lambda x: 2.0 * x)(jnp.asarray(WEIGHTS))
    assert len(Fragment(text.html(COMMENT, SPANS, weights)).words) == 6

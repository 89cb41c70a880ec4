"""An mkdocs hook: formulas as MathML, which browsers draw without any script."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

# What `pymdownx.arithmatex` leaves behind, from pages and docstrings alike.
FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL
)

# Where the converter picks a character that few fonts have, or a letter for a sign.
BETTER = {
    "<mi>&#x029F5;</mi>": "<mo>&#x02216;</mo>",  # set minus
    "&#x0007E;": "&#x0223C;",  # distributed as
}


def on_page_content(page: str, /, **_: Any) -> str:
    return FORMULA.sub(_mathml, page)


def _mathml(found: re.Match[str]) -> str:
    tag, latex = found.groups()
    display = "block" if tag == "div" else "inline"
    formula = convert(html.unescape(latex).strip(), display=display)
    for usual, better in BETTER.items():
        formula = formula.replace(usual, better)
    return formula

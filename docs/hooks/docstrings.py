"""A griffe extension: two sections of our docstrings that its parser does not know."""

import re
from typing import Any

import griffe

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
REFERENCES = re.compile(r"^References:\n((?: {4}.*\n?|\n)*)", re.MULTILINE)


class Sections(griffe.Extension):
    """Shows `Example:` as code, and `References:` as a list with links."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is None:
            return
        text = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
        obj.docstring.value = REFERENCES.sub(_as_list, text)


def _as_list(found: re.Match[str]) -> str:
    lines = [line.strip() for line in found.group(1).strip().splitlines()]
    # A reference ends with a full stop at the end of a line, and so does no other line.
    entries = re.split(r"(?<=\.)\n", "\n".join(lines))
    linked = [
        ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", e.replace("\n", " "))
        for e in entries
    ]
    return "**References:**\n\n" + "".join(f"- {entry}\n" for entry in linked)

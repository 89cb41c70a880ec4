"""A text to its words."""

import re
import unicodedata

from .._checks._show import describe

WORD = r"\w+(?:['\u2019]\w+)*"  # an apostrophe inside of a word is part of it


def split(text: str, *, pattern: str = WORD) -> tuple[list[str], list[tuple[int, int]]]:
    r"""The words of a text, and where they are in it.

    `text[start:end]` is the word, so nothing is lost: `html` and `terminal` give the
    text back as it was, with what lies between the words.

    Args:
        text: Any text.
        pattern: Regular expression of a word: by default letters with their accents
            and vowel signs, digits and underscores, with apostrophes inside. `r"\S+"`
            splits at white space only; `r"\w+|[^\w\s]"` makes a word of each
            punctuation mark, and of each combining mark, which `\w` does not hold.

    Returns:
        The words in order, and for each its `(start, end)`. Both are empty where
        nothing matches.

    Raises:
        TypeError: If `text` or `pattern` is no string.
        ValueError: If `pattern` is no regular expression.

    Example:
        >>> split("Don't visit my channel! ;)")
        (["Don't", 'visit', 'my', 'channel'], [(0, 5), (6, 11), (12, 14), (15, 22)])
    """
    if not isinstance(text, str):
        raise TypeError(
            f"`text` must be a string, but is {describe(text)}. Split one text at a "
            "time."
        )
    if not isinstance(pattern, str):
        raise TypeError(
            f"`pattern` must be a string, but is {describe(pattern)}. For words "
            r"between white space, take `pattern=r'\S+'`; leave it out for letters."
        )
    try:
        found = list(re.finditer(_with_marks(pattern, text), text))
    except re.error as error:
        raise ValueError(
            f"`pattern` must be a regular expression, but {pattern!r} is none: "
            rf"{error}. For words between white space, take `pattern=r'\S+'`."
        ) from None
    found = [match for match in found if match.group()]
    return [match.group() for match in found], [match.span() for match in found]


def _with_marks(pattern: str, text: str) -> str:
    # Python has no class for marks, and all of them would be a long one: those of the
    # text will do.
    marks = {c for c in text if unicodedata.category(c).startswith("M")}
    if pattern != WORD or not marks:
        return pattern
    return WORD.replace(r"\w+", rf"\w[\w{''.join(sorted(marks))}]*")

"""Comments: drawn by a known rule, or those of the YouTube Spam Collection."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import jaxplain as jx

FILE = "youtube_spam.csv"
EXAMPLE = "For Christmas Song visit my channel! ;)"
HELD_OUT = 0.3  # share of the comments
RULE_SHARE = 0.71  # of the verbs, and of the nouns: half of the comments are spam

# The words of the rule, and words that take their places elsewhere.
VERBS, OTHER_VERBS = ("visit", "check", "join", "follow"), ("paint", "hug", "thank")
NOUNS, OTHER_NOUNS = ("channel", "page", "blog", "shop"), ("uncle", "kitten", "piano")
WITH_BOTH = ("Please {verb} my {noun}!", "{verb} our {noun} today!")
WITH_VERB = ("Do you {verb} them like he does?", "I {verb} and I smile.")
WITH_NOUN = ("I love this {noun}!", "The {noun} reminds me of school.")
WITH_NONE = (
    "I love this song.",
    "The drums are so loud!",
    "This made me smile today.",
    "Who is still here in November?",
    "My sister sings this every day.",
    "What a voice...",
    "Please play it again!",
    "Best summer of our lives.",
    "They do not make music like this.",
    "So many memories!",
)


class Comments(NamedTuple):
    """Texts, whether they are spam, and the split.

    Attributes:
        texts: The comments.
        spam: 1 for spam, 0 for others.
        train: Numbers of the comments to train on.
        held_out: Numbers of the others; no text of them is in `train`.
        rule: The words of the rule in each comment; None where nobody knows a rule.
    """

    texts: list[str]
    spam: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    rule: list[set[str]] | None


def words(text: str) -> list[str]:
    """The words of a text, without capitals."""
    return [word.lower() for word in jx.text.split(text)[0]]


def generate(rng: np.random.Generator, number: int) -> Comments:
    """Comments that are spam if and only if they hold a verb and a noun of the lists.

    Each has a place for a verb and one for a noun, in one sentence or in two. What
    stands in one place is drawn independently of the other and of all other words, so
    neither place is evidence enough, and nothing else is evidence at all.
    """
    texts, rule = [], []
    for _ in range(number):
        likely = rng.random(2) < RULE_SHARE
        verb = str(rng.choice(VERBS if likely[0] else OTHER_VERBS))
        noun = str(rng.choice(NOUNS if likely[1] else OTHER_NOUNS))
        templates = [WITH_BOTH] if rng.random() < 0.5 else [WITH_VERB, WITH_NOUN]
        sentences = [
            str(rng.choice(choices)).format(verb=verb, noun=noun)
            for choices in [*templates, WITH_NONE]
        ]
        rng.shuffle(sentences)
        texts.append(
            " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
        )
        rule.append({verb, noun} & {*VERBS, *NOUNS})
    spam = np.array([len(found) == 2 for found in rule], np.int32)
    return Comments(texts, spam, *_split(rng, texts), rule)


def read(rng: np.random.Generator, path: Path) -> Comments:
    """The YouTube Spam Collection, without comments that hold no word.

    Many comments were posted several times: equal words stay on one side of the split,
    and the example on the side that is held out.
    """
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if words(row["CONTENT"])]
    texts = [row["CONTENT"] for row in rows]
    spam = np.array([int(row["CLASS"]) for row in rows], np.int32)
    if EXAMPLE not in texts:
        raise ValueError(
            f"{path} must hold the comment {EXAMPLE!r}, but does not. Take the YouTube "
            "Spam Collection of the UCI Machine Learning Repository, as one file."
        )
    return Comments(texts, spam, *_split(rng, texts), None)


def _split(
    rng: np.random.Generator, texts: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out comments; those of equal words are on the same side."""
    equal: dict[tuple[str, ...], list[int]] = {}
    for i, text in enumerate(texts):
        equal.setdefault(tuple(words(text)), []).append(i)
    sides: tuple[list[int], list[int]] = ([], [])
    example = tuple(words(EXAMPLE))
    for text, numbers in equal.items():
        sides[rng.random() < HELD_OUT or text == example].extend(numbers)
    return np.sort(sides[0]), np.sort(sides[1])

"""What is measured of the explanations of some comments."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxplain as jx
from experiments import common
from experiments.words import model
from experiments.words.comments import EXAMPLE, Comments, words
from experiments.words.explain import METHODS, explain_all
from experiments.words.figure import Shown

LEAST_WORDS, MOST_WORDS = 4, 24  # in a comment that is explained
SHOWN = 3  # spam in the figure, and one comment that is none


class Chosen(NamedTuple):
    """Comments to explain, and the tokens of each."""

    numbers: list[int]
    tokens: np.ndarray


def choose(
    comments: Comments, tokens: np.ndarray, found: np.ndarray, most: int
) -> Chosen:
    """Held-out spam that the network recognises, and one other comment at the end.

    No text twice. The example comes first, where there is one, recognised or not. A
    comment of a word or two has nothing to point at.
    """
    lengths = (tokens != model.PADDING).sum(1)
    fits = (lengths >= LEAST_WORDS) & (lengths <= MOST_WORDS)
    right = fits & ((found > 0) == (comments.spam > 0))
    example = np.array([text == EXAMPLE for text in comments.texts])
    held_out = sorted(comments.held_out, key=lambda i: not example[i])
    once = {tuple(words(comments.texts[i])): i for i in reversed(held_out)}
    order = [i for i in held_out if i in set(once.values())]
    numbers = [i for i in order if example[i] or (right[i] and comments.spam[i])][:most]
    numbers += [i for i in order if right[i] and not comments.spam[i]][:1]
    return Chosen(numbers, tokens[numbers][:, :MOST_WORDS])


def explain(
    chosen: Chosen, params: Any, seed: int, clock: common.Clock
) -> dict[str, list[np.ndarray]]:
    """One number per word, by method."""
    keys = jax.random.split(jax.random.key(seed), len(chosen.numbers))
    lengths = (chosen.tokens != model.PADDING).sum(1)
    found = {}
    for name in METHODS:
        values = np.asarray(explain_all(name, chosen.tokens, params, keys))
        found[name] = [row[:n] for row, n in zip(values, lengths, strict=True)]
        clock.say(f"  {name}")
    return found


def measures(
    comments: Comments,
    chosen: Chosen,
    by_method: Mapping[str, Sequence[np.ndarray]],
    drops: Sequence[np.ndarray],
) -> dict[str, dict[str, Any]]:
    """By method: does it point to the rule, and does `f` fall without its top word?

    `drops` is what the trained network loses without each word.
    """
    numbers: dict[str, dict[str, Any]] = {}
    spam = range(len(chosen.numbers) - 1)  # the last comment is none
    for name, rows in by_method.items():
        order = [np.argsort(-rows[i], kind="stable") for i in spam]
        numbers[name] = {
            "drop_without_top_word": common.mean_and_error(
                [drops[i][top[0]] for i, top in zip(spam, order, strict=True)]
            )
        }
        if comments.rule is not None:
            is_rule = [in_rule(comments, chosen.numbers[i]) for i in spam]
            pairs = list(zip(is_rule, order, strict=True))
            numbers[name] |= {
                "top_word_in_rule": common.mean_and_error([r[o[0]] for r, o in pairs]),
                "top_two_are_the_rule": common.mean_and_error(
                    [r[o[:2]].all() for r, o in pairs]
                ),
            }
    return numbers


def by_chance(
    comments: Comments, chosen: Chosen, drops: Sequence[np.ndarray]
) -> dict[str, Any]:
    """The same measures, of words in random order: exact means, not draws."""
    spam = range(len(chosen.numbers) - 1)
    found = {
        "drop_without_top_word": common.mean_and_error([drops[i].mean() for i in spam])
    }
    if comments.rule is not None:
        is_rule = [in_rule(comments, chosen.numbers[i]) for i in spam]
        pairs = [math.comb(int(r.sum()), 2) / math.comb(len(r), 2) for r in is_rule]
        found |= {
            "top_word_in_rule": common.mean_and_error([r.mean() for r in is_rule]),
            "top_two_are_the_rule": common.mean_and_error(pairs),
        }
    return found


def in_rule(comments: Comments, number: int) -> np.ndarray:
    """Which words of a comment are words of its rule."""
    rule = comments.rule[number] if comments.rule is not None else set()
    return np.array([word in rule for word in words(comments.texts[number])])


def example(
    chosen: Chosen, comments: Comments, by_method: Mapping[str, Sequence[np.ndarray]]
) -> dict[str, Any] | None:
    """The words of the example, and the place of `channel` among them."""
    if comments.texts[chosen.numbers[0]] != EXAMPLE:
        return None
    names = words(EXAMPLE)
    channel = names.index("channel")
    return {
        "text": EXAMPLE,
        **{
            name: {
                "by_word": dict(zip(names, rows[0].round(3).tolist(), strict=True)),
                "rank_of_channel": int((rows[0] > rows[0][channel]).sum()) + 1,
            }
            for name, rows in by_method.items()
        },
    }


def shown(
    comments: Comments,
    chosen: Chosen,
    found: np.ndarray,
    by_method: Mapping[str, Sequence[np.ndarray]],
) -> list[Shown]:
    """The first spam comments that differ, and the one that is none."""
    places = list(range(min(SHOWN, len(chosen.numbers) - 1)))
    places.append(len(chosen.numbers) - 1)
    return [_shown(comments, chosen, found, by_method, i) for i in places]


def _shown(
    comments: Comments,
    chosen: Chosen,
    found: np.ndarray,
    by_method: Mapping[str, Sequence[np.ndarray]],
    place: int,
) -> Shown:
    number = chosen.numbers[place]
    text = comments.texts[number]
    kind = "Spam" if comments.spam[number] else "Not spam"
    score = f"{found[number]:+.1f}".replace("-", "\N{MINUS SIGN}")
    return Shown(
        text,
        jx.text.split(text)[1],
        f"{kind}, log-odds {score}",
        comments.rule[number] if comments.rule is not None else set(),
        {name: rows[place] for name, rows in by_method.items()},
    )

"""Which tokens stand or fall together."""

import reprlib
from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import ArrayLike, Bool, Int

from .._checks import describe, is_traced

LabelArray: TypeAlias = Int[np.ndarray, " tokens"]


def subwords(
    word_ids: Sequence[int | None],
) -> tuple[LabelArray, int, Bool[np.ndarray, " tokens"]]:
    """The words that tokens are parts of, from what a tokenizer says of each.

    Word `i` is group `i`. In a pair of texts, where the numbers begin again, the words
    of the second follow those of the first. Tokens of no word, such as `[CLS]`, are to
    be kept: their baseline is 1, which is to be present.

    Args:
        word_ids: For each token the number of its word, or None for a special token, as
            `word_ids()` of the encodings of the `tokenizers` package returns.

    Returns:
        Labels of the tokens, the number of words, and which tokens to keep. Pass them
        as `groups`, `num_groups` and `baseline`.

    Raises:
        ValueError: If a number is negative, or no token belongs to a word.
        TypeError: If an entry is neither an integer nor None.

    Example:
        >>> labels, n, keep = subwords([None, 0, 1, 1, None])
        >>> labels, n, keep.astype(int)
        (array([0, 0, 1, 1, 0], dtype=int32), 2, array([1, 0, 0, 0, 1]))
    """
    labels, first, last, inside = [], 0, -1, False
    for word in word_ids:
        if word is None:
            inside = False
            labels.append(-1)
            continue
        _word(word)
        if word < last or (word == last and not inside):  # the next text begins
            first += last + 1
        last, inside = int(word), True
        labels.append(first + last)
    found = np.array(labels, np.int32)
    if not (found >= 0).any():
        raise ValueError(
            "`word_ids` must place a token in a word, but there are "
            f"{len(found)} tokens and all of them are None. Leave texts without words "
            "out."
        )
    return np.maximum(found, 0), int(found.max()) + 1, found < 0


def word_types(words: Sequence[Hashable] | ArrayLike) -> tuple[LabelArray, int]:
    """One feature per different word: the same word is absent everywhere at once.

    A bag of words, as in the `lime` package. Without `groups`, each occurrence stands
    for itself.

    Args:
        words: Words, or token ids: a list or an array of them. `[w.lower() for w in
            words]` makes no difference between `Song` and `song`.

    Returns:
        Labels in the order of first appearance, and how many there are.

    Raises:
        ValueError: If there are no words, or they are an array that is not of rank 1.
        TypeError: If `words` is a string, traced, or no list of words.

    Example:
        >>> word_types(["my", "song", "my", "channel"])
        (array([0, 1, 0, 2], dtype=int32), 3)
    """
    numbers: dict[Hashable, int] = {}
    labels = [numbers.setdefault(word, len(numbers)) for word in _listed(words)]
    if not labels:
        raise ValueError(
            "`words` must hold at least one word, but is empty. Leave texts without "
            "words out."
        )
    return np.array(labels, np.int32), len(numbers)


def _listed(words: Any) -> list[Hashable]:
    if isinstance(words, str | bytes):
        raise TypeError(
            f"`words` must be a list of words, but is {describe(words)}. Split it "
            "first with `jaxplain.text.split`."
        )
    if is_traced(words):
        raise TypeError(
            "`words` must be concrete, but are traced: how many types there are shapes "
            "the program. Number them outside `jax.jit` and `jax.vmap`."
        )
    if hasattr(words, "dtype"):
        if np.ndim(words) != 1:
            raise ValueError(
                "`words` must be those of one text, of shape (length,), but have shape "
                f"{np.shape(words)}. Number the words of one text at a time."
            )
        return np.asarray(words).tolist()
    try:
        # An entry of an array of JAX is an array, which has no hash; its number has.
        found = [word.item() if hasattr(word, "item") else word for word in words]
        set(found)
    except (TypeError, ValueError):
        raise TypeError(
            "`words` must be a list of words or token ids, but is "
            f"{reprlib.repr(words)}. Pass those of one text, as strings or integers."
        ) from None
    return found


def _word(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(
            f"`word_ids` must hold integers or None, but holds {describe(value)}. Pass "
            "what `word_ids()` of one encoding returns."
        )
    if value < 0:
        raise ValueError(
            f"`word_ids` must not be negative, but holds {value}. Mark tokens of no "
            "word by None."
        )

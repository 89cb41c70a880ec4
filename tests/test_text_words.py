"""Words: how texts are split, and which tokens belong together."""

import re

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxplain import text

quickly = settings(max_examples=60, deadline=None, derandomize=True)
characters = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
busy = st.text(alphabet="ab'\u2019<&\"\r\n\t\x1b _-", max_size=40)


@quickly
@given(characters | busy)
def test_a_word_is_the_piece_of_the_text_at_its_span(line):
    words, spans = text.split(line)
    assert words == [line[start:end] for start, end in spans]
    before = 0
    for start, end in spans:
        assert before <= start < end <= len(line)
        assert not re.search(r"\w", line[before:start])  # no letter is lost
        before = end
    assert not re.search(r"\w", line[before:])


def test_apostrophes_inside_belong_to_the_word():
    assert text.split("'Don't' it\u2019s")[0] == ["Don't", "it\u2019s"]


def test_letters_of_any_script_make_words():
    words, _ = text.split("Größe, 中文 и слово")
    assert words == ["Größe", "中文", "и", "слово"]


def test_combining_marks_stay_in_their_word():
    line = "हिन्दी में, cafe\u0301's!"
    assert text.split(line)[0] == ["हिन्दी", "में", "cafe\u0301's"]


def test_marks_that_follow_no_letter_are_no_words():
    assert text.split("❤\ufe0f \u0301 a")[0] == ["a"]


def test_a_pattern_says_what_a_word_is():
    assert text.split("my channel! ;)", pattern=r"\S+")[0] == ["my", "channel!", ";)"]
    assert text.split("a!", pattern=r"\w+|[^\w\s]")[0] == ["a", "!"]


def test_empty_matches_are_no_words():
    assert text.split("a b", pattern=r"\w*")[0] == ["a", "b"]


def test_a_text_without_words_has_none():
    assert text.split("") == text.split(" ;) ") == ([], [])


# Labels.


def test_subwords_carry_the_number_of_their_word():
    labels, n, keep = text.subwords([None, 0, 1, 1, 1, 2, None, None])
    assert labels.tolist() == [0, 0, 1, 1, 1, 2, 0, 0]
    assert n == 3
    assert keep.tolist() == [True, *[False] * 5, True, True]
    assert labels.dtype == np.int32
    assert keep.dtype == bool


def test_words_of_a_second_text_follow_those_of_the_first():
    labels, n, _ = text.subwords([None, 0, 1, 1, None, 0, 0, 1, None])
    assert labels.tolist() == [0, 0, 1, 1, 0, 2, 2, 3, 0]
    assert n == 4
    labels, n, _ = text.subwords([None, 0, None, 0, None, 0, 1])
    assert labels[[1, 3, 5, 6]].tolist() == [0, 1, 2, 3]


def test_a_word_without_tokens_is_a_player_without_effect():
    labels, n, _ = text.subwords([0, 2, 2])
    assert labels.tolist() == [0, 2, 2]
    assert n == 3


def test_numbers_of_numpy_are_numbers():
    assert text.subwords(list(np.array([0, 0, 1])))[0].tolist() == [0, 0, 1]


@quickly
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12))
def test_labels_of_word_types_round_trip(words):
    labels, n = text.word_types(words)
    names = list(dict.fromkeys(words))
    assert n == len(names)
    assert [names[label] for label in labels] == words


@pytest.mark.parametrize("form", [list, np.array, jnp.array])
def test_token_ids_have_types_too(form):
    for ids in (form([7, 3, 7]), list(form([7, 3, 7]))):
        labels, n = text.word_types(ids)
        assert (labels.tolist(), n) == ([0, 1, 0], 2)

"""The experiment on words: its rule, its split, and the same numbers every time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.words import comments, model

ROOT = Path(__file__).resolve().parents[1]


def drawn(seed=0, number=200):
    return comments.generate(np.random.default_rng(seed), number)


def test_a_comment_is_spam_where_it_holds_a_verb_and_a_noun_of_the_rule():
    data = drawn()
    for text, spam, rule in zip(data.texts, data.spam, data.rule):
        found = set(comments.words(text))
        verbs, nouns = found & set(comments.VERBS), found & set(comments.NOUNS)
        assert spam == bool(verbs and nouns)
        assert rule == verbs | nouns
    assert 0 < data.spam.mean() < 1


def test_no_text_is_on_both_sides_of_the_split():
    data = drawn()
    sides = [
        {tuple(comments.words(data.texts[i])) for i in side}
        for side in (data.train, data.held_out)
    ]
    assert not sides[0] & sides[1]
    together = np.concatenate([data.train, data.held_out])
    np.testing.assert_array_equal(np.sort(together), np.arange(200))


def test_the_same_seed_draws_the_same_comments():
    assert drawn().texts == drawn().texts != drawn(1).texts


def test_words_outside_of_the_vocabulary_are_unknown_and_the_rest_is_padding():
    ids = model.vocabulary(["my my song song song", "rare"])
    assert ids == {"song": 2, "my": 3}
    assert model.encode(["My rare song"], ids, 5).tolist() == [[3, 1, 2, 0, 0]]
    assert model.encode(["my my song song"], ids, 2).tolist() == [[3, 3]]


def test_a_file_of_comments_is_read_and_the_example_is_held_out(tmp_path):
    path = tmp_path / comments.FILE
    rows = [f"{comments.EXAMPLE},1", ";),0", *(f"song {i},0" for i in range(9))]
    path.write_text("CONTENT,CLASS\n" + "\n".join(rows))
    data = comments.read(np.random.default_rng(0), path)
    assert len(data.texts) == 10  # that without words is gone
    assert data.texts.index(comments.EXAMPLE) in data.held_out
    path.write_text("CONTENT,CLASS\nsong,0\n")
    with pytest.raises(ValueError, match="must hold the comment"):
        comments.read(np.random.default_rng(0), path)


@pytest.mark.slow
def test_the_words_of_the_rule_are_blamed_and_the_numbers_repeat(tmp_path):
    # In a process of its own, since optax does not run under strict promotion.
    command = [sys.executable, "-m", "experiments.words", "--quick", "--out"]
    environment = {k: v for k, v in os.environ.items() if k != "JAXPLAIN_DATA"}
    found = []
    for run in ("first", "second"):
        folder = tmp_path / run
        subprocess.run([*command, str(folder)], check=True, cwd=ROOT, env=environment)
        found.append(json.loads((folder / "metrics.json").read_text()))
        found[-1].pop("seconds")
        assert (folder / "words.png").stat().st_size < 300_000
        assert "log-odds" in (folder / "words.html").read_text()
    first, second = found
    assert first == second
    assert first["accuracy"]["held_out"]["mean"] > 0.95
    for numbers in first["explainers"].values():
        assert numbers["top_word_in_rule"]["mean"] > 0.9
    assert first["by_chance"]["top_word_in_rule"]["mean"] < 0.3

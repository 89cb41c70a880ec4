"""The page of all experiments: one file, with everything in it."""

import base64
import json
import re

from experiments import page

CHAPTER = page.Chapter(
    "words",
    "Words & <b>signs</b>",
    "Which?",
    "These.",
    [page.Figure("words.png", "a figure")],
    page.Table(("", "share"), [("LIME", "0.5 ± 0.1"), ("<script>", "0")]),
)


def written(folder):
    (folder / "words").mkdir()
    (folder / "words" / "words.png").write_bytes(b"not really a picture")
    text = json.dumps({"versions": {"jax": "0.0", "device": "cpu"}})
    (folder / "words" / "metrics.json").write_text(text)
    return page.write(folder, [CHAPTER], 61.4).read_text()


def test_pictures_are_inside_and_nothing_is_fetched(tmp_path):
    text = written(tmp_path)
    picture = base64.b64encode(b"not really a picture").decode()
    assert f"data:image/png;base64,{picture}" in text
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text)
    assert "@import" not in text
    assert "url(" not in text


def test_what_experiments_say_is_text_and_no_markup(tmp_path):
    text = written(tmp_path)
    assert "Words &amp; &lt;b&gt;signs&lt;/b&gt;" in text
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_the_page_says_how_long_it_took_and_with_what(tmp_path):
    text = written(tmp_path)
    assert "in 61 s" in text
    assert "jax 0.0, device cpu" in text

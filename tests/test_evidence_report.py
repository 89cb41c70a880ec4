"""The page needs nothing from elsewhere, and says what was found."""

import csv
import json
import re
from html.parser import HTMLParser

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxplain import evidence
from jaxplain.evidence import _figures, _report

KEY = jax.random.key(0)


def evaluated(xs, explainers, **given):
    return evidence.evaluate(jnp.sum, explainers, xs, key=KEY, num_perturbed=1, **given)


@pytest.fixture(scope="module")
def found():
    """Weights that the maps ignore, and a name that is no HTML."""
    maps = {"own": lambda x: x, "<b>&half": lambda x: x[::2, ::2, 0]}
    xs = np.random.default_rng(0).normal(size=(13, 4, 4, 3))
    return evaluated(
        xs,
        maps,
        baseline=0.0,
        only=["relative_gap", "deletion", "sparseness"],
        params={"w": jnp.ones(2)},
        of_params=lambda params: maps,
    )


class Page(HTMLParser):
    """The text, and everything that a browser would fetch."""

    def __init__(self, source):
        super().__init__()
        self.text, self.fetched, self.tags = "", [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [v for k, v in attrs if k in ("src", "href", "srcset", "data")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    out = tmp_path_factory.mktemp("evidence") / "report"
    page = evidence.report(found, out, title="Sums & parts", command="make it")
    assert page == out / "report.html"
    return out


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text())


def test_the_page_fetches_nothing(page, folder):
    assert page.fetched
    assert all(re.match(r"#\w+$|data:image/png;base64,", url) for url in page.fetched)
    assert "script" not in page.tags
    assert not re.search(r"@import|url\(", (folder / "report.html").read_text())


def test_the_page_names_every_explainer_as_it_is(page, found):
    assert all(name in page.text for name in found.names)
    assert "b" not in page.tags


def test_the_page_says_every_warning(page, found):
    assert found.warnings
    assert all(warning in page.text for warning in found.warnings)


def test_no_warning_claims_no_more_than_was_measured(found):
    said = _report._words(found._replace(warnings=()))
    assert "where it was measured" in said
    assert "beats the controls" not in said


def test_the_page_says_what_its_metrics_cannot(page):
    assert "rescaling a map closes the gap" in page.text
    assert "inside the mask" not in page.text  # no metric of it was computed


def test_the_page_shows_the_title_and_the_command(page):
    assert "Sums & parts" in page.text
    assert "make it" in page.text


def test_the_scores_beside_the_page_are_those_of_the_evaluation(folder, found):
    with (folder / "scores.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for metric, scores in found.scores.items():
        for name, values in scores.items():
            written = [
                float(row["score"])
                for row in rows
                if (row["metric"], row["explainer"]) == (metric, name)
            ]
            np.testing.assert_array_equal(written, values)


def test_the_numbers_beside_the_page_are_those_of_the_table(folder, found):
    written = json.loads((folder / "metrics.json").read_text())
    row = found.table.metrics.index("deletion")
    for j, name in enumerate(found.names):
        assert written["metrics"]["deletion"][name]["mean"] == found.table.mean[row, j]
    assert written["warnings"] == list(found.warnings)


@pytest.mark.parametrize(("kind", "shape"), [("table", (7,)), ("series", (7, 2))])
def test_tables_and_series_are_drawn(found, kind, shape):
    xs = np.random.default_rng(0).normal(size=(3, *shape))
    maps = dict.fromkeys(found.names, xs)
    other = found._replace(kind=kind, examples=xs, attributions=maps)
    assert _figures.maps(other, 2).source.startswith("data:image/png;base64,")


def test_any_pytree_is_evaluated_and_what_cannot_be_drawn_left_out(tmp_path):
    rng = np.random.default_rng(0)
    xs = {"a": rng.normal(size=(13, 2)), "b": rng.normal(size=(13, 4))}
    sums = lambda x: x["a"].sum() - x["b"].sum()
    own = lambda x: {"a": x["a"], "b": -x["b"]}
    of = {"only": ["relative_gap"], "baseline": 0.0}
    found = evidence.evaluate(sums, {"own": own}, xs, key=KEY, **of)
    np.testing.assert_array_equal(found.scores["relative_gap"]["own"], np.zeros(13))
    page = Page(evidence.report(found, tmp_path).read_text())
    assert "img" not in page.tags


def test_the_table_prints_every_metric(found):
    lines = str(found.table).splitlines()
    assert lines[0].split()[:2] == ["metric", "own"]
    assert [line.split("(")[0].strip() for line in lines[1:3]] == [
        "completeness gap",
        "deletion",
    ]

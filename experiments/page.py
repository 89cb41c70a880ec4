"""One page that shows every experiment: self-contained, to open or to send."""

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f7f9; color: #1c2430;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
header { background: #14213d; color: #fff; padding: 3rem max(1.5rem, calc(50% - 32rem));
}
header h1 { margin: 0 0 .4rem; font-size: 2.1rem; letter-spacing: -.01em; }
header p { margin: 0; color: #cfd8ea; max-width: 46rem; }
nav { margin-top: 1.2rem; } nav a { color: #fff; margin-right: 1.4rem; }
main { padding: 1rem max(1.5rem, calc(50% - 32rem)) 4rem; }
section { background: #fff; border: 1px solid #e1e5ec; border-radius: 10px;
  padding: 1.6rem 2rem 1.8rem; margin: 1.6rem 0; }
h2 { margin: 0; font-size: 1.45rem; }
.question { margin: .2rem 0 1rem; color: #51607a; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: #51607a; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: .95rem; margin: .6rem 0; }
th, td { padding: .3rem .9rem; text-align: right; border-bottom: 1px solid #e9ecf2; }
th { color: #51607a; font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
footer { color: #51607a; font-size: .85rem; }
code { background: #eef1f6; border-radius: 4px; padding: .1em .35em; font-size: .9em; }
"""


class Figure(NamedTuple):
    """A file that the experiment wrote: a picture, or a fragment of HTML."""

    file: str
    caption: str


class Table(NamedTuple):
    """Numbers to quote: the names of the columns, then one row per line."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Chapter(NamedTuple):
    """What the page says of one experiment."""

    name: str
    title: str
    question: str
    answer: str
    figures: Sequence[Figure]
    table: Table


def write(folder: Path, chapters: Sequence[Chapter], seconds: float) -> Path:
    """`report.html`, with every picture inside."""
    links = "".join(f'<a href="#{c.name}">{html.escape(c.title)}</a>' for c in chapters)
    body = "\n".join(_section(folder / chapter.name, chapter) for chapter in chapters)
    versions = _versions(folder / chapters[0].name)
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>jaxplain: what the models look at</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>What the models look at</h1>
<p>Flax models on pictures, words, tables and series, trained in this run and explained
by jaxplain where the right answer is known.</p>
<nav>{links}</nav>
</header>
<main>
{body}
<footer>Trained, explained and drawn in {seconds:.0f} s.
{html.escape(versions)}</footer>
</main>
</body>
</html>
"""
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def metrics(folder: Path) -> dict[str, Any]:
    """The numbers that an experiment left."""
    return json.loads((folder / "metrics.json").read_text())


def mean(number: dict[str, float], places: int = 2) -> str:
    """A mean with its standard error."""
    return f"{number['mean']:.{places}f} ± {number['standard_error']:.{places}f}"


def _section(folder: Path, chapter: Chapter) -> str:
    drawn = "\n".join(_figure(folder, figure) for figure in chapter.figures)
    return f"""<section id="{chapter.name}">
<h2>{html.escape(chapter.title)}</h2>
<p class="question">{html.escape(chapter.question)}</p>
{drawn}
<p>{html.escape(chapter.answer)}</p>
{_table(chapter.table)}
<p><code>python -m experiments.{chapter.name}</code></p>
</section>"""


def _figure(folder: Path, figure: Figure) -> str:
    path, caption = folder / figure.file, html.escape(figure.caption)
    if path.suffix == ".html":
        inside = f'<div class="wide">{path.read_text(encoding="utf-8")}</div>'
    else:
        data = base64.b64encode(path.read_bytes()).decode()
        inside = f'<img src="data:image/png;base64,{data}" alt="{caption}">'
    return f"<figure>{inside}<figcaption>{caption}</figcaption></figure>"


def _table(table: Table) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{inside}</tr>"

    rows = "".join(line("td", row) for row in table.rows)
    head = line("th", table.header)
    return (
        f'<div class="wide"><table><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _versions(folder: Path) -> str:
    found = metrics(folder)["versions"]
    return ", ".join(f"{name} {version}" for name, version in found.items()) + "."

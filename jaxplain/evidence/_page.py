"""The pieces of a self-contained page."""

from collections.abc import Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f7f9; color: #1c2430;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
header { background: #14213d; color: #fff;
  padding: 2.6rem max(1.5rem, calc(50% - 46rem)); }
header h1 { margin: 0 0 .4rem; font-size: 2.1rem; letter-spacing: -.01em; }
header p { margin: 0; color: #cfd8ea; max-width: 52rem; }
nav { margin-top: 1.1rem; } nav a { color: #fff; margin-right: 1.3rem; }
main { padding: 1rem max(1.5rem, calc(50% - 46rem)) 4rem; }
section { background: #fff; border: 1px solid #e1e5ec; border-radius: 10px;
  padding: 1.5rem 2rem 1.6rem; margin: 1.5rem 0; }
h2 { margin: 0; font-size: 1.4rem; }
.note { margin: .2rem 0 1rem; color: #51607a; max-width: 58rem; }
.words { border-left: 5px solid #c2570c; }
.words.fine { border-left-color: #2a8a57; }
.words li { margin: .35rem 0; max-width: 58rem; }
figure { margin: .8rem 0; overflow-x: auto; } img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: .88rem; margin: .6rem 0; }
th, td { padding: .3rem .4rem; text-align: right; border-bottom: 1px solid #e9ecf2;
  white-space: nowrap; vertical-align: top; }
th { color: #51607a; font-weight: 600; white-space: normal; vertical-align: bottom; }
th:first-child { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td small { display: block; color: #7a869c; font-size: .72rem; white-space: normal; }
td.lead { background: #e8f0fa; } td.best { background: #d3e3f6; font-weight: 700; }
td.best small { font-weight: 400; }
td.control, th.control { color: #7a869c; font-style: italic; }
td.square { text-align: center; border: 2px solid #fff; }
.text td { white-space: normal; text-align: left; }
footer { color: #51607a; font-size: .85rem; }
code { background: #eef1f6; border-radius: 4px; padding: .1em .35em; font-size: .9em; }
@media print { body { background: #fff; font-size: 11px; }
  header { background: #fff; color: #000; padding: 0; } header p { color: #333; }
  nav { display: none; } main { padding: 0; }
  section { border: 0; padding: .6rem 0; break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(title: str, about: str, sections: Sequence[tuple[str, str, str]]) -> str:
    """The whole document; a section has a name, a title and its HTML."""
    links = "".join(
        f'<a href="#{name}">{escape(heading)}</a>' for name, heading, _ in sections
    )
    body = "\n".join(
        f'<section id="{name}"{_class(name, inside)}>\n<h2>{escape(heading)}</h2>\n'
        f"{inside}\n</section>"
        for name, heading, inside in sections
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p>{escape(about)}</p>
<nav>{links}</nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _class(name: str, inside: str) -> str:
    if name != "words":
        return ""
    return ' class="words"' if "<li>" in inside else ' class="words fine"'


def note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def figure(source: str, width: int, alt: str) -> str:
    return f'<figure><img src="{source}" width="{width}" alt="{escape(alt)}"></figure>'


def bullets(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Cells are HTML, with their own `td` or `th`."""
    lines = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>{"".join(head)}</tr>'
        f"</thead><tbody>{lines}</tbody></table></div>"
    )


def cell(text: str, *, tag: str = "td", kind: str = "", below: str = "") -> str:
    small = f"<small>{escape(below)}</small>" if below else ""
    marked = f' class="{kind}"' if kind else ""
    shown = escape(text).replace("_", "_<wbr>")  # long names may break there
    return f"<{tag}{marked}>{shown}{small}</{tag}>"


def square(text: str, colour: str, ink: str) -> str:
    """A cell of a matrix."""
    style = f"background:{colour};color:{ink}"
    return f'<td class="square" style="{style}">{escape(text)}</td>'

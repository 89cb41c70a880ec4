"""The documentation runs, names everything public, and links to what exists."""

import inspect
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import jaxplain as jx

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
QUOTE = re.compile(r'^--8<-- "tour\.py:(\d+):(\d+)"$', re.MULTILINE)


def name(page):
    return str(page.relative_to(ROOT))


def program(page):
    """The Python blocks of a page, in order, as one program."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)
    return "\n".join(blocks)


def run(name, code, folder):
    """Run a program as a reader would: in a fresh interpreter, somewhere else."""
    script = folder / name.replace("/", "-")
    script.write_text(code)
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": str(ROOT),
        # The examples are small: most of their time would go to optimising them.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    ran = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{name}:\n{ran.stderr}"
    return ran.stdout


@pytest.mark.slow
def test_the_tour_and_the_code_of_every_page_run(tmp_path):
    programs = {"tour.py": (DOCS / "tour.py").read_text()}
    programs |= {f"{name(page)}.py": code for page in PAGES if (code := program(page))}
    # The first page is fragments to look at, and quotes of the tour.
    del programs["docs/index.md.py"]
    assert len(programs) >= 5
    with ThreadPoolExecutor(2) as pool:
        jobs = {k: pool.submit(run, k, code, tmp_path) for k, code in programs.items()}
    printed = {name: job.result() for name, job in jobs.items()}
    assert printed["tour.py"].endswith("the tour is over\n")


def test_the_readme_is_short():
    assert len(program(README).splitlines()) < 60


def test_the_first_page_quotes_every_line_of_the_tour_once_and_in_order():
    tour = (DOCS / "tour.py").read_text().splitlines()
    quotes = QUOTE.findall((DOCS / "index.md").read_text())
    ranges = [(int(first), int(last)) for first, last in quotes]
    quoted = [i for first, last in ranges for i in range(first, last + 1)]
    assert quoted == sorted(set(quoted))
    left_out = set(range(1, len(tour) + 1)) - set(quoted)
    assert not any(tour[i - 1].strip() for i in left_out)
    # Each section of the page opens with a step of the tour; the first, with its top.
    steps = [tour[first - 1] for first, _ in ranges[1:]]
    assert [step.split(".")[0] for step in steps] == [f"# {i}" for i in range(1, 11)]


def public_names():
    """Everything that a user reaches from `jx` by names without underscores."""
    modules = [jx.surrogates]  # `regress` is public there and nowhere else
    for key, value in vars(jx).items():
        if key.startswith("_") or (inspect.ismodule(value) and key not in exported()):
            continue
        if inspect.ismodule(value):
            modules.append(value)
        else:
            yield f"jaxplain.{key}", value
    for module in modules:
        for key, value in vars(module).items():
            here = str(getattr(value, "__module__", "")).startswith(module.__name__)
            callable_here = here and (
                inspect.isfunction(value) or inspect.isclass(value)
            )
            if callable_here and not key.startswith("_") and not is_protocol(value):
                yield f"{module.__name__}.{key}", value


def exported():
    """The names that `jaxplain/__init__.py` exports: `x as x`."""
    source = Path(jx.__file__).read_text()
    return re.findall(r"^from \S+ import (\w+) as \1$", source, re.MULTILINE)


def is_protocol(value):
    return getattr(value, "_is_protocol", False)


def test_every_public_name_is_in_the_reference():
    pages = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    written = re.findall(r"^::: (\S+)$", pages, re.MULTILINE)
    assert len(written) == len(set(written))
    documented = [resolve(path) for path in written]
    missing = [path for path, value in public_names() if value not in documented]
    assert not missing


def resolve(path):
    """The object behind `jaxplain.name` or `jaxplain.module.name`."""
    value = jx
    for part in path.split(".")[1:]:
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_resolve(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} in {name(page)} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"no heading for {link} in {name(page)}"


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[\s]+", "-", heading) for heading in plain}


def test_references_to_functions_are_in_the_reference():
    pages = {page: page.read_text() for page in PAGES}
    written = set(re.findall(r"^::: (\S+)$", "\n".join(pages.values()), re.MULTILINE))
    for page, text in pages.items():
        unknown = set(re.findall(r"\]\[(jaxplain[\w.]*)\]", text)) - written
        assert not unknown, f"{name(page)} refers to {unknown}"


def test_every_paper_of_the_docstrings_is_in_the_references():
    source = "\n".join(
        path.read_text() for path in Path(jx.__file__).parent.rglob("*.py")
    )
    cited = set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", source))
    listed = set(
        re.findall(r"arXiv:(\d{4}\.\d{4,5})", (DOCS / "references.md").read_text())
    )
    assert cited
    assert cited <= listed


def test_the_changelog_has_the_current_version():
    assert f"\n## {jx.__version__} " in (DOCS / "changelog.md").read_text()


def test_the_navigation_names_every_page():
    nav = (ROOT / "mkdocs.yml").read_text()
    pages = [str(page.relative_to(DOCS)) for page in PAGES if page != README]
    assert not [page for page in pages if f": {page}\n" not in nav]

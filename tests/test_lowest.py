"""The lower bounds that we promise are those that `make test-lowest` tests."""

import re
import tomllib
from pathlib import Path

TESTS = Path(__file__).parent


def test_the_versions_of_make_test_lowest_are_the_lower_bounds():
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
    bounds = {line.replace(">=", "==") for line in project["dependencies"]}
    pins = re.findall(
        r"^[\w-]+==\S+$", (TESTS / "lowest.txt").read_text(), re.MULTILINE
    )
    assert set(pins) == bounds

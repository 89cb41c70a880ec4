"""The types that users see, checked by pyright where it is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).with_name("typing_examples.py")


def test_the_examples_have_the_types_and_the_errors_that_they_claim():
    beside = Path(sys.executable).with_name("pyright")
    pyright = str(beside) if beside.exists() else shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed: `pip install --group dev`")
    checked = subprocess.run(
        [pyright, "--pythonpath", sys.executable, str(EXAMPLES)],
        cwd=EXAMPLES.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 errors, 0 warnings" in checked.stdout

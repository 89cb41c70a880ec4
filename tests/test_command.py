"""The command line: what it writes, and what it says when it is called wrongly."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxplain._command import main
from jaxplain._command._explainers import DEFAULT, EXPLAINERS
from jaxplain.evidence import _programs

ROOT = Path(__file__).resolve().parents[1]
MODULE = """
import jax.numpy as jnp
from jax.tree_util import Partial

params = {"w": jnp.arange(4.0)}
number = 3


def score(params, x, label):
    return jnp.tanh(x @ params["w"]) * (1 + label)


def own(x, label):
    return x.sum() * label


def vector(x):
    return x


def narrow(x, label):
    return x @ jnp.ones(3)


def of_model(model, x, label):
    return model(x)


model = Partial(jnp.vdot, jnp.ones(4))
explainers = {"mine": lambda x, label: x}
"""
LABELS = ["--labels", "data.npz:labels"]
QUICK = ["--explainers", "saliency"]


class Found(NamedTuple):
    table: str = ""
    warnings: tuple[str, ...] = ()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A module of its own name: another test has imported the last one."""
    monkeypatch.chdir(tmp_path)
    name = f"model_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    rng = np.random.default_rng(0)
    xs, labels = rng.normal(size=(14, 4)), np.arange(14.0) % 2
    np.savez(tmp_path / "data.npz", xs=xs, labels=labels)
    np.save(tmp_path / "xs.npy", xs)
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "objects.npz", xs=np.array([{}], object))
    np.save(
        tmp_path / "gap.npy", np.where(np.arange(56) == 5, np.nan, 1).reshape(14, 4)
    )
    np.save(tmp_path / "none_at_all.npy", xs[:0])
    np.save(tmp_path / "number.npy", 3.0)
    np.save(tmp_path / "narrow.npy", xs[:, :3])
    (tmp_path / "zero_bytes.npy").touch()
    (tmp_path / "no_zip.npz").write_bytes(b"PK\x03\x04 and no more")
    return name


def call(function, *rest, data="data.npz:xs"):
    required = ["--function", function, "--data", data, "--out", "out", "--quiet"]
    return main(["evaluate", *required, *rest])


def test_a_report_is_written(folder, capsys):
    mine = ["--explainers", f"{folder}:explainers"]
    assert call(f"{folder}:own", *LABELS, *mine, "--limit", "13") == 0
    printed = capsys.readouterr().out
    assert "out/report.html" in printed
    assert "only 13 examples" in printed
    assert (
        json.loads(Path("out/metrics.json").read_text())["settings"]["examples"] == 13
    )


@pytest.mark.slow
def test_the_command_runs_in_a_process_of_its_own(folder, tmp_path):
    words = f"""evaluate --function {folder}:score --params {folder}:params
    --data data.npz:xs --labels data.npz:labels --baseline 0.0 --out out
    --explainers saliency,integrated_gradients,occlusion,lrp,deep_lift"""
    ran = subprocess.run(
        [sys.executable, "-m", "jaxplain", *words.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Random weights" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("function", "rest", "says"),
    [
        ("{m}", [], "must be module:name"),
        ("nowhere:f", [], "there is no module 'nowhere'"),
        ("{m}:scor", [], "Did you mean 'score'?"),
        ("{m}:number", [], "must be a function"),
        ("{m}:vector", ["--explainers", "saliency"], "must return a scalar"),
        ("{m}:own", ["--labels", "none.npy"], "must be a file"),
        ("{m}:own", ["--labels", "data.npz"], "holds xs, labels"),
        ("{m}:own", ["--masks", "objects.npy"], "without Python objects"),
        ("{m}:own", ["--explainers", "saliancy"], "must be of saliency"),
        ("{m}:own", ["--explainers", "occlusion"], "needs --baseline"),
        ("{m}:own", ["--explainers", "{m}:own"], "must be a dictionary"),
        ("{m}:own", ["--explainers", ","], "at least one"),
        ("{m}:own", ["--limit", "0"], "at least 1"),
        ("{m}:own", ["--kind", "sound"], "invalid choice"),
        ("{m}:own", ["--limit", "few"], "must be a whole number"),
        ("{m}:own", ["--baseline", "nan"], "--baseline must be finite"),
        (
            "{m}:own",
            ["--masks", "narrow.npy", *LABELS, *QUICK],
            "`mask` must have the shape",
        ),
        ("{m}:own", ["--data", "gap.npy"], "1 of 56 numbers are not"),
        ("{m}:own", ["--data", "none_at_all.npy"], "one at least"),
        ("{m}:own", ["--data", "number.npy", *LABELS], "one at least"),
        ("{m}:own", ["--data", "zero_bytes.npy"], "cannot be read"),
        ("{m}:own", ["--data", "no_zip.npz"], "cannot be read"),
        ("{m}:own", ["--data", "objects.npz:xs"], "without Python objects"),
        ("{m}:own", QUICK, "Pass --labels"),
        (".{m}:own", [], "must be module:name"),
        ("{m}:params.w", [], "has no 'w'"),
        ("{m}:own", ["--out", "number.npy", *LABELS, *QUICK], "--out must be a folder"),
        ("{m}:narrow", [*LABELS, *QUICK], "dot_general"),
    ],
)
def test_a_wrong_call_says_how_to_mend_it(folder, capsys, function, rest, says):
    named = [part.format(m=folder) for part in (function, *rest)]
    assert call(*named) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "usage" in said or len(said.splitlines()) == 1
    assert not list(Path().glob("*/report.html"))


def test_a_page_names_the_command_that_made_it(folder, monkeypatch):
    seen = {}
    wrote = lambda found, out, **given: seen.update(given) or out
    monkeypatch.setattr("jaxplain.evidence.evaluate", lambda *a, **k: Found())
    monkeypatch.setattr("jaxplain.evidence.report", wrote)
    assert call(f"{folder}:own", *LABELS, *QUICK) == 0
    assert f"--function {folder}:own" in seen["command"]


def test_parameters_that_can_be_called_are_parameters(folder, monkeypatch):
    seen = {}
    run = lambda *a, **given: seen.update(given) or Found()
    monkeypatch.setattr("jaxplain.evidence.evaluate", run)
    monkeypatch.setattr("jaxplain.evidence.report", lambda *a, **k: "page")
    given = ["--params", f"{folder}:model", *LABELS, *QUICK]
    assert call(f"{folder}:of_model", *given) == 0
    assert callable(seen["params"])


def test_masks_and_labels_have_one_entry_per_example(folder, capsys):
    np.save("short.npy", np.ones((2, 4)))
    assert call(f"{folder}:own", "--masks", "short.npy") == 2
    assert "one entry per example, 14" in capsys.readouterr().err


def test_an_import_that_fails_inside_the_module_is_not_hidden(folder):
    Path("broken_inside.py").write_text("import not_a_package_at_all")
    with pytest.raises(ModuleNotFoundError, match="not_a_package_at_all"):
        call("broken_inside:f")


@pytest.mark.parametrize("argv", [["--help"], ["evaluate", "--help"], ["--version"]])
def test_help_is_no_mistake(argv, capsys):
    assert main(argv) == 0
    assert capsys.readouterr().out


def test_no_command_is_a_mistake(capsys):
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(4,), (8, 2), (8, 8, 1), (8, 8)])
def test_every_explainer_that_is_known_by_name_fits_every_kind(shape):
    """Traced, not compiled."""
    assert set(DEFAULT.split(",")) <= set(EXPLAINERS)
    kind = {(4,): "table", (8, 2): "series"}.get(shape, "image")
    x, key = jnp.ones(shape), jax.random.key(0)
    for name in EXPLAINERS:
        make = lambda _, name=name: {
            name: EXPLAINERS[name].make(lambda x: jnp.sum(x**2), 0.0, kind)
        }
        run = _programs.mapped(make, name, kind)
        found = jax.eval_shape(lambda x, run=run: run(None, x, key=key), x)
        assert found.shape == (shape[:2] if kind == "image" else shape)

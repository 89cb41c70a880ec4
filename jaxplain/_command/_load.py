"""What the user names on the command line, and what is wrong with it."""

import difflib
import importlib
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Mistake(Exception):  # noqa: N818
    """The command was called wrongly: what was expected, what came, how to mend it."""


def named(option: str, value: str) -> Any:
    """`module:name`, imported as from a script in this folder."""
    module_name, colon, name = value.partition(":")
    if not colon or not name or not all(module_name.split(".")):
        raise Mistake(
            f"{option} must be module:name, but is {value!r}. For model.py with a "
            f"function score, write {option} model:score"
        )
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name not in (module_name, module_name.partition(".")[0]):
            raise  # something that the user's module imports
        raise Mistake(
            f"{option} {value!r}: there is no module {module_name!r} here, in "
            f"{Path.cwd()}, or installed. Go to the folder of {module_name}.py, or "
            "set PYTHONPATH"
        ) from None
    for part in name.split("."):
        if not hasattr(found, part):
            public = [key for key in dir(found) if not key.startswith("_")]
            near = difflib.get_close_matches(part, public, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise Mistake(
                f"{option} {value!r}: {module_name} has no {part!r}.{hint} Name "
                "something at the top level of the module"
            )
        found = getattr(found, part)
    return found


def function(option: str, value: str) -> Callable[..., Any]:
    found = named(option, value)
    if not callable(found):
        raise Mistake(
            f"{option} {value!r} must be a function, but is {type(found).__name__}. "
            "Name the function f(x, ...) that returns one number"
        )
    return found


def array(option: str, value: str) -> np.ndarray:
    """A file of NumPy, or one array of an `.npz`: `file.npz:name`."""
    name, _, member = value.partition(".npz:")
    path = Path(f"{name}.npz" if member else value)
    if not path.is_file():
        raise Mistake(
            f"{option} must be a file, but {str(path)!r} is none. Save an array with "
            "numpy.save"
        )
    try:
        with path.open("rb") as file:
            return _inside(option, path, member, np.load(file, allow_pickle=False))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Mistake(
            f"{option} {str(path)!r} must be .npy or .npz without Python objects, but "
            f"cannot be read: {error}. Save plain arrays with numpy.save or numpy.savez"
        ) from None


def _inside(option: str, path: Path, member: str, found: Any) -> np.ndarray:
    if isinstance(found, np.ndarray):
        return found
    member = member or (found.files[0] if len(found.files) == 1 else "x")
    if member not in found.files:
        raise Mistake(
            f"{option} {str(path)!r} holds {', '.join(found.files) or 'nothing'}, but "
            f"not {member!r}. Name one: {path}:{next(iter(found.files), 'x')}"
        )
    with found:
        return found[member]

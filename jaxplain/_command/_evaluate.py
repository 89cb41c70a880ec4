"""`jaxplain evaluate`: which explainer to trust, for the user's own model."""

import argparse
import inspect
import shlex
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import _load
from ._explainers import DEFAULT, EXPLAINERS
from ._load import Mistake

EPILOG = f"""\
explainers by name: {", ".join(EXPLAINERS)}

example, with score(params, x, label) and params in model.py:

  jaxplain evaluate --function model:score --params model:params \\
      --data digits.npz:images --labels digits.npz:labels \\
      --baseline 0.0 --kind image --limit 64 --out report
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="measure explainers on your model and data, and write a report",
        description="Measure explainers on your model and data by the metrics of the "
        "literature, against a random order and the input itself, and write a page "
        "that says in words which to trust.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option(
        "--function",
        required=True,
        metavar="MODULE:NAME",
        help="f(x) or f(x, label), one number; with --params, f(params, x, ...)",
    )
    option(
        "--data",
        required=True,
        metavar="FILE",
        help=".npy, or .npz, or FILE.npz:NAME; examples along the first axis",
    )
    option("--labels", metavar="FILE", help="the second argument of f, one per example")
    option("--masks", metavar="FILE", help="where the cause is, one mask per example")
    option(
        "--params",
        metavar="MODULE:NAME",
        help="parameters of the model, or a function that returns them; they are "
        "randomised, to see whether the maps change",
    )
    option(
        "--explainers",
        default=DEFAULT,
        metavar="NAMES",
        help="names with commas between them, or module:name of a dictionary (with "
        "--params, of a function from parameters to one); default: %(default)s",
    )
    option(
        "--baseline",
        metavar="NUMBER|FILE",
        help="what an absent feature looks like; without one there are no curves",
    )
    option("--kind", choices=("image", "series", "table"), help="by rank, if left out")
    option("--out", required=True, type=Path, metavar="FOLDER", help="made if missing")
    option("--title", default="Is the explanation right?")
    option("--seed", type=int, default=0)
    option("--limit", type=_positive, metavar="N", help="the first N examples only")
    option("--batch-size", type=_positive, default=32, metavar="N")
    option("--quiet", action="store_true", help="no lines of progress")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    import jax

    from .. import evidence
    from ..layers import LayerError

    f = _load.function("--function", options.function)
    xs = _examples(_floats("--data", _load.array("--data", options.data)))
    labels = _stack("--labels", options.labels, xs)
    masks = _stack("--masks", options.masks, xs)
    keep = slice(options.limit)
    args = () if labels is None else (labels[keep],)
    baseline = _baseline(options.baseline)
    params = None
    if options.params is not None:
        params = _load.named("--params", options.params)
        # A model can be called too, but it is a pytree of parameters.
        makes = callable(params) and jax.tree_util.all_leaves([params])
        params = params() if makes else params
    kind: Any = options.kind or {1: "table", 2: "series", 3: "image"}.get(xs.ndim - 1)
    if kind is None:
        raise Mistake(
            f"--data must hold examples with one to three axes, but has shape "
            f"{xs.shape}. Call jaxplain.evidence.evaluate from Python for other inputs"
        )
    make = _maker(options.explainers, f, params is not None, baseline, kind)
    bound = f if params is None else partial(f, params)
    _takes(options.function, f, () if params is None else (params,), xs, args)
    try:
        _try(bound, xs, args)
        _writable(options.out)
        found = evidence.evaluate(
            bound,
            make(params),
            xs[keep],
            *args,
            key=jax.random.key(options.seed),
            baseline=baseline,
            masks=None if masks is None else masks[keep] != 0,
            params=params,
            of_params=None if params is None else make,
            kind=kind,
            batch_size=options.batch_size,
            progress=None if options.quiet else partial(print, flush=True),
        )
    except (TypeError, ValueError, OverflowError, LayerError) as error:
        raise Mistake(_said(error)) from error
    command = shlex.join(["jaxplain", *options.argv])
    path = evidence.report(found, options.out, title=options.title, command=command)
    print(f"\n{found.table}\n")
    for warning in found.warnings:
        print(f"- {warning}")
    print(f"\n{path}")


def _maker(
    value: str, f: Callable[..., Any], has_params: bool, baseline: Any, kind: str
) -> Callable[[Any], Mapping[str, Callable[..., Any]]]:
    """From parameters to explainers; without parameters, from None."""
    if ":" in value:
        given = _load.named("--explainers", value)
        wanted = "a function from parameters" if has_params else "a dictionary"
        if callable(given) != has_params:
            raise Mistake(
                f"--explainers {value!r} must be {wanted}, but is "
                f"{type(given).__name__}. With --params, explainers are made for "
                "every set of parameters; without, they are given as they are"
            )
        return given if has_params else lambda _: given
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in EXPLAINERS:
            raise Mistake(
                f"--explainers must be of {', '.join(EXPLAINERS)}, but one is "
                f"{name!r}. Pass your own as module:name of a dictionary"
            )
        if EXPLAINERS[name].needs_baseline and baseline is None:
            raise Mistake(
                f"--explainers {name} needs --baseline, which is missing. Pass what an "
                "absent feature looks like, such as --baseline 0.0"
            )
    if not names:
        raise Mistake(
            f"--explainers must name at least one, but is {value!r}. For example "
            "--explainers saliency,integrated_gradients"
        )

    def make(params: Any) -> dict[str, Callable[..., Any]]:
        bound = partial(f, params) if has_params else f
        return {name: EXPLAINERS[name].make(bound, baseline, kind) for name in names}

    return make


def _try(f: Callable[..., Any], xs: np.ndarray, args: tuple[Any, ...]) -> None:
    """One abstract call, so that what is wrong with the function is said first."""
    import jax

    from .. import _checks

    first = [jax.numpy.asarray(stack[0]) for stack in (xs, *args)]
    jax.eval_shape(_checks.scalar(f), *first)


def _takes(
    name: str,
    f: Callable[..., Any],
    params: tuple[Any, ...],
    xs: np.ndarray,
    args: tuple[Any, ...],
) -> None:
    """Whether `f` can be called with what was given, without a call."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # built in: nothing can be known
        return
    try:
        signature.bind(*params, xs, *args)
    except TypeError as error:
        given = [*["params"] * len(params), "x", *["label"] * len(args)]
        raise Mistake(
            f"--function {name!r} is called as f({', '.join(given)}), but has the "
            f"parameters {signature}: {error}. Pass --labels for a second argument, "
            "and --params for parameters before x"
        ) from None


def _writable(folder: Path) -> None:
    """Before minutes of work, not after them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Mistake(
            f"--out must be a folder that can be written to, but {str(folder)!r} "
            f"cannot: {error.strerror}. Name another one"
        ) from None


def _said(error: BaseException) -> str:
    """What happened and where, without JAX's remark on its own traceback."""
    notes = [n for n in getattr(error, "__notes__", ()) if "JAX_TRACEBACK" not in n]
    return " ".join([str(error), *notes])


def _floats(option: str, xs: np.ndarray) -> np.ndarray:
    """Pictures are often bytes."""
    if np.issubdtype(xs.dtype, np.integer) or xs.dtype == bool:
        return xs.astype(np.float32)
    if not np.issubdtype(xs.dtype, np.floating):
        raise Mistake(
            f"{option} must hold numbers, but holds {xs.dtype}. Save an array of floats"
        )
    if not np.isfinite(xs).all():
        raise Mistake(
            f"{option} must be finite, but {(~np.isfinite(xs)).sum()} of {xs.size} "
            "numbers are not. Impute what is missing, or leave out its examples"
        )
    return xs


def _examples(xs: np.ndarray) -> np.ndarray:
    if xs.ndim < 2 or not xs.size:
        raise Mistake(
            f"--data must hold examples along the first axis, one at least, but has "
            f"shape {xs.shape}. Save one example x as x[None]"
        )
    return xs


def _stack(option: str, value: str | None, xs: np.ndarray) -> np.ndarray | None:
    if value is None:
        return None
    found = _load.array(option, value)
    if found.shape[:1] != xs.shape[:1]:
        raise Mistake(
            f"{option} must have one entry per example, {len(xs)}, but has shape "
            f"{found.shape}. Save them in the order of --data"
        )
    return found


def _baseline(value: str | None) -> Any:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return _floats("--baseline", _load.array("--baseline", value))
    return float(_floats("--baseline", np.array(number)))


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 1, but is {value!r}"
        )
    return int(value)

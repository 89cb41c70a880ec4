"""`jaxplain evaluate`: which explainer to trust, for the user's own model."""

import argparse
import shlex
import sys
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

    f = _load.function("--function", options.function)
    xs = _floats(_load.array("--data", options.data))
    labels = _stack("--labels", options.labels, xs)
    masks = _stack("--masks", options.masks, xs)
    keep = slice(options.limit)
    args = () if labels is None else (labels[keep],)
    baseline = _baseline(options.baseline)
    params = None
    if options.params is not None:
        params = _load.named("--params", options.params)
        params = params() if callable(params) else params
    kind: Any = options.kind or {1: "table", 2: "series", 3: "image"}.get(xs.ndim - 1)
    if kind is None:
        raise Mistake(
            f"--data must hold examples with one to three axes, but has shape "
            f"{xs.shape}. Call jaxplain.evidence.evaluate from Python for other inputs"
        )
    make = _maker(options.explainers, f, params is not None, baseline, kind)
    bound = f if params is None else partial(f, params)
    try:
        _try(bound, xs, args)
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
    except (TypeError, ValueError) as error:
        raise Mistake(
            "\n".join([str(error), *getattr(error, "__notes__", ())])
        ) from error
    command = shlex.join(["jaxplain", *sys.argv[1:]])
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


def _floats(xs: np.ndarray) -> np.ndarray:
    """Pictures are often bytes."""
    if np.issubdtype(xs.dtype, np.integer) or xs.dtype == bool:
        return xs.astype(np.float32)
    if not np.issubdtype(xs.dtype, np.floating):
        raise Mistake(
            f"--data must hold numbers, but holds {xs.dtype}. Save an array of floats"
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
        return float(value)
    except ValueError:
        return _floats(_load.array("--baseline", value))


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but is {value}")
    return number

"""Messages of this room."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _checks, _tree, metrics
from ._measures import Measure


def floats(name: str, value: Any) -> Array:
    """One number per entry, in at least float32."""
    if not hasattr(value, "dtype"):
        value = np.asarray(value, np.float32)
    array = jnp.asarray(value)
    if array.ndim != 1:
        raise ValueError(
            f"`{name}` must have one axis, but has shape {array.shape}. "
            "Map over the others with `jax.vmap`."
        )
    return array.astype(_tree.accumulator(array.dtype))


def scores(name: str, value: Any, where: Any) -> tuple[Array, Array]:
    """Scores of examples, and which of them to use."""
    array = floats(name, value)
    if array.size == 0:
        raise ValueError(f"`{name}` must hold at least one score, but is empty.")
    used = jnp.ones(array.shape, bool) if where is None else jnp.asarray(where, bool)
    if used.shape != array.shape:
        raise ValueError(
            f"`where` must have the shape of `{name}`, {array.shape}, but has shape "
            f"{used.shape}. Pass one truth value per score."
        )
    return array, used


def paired(a: Array, b: Array) -> None:
    if a.shape != b.shape:
        raise ValueError(
            "`a` and `b` must hold scores of the same examples, but have shapes "
            f"{a.shape} and {b.shape}. Evaluate both explainers on one set of examples."
        )


def level(value: Any) -> None:
    _checks.positive("level", value)
    if not value < 1:
        raise ValueError(
            f"`level` must be between 0 and 1, but is {value!r}. Pass 0.95 for 95 %."
        )


def names(
    explainers: Mapping[str, Callable[..., Any]],
    controls: Collection[str],
    params: Any,
    of_params: Any,
) -> None:
    """The explainers, and what makes them of parameters."""
    if not isinstance(explainers, Mapping) or not explainers:
        raise TypeError(
            "`explainers` must be a dictionary from names to explainers, one at least, "
            f"but is {_checks.describe(explainers)}. For example "
            '`{"saliency": jaxplain.saliency(f)}`.'
        )
    for name, explain in explainers.items():
        if not isinstance(name, str) or not callable(explain):
            raise TypeError(
                f"`explainers` must map names to functions, but {name!r} is "
                f"{_checks.describe(explain)}. Pass `explain(x, *args)`."
            )
        if name in controls:
            raise ValueError(
                f"`explainers` must not use the name of a control, but one is "
                f"{name!r}. Give it another name."
            )
    if (params is None) != (of_params is None):
        given, missing = (
            ("params", "of_params") if of_params is None else ("of_params", "params")
        )
        raise TypeError(
            f"`params` and `of_params` come together, but only `{given}` was passed. "
            f"Pass `{missing}` too, or leave out the parameter randomisation."
        )
    if of_params is not None:
        found = of_params(params)
        if set(found) != set(explainers):
            raise ValueError(
                "`of_params` must return the same explainers as `explainers`, "
                f"{sorted(explainers)}, but returned {sorted(found)}. Build both with "
                "one function of the parameters."
            )


def masks(like: Any, mask: Any) -> None:
    """Before anything is compiled: the metrics of place come last."""
    jax.eval_shape(metrics.pointing_game, like, jax.tree.map(jnp.asarray, mask))


def choose(
    only: Sequence[str] | None, available: set[str], measures: Iterable[Measure]
) -> list[Measure]:
    """The metrics that are wanted, and have their inputs."""
    known = {m.name: m for m in measures}
    for name in only or ():
        _checks.choice("only", name, tuple(known))
        if missing := sorted(known[name].needs - available):
            raise ValueError(
                f"{name!r} needs {' and '.join(f'`{m}`' for m in missing)}, which "
                "`evaluate` does not have. Pass it, or leave the metric out."
            )
    if only is not None and not only:
        raise ValueError(
            f"`only` must name a metric at least, but is {only!r}. Leave it out for "
            "all of them."
        )
    able = [m for m in known.values() if m.needs <= available]
    return able if only is None else [m for m in able if m.name in only]

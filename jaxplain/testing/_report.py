"""Every check of one explainer, in one call."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .. import _checks
from . import _calls, _draw, _polynomial, _sums
from ._axioms import check_complete, check_dummy, check_sensitive
from ._batch import check_batch, check_devices
from ._calls import ExplainOf, Jit
from ._derivatives import check_differentiable
from ._dtypes import check_dtype
from ._games import check_efficient
from ._invariance import check_affine, check_invariant, check_linear, check_symmetric
from ._laws import check_chunks, check_jit, check_key, check_traced_once

AXIOMS = (
    "complete",
    "sensitive",
    "dummy",
    "symmetric",
    "linear",
    "invariant",
    "affine",
    "efficient",
)
"""Promises of some methods."""

LAWS = ("jit", "batch", "chunks", "key", "devices", "differentiable", "dtype", "traced")
"""What JAX makes every explainer owe."""


class Report(NamedTuple):
    """What holds of an explainer, and what does not.

    Attributes:
        holds: Names of the promises that hold.
        broken: Those that do not, and how they were broken.
        skipped: Those that could not be checked, and what is missing.
    """

    holds: tuple[str, ...]
    broken: dict[str, str]
    skipped: dict[str, str]

    def __str__(self) -> str:
        lines = [
            *(f"{name:15} holds" for name in self.holds),
            *(f"{k:15} broken. {v.splitlines()[0]}" for k, v in self.broken.items()),
            *(f"{name:15} skipped: {why}" for name, why in self.skipped.items()),
        ]
        return "\n".join(lines)


def check_explainer(
    explain_of: ExplainOf,
    *,
    promises: Sequence[str] | None = None,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    chunk_sizes: Sequence[int] | None = None,
    random: bool = True,
    traces: int = 1,
    like_x: bool = True,
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> Report:
    """Check all axioms and laws of an explainer, and insist on those it promises.

    Axioms are checked on polynomials, whose coefficients decide what should hold.
    The laws of JAX, and completeness, are checked on `f` at `x` if there is one.

    Costs about ten compilations of the explainer; each check alone costs one or two.

    Args:
        explain_of: `explain_of(f)` returns the explainer, as `jaxplain.saliency` does.
        promises: Names that must hold, of `AXIOMS` and `LAWS`; by default every law
            that can be checked. All others are reported.
        f: Function to explain; polynomials of five features by default.
        x: Its input.
        args: Its other arguments.
        chunk_sizes: Values of `chunk_size` to try, if `explain_of` takes it.
        random: Does another key give another answer?
        traces: How often one call runs `f`.
        like_x: Is the explanation shaped like `x`? If not, what is said of single
            features is left out.
        tol: Largest relative error of the axioms; rounding by default.
        seed: Of what is drawn.
        jit: How the explainers are compiled, if they are not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn. Axioms need a `baseline` that fits polynomials too: one
            that is drawn, or a number.

    Returns:
        A `Report` with one line per promise, if what is promised holds.

    Raises:
        AssertionError: If a promise is broken or cannot be checked; with all of the
            report.
        ValueError: If a promise is unknown, or `f` comes without `x`.

    Example:
        >>> f, x = lambda x: jnp.tanh(x[0] * x[1]), jnp.array([0.5, 2.0])
        >>> promises = ["linear", "invariant", "dummy", "batch"]
        >>> found = check_explainer(jx.saliency, promises=promises, f=f, x=x)
        >>> "complete" in found.holds
        False
    """
    for name in promises or ():
        _checks.choice("promises", name, AXIOMS + LAWS)
    _calls.own_all(f, x=x)
    shared = _once(lambda f, **options: _calls.compiled(explain_of(f, **options), jit))
    own: dict[str, Any] = {"f": f, "x": x, "args": args}
    drawn: dict[str, Any] = {"seed": seed, "jit": jit, **refs}
    axioms: dict[str, Any] = drawn | {"tol": tol}
    batch: dict[str, Any] = (
        drawn if f is None else drawn | {"f": f, "xs": _several(x), "args": args}
    )
    check: dict[str, Callable[[], None]] = {
        "complete": lambda: check_complete(shared, **own, **axioms),
        "sensitive": lambda: check_sensitive(shared, **axioms),
        "dummy": lambda: check_dummy(shared, **axioms),
        "symmetric": lambda: check_symmetric(shared, **axioms),
        "linear": lambda: check_linear(shared, **axioms),
        "invariant": lambda: check_invariant(shared, **axioms),
        "affine": lambda: check_affine(shared, **axioms),
        "efficient": lambda: check_efficient(shared, **axioms),
        "jit": lambda: check_jit(shared, **own, **drawn),
        "batch": lambda: check_batch(shared, **batch),
        "chunks": lambda: check_chunks(
            shared, chunk_sizes=chunk_sizes or (), **own, **drawn
        ),
        "key": lambda: check_key(explain_of, random=random, **own, **drawn),
        "devices": lambda: check_devices(shared, **batch),
        "differentiable": lambda: check_differentiable(shared, **own, **drawn),
        "dtype": lambda: check_dtype(shared, **own, **_without_jit(drawn)),
        "traced": lambda: check_traced_once(
            explain_of, traces=traces, **own, **_without_jit(drawn)
        ),
    }
    skipped = dict(_skipped(f, refs, chunk_sizes, like_x))
    broken: dict[str, str] = {}
    for name, run in check.items():
        if name in skipped:
            continue
        try:
            run()
        except AssertionError as error:
            broken[name] = str(error) or "The explainer raised AssertionError."
        except Exception as error:  # an explainer may fail in any way
            broken[name] = f"The explainer raised {type(error).__name__}: {error}"
    holds = tuple(name for name in check if name not in broken | skipped)
    found = Report(holds, broken, skipped)
    wanted = [name for name in LAWS if name not in skipped]
    wanted = wanted if promises is None else list(promises)
    failed = [name for name in wanted if name not in holds]
    if failed:
        details = "\n\n".join(f"{k}: {broken.get(k, skipped.get(k))}" for k in failed)
        raise AssertionError(
            f"Promises that do not hold: {', '.join(failed)}.\n\n{details}\n\n{found}"
        )
    return found


def _once(explain_of: ExplainOf) -> ExplainOf:
    """One explainer for each function, which need not be hashable: a module is not."""
    made: dict[Any, Any] = {}

    def of(f: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        place = id(f), *sorted(options.items())
        if place not in made:
            made[place] = f, explain_of(f, **options)  # with `f`, its id stays its own
        return made[place][1]

    return of


def _skipped(
    f: Any, refs: dict[str, Any], chunk_sizes: Sequence[int] | None, like_x: bool
) -> Iterator[tuple[str, str]]:
    baseline = refs.get("baseline")
    if baseline is None:
        yield from dict.fromkeys(
            ("complete", "sensitive", "efficient"), "the call takes no `baseline`"
        ).items()
    elif not isinstance(baseline, _draw.Drawn):
        yield "affine", "`baseline` is not drawn"
        if not _sums.is_zero(baseline) or _shape_of_own(baseline, 4):
            yield "efficient", "`baseline` is neither drawn nor the number 0"
        if _shape_of_own(baseline, _polynomial.NUM_FEATURES):
            on_polynomials = set(AXIOMS) - ({"complete"} if f is not None else set())
            why = "`baseline` does not fit polynomials of five features: draw it"
            yield from dict.fromkeys(sorted(on_polynomials), why).items()
    if not like_x:
        why = "the explanation is not shaped like `x`"
        yield from dict.fromkeys(
            ("sensitive", "dummy", "symmetric", "dtype"), why
        ).items()
    if not chunk_sizes:
        yield "chunks", "no `chunk_sizes`"
    if not any(value is _draw.KEY for value in refs.values()):
        yield "key", "no keyword is `KEY`"
    if jax.device_count() < 2:
        yield "devices", "there is one device"


def _shape_of_own(baseline: Any, num_features: int) -> bool:
    """Does it fit the user's `x`, but no array of so many features?"""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(baseline)]
    return len(shapes) != 1 or shapes[0][-1:] not in ((), (num_features,))


def _without_jit(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "jit"}


def _several(x: PyTree) -> PyTree:
    """A batch for the user's own function: the input, and the same closer to zero."""
    number = 2 * jax.device_count()
    share = 1 - jnp.arange(number) / (2 * number)

    def shrink(leaf: Any) -> Any:
        leaf = jnp.asarray(leaf)
        column = share.astype(leaf.dtype).reshape(-1, *(1,) * leaf.ndim)
        shape = (number, *leaf.shape)
        return jnp.broadcast_to(column, shape) * jnp.broadcast_to(leaf[None], shape)

    return jax.tree.map(shrink, x)

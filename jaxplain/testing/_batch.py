"""What every explainer owes a batch: a map is a loop, wherever the examples lie."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from . import _calls, _compare, _draw, _polynomial
from ._calls import ExplainOf, Jit


def check_batch(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    xs: PyTree = None,
    args: tuple[Any, ...] = (),
    in_axes: Sequence[Any] | None = None,
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that `vmap` of an explainer is a loop over examples.

    $$\operatorname{vmap}(\phi)(x_1, \dots, x_n)_i = \phi(x_i)$$

    Whoever else is in the batch does not matter. What is drawn is drawn for each
    example, and mapped; values are shared. Costs one compilation of the explainer, and
    one of its map.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; polynomials of five features by default.
        xs: Its inputs, stacked over examples.
        args: Its other arguments.
        in_axes: Which of `args` are stacked too, as in `jax.vmap`: 0, or `None` for
            what is shared, as all are by default.
        tol: Largest error, relative to the largest attribution; rounding by default.
        seed: Of what is drawn.
        jit: How the explainers are compiled, if they are not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the explanations differ; with the row.
        ValueError: If `f` comes without `xs`.

    Example:
        >>> f, xs = lambda x: jnp.prod(x), jnp.arange(6.0).reshape(2, 3)
        >>> check_batch(jx.occlusion, f=f, xs=xs, baseline=0.0)
    """
    batch = _batch(f, xs, args, in_axes, refs, seed, 3)
    explain = explain_of(batch.f)
    together = jit(batch.mapped(_calls.plain(explain)))(*batch.inputs)
    _compare_rows(batch, together, _calls.compiled(explain, jit), tol)


def check_devices(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    xs: PyTree = None,
    args: tuple[Any, ...] = (),
    in_axes: Sequence[Any] | None = None,
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    """Check that a batch over several devices is explained where it lies.

    Every example is explained as it is alone, and its explanation stays on its device.
    A CPU counts as several after `jax.config.update("jax_num_cpu_devices", 8)`, before
    anything is computed. Costs one compilation of the explainer, and one of its
    map.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; polynomials of five features by default.
        xs: Its inputs, stacked over examples.
        args: Its other arguments.
        in_axes: Which of `args` are stacked too, as in `jax.vmap`: 0, or `None` for
            what is shared, as all are by default.
        tol: Largest error, relative to the largest attribution; rounding by default.
        seed: Of what is drawn.
        jit: How the explainers are compiled, if they are not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If an explanation differs, with its row, or has moved.
        ValueError: If there is one device, if they cannot share the batch evenly, or
            `f` comes without `xs`.

    Example:
        >>> if jax.device_count() > 1:
        ...     check_devices(jx.occlusion, baseline=0.0)
    """
    devices = jax.device_count()
    if devices < 2:
        raise ValueError(
            "a batch is spread over several devices, but there is one. Make more of a "
            'CPU with `jax.config.update("jax_num_cpu_devices", 8)`, before anything '
            "is computed."
        )
    batch = _batch(f, xs, args, in_axes, refs, seed, 2 * devices)
    if batch.number % devices:
        raise ValueError(
            f"`xs` must have a multiple of {devices} rows, one share per device, but "
            f"has {batch.number}. Leave some out."
        )
    mesh = jax.make_mesh(
        (devices,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,)
    )
    over_rows = jax.NamedSharding(mesh, jax.P("batch"))
    explain = explain_of(batch.f)
    xs, args, drawn = batch.inputs
    axes = batch.in_axes or (None,) * len(args)
    spread = lambda tree: jax.device_put(tree, over_rows)
    args = tuple(a if axis is None else spread(a) for a, axis in zip(args, axes))
    mapped = jit(batch.mapped(_calls.plain(explain)))
    together = mapped(spread(xs), args, spread(drawn))
    for leaf in jax.tree.leaves(together):
        same_for_all = bool(jnp.all(leaf == leaf[:1]))  # as the fractions of a curve
        if not same_for_all and not leaf.sharding.is_equivalent_to(
            over_rows, leaf.ndim
        ):
            raise AssertionError(
                "An explanation stays on the device of its example: expected "
                f"{over_rows}, but got {leaf.sharding}. Look for what gathers the "
                "batch, such as a sort or a reshape across examples."
            )
    _compare_rows(batch, together, _calls.compiled(explain, jit), tol)


class Batch(NamedTuple):
    """Examples with what is mapped and what is shared."""

    f: Callable[..., Any]
    number: int
    inputs: tuple[PyTree, tuple[Any, ...], dict[str, Any]]
    in_axes: tuple[Any, ...]
    shared: dict[str, Any]

    def mapped(self, explain: Callable[..., Any]) -> Callable[..., Any]:
        def one(x: PyTree, args: tuple[Any, ...], drawn: dict[str, Any]) -> Any:
            return explain(x, *args, **drawn, **self.shared)

        return jax.vmap(one, in_axes=(0, self.in_axes, 0))

    def row(self, i: int) -> tuple[PyTree, tuple[Any, ...], dict[str, Any]]:
        xs, args, drawn = self.inputs
        pick = lambda tree: jax.tree.map(lambda leaf: leaf[i], tree)
        rest = [a if axis is None else pick(a) for a, axis in zip(args, self.in_axes)]
        return pick(xs), tuple(rest), {**pick(drawn), **self.shared}


def _batch(
    f: Callable[..., Any] | None,
    xs: PyTree,
    args: tuple[Any, ...],
    in_axes: Sequence[Any] | None,
    refs: dict[str, Any],
    seed: int,
    number: int,
) -> Batch:
    drawn = {k: v for k, v in refs.items() if isinstance(v, _draw.Drawn)}
    shared = {k: v for k, v in refs.items() if k not in drawn}
    _calls.own_all(f, xs=xs)
    if f is None:
        calls = [_polynomial.call(_draw.source(seed, i), {}) for i in range(number)]
        xs = np.stack([call.x for call in calls])
        args = tuple(np.stack(rows) for rows in zip(*(call.args for call in calls)))
        f, in_axes = _polynomial.polynomial, (0,) * len(args)
    else:
        number = len(jax.tree.leaves(xs)[0])
    in_axes = (None,) * len(args) if in_axes is None else tuple(in_axes)
    first = jax.tree.map(lambda leaf: leaf[0], xs)
    rng = _draw.source(seed, number)
    rows = [_draw.fill(rng, drawn, first) for _ in range(number)]
    stacked = jax.tree.map(lambda *leaves: _stack(leaves), *rows)
    return Batch(f, number, (xs, args, stacked), in_axes, shared)


def _stack(leaves: Sequence[Any]) -> Any:
    on_host = all(isinstance(leaf, np.ndarray) for leaf in leaves)
    return np.stack(leaves) if on_host else jnp.stack(leaves)


def _compare_rows(
    batch: Batch, together: PyTree, explain: Callable[..., Any], tol: float | None
) -> None:
    together = jax.tree.map(np.asarray, together)
    for i in range(batch.number):
        x, args, given = batch.row(i)
        _compare.same(
            f"Row {i} of a batch is explained as it is alone",
            jax.tree.map(lambda leaf: leaf[i], together),  # noqa: B023
            explain(x, *args, **given),
            at=_calls.shown(x, given),
            tol=tol,
            hint="An explanation must not depend on other examples, nor on their "
            "number.",
        )

"""What every explainer owes an optimiser: its own derivatives are right."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from . import _calls, _compare, _draw
from ._calls import ExplainOf, Jit


def check_differentiable(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    step: float | None = None,
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check the derivatives of an explanation against finite differences.

    $$\Bigl\langle w, \frac{\partial \phi}{\partial z} d \Bigr\rangle \approx
    \frac{\langle w, \phi(z + h d) - \phi(z - h d) \rangle}{2 h}$$

    for random $w$ and $d$, where $z$ is all that is floating-point: the input, the
    other arguments of `f`, and what is drawn for the call. In reverse mode and in
    forward mode. This is what training with an explanation in the loss relies on.
    Costs a compilation of the explainer, and one of its derivatives.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; a polynomial of five features by default. It must be
            smooth around `x`.
        x: Its input.
        args: Its other arguments.
        step: The step $h$; `eps ** (1 / 3)` of the coarsest dtype by default.
        tol: Largest error, relative to the larger of the two sums without their
            cancellation; `1000 * eps ** (2 / 3)` by default, 4e-8 for float64, for the
            difference errs by the square of the step times a third derivative.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the derivatives differ, or all of them are zero.
        ValueError: If `f` comes without `x`.

    Example:
        >>> f, x = lambda x: jnp.sum(jnp.sin(x)), jnp.arange(3.0)
        >>> check_differentiable(jx.saliency, f=f, x=x)
    """
    function, at, rest, given = _calls.one_call(f, x, args, refs, seed)
    explain = explain_of(function)
    call = lambda explain: lambda z: explain(z[0], *z[1], **z[2])
    z = jax.tree.map(jnp.asarray, (at, rest, given))
    floating, merge = _floating(z)
    rng = _draw.source(seed, 1)
    direction = _draw.directions(rng, floating)
    eps = max(float(jnp.finfo(leaf.dtype).eps) for leaf in floating)
    h = eps ** (1 / 3) if step is None else step

    def slopes(weights: PyTree, direction: list[Array]) -> tuple[Array, Array]:
        moved = lambda floating: call(_calls.plain(explain))(merge(floating))
        _, pull_back = jax.vjp(moved, floating)
        backward = _dot(pull_back(weights)[0], direction)
        _, pushed = jax.jvp(moved, (floating,), (direction,))
        return backward, _dot(weights, pushed)

    run = lambda z: call(_calls.compiled(explain, jit))(z)
    shift = lambda sign: merge(
        [a + np.asarray(sign * h, d.dtype) * d for a, d in zip(floating, direction)]
    )
    ahead, behind = (jax.tree.map(np.asarray, run(shift(sign))) for sign in (1, -1))
    weights = _draw.directions(rng, ahead)
    change = jax.tree.map(
        lambda a, b: (a - b) / np.asarray(2 * h, a.dtype), ahead, behind
    )
    backward, forward = jit(slopes)(weights, direction)
    wanted = _dot(weights, change)
    limit = 1000 * eps ** (2 / 3) if tol is None else tol
    size = float(_dot(*(jax.tree.map(np.abs, tree) for tree in (weights, change))))
    for mode, slope in (("reverse", backward), ("forward", forward)):
        _compare.same(
            f"A derivative in {mode} mode is that of finite differences",
            slope,
            wanted,
            at=_calls.shown(at, given),
            tol=limit,
            scale=size,
            finite=True,
            hint="Perhaps there is a kink of `f` nearby, or a gradient is stopped.",
        )
    if not size:
        raise AssertionError(
            "Derivatives of the explanation are zero in a random direction: expected "
            "something to compare. Is there a rank, a sign or a `stop_gradient`?"
        )


def _floating(tree: PyTree) -> tuple[list[Array], Callable[[list[Array]], PyTree]]:
    """The floating-point leaves, and the tree with others in their place."""
    leaves, treedef = jax.tree.flatten(tree)
    places = [i for i, a in enumerate(leaves) if jnp.issubdtype(a.dtype, jnp.floating)]

    def merge(floating: list[Array]) -> PyTree:
        new = list(leaves)
        for place, leaf in zip(places, floating, strict=True):
            new[place] = leaf
        return treedef.unflatten(new)

    return [leaves[i] for i in places], merge


def _dot(a: PyTree, b: PyTree) -> Any:
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return sum((p * q).sum() for p, q in pairs)

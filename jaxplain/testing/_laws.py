"""What every explainer owes JAX: compiled, in chunks, by key, and traced once."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from . import _calls, _compare, _draw
from ._calls import ExplainOf, Jit


def check_jit(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that compiling an explainer changes nothing.

    $$\operatorname{jit}(\phi)(x) = \phi(x)$$

    Costs one compilation of the explainer, and one run operation by operation, each of
    which is compiled on its own: a second or two.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; a polynomial of five features by default.
        x: Its input.
        args: Its other arguments.
        tol: Largest error, relative to the largest attribution; rounding by default.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the explanations differ.
        ValueError: If `f` comes without `x`.

    Example:
        >>> check_jit(jx.saliency, f=lambda x: x @ x, x=jnp.arange(3.0))
    """
    function, at, rest, given = _calls.one_call(f, x, args, refs, seed)
    explain = explain_of(function)
    _compare.same(
        "A compiled explainer gives what it gives operation by operation",
        _calls.compiled(explain, jit)(at, *rest, **given),
        _calls.plain(explain)(at, *rest, **given),
        at=_calls.shown(at, given),
        tol=tol,
        hint="What Python decides by the values of arrays is fixed while tracing.",
    )


def check_chunks(
    explain_of: ExplainOf,
    *,
    chunk_sizes: Sequence[int] = (1, 3),
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    """Check that the size of a chunk changes nothing but memory.

    Costs one compilation of the explainer as it is, and one for each chunk size.

    Args:
        explain_of: `explain_of(f)` returns the explainer, and
            `explain_of(f, chunk_size=n)` one that evaluates `n` samples at once.
        chunk_sizes: Sizes to compare. Take one that leaves a last chunk short.
        f: Function to explain; a polynomial of five features by default.
        x: Its input.
        args: Its other arguments.
        tol: Largest error, relative to the largest attribution; rounding by default.
        seed: Of what is drawn.
        jit: How the explainers are compiled, if they are not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the explanations differ; with the chunk size.
        ValueError: If `f` comes without `x`.

    Example:
        >>> f = lambda x: x @ x
        >>> of = lambda f, **options: jx.integrated_gradients(f, steps=4, **options)
        >>> check_chunks(of, f=f, x=jnp.arange(3.0), chunk_sizes=[3], baseline=0.0)
    """
    function, at, rest, given = _calls.one_call(f, x, args, refs, seed)
    whole = _calls.compiled(explain_of(function), jit)(at, *rest, **given)
    for size in chunk_sizes:
        explain = _calls.compiled(explain_of(function, chunk_size=size), jit)
        _compare.same(
            f"An explanation in chunks of {size} is that of all samples at once",
            explain(at, *rest, **given),
            whole,
            at=_calls.shown(at, given),
            tol=tol,
            hint="A key per sample, `fold_in(key, i)`, does not depend on chunks.",
        )


def check_key(
    explain_of: ExplainOf,
    *,
    random: bool = True,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that an explanation is a function of its key, and another key matters.

    $$\phi(x; k) = \phi(x; k), \qquad \phi(x; k) \ne \phi(x; k')$$

    The first must hold bit for bit, and when the explainer is traced anew: whatever
    it counts, caches or draws elsewhere must not show. Costs two compilations.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        random: Does another key give another answer? If not, it must give the same.
        f: Function to explain; a polynomial of five features by default.
        x: Its input.
        args: Its other arguments.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: `KEY` for its key, and for others a value,
            `LIKE_X` or `STACK`.

    Raises:
        AssertionError: If the same key gives another answer, or another key the same.
        ValueError: If no keyword is `KEY`, or `f` comes without `x`.

    Example:
        >>> from jaxplain import testing
        >>> half = lambda x, key: x * jax.random.bernoulli(key, shape=x.shape)
        >>> explain_of = lambda f: lambda x, key: half(jax.grad(f)(x), key)
        >>> f, x = lambda x: x @ x, jnp.ones(32)
        >>> check_key(explain_of, f=f, x=x, key=testing.KEY)
    """
    names = [name for name, value in refs.items() if value is _draw.KEY]
    if not names:
        raise ValueError(
            "a key is missing: this checks what it decides. Pass "
            "`key=jaxplain.testing.KEY`."
        )
    function, at, rest, given = _calls.one_call(f, x, args, refs, seed)
    explain = explain_of(function)
    once = _calls.compiled(explain, jit)

    def anew(*args: Any, **refs: Any) -> Any:
        return _calls.plain(explain_of(function))(*args, **refs)

    first, again = (run(at, *rest, **given) for run in (once, jit(anew)))
    _compare.same(
        "The same key gives the same explanation, bit for bit",
        again,
        first,
        at=_calls.shown(at, given),
        tol=0.0,
        hint="Draw everything from the key, and keep no state between calls.",
    )
    others = {name: jax.random.key(seed + i) for i, name in enumerate(names, 1)}
    other = once(at, *rest, **{**given, **others})
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(other), strict=True)
    differs = not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    if differs != random:
        raise AssertionError(
            f"Another key gives another explanation: expected {random}, but got "
            f"{differs}. What is drawn must depend on the key, and on nothing else; "
            "if nothing is drawn, pass `random=False`."
        )


def check_traced_once(
    explain_of: ExplainOf,
    *,
    traces: int = 1,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    seed: int = 0,
    **refs: Any,
) -> None:
    """Check that Python runs `f` once, however many samples there are.

    An explainer that loops over samples in Python makes programs as long as its loop,
    and takes as long to compile. Nothing is compiled here.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        traces: How often one call runs `f`, if that is not once.
        f: Function to explain; a polynomial of five features by default.
        x: Its input.
        args: Its other arguments.
        seed: Of what is drawn.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If `f` ran more often, or less.
        ValueError: If `f` comes without `x`.

    Example:
        >>> check_traced_once(jx.occlusion, baseline=0.0)
    """
    function, at, rest, given = _calls.one_call(f, x, args, refs, seed)
    runs: list[None] = []

    def counted(*args: Any) -> Any:
        runs.append(None)
        return function(*args)

    explain: Any = _calls.compiled(explain_of(counted), jax.jit)
    explain.trace(at, *rest, **given)
    if len(runs) != traces:
        raise AssertionError(
            f"One call traces f {traces} times, but traced it {len(runs)} times. "
            "Evaluate samples with `jax.vmap` or `jax.lax.map` rather than in a loop "
            "of Python, or say how often it should be with `traces=`."
        )

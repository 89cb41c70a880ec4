"""What every explainer owes half precision: the dtype of its input, and its digits."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from . import _calls, _compare, _draw, _polynomial
from ._calls import ExplainOf, Jit

NARROW = (jnp.float16, jnp.bfloat16, jnp.float32)


def check_dtype(
    explain_of: ExplainOf,
    *,
    dtypes: Sequence[Any] | None = None,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    seed: int = 0,
    **refs: Any,
) -> None:
    """Check that an explanation has the shapes and dtypes of the input.

    Explanations in another dtype silently change the dtype of all that follows. The
    explainer is traced for each dtype, and nothing is compiled.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        dtypes: Dtypes of the input; float16, bfloat16, float32 and, where 64-bit types
            are enabled, float64 by default.
        f: Function to explain; a polynomial of five features by default.
        x: Its input, which is cast, as are the keywords.
        args: Its other arguments, which are left as they are.
        seed: Of what is drawn.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If a shape or a dtype differs, or is weak; with both.
        ValueError: If `f` comes without `x`.

    Example:
        >>> check_dtype(jx.saliency)
    """
    for dtype in _every_dtype() if dtypes is None else dtypes:
        function, at, rest, given = _cast_call(f, x, args, refs, seed, dtype)
        explain = _calls.plain(explain_of(function))
        out = jax.eval_shape(explain, at, *rest, **given)
        found, wanted = jax.tree.map(_type, out), jax.tree.map(_type, at)
        if found != wanted:
            raise AssertionError(
                f"An explanation has the shapes and dtypes of the input: expected "
                f"{wanted}, but got {found}. Sum in at least float32, and cast back "
                "at the end."
            )


def check_precision(
    explain_of: ExplainOf,
    *,
    low: Any = jnp.bfloat16,
    high: Any = None,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    tol: float | None = None,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that an explanation in low precision is that in high precision, rounded.

    $$\lvert \phi_\text{low} - \phi_\text{high} \rvert \le
    \varepsilon_\text{low}^{3/4} \max \lvert \phi_\text{high} \rvert$$

    The input and its keywords are rounded to the low precision for both, so that they
    explain the same numbers. Noise of another dtype is other noise: this is not for
    explainers that add some. Costs two compilations of the explainer.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        low: Dtype of low precision.
        high: Dtype of high precision; the default of floating-point arrays if `None`.
        f: Function to explain; a polynomial of five features by default.
        x: Its input, which is cast, as are the keywords.
        args: Its other arguments, which are left as they are.
        tol: Largest error, relative to the largest attribution; `eps ** 0.75` of the
            low precision by default, which is 0.03 for bfloat16.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the explanations differ by more.
        ValueError: If `f` comes without `x`.

    Example:
        >>> check_precision(jx.saliency, f=lambda x: x @ x, x=jnp.arange(3.0))
    """
    high = jnp.result_type(float) if high is None else high
    function, at, rest, given = _cast_call(f, x, args, refs, seed, low)
    explain = _calls.compiled(explain_of(function), jit)
    wide = lambda tree: _cast(tree, high)
    args_high = rest if f is not None else wide(rest)
    _compare.same(
        f"An explanation in {jnp.dtype(low).name} is that in {jnp.dtype(high).name}, "
        "rounded",
        wide(explain(at, *rest, **given)),
        explain(wide(at), *args_high, **wide(given)),
        at=_calls.shown(at, given),
        tol=float(jnp.finfo(low).eps) ** 0.75 if tol is None else tol,
        hint="Sum in at least float32, and subtract before you round.",
    )


def _every_dtype() -> list[Any]:
    wide = jnp.result_type(float)  # float64 where 64-bit types are enabled
    return list(dict.fromkeys([jnp.dtype(d) for d in (*NARROW, wide)]))


def _cast_call(
    f: Callable[..., Any] | None,
    x: PyTree,
    args: tuple[Any, ...],
    refs: dict[str, Any],
    seed: int,
    dtype: Any,
) -> tuple[Callable[..., Any], PyTree, tuple[Any, ...], dict[str, Any]]:
    _calls.own_all(f, x=x)
    given = _cast(refs, dtype)
    if f is None:
        call = _polynomial.call(_draw.source(seed, 0), given, dtype)
        return _polynomial.polynomial, call.x, call.args, call.refs
    cast_x = _cast(jax.tree.map(jnp.asarray, x), dtype)
    return _calls.one_call(f, cast_x, args, given, seed)


def _cast(tree: PyTree, dtype: Any) -> PyTree:
    """The floating-point arrays of a tree in another dtype, and its numbers rounded."""

    def cast(leaf: Any) -> Any:
        if isinstance(leaf, float) and not isinstance(leaf, np.generic):
            return float(np.asarray(leaf, dtype))
        is_array = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(dtype) if is_array else leaf

    return jax.tree.map(cast, tree)


def _type(leaf: Any) -> str:
    weak = getattr(leaf, "weak_type", False)
    return f"{leaf.dtype.name}{list(leaf.shape)}{' weak' * weak}"

"""Take one part of the input away, and see what `f` loses."""

from typing import Any, Literal, TypeAlias, get_args

import jax.numpy as jnp
from jaxtyping import ArrayLike

from .. import _checks, coalitions
from .._types import REQUIRED, Grouped, Labels, ScalarFn, Ts, X
from ..games import evaluate, game, players
from . import _axes, _windows

Reduce: TypeAlias = Literal["mean", "sum"]


def occlusion(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    window: int | tuple[int, ...] | None = None,
    stride: int | tuple[int, ...] | None = None,
    reduce: Reduce = "mean",
    chunk_size: int | None = None,
) -> Grouped[X, *Ts]:
    r"""How much `f` drops when one feature, one group or one window is absent.

    $$\phi_i(x) = v(N) - v(N \setminus \{i\}), \qquad
    \phi_p(x) = \frac{1}{|\{w \ni p\}|} \sum_{w \ni p} v(N) - v(N \setminus w)$$

    The first is also known as feature ablation; the second averages over the sliding
    windows $w$ that cover an entry $p$. Exact for additive `f` if each feature stands
    alone; blind to what other features can replace. Non-finite values of `f` are
    passed on, to the features or the entries of the window that were absent.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to occlude each entry of `x`.
        window: Sides of a window over the leading axes of `x`, one array; it covers the
            axes that are left whole. One number is for all axes but the last, the
            channels, or for the only one: `window=8` covers 8 x 8 pixels of an image
            with channels, or 8 steps of a series with columns.
        stride: Step from one window to the next, at most the window; by default they
            lie side by side. The last window is cut at the border of `x`.
        reduce: What becomes of an entry that several windows cover: the `"mean"` of
            their drops, or the `"sum"`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without, where every entry of a
        window has the drop of the whole window. See `game` for `baseline` and
        `groups`. Costs one evaluation of `f` per feature or window, and one more.

    Raises:
        ValueError: If `f` does not return a scalar, or `baseline` or `groups` do not
            fit `x`, or only one of `groups` and `num_groups` is given, or the window
            does not fit, or leaves gaps, or is given with groups.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> explain = occlusion(lambda x: x[0] * x[1])
        >>> explain(jnp.array([2.0, 3.0]), baseline=1.0)
        Array([3., 4.], dtype=float32)
        >>> explain = occlusion(lambda x: x.sum(), window=2, stride=1)
        >>> explain(jnp.array([1.0, 2.0, 3.0]), baseline=0.0)
        Array([3., 4., 5.], dtype=float32)

    References:
        Zeiler and Fergus (2014), *Visualizing and Understanding Convolutional
        Networks*, arXiv:1311.2901, section 4.2.
    """
    _checks.sizes(num_groups, chunk_size)
    _checks.choice("reduce", reduce, get_args(Reduce))
    if window is None:
        if stride is not None:
            raise ValueError(
                f"`stride` must come with a window, but is {stride!r} alone. Give its "
                "sides, for example `window=8`."
            )
        return _of_features(f, num_groups, chunk_size)
    if num_groups is not None:
        raise ValueError(
            f"`window` must come without groups, but is {window!r} with "
            f"num_groups={num_groups}. Leave out one of the two."
        )
    sides = _axes.sides("window", window)
    steps = None if stride is None else _axes.sides("stride", stride)
    return _of_windows(f, sides, steps, reduce, chunk_size)


def _of_features(
    f: ScalarFn[X, *Ts], num_groups: int | None, chunk_size: int | None
) -> Grouped[X, *Ts]:
    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        v, number, unflatten = players(
            "occlusion", f, x, args, baseline, groups, num_groups
        )
        # One loop traces `f` once: the last coalition of the design is the full one.
        design = coalitions.leave_one_out(number)
        values = evaluate(v, design, number + 1, chunk_size)
        return unflatten(values[-1] - values[:-1])

    return explain


def _of_windows(
    f: ScalarFn[X, *Ts],
    window: _axes.Sides,
    stride: _axes.Sides | None,
    reduce: Reduce,
    chunk_size: int | None,
) -> Grouped[X, *Ts]:
    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.players("occlusion", groups, None)
        array = _axes.one_array("window", x)
        windows = _windows.lay(array, window, stride)
        v = game(f, array, *args, baseline=baseline)
        design = lambda i: _windows.present(windows, i)
        values = evaluate(v, design, windows.number + 1, chunk_size)
        drops = _windows.gather(windows, values[-1] - values[:-1])
        if reduce == "mean":
            drops = drops / jnp.asarray(_windows.cover(windows), drops.dtype)
        others = (1,) * (array.ndim - drops.ndim)
        spread = jnp.broadcast_to(drops.reshape(*drops.shape, *others), array.shape)
        return spread.astype(array.dtype)

    return explain

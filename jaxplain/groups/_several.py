"""Labels made of labels: of a batch, of unions, of the recent past."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import ArrayLike

from .. import _checks
from ._grids import LabelArray


def stack(labels: Sequence[ArrayLike]) -> tuple[LabelArray, int]:
    """Different groups of several inputs, for one program that is mapped over them.

    Inputs with fewer groups than others have players without a feature. These are
    worth 0, change no Shapley value and no drop of `occlusion`; what they cost is
    evaluations. The kernel of `lime` counts them: docs/concepts/images.md says how to
    leave them out.

    Args:
        labels: Labels of each input, all of one shape.

    Returns:
        Labels with a new first axis, and the largest number of groups.

    Raises:
        ValueError: If there are none, shapes differ, a label is negative, or one
            is traced.
        TypeError: If a label is no integer.

    Example:
        >>> stack([[0, 0, 1], [2, 1, 0]])
        (array([[0, 0, 1],
               [2, 1, 0]], dtype=int32), 3)
    """
    arrays = [_concrete("labels", array) for array in labels]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) != 1:
        raise ValueError(
            f"`labels` must be arrays of one shape, but have shapes {shapes}. Bring "
            "the inputs to one size before finding their groups."
        )
    stacked = np.stack(arrays)
    return stacked, int(stacked.max()) + 1


def unions(fine: ArrayLike, coarse: ArrayLike) -> LabelArray:
    """Which coarse group each fine group is in, for `owen_values` and `owen_shap`.

    A hierarchy: days and their hours, superpixels and smaller ones. A fine group that
    lies in several coarse ones goes to that which holds most of it; coarse groups that
    no fine group goes to are left out of the numbering.

    Args:
        fine: Labels from 0 without gaps: the players.
        coarse: Labels of the same input. Either may leave out last axes, or have 1 for
            an axis that shares its labels.

    Returns:
        One label per fine group, from 0 without gaps: `unions=` of `owen_values`. For
        several levels, pass a list from coarse to fine to `owen_shap`.

    Raises:
        ValueError: If the shapes do not fit, a label is negative or traced, or a fine
            label is missing.
        TypeError: If a label is no integer.

    Example:
        >>> days, _ = windows(4, size=2)
        >>> fine, n = cells((4, 3), size=1)
        >>> unions(fine, days)
        array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], dtype=int32)

    References:
        Owen (1977), *Values of Games with a Priori Unions*.
    """
    fine, coarse = _concrete("fine", fine), _concrete("coarse", coarse)
    rank = max(fine.ndim, coarse.ndim)
    leading = lambda a: a.reshape(*a.shape, *(1,) * (rank - a.ndim))
    try:
        pairs = np.broadcast_arrays(leading(fine), leading(coarse))
    except ValueError:
        raise ValueError(
            f"`fine` and `coarse` must label one input, but have shapes {fine.shape} "
            f"and {coarse.shape}. Leave out last axes only, or give them length 1."
        ) from None
    counts = np.zeros((fine.max() + 1, coarse.max() + 1), int)
    np.add.at(counts, tuple(a.ravel() for a in pairs), 1)
    missing = np.flatnonzero(counts.sum(1) == 0)
    if len(missing):
        raise ValueError(
            "`fine` must use every label from 0 up, since each is a player, but no "
            f"feature has label {missing[0]}. `numpy.unique(fine, "
            "return_inverse=True)[1]` numbers them without gaps."
        )
    return np.unique(counts.argmax(1), return_inverse=True)[1].astype(np.int32)


def prune(labels: ArrayLike, *, first: int) -> tuple[LabelArray, int]:
    """All steps before one as a single group, and the others as they were.

    What is left to explain where `jaxplain.series.past` says that the past matters
    little. It stays a group, so that values still sum to the whole.

    Args:
        labels: Labels of a series, time on the first axis.
        first: First step to keep, from 0; at 0 nothing is pruned.

    Returns:
        Labels, and how many there are. With a past it is group 0, and the groups
        that are left follow in their order; a group that `first` divides is kept in
        part.

    Raises:
        ValueError: If `first` is negative or behind the last step, or a label
            is negative or traced.
        TypeError: If `first` or a label is no integer.

    Example:
        >>> prune(windows(6, size=2)[0], first=3)
        (array([0, 0, 0, 1, 2, 2], dtype=int32), 3)

    References:
        Bento et al. (2021), arXiv:2012.00073, on temporal coalition pruning.
    """
    array = _concrete("labels", labels)
    start = _checks.count("first", first, 0)
    if array.ndim == 0 or start >= len(array):
        raise ValueError(
            f"`first` must be a step of the series, but is {start} for labels of shape "
            f"{array.shape}. Keep at least the last step."
        )
    pruned = array.copy()
    pruned[:start] = -1
    found, numbers = np.unique(pruned, return_inverse=True)
    return numbers.reshape(array.shape).astype(np.int32), len(found)


def _concrete(name: str, value: Any) -> LabelArray:
    """Integer labels that can be read now."""
    if _checks.is_traced(value):
        raise ValueError(
            f"`{name}` must be concrete, but is traced: the number of groups shapes "
            "the program. Make the labels outside `jax.jit` and `jax.vmap`."
        )
    array = np.asarray(value)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            f"`{name}` must hold integer labels, but holds {array.dtype}. Number the "
            "groups from 0."
        )
    if array.size == 0 or array.min() < 0:
        raise ValueError(
            f"`{name}` must hold labels from 0, but "
            + (f"has shape {array.shape}" if array.size == 0 else "one is negative")
            + ". Number the groups from 0, one label per feature."
        )
    return array.astype(np.int32)

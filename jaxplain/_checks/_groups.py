"""Groups, masks, and budgets of coalitions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

from ._show import describe, inside, is_traced, show


def labels(value: PyTree, x: PyTree) -> PyTree:
    """The labels of `groups`: integers that fit the leading axes of `x`."""

    def check(path: Any, label: Any, subtree: PyTree) -> ArrayLike:
        where = inside(path)
        if not jnp.issubdtype(jnp.result_type(label), jnp.integer):
            raise TypeError(
                f"`groups` must hold integer labels, but is {show(label)}{where}. "
                "Number the groups from 0, one label per feature."
            )
        shape = jnp.shape(label)
        for leaf in jax.tree.leaves(subtree):
            leading = leaf.shape[: len(shape)]
            fits = len(shape) == len(leading) and all(
                a in (1, b) for a, b in zip(shape, leading, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"`groups` must label the leading axes of `x`, which is "
                    f"{show(leaf)}, but is {show(label)}{where}. Give it shape "
                    f"{leaf.shape} or a leading part of it, with 1 for an axis that "
                    "shares its labels."
                )
        # NumPy stays NumPy: under `jax.jit` its range could not be read otherwise.
        return label if isinstance(label, jax.Array) else np.asarray(label)

    value = _lists_to_arrays(value, x)
    try:
        return jax.tree_util.tree_map_with_path(check, value, x)
    except ValueError as error:
        if "`groups`" in str(error):
            raise
        raise ValueError(
            "`groups` must have the structure of `x`, or of its upper part, but `x` is "
            f"{jax.tree.structure(x)} and `groups` is {jax.tree.structure(value)}."
        ) from None


def _lists_to_arrays(value: PyTree, x: PyTree) -> PyTree:
    """`groups=[0, 0, 1]` for an `x` that is one array means an array."""
    alone = jax.tree.structure(x) == jax.tree.structure(0)
    return np.asarray(value) if alone and isinstance(value, list) else value


def label_range(value: PyTree, num_groups: int) -> None:
    """Labels run from 0 to `num_groups - 1`; a traced label cannot be read."""
    for path, label in jax.tree_util.tree_leaves_with_path(value):
        if is_traced(label):
            continue
        # As NumPy first: under `jax.jit`, the minimum of a JAX array is traced.
        found = np.asarray(label)
        low, high = int(found.min()), int(found.max())
        if low < 0 or high >= num_groups:
            raise ValueError(
                f"`groups` must hold labels from 0 to {num_groups - 1} for "
                f"{num_groups} groups, but they run from {low} to {high}{inside(path)}."
                " Number the groups from 0, and count them all in `num_groups`."
            )


def mask_of_groups(value: Any, labels: PyTree) -> Array:
    """A mask over groups: a vector, with an entry for every label."""
    if jnp.ndim(value) != 1:
        raise ValueError(
            "`mask` must have one entry per group, but has shape "
            f"{jnp.shape(value)}. Pass a vector, for example "
            "`jax.numpy.ones(num_groups)`."
        )
    mask = jnp.asarray(value)
    known = [a for a in jax.tree.leaves(labels) if not is_traced(a)]
    needed = max((int(np.asarray(a).max()) + 1 for a in known), default=0)
    if mask.shape[0] < needed:
        raise ValueError(
            f"`mask` must have one entry per group, but has {mask.shape[0]} for labels "
            f"up to {needed - 1}. Pass a vector of at least {needed} entries."
        )
    label_range(labels, mask.shape[0])
    if not jnp.issubdtype(mask.dtype, jnp.floating):
        return mask.astype(jnp.float32)
    return mask


def mask_like(value: PyTree, x: PyTree) -> PyTree:
    """A mask over the entries of `x`: any prefix of it that broadcasts."""

    def check(path: Any, prefix: Any, subtree: PyTree) -> Any:
        for leaf in jax.tree.leaves(subtree):
            if np.broadcast_shapes(jnp.shape(prefix), leaf.shape) != leaf.shape:
                raise ValueError
        return prefix

    try:
        return jax.tree_util.tree_map_with_path(check, value, x)
    except ValueError:
        raise ValueError(
            "`mask` must broadcast to `x`, or be a vector with `groups`, but `x` is "
            f"{jax.tree.map(show, x)} and `mask` is {jax.tree.map(describe, value)}."
        ) from None


def players(who: str, labels: Any, num_groups: int | None) -> None:
    """`groups` and `num_groups` come together."""
    if labels is not None and num_groups is None:
        raise ValueError(
            f"`groups` was passed, but {who} was made without `num_groups`. Say how "
            f"many there are, for example `{who}(f, num_groups=50)`."
        )
    if labels is None and num_groups is not None:
        raise TypeError(
            f"`groups` is missing: {who} was made with num_groups={num_groups}. "
            "Pass the label of each feature, for example "
            "`groups=jaxplain.groups.patches((32, 32), size=8)[0]`."
        )


def enough_samples(who: str, num_samples: int, num_groups: int, least: int) -> None:
    if num_samples < least:
        raise ValueError(
            f"num_samples={num_samples} is too few for {who} of {num_groups} features: "
            f"it needs at least {least} evaluations of `f`. Raise "
            "`num_samples`, or gather the features into fewer `groups`."
        )


def few_players(who: str, number: int, most: int) -> None:
    if number > most:
        raise ValueError(
            f"{who} evaluates all coalitions of at most {most} features, but there are "
            f"{number}. Gather them into fewer `groups`, or estimate the values with "
            "`gp_shap`."
        )


def several_players(who: str, number: int) -> None:
    if number < 2:
        raise ValueError(
            f"{who} needs at least 2 features, but there is {number}. A single "
            "feature interacts with none: its value is `f(x) - f(b)`."
        )


def statistics_of(shape: tuple[int, ...], number: int) -> None:
    if shape != (number,):
        raise ValueError(
            f"`statistics` must be of a game of {number} players, but are of one of "
            f"{shape[0]}. Continue with the `x` and `groups` that they "
            "were accumulated for."
        )

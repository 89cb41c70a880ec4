"""A decision tree as text."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import _checks
from ._plain_tree import Tree

Bounds = dict[int, tuple[float, float]]
"""The intervals that lead to a node: above the first number, up to the second."""


def tree_rules(
    tree: Tree, names: Sequence[str] | None = None, *, digits: int = 4
) -> str:
    """A decision tree as one sentence per leaf, from left to right.

    Conditions on one column are drawn together, so that each is named once.

    Args:
        tree: Concrete tree.
        names: Name of each column, with its unit if you like; by default `x[0]`,
            `x[1]`, ...
        digits: Number of significant digits.

    Returns:
        Lines such as `if temp <= 4.1 and 30 < humidity <= 60: 1200 (25 % of rows)`.

    Raises:
        ValueError: If the tree is traced, or there are fewer names than columns.

    Example:
        >>> model = Tree(
        ...     jnp.array([0, -1, 0]), jnp.array([4.1, 0.0, 9.0]),
        ...     jnp.array([10.0, 0.0, 20.0, 30.0]), jnp.array([5, 0, 3, 2]),
        ... )
        >>> print(tree_rules(model, ["temp"]))
        if temp <= 4.1: 10 (50 % of rows)
        if 4.1 < temp <= 9: 20 (30 % of rows)
        if temp > 9: 30 (20 % of rows)
    """
    _checks.count("digits", digits)
    if any(map(_checks.is_traced, tree)):
        raise ValueError(
            "`tree` must be concrete, but is traced: text is made on the host. Return "
            "the tree from `jax.jit`, and read it outside."
        )
    last = int(np.max(tree.feature))
    if names is not None and len(names) <= last:
        raise ValueError(
            f"`names` must name every column, but the tree compares column {last} and "
            f"there are {len(names)} names. Pass one per entry of the flattened `x`."
        )
    called = names if names is not None else [f"x[{i}]" for i in range(last + 1)]
    number = lambda value: f"{value:.{digits}g}"
    total = int(np.sum(tree.rows))
    lines = []
    for bounds, leaf in _leaves(tree, 0, {}):
        conditions = [
            _condition(called[column], *map(number, between))
            for column, between in bounds.items()
        ]
        value = np.asarray(tree.value[leaf])
        shown = (
            number(value) if value.ndim == 0 else f"[{', '.join(map(number, value))}]"
        )
        head = f"if {' and '.join(conditions)}" if conditions else "always"
        share = 100 * int(tree.rows[leaf]) / total
        lines.append(f"{head}: {shown} ({share:.0f} % of rows)")
    return "\n".join(lines)


def _leaves(tree: Any, node: int, bounds: Bounds) -> Iterator[tuple[Bounds, int]]:
    """Every leaf that can be reached, and the bounds on the way."""
    nodes = len(tree.feature)
    if node >= nodes:
        yield bounds, node - nodes
        return
    column, threshold = int(tree.feature[node]), float(tree.threshold[node])
    if column < 0:
        yield from _leaves(tree, 2 * node + 1, bounds)
        return
    low, high = bounds.get(column, (-np.inf, np.inf))
    yield from _leaves(tree, 2 * node + 1, bounds | {column: (low, threshold)})
    yield from _leaves(tree, 2 * node + 2, bounds | {column: (threshold, high)})


def _condition(name: str, low: str, high: str) -> str:
    if low == "-inf":
        return f"{name} <= {high}"
    return f"{name} > {low}" if high == "inf" else f"{low} < {name} <= {high}"

"""Averages of local explanations over a data set."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Int, PyTree

from .. import _checks, _tree
from .._types import Explains, PRNGKey
from ._dependence import mean_and_error
from ._rows import row, rows_of
from ._types import Importance


def importance(
    explain: Explains[Any], *, chunk_size: int | None = None
) -> Explains[Importance]:
    r"""Mean size and mean sign of local attributions, over the rows of a data set.

    $$I_j = \frac{1}{n} \sum_{i=1}^{n} |\phi_j(x_i)|$$

    Global SHAP, global integrated gradients: of any explainer. The share of a feature
    is its part of the sum of all sizes. A large size with a mean near 0 is a feature
    that pushes both ways. This is about what `f` uses, not about what it should use:
    `perturbations.permutation_importance` looks at a loss. An attribution that is not
    finite shows in the answer.

    Args:
        explain: Explainer of one row: `explain(row, *args, **refs)` returns an
            attribution of any structure.
        chunk_size: Number of rows explained at once; all of them by default.
            Peak memory follows it, but for one attribution per row.

    Returns:
        `average(rows, *args, **refs)`, the `Importance`. Every leaf of `rows` has the
        rows along its first axis; all else is shared by them, but for a `key`: row `i`
        gets `jax.random.fold_in(key, i)`. Costs one explanation per row.

    Raises:
        ValueError: If `rows` is empty or has leaves of several lengths.
        TypeError: If `rows` or an attribution does not hold numbers, or `key` is no
            random key.

    Example:
        >>> rows = jnp.array([[1.0, 2.0], [-1.0, 2.0], [3.0, 2.0]])
        >>> explain = jx.integrated_gradients(lambda row: row[0] + 2.0 * row[1])
        >>> out = jax.jit(importance(explain))(rows, baseline=0.0)
        >>> out.magnitude.round(2), out.mean.round(2), out.share.round(2)
        (Array([1.67, 4.  ], dtype=float32), Array([1., 4.], dtype=float32),
         Array([0.29, 0.71], dtype=float32))

    References:
        Lundberg et al. (2020), *From Local Explanations to Global Understanding with
        Explainable AI for Trees*, arXiv:1905.04610: the mean absolute value.
    """
    _checks.chunk_size(chunk_size)

    def average(
        rows: PyTree, /, *args: Any, key: PRNGKey | None = None, **refs: Any
    ) -> Importance:
        rows, n = rows_of(rows)
        if key is not None:
            _checks.key(key, "importance")

        def one(i: Int[Array, ""]) -> PyTree:
            own = {} if key is None else {"key": jr.fold_in(key, i)}
            return _attribution(explain(row(rows, i), *args, **own, **refs))

        phi = _tree.map_samples(one, n, chunk_size)
        size, size_error = _mean_and_error(jax.tree.map(jnp.abs, phi))
        mean, mean_error = _mean_and_error(phi)
        total = _tree.total(size)
        scale = jnp.where(total > 0, total, 1)
        share = jax.tree.map(lambda a: a.astype(scale.dtype) / scale, size)
        share = _tree.cast_like(share, size)
        return Importance(size, size_error, mean, mean_error, share)

    return average


def _mean_and_error(tree: PyTree) -> tuple[PyTree, PyTree]:
    both = [mean_and_error(leaf) for leaf in jax.tree.leaves(tree)]
    unflatten = jax.tree.structure(tree).unflatten
    return unflatten([mean for mean, _ in both]), unflatten([e for _, e in both])


def _attribution(phi: PyTree) -> PyTree:
    for leaf in jax.tree.leaves(phi):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise TypeError(
                "`explain` must return floating-point attributions, but returned "
                f"{jnp.result_type(leaf).name}. Select the attributions, for "
                "example `lambda *a, **k: surrogate(f)(*a, **k).weights`."
            )
    return phi

"""What `f` says without the highest attributions, and with nothing else."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, PyTree

from .. import _checks
from .._types import REQUIRED, Labels, Scalar, ScalarFn, Ts, X
from ..games import evaluate
from . import _valid
from ._features import features
from ._ranks import ranks
from ._types import Judge

FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.5)


def comprehensiveness(
    f: ScalarFn[X, *Ts],
    *,
    fractions: Sequence[float] = FRACTIONS,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Scalar]:
    r"""How far `f` falls without the features of the highest attribution.

    $$\frac{1}{|B|} \sum_{q \in B} \left(f(x) - f(x \setminus r_q)\right)$$

    where $r_q$ is the share $q$ of the features that has the highest attribution. The
    higher the better: what `f` needed was among them. In the units of `f`. Large for
    any large removal, so compare explainers on the same input, and with a random
    attribution; features that are missing may themselves be what moves `f`.

    Args:
        f: Function that was explained.
        fractions: Shares of the features to remove. Their numbers are rounded, but not
            to 0.
        num_groups: Number of groups, if features are removed in groups, such as words.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar; the attribution and
        `groups` are as for `deletion`. Costs one evaluation of `f` per fraction, and
        one more.

    Raises:
        ValueError: If a fraction is not in (0, 1], or as `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0, 3.0]), jnp.sum
        >>> measure = comprehensiveness(f, fractions=(0.25, 0.5))
        >>> measure(x, attribution=x, baseline=0.0)
        Array(5.5, dtype=float32)

    References:
        DeYoung et al. (2020), *ERASER: A Benchmark to Evaluate Rationalized NLP
        Models*, arXiv:1911.03429, section 4.2. The mean is that of its code; the text
        divides by $|B| + 1$.
    """
    without = lambda rank, count: rank >= count
    args = (fractions, num_groups, chunk_size)
    return _erasure("comprehensiveness", f, *args, present=without)


def sufficiency(
    f: ScalarFn[X, *Ts],
    *,
    fractions: Sequence[float] = FRACTIONS,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Scalar]:
    r"""How far `f` falls with nothing but the features of the highest attribution.

    $$\frac{1}{|B|} \sum_{q \in B} \left(f(x) - f(r_q)\right)$$

    where $r_q$ is the share $q$ of the features that has the highest attribution, with
    all else at the baseline. The lower the better, and negative where the features that
    are left speak louder alone. An input of a few features is further from the data
    than one that lacks a few, so `f` is asked about stranger inputs than in
    `comprehensiveness`.
    Another metric of the same name is the agreement of the labels of inputs with equal
    explanations.

    Args:
        f: Function that was explained.
        fractions: Shares of the features to keep. Their numbers are rounded, but not
            to 0.
        num_groups: Number of groups, if features are kept in groups, such as words.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar; the attribution and
        `groups` are as for `deletion`. Costs one evaluation of `f` per fraction, and
        one more.

    Raises:
        ValueError: If a fraction is not in (0, 1], or as `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0, 3.0]), jnp.sum
        >>> sufficiency(f, fractions=(0.25, 0.5))(x, attribution=x, baseline=0.0)
        Array(4.5, dtype=float32)

    References:
        DeYoung et al. (2020), *ERASER: A Benchmark to Evaluate Rationalized NLP
        Models*, arXiv:1911.03429, section 4.2. The mean is that of its code; the text
        divides by $|B| + 1$.
    """
    alone = lambda rank, count: rank < count
    args = (fractions, num_groups, chunk_size)
    return _erasure("sufficiency", f, *args, present=alone)


def _erasure(
    who: str,
    f: ScalarFn[X, *Ts],
    fractions: Sequence[float],
    num_groups: int | None,
    chunk_size: int | None,
    present: Callable[[Array, Array], Array],
) -> Judge[X, *Ts, Scalar]:
    shares = _valid.fractions(fractions)
    _checks.sizes(num_groups, chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Scalar:
        judged = features(who, f, x, args, attribution, baseline, groups, num_groups)
        rank = ranks(judged.scores, "highest")
        counts = jnp.asarray(_valid.counts(shares, judged.number))
        # The last one is `x` itself.
        design = lambda i: (i == shares.size) | present(rank, counts[i])
        values = evaluate(judged.value, design, shares.size + 1, chunk_size)
        return jnp.mean(values[-1] - values[:-1])

    return measure

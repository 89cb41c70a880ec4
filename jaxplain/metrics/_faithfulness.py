"""Does `f` fall with the attribution of what is removed?"""

from collections.abc import Callable

import jax.random as jr
from jaxtyping import Array, ArrayLike, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Labels, PRNGKey, Scalar, ScalarFn, Ts, X
from ..coalitions import leave_one_out
from ..games import evaluate
from ._agreement import centred, pearson, rank_correlation
from ._features import Features, features
from ._subset import subset
from ._types import Judge, SamplingJudge


def faithfulness_correlation(
    f: ScalarFn[X, *Ts],
    *,
    subset_size: int,
    num_samples: int = 100,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> SamplingJudge[X, *Ts, Scalar]:
    r"""The correlation of what subsets are said to be worth with what `f` loses.

    $$\mathrm{corr}_S \left(\sum_{i \in S} \phi_i,\; f(x) - f(x_{S \to b})\right),
    \qquad |S| = s$$

    over random subsets of one size. 1 for the attribution of an additive function, and
    indifferent to the scale of the attribution. Sensitivity-n is the same number, with
    `n` for the size. It judges the sums of subsets of the size that you choose, against
    inputs that lack that many features at random: without a small subset of a large
    image `f` hardly changes, so the correlation is small for every explainer, and
    without a large one the input is unlike the data. The standard error of a
    correlation near zero is about `1 / sqrt(num_samples)`.

    Args:
        f: Function that was explained.
        subset_size: How many features each subset removes, below all of them.
        num_samples: Number of subsets.
        num_groups: Number of groups, if features are removed in groups.
        chunk_size: Number of subsets evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline, key)`, a scalar from -1 to 1; the
        attribution and `groups` are as for `deletion`. NaN if all sums or all drops are
        equal, or the attribution holds NaN. Costs `num_samples` evaluations of `f`.

    Raises:
        ValueError: If a number is below 1, `subset_size` is not below the number of
            features, or as `deletion`.
        TypeError: If `x` holds integers, or `baseline` or `key` is missing.

    Example:
        >>> f = lambda x: x[0] + 2.0 * x[1] + 3.0 * x[2]
        >>> measure = faithfulness_correlation(f, subset_size=2, num_samples=10)
        >>> phi = jnp.array([1.0, 2.0, 3.0])
        >>> measure(jnp.ones(3), attribution=phi, baseline=0.0, key=jax.random.key(0))
        Array(1.0, dtype=float32)

    References:
        Bhatt, Weller and Moura (2020), *Evaluating and Aggregating Feature-Based Model
        Explanations*, arXiv:2005.00631, definition 3.
        Ancona, Ceolini, Öztireli and Gross (2018), *Towards Better Understanding of
        Gradient-Based Attribution Methods for Deep Neural Networks*, arXiv:1711.06104:
        sensitivity-n.
    """
    _checks.count("subset_size", subset_size)
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Scalar:
        who = "faithfulness_correlation"
        _checks.key(key, who)
        judged = features(who, f, x, args, attribution, baseline, groups, num_groups)
        if subset_size >= judged.number:
            raise ValueError(
                "`subset_size` must be below the number of features, "
                f"{judged.number}, but is {subset_size}: subsets must differ. Take a "
                "smaller one."
            )
        # Equal attributions have equal sums, which rounding must not tell apart.
        scores = centred(judged.scores)

        def one(i: Array) -> tuple[Array, Array]:
            gone = subset(jr.fold_in(key, i), subset_size, judged.number)
            claimed = (scores * gone.astype(scores.dtype)).sum()
            return claimed, judged.value(~gone)

        claimed, left = _tree.map_samples(one, num_samples, chunk_size)
        # The drop, less f(x), which is the same in all of them.
        return pearson(claimed, -left)

    return measure


def faithfulness_estimate(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Scalar]:
    r"""The correlation of each attribution with what `f` loses without that feature.

    $$\mathrm{corr}_i \left(\phi_i,\; f(x) - f(x_{i \to b})\right)$$

    1 for `occlusion` by definition, so it measures the likeness to occlusion. A feature
    whose evidence others repeat loses nothing alone, and an attribution that gives it
    credit is punished for it. A few large entries decide.

    Args:
        f: Function that was explained.
        num_groups: Number of groups, if features are removed in groups.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar from -1 to 1; the
        attribution and `groups` are as for `deletion`. NaN if all attributions or all
        drops are equal, or the attribution holds NaN. Costs one evaluation of `f` per
        feature, and one more.

    Raises:
        ValueError: As `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> f = lambda x: x[0] * x[1] + x[2]
        >>> measure = faithfulness_estimate(f)
        >>> x = jnp.array([2.0, 3.0, 1.0])
        >>> measure(x, attribution=jnp.array([6.0, 6.0, 1.0]), baseline=0.0)
        Array(1., dtype=float32)

    References:
        Alvarez-Melis and Jaakkola (2018), *Towards Robust Interpretability with
        Self-Explaining Neural Networks*, arXiv:1806.07538, section 5.
    """
    judge = lambda judged, drops: pearson(judged.scores, drops)
    return _one_by_one("faithfulness_estimate", f, num_groups, chunk_size, judge)


def monotonicity(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Scalar]:
    r"""The rank correlation of attributions with effects, both without their signs.

    $$\rho_i \left(|\phi_i|,\; |f(x) - f(x_{i \to b})|\right)$$

    1 if the features are in the order of how much `f` changes without each alone. The
    paper takes the mean of the squared change over a distribution of the missing
    feature; here it is the one at the baseline, of which the square has the same order.
    The order among the many features of little effect counts as much as that among the
    few of a large one. Another metric of the same name asks whether `f` rises with
    every feature that is added.

    Args:
        f: Function that was explained.
        num_groups: Number of groups, if features are removed in groups.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar from -1 to 1; the
        attribution and `groups` are as for `deletion`. Equal values share the mean of
        their ranks. NaN if either side is constant, or the attribution holds NaN. Costs
        one evaluation of `f` per feature, and one more.

    Raises:
        ValueError: As `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> measure = monotonicity(lambda x: x[0] - 3.0 * x[1] + 2.0 * x[2])
        >>> attribution = jnp.array([0.1, 0.9, -0.5])
        >>> measure(jnp.ones(3), attribution=attribution, baseline=0.0)
        Array(1., dtype=float32)

    References:
        Nguyen and Martínez (2020), *On Quantitative Aspects of Model Interpretability*,
        arXiv:2007.07584.
    """
    judge = lambda judged, drops: rank_correlation(judged.scores, drops, absolute=True)
    return _one_by_one("monotonicity", f, num_groups, chunk_size, judge)


def drops_without(judged: Features, chunk_size: int | None) -> Array:
    """What `f` loses without each feature alone."""
    number = judged.number
    values = evaluate(judged.value, leave_one_out(number), number + 1, chunk_size)
    return values[-1] - values[:-1]


def _one_by_one(
    who: str,
    f: ScalarFn[X, *Ts],
    num_groups: int | None,
    chunk_size: int | None,
    judge: Callable[[Features, Array], Scalar],
) -> Judge[X, *Ts, Scalar]:
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
        return judge(judged, drops_without(judged, chunk_size))

    return measure

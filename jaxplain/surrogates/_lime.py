"""LIME of a function, and all that it knows of itself."""

from typing import Any, NamedTuple, get_args

from jaxtyping import Array, ArrayLike

from .. import _checks, games
from .._types import REQUIRED, Labels, PRNGKey, Sampled, ScalarFn, Ts, X
from . import _kernel
from ._regress import enough, regress
from ._sampling import around_the_input
from ._selection import chooser
from ._types import Distance, Fitted, Sampling, Selection


class _Options(NamedTuple):
    num_samples: int
    num_groups: int | None
    sampling: Sampling
    distance: Distance
    width: float | None
    ridge: float
    num_features: int | None
    selection: Selection
    chunk_size: int | None


def surrogate(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1000,
    num_groups: int | None = None,
    sampling: Sampling = "bernoulli",
    distance: Distance = "cosine",
    width: float | None = None,
    ridge: float = 1.0,
    num_features: int | None = None,
    selection: Selection = "highest_weights",
    chunk_size: int | None = None,
) -> Fitted[X, *Ts]:
    r"""LIME with everything it knows: weights, intercept, fit and standard errors.

    Fits the linear model of `regress` to `f` on random coalitions; the first one is the
    full coalition, the input itself. The defaults are those of the `lime` package for
    images; docs/concepts/lime.md has those for text and tables.

    Non-finite values of `f` are left out of the fit, and `evaluations` counts the
    finite ones. A weight that these do not determine is NaN, never a silent zero: of a
    feature that is present in all of them, or in none; and without a penalty, of
    features that are only ever seen together, and of every feature where there are no
    more of them than features. With a penalty, there may be fewer samples than
    features; they share what the samples cannot tell apart.

    Mapped over labels with one key, all classes share the coalitions, the evaluations
    of the model and the algebra of matrices.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`; without a penalty, more than there
            are features.
        num_groups: Number of groups; leave out to weigh each entry of `x`.
        sampling: The law of the coalitions. `"bernoulli"` holds each feature with
            probability 1/2. `"quasi_random"` does so in a balanced way, with about half
            the squared error, if `num_samples` is a power of 2: use 1024 rather than
            1000. `"text"` draws the number of absent features uniformly, as the `lime`
            package does for words. `"local"` draws each coalition in proportion to its
            weight, and weighs them equally after that: for narrow kernels.
        distance: `"cosine"`, `"euclidean"`, or your own function of a mask.
        width: Kernel width $\omega$: by default 0.25 for the cosine distance, from 0
            (the input) to 1; $0.75 \sqrt{d}$ for the Euclidean one; 1 for your own.
        ridge: Penalty $\lambda$ on the weights, in units of the sum of the kernel, so
            that it matters less for more samples.
        num_features: Number of features to keep, at most; all by default. The others
            have weight 0, and the standard errors are those of a model that never
            had them.
        selection: How to choose these: `"highest_weights"` of a regression on all;
            `"forward"`, one after another, that which explains most of what is left;
            or `"lasso_path"`, the last point of the path that has so few.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, which returns a `Surrogate`. See
        `game` for `baseline` and `groups`. Costs `num_samples` evaluations of `f`, and
        one eigendecomposition of a matrix with one row per feature.

    Raises:
        ValueError: If an option is out of range, there are too few samples to determine
            a model without a penalty, `f` does not return a scalar, or `baseline` or
            `groups` do not fit `x`.
        TypeError: If `x` holds integers, or `key` or `baseline` is missing.

    Example:
        >>> fit = surrogate(lambda x: 2.0 * x[0] - x[1], num_samples=500, ridge=0.0)
        >>> found = fit(jnp.ones(2), baseline=0.0, key=jax.random.key(0))
        >>> found.weights.round(2), found.r2.round(2)
        (Array([ 2., -1.], dtype=float32), Array(1., dtype=float32))

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1 and algorithm 1.
        White (1980) and MacKinnon and White (1985) for the standard errors (HC3).
        Tan, Tian and Li (2023), *GLIME*, arXiv:2311.15722, for local sampling.
        Kish (1965), *Survey Sampling*, for the effective number of samples.
    """
    options = _Options(
        num_samples,
        num_groups,
        sampling,
        distance,
        width,
        ridge,
        num_features,
        selection,
        chunk_size,
    )
    return _fitted("surrogate", f, options)


def _fitted(who: str, f: ScalarFn[X, *Ts], o: _Options) -> Fitted[X, *Ts]:
    """`surrogate`, under the name that the user called."""
    _checks.count("num_samples", o.num_samples)
    _checks.sizes(o.num_groups, o.chunk_size)
    _checks.choice("sampling", o.sampling, get_args(Sampling))
    _kernel.check(o.distance, o.width)
    _checks.positive("ridge", o.ridge, zero=True)
    chooser(o.selection, o.num_features)
    if o.sampling == "local" and callable(o.distance):
        raise TypeError(
            "`distance` must be 'cosine' or 'euclidean' for sampling='local', but is a "
            "function: a law is drawn by the sizes of coalitions. Draw it yourself, "
            "and fit `surrogates.regress` with `distance=lambda mask: 0.0`."
        )

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, who)
        v, number, unflatten = games.players(
            who, f, x, args, baseline, groups, o.num_groups
        )
        enough(who, o.num_samples, number, o.ridge, o.num_features)
        law, distance = None, o.distance
        if o.sampling == "local" and not callable(distance):
            law = _kernel.log_weight_of_size(distance, o.width, number)
            distance = _nowhere
        found = regress(
            v,
            around_the_input(o.sampling, key, number, o.num_samples, law),
            number,
            num_samples=o.num_samples,
            distance=distance,
            width=o.width,
            ridge=o.ridge,
            num_features=o.num_features,
            selection=o.selection,
            chunk_size=o.chunk_size,
        )
        return found._replace(
            weights=unflatten(found.weights),
            standard_error=unflatten(found.standard_error),
        )

    return fit


def _nowhere(mask: Array) -> float:
    """A distance that makes all weights equal: the law has them already."""
    return 0.0


def lime(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1000,
    num_groups: int | None = None,
    sampling: Sampling = "bernoulli",
    distance: Distance = "cosine",
    width: float | None = None,
    ridge: float = 1.0,
    num_features: int | None = None,
    selection: Selection = "highest_weights",
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""The weights of a linear model of `f` around the input.

    The `weights` of `surrogate`, which see for the options, the errors and what happens
    where `f` is not finite. The same key gives the same answer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`; without a penalty, more than there
            are features.
        num_groups: Number of groups; leave out to weigh each entry of `x`.
        sampling: `"bernoulli"`, `"quasi_random"`, `"text"` or `"local"`.
        distance: `"cosine"`, `"euclidean"`, or your own function of a mask.
        width: Kernel width, in units of the distance.
        ridge: Penalty on the weights.
        num_features: Number of features to keep, at most; all by default.
        selection: `"highest_weights"`, `"forward"` or `"lasso_path"`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without. Costs `num_samples`
        evaluations of `f`.

    Raises:
        ValueError: As `surrogate`.
        TypeError: As `surrogate`.

    Example:
        >>> explain = lime(lambda x: 2.0 * x[0] - x[1], num_samples=500, ridge=0.0)
        >>> explain(jnp.ones(2), baseline=0.0, key=jax.random.key(0)).round(2)
        Array([ 2., -1.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1 and algorithm 1.
    """
    options = _Options(
        num_samples,
        num_groups,
        sampling,
        distance,
        width,
        ridge,
        num_features,
        selection,
        chunk_size,
    )
    fit = _fitted("lime", f, options)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        return fit(x, *args, baseline=baseline, key=key, groups=groups).weights

    return explain

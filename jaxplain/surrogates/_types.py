"""What a surrogate is, and who returns one."""

from collections.abc import Callable
from typing import Generic, Literal, NamedTuple, Protocol, TypeAlias, overload

from jaxtyping import Array, ArrayLike, Float, Int

from .._types import Labels, PRNGKey, Scalar, Ts, X

Distance: TypeAlias = (
    Literal["cosine", "euclidean"] | Callable[[Array], Float[ArrayLike, ""]]
)
Sampling: TypeAlias = Literal["bernoulli", "quasi_random", "text", "local"]
Selection: TypeAlias = Literal["highest_weights", "forward", "lasso_path"]


class Surrogate(NamedTuple, Generic[X]):
    """A linear model of a game, `v(mask)` near `intercept + mask @ weights`.

    Attributes:
        weights: Effect of each feature, in the units of `f`: shape `(num_groups,)`, or
            shaped like `x`. 0 for a feature that was not selected.
        intercept: Value of the empty coalition, in the units of `f`.
        r2: Share of the weighted variance that the model explains, at most 1.
        standard_error: Standard error of each weight over the draw of the coalitions.
            NaN for a feature that was not selected.
        evaluations: Number of coalitions where `f` was finite: the others were left
            out. A weight that these do not determine is NaN.
        effective_samples: How many coalitions of equal weight would say as much.
        condition: Condition number of the regularised Gram matrix: how much a rounding
            error of the values may grow. Infinite where it is singular.
    """

    weights: X
    intercept: Scalar
    r2: Scalar
    standard_error: X
    evaluations: Int[Array, ""]
    effective_samples: Scalar
    condition: Scalar


class Fitted(Protocol[X, *Ts]):
    """`fit(x, *args, baseline, key, groups=None)` returns a `Surrogate`."""

    @overload
    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, key: PRNGKey
    ) -> Surrogate[X]: ...
    @overload
    def __call__(
        self,
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike,
        key: PRNGKey,
        groups: Labels,
    ) -> Surrogate[Array]: ...

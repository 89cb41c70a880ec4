"""What the functions of this room return."""

from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Array, Float, Int

from .._types import Labels, PRNGKey, X

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Analysis(Protocol[T_co]):
    """A study of `f` over a range of its input, and what it returns."""

    def __call__(
        self,
        low: Any,
        high: Any,
        /,
        *args: Any,
        key: PRNGKey,
        groups: Labels | None = None,
    ) -> T_co: ...


class ElementaryEffects(NamedTuple, Generic[X]):
    """What a step of each factor does to `f`, in units of `f` per full range.

    Attributes:
        mu: Mean effect. NaN for a group of several factors, which has no direction.
        mu_star: Mean of the absolute effect.
        sigma: Standard deviation of the effect: 0 up to rounding where `f` is linear in
            the factor alone. NaN where `mu` is.
        mu_star_error: Standard error of `mu_star`.
        evaluations: Number of evaluations of `f`.
    """

    mu: X
    mu_star: X
    sigma: X
    mu_star_error: X
    evaluations: Int[Array, ""]


class SobolInteractions(NamedTuple):
    """Shares of the variance of `f` that two factors explain only together.

    Attributes:
        second: Second-order index of every two factors, groups or entries of the
            input in order. Symmetric; 0 on the diagonal.
        second_error: Standard error of each.
        evaluations: Number of evaluations of `f`.
    """

    second: Float[Array, "d d"]
    second_error: Float[Array, "d d"]
    evaluations: Int[Array, ""]

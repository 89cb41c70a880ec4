"""What the explainers of this room return."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, ArrayLike, Int, PyTree

from .._types import PRNGKey, Scalar, Ts, X, X_contra


class PathEstimate(NamedTuple):
    """An attribution, and what is known of its error.

    Attributes:
        attribution: Shaped like `x`, in the units of `f`.
        error: Estimate of the error of `attribution`, relative to it: a ratio of
            Euclidean norms. Above `rtol` if the nodes ran out.
        gap: The sum of the attribution less `f(x) - f(b)`, in the units of `f`. Most
            panels are made complete, so a small one says little about the error. What
            could not be is part of both.
        gradients: Number of gradients taken.
    """

    attribution: Any
    error: Scalar
    gap: Scalar
    gradients: Int[Array, ""]


@runtime_checkable
class Estimated(Protocol[X_contra, *Ts]):
    """`fit(x, *args, baseline)` returns a `PathEstimate`."""

    def __call__(
        self, x: X_contra, /, *args: *Ts, baseline: X_contra | ArrayLike
    ) -> PathEstimate: ...


@runtime_checkable
class Referenced(Protocol[X, *Ts]):
    """An explainer that draws from a stack of baselines."""

    def __call__(self, x: X, /, *args: *Ts, baseline: PyTree, key: PRNGKey) -> X: ...


@runtime_checkable
class Pairwise(Protocol[X_contra, *Ts]):
    """`explain(x, *args, baseline)` returns a number for every two entries of `x`."""

    def __call__(
        self, x: X_contra, /, *args: *Ts, baseline: X_contra | ArrayLike
    ) -> Array: ...


@runtime_checkable
class Masked(Protocol[X, *Ts]):
    """A contrastive explainer of how features act together with those of a mask."""

    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, mask: X | ArrayLike
    ) -> X: ...

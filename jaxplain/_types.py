"""Shared types: what goes in, what comes out."""

from collections.abc import Callable
from typing import (
    Any,
    Protocol,
    TypeAlias,
    TypeVar,
    TypeVarTuple,
    overload,
    runtime_checkable,
)

from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, PyTree, UInt32

X = TypeVar("X", bound=Any)
X_co = TypeVar("X_co", covariant=True)
X_contra = TypeVar("X_contra", contravariant=True, bound=Any)
Ts = TypeVarTuple("Ts")

Scalar: TypeAlias = Float[Array, ""]
Labels: TypeAlias = PyTree[Int[ArrayLike, "..."]]
PRNGKey: TypeAlias = Key[Array, ""] | UInt32[Array, "2"]

REQUIRED: Any = None
"""A default that is never used: so that our own message says what is missing."""

Draw: TypeAlias = Callable[[Int[Array, ""]], Bool[Array, " num_groups"]]
"""A design of coalitions: the index of a sample to its mask."""


@runtime_checkable
class _Counted(Protocol[X_contra, *Ts]):
    """The function being explained: `f(x, *args)` returns a scalar."""

    def __call__(self, x: X_contra, /, *args: *Ts) -> Any: ...


ScalarFn: TypeAlias = _Counted[X, *Ts] | Callable[..., Any]


@runtime_checkable
class Explainer(Protocol[X, *Ts]):
    """Same arguments as `f`; a value shaped like `x`."""

    def __call__(self, x: X, /, *args: *Ts) -> X: ...


@runtime_checkable
class Mapped(Protocol[X_contra, *Ts]):
    """Same arguments as `f`; a map at the resolution of a layer."""

    def __call__(self, x: X_contra, /, *args: *Ts) -> Array: ...


@runtime_checkable
class Contrastive(Protocol[X, *Ts]):
    """An explainer that measures `x` against a `baseline`."""

    def __call__(self, x: X, /, *args: *Ts, baseline: X | ArrayLike) -> X: ...


@runtime_checkable
class Grouped(Protocol[X, *Ts]):
    """A contrastive explainer of features, or of groups of features."""

    @overload
    def __call__(self, x: X, /, *args: *Ts, baseline: X | ArrayLike) -> X: ...
    @overload
    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, groups: Labels
    ) -> Array: ...


@runtime_checkable
class Sampled(Protocol[X, *Ts]):
    """A grouped explainer that draws random coalitions."""

    @overload
    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, key: PRNGKey
    ) -> X: ...
    @overload
    def __call__(
        self,
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike,
        key: PRNGKey,
        groups: Labels,
    ) -> Array: ...


@runtime_checkable
class Explains(Protocol[X_co]):
    """Anything that explains: its arguments are passed on as they are."""

    def __call__(self, *args: Any, **kwargs: Any) -> X_co: ...


@runtime_checkable
class Averaged(Protocol[X_co]):
    """A Monte-Carlo average: the arguments of what it averages, and one `key`."""

    def __call__(self, x: Any, /, *args: Any, key: PRNGKey, **refs: Any) -> X_co: ...


@runtime_checkable
class Expected(Protocol[X_co]):
    """An average over a stack of baselines."""

    def __call__(
        self, x: Any, /, *args: Any, baseline: PyTree, **refs: Any
    ) -> X_co: ...


@runtime_checkable
class Gap(Protocol[X_contra, *Ts]):
    """A number that judges an attribution against a baseline."""

    def __call__(
        self,
        x: X_contra,
        /,
        *args: *Ts,
        attribution: PyTree,
        baseline: X_contra | ArrayLike,
    ) -> Scalar: ...

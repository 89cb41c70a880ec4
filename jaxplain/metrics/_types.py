"""What the functions of this room return."""

from typing import Any, Protocol, TypeVar

from jaxtyping import ArrayLike, PyTree

from .._types import Labels, PRNGKey, Ts, X_contra

R_co = TypeVar("R_co", covariant=True)


class Judge(Protocol[X_contra, *Ts, R_co]):
    """Judges the attribution of features, or of groups, against a baseline."""

    def __call__(
        self,
        x: X_contra,
        /,
        *args: *Ts,
        attribution: PyTree,
        baseline: X_contra | ArrayLike,
        groups: Labels | None = None,
    ) -> R_co: ...


class SamplingJudge(Protocol[X_contra, *Ts, R_co]):
    """Judges by a random sample of features."""

    def __call__(
        self,
        x: X_contra,
        /,
        *args: *Ts,
        attribution: PyTree,
        baseline: X_contra | ArrayLike,
        key: PRNGKey,
        groups: Labels | None = None,
    ) -> R_co: ...


class Imputing(Protocol[X_contra, *Ts, R_co]):
    """Judges by a random fill of what is removed."""

    def __call__(
        self, x: X_contra, /, *args: *Ts, attribution: PyTree, key: PRNGKey
    ) -> R_co: ...


class Drawing(Protocol[X_contra, *Ts, R_co]):
    """Judges by random changes of the input; `refs` go to what draws them."""

    def __call__(
        self,
        x: X_contra,
        /,
        *args: *Ts,
        attribution: PyTree,
        key: PRNGKey,
        **refs: Any,
    ) -> R_co: ...

"""What the functions of this room return."""

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Array, ArrayLike, Float, Int, PyTree

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class OverGrid(Protocol[T_co]):
    """What `f` says of data as one feature takes the values of a grid."""

    def __call__(
        self, rows: PyTree, /, *args: Any, feature: Any, grid: ArrayLike
    ) -> T_co: ...


@runtime_checkable
class OverBins(Protocol[T_co]):
    """What `f` says of data as one feature moves within bins."""

    def __call__(
        self, rows: PyTree, /, *args: Any, feature: Any, edges: ArrayLike
    ) -> T_co: ...


@runtime_checkable
class OverFeatures(Protocol[T_co]):
    """What `f` says of data, for several features."""

    def __call__(self, rows: PyTree, /, *args: Any, features: Any = None) -> T_co: ...


class Effect(NamedTuple):
    """A mean over rows, as a function of one feature.

    Attributes:
        mean: Mean over the rows, at every point of the grid.
        standard_error: Its standard error, over the draw of the rows.
    """

    mean: Float[Array, "..."]
    standard_error: Float[Array, "..."]


class LocalEffects(NamedTuple):
    """Accumulated local effects of one feature, with mean 0 over the rows.

    Attributes:
        values: Effect at every edge.
        standard_error: Its standard error, over the draw of the rows within each bin.
            NaN if a bin holds a single row.
        slopes: Mean change of `f` from one end of a bin to the other.
        counts: Number of rows in each bin.
    """

    values: Float[Array, " edges"]
    standard_error: Float[Array, " edges"]
    slopes: Float[Array, " bins"]
    counts: Int[Array, " bins"]


class HStatistic(NamedTuple):
    """How strongly features interact, in `f` and over the rows.

    Attributes:
        pairs: H of every two features: the root of the share of the variance of their
            joint effect that is not the sum of two. Symmetric; 0 on the diagonal.
        overall: H of every feature with all others together, as a share of `f`.
        pair_size: Root mean square of the interaction of every two, in units of `f`.
        overall_size: That of every feature with all others.
    """

    pairs: Float[Array, "p p"]
    overall: Float[Array, " p"]
    pair_size: Float[Array, "p p"]
    overall_size: Float[Array, " p"]


class Importance(NamedTuple):
    """Averages of an attribution over the rows of a data set, shaped like it.

    Attributes:
        magnitude: Mean absolute attribution.
        magnitude_error: Its standard error, over the draw of the rows.
        mean: Mean attribution, with its sign.
        mean_error: Its standard error.
        share: `magnitude` over the sum of all of them.
    """

    magnitude: Any
    magnitude_error: Any
    mean: Any
    mean_error: Any
    share: Any

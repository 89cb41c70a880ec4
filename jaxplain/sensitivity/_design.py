"""Pairs of random inputs: two points of the unit cube for every sample."""

from jaxtyping import Array, Float, Int

from .. import _checks
from .._types import PRNGKey
from ._sequence import MOST_BITS, MOST_DIMENSIONS, Points, independent, scrambled_sobol

DESIGNS = ("sobol", "random")


def replicates(num_samples: int, num_replicates: int, design: str) -> int | None:
    """How many independent parts the samples have; None if each sample is one."""
    _checks.choice("design", design, DESIGNS)
    _checks.count("num_samples", num_samples, 2)
    _checks.count("num_replicates", num_replicates, 2)
    if design == "random":
        return None
    size, left = divmod(num_samples, num_replicates)
    if left or size < 1 or size & (size - 1) or size > 2**MOST_BITS:
        exponent = min(max(size.bit_length() - 1, 0), MOST_BITS)
        raise ValueError(
            "`num_samples` must be `num_replicates` times a power of 2, at most "
            f"{2**MOST_BITS}, but is {num_samples} for {num_replicates} replicates. "
            f'Take {num_replicates << exponent} samples, or `design="random"`.'
        )
    return num_replicates


def pairs(key: PRNGKey, num_samples: int, num_parts: int | None, d: int) -> Points:
    """`A` and `B` of a sample, in rows; `num_parts` is what `replicates` says."""
    if num_parts is not None and 2 * d > MOST_DIMENSIONS:
        raise ValueError(
            f"Sobol sequences are known for at most {MOST_DIMENSIONS // 2} factors, "
            f'but there are {d}. Hold some of them, or take `design="random"`.'
        )
    if num_parts is None:
        draw = independent(key, 2 * d)
    else:
        draw = scrambled_sobol(key, num_samples // num_parts, num_parts, 2 * d)

    def pair(i: Int[Array, ""]) -> Float[Array, "2 d"]:
        # Neighbouring dimensions are even together, and the two values of a factor are
        # what its index compares.
        return draw(i).reshape(d, 2).T

    return pair

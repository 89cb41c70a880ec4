"""What the properties of hypothesis share: numbers to draw, and when they are equal."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from jaxplain import testing

# The same examples on every run and every machine. Shapes stay fixed, so that a
# property compiles once.
fixed = settings(derandomize=True, max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)

# Drawn values are at most 2 and what is made of them below 1e3, in float64. Sums have
# below a hundred terms: rounding is below 100 * 1e3 * 1e-16 = 1e-11, and the linear
# systems of sampled coalitions multiply it by ten.
ROUNDING = 1e-10


def numbers(*shape):
    """Arrays of multiples of 1/64 from -2 to 2."""
    return testing.strategies.inputs(shape)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=ROUNDING)

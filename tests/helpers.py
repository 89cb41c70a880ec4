"""One tolerance policy for the whole suite."""

import jax
import jax.numpy as jnp
import numpy as np


def assert_close(actual, expected, *, tol=None):
    """Equal up to rounding, leaf by leaf, relative to the largest entry of each leaf.

    The default tolerance is `eps ** 0.75` of the dtype: 2e-12 for float64, 6e-6 for
    float32, 3e-2 for bfloat16. A looser one states its reason where it is passed.
    """

    def check(a, b):
        a, b = jnp.asarray(a), jnp.asarray(b)
        assert a.shape == b.shape, f"shapes {a.shape} and {b.shape}"
        eps = max(float(jnp.finfo(array.dtype).eps) for array in (a, b))
        limit = eps**0.75 if tol is None else tol
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        error, scale = np.max(np.abs(a - b), initial=0), np.max(np.abs(b), initial=0)
        assert error <= limit * scale or error <= limit**2, (
            f"off by {error:.1e}, against values of {scale:.1e}"
        )

    jax.tree.map(check, actual, expected)

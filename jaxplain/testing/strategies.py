"""Strategies of hypothesis for properties of explainers: inputs, masks, labels, keys.

Needs hypothesis: `pip install 'jaxplain[testing]'`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import _checks


def inputs(shape: int | tuple[int, ...], *, dtype: Any = float) -> Any:
    """Arrays of multiples of 1/64 from -2 to 2, exact in every dtype.

    Neighbours differ by enough that ties are ties, and sums of products of a few of
    them have no rounding in float64. They shrink towards zero.

    Args:
        shape: Shape of the arrays, or length of a vector.
        dtype: Their dtype; the default of floating-point arrays by default.

    Returns:
        A strategy of NumPy arrays.

    Raises:
        ImportError: If hypothesis is not installed.

    Example:
        >>> import hypothesis
        >>> hypothesis.find(inputs((2,)), lambda x: (x > 1).all()).tolist()
        [1.015625, 1.015625]
    """
    st, arrays = _hypothesis()
    wanted = jnp.result_type(dtype)
    integers = arrays(np.int64, shape, elements=st.integers(-128, 128))
    return integers.map(lambda a: (a / 64).astype(wanted))


def keys() -> Any:
    """Random keys of JAX.

    Returns:
        A strategy of keys.

    Raises:
        ImportError: If hypothesis is not installed.

    Example:
        >>> import hypothesis
        >>> key = hypothesis.find(keys(), lambda key: True)  # the simplest
        >>> jax.random.key_data(key).tolist()
        [0, 0]
    """
    st, _ = _hypothesis()
    return st.integers(0, 2**31).map(jax.random.key)


def masks(num_features: int) -> Any:
    """Which features are present: zeros and ones, all of either included.

    Args:
        num_features: Number of features, or of groups.

    Returns:
        A strategy of NumPy arrays, of the default floating-point dtype.

    Raises:
        ImportError: If hypothesis is not installed.

    Example:
        >>> import hypothesis
        >>> hypothesis.find(masks(3), lambda mask: mask.sum() == 3).tolist()
        [1.0, 1.0, 1.0]
    """
    st, arrays = _hypothesis()
    _checks.count("num_features", num_features)
    bits = arrays(np.int64, num_features, elements=st.integers(0, 1))
    return bits.map(lambda a: a.astype(jnp.result_type(float)))


def labels(shape: int | tuple[int, ...], num_groups: int) -> Any:
    """Labels of groups: each from 0 to `num_groups - 1` occurs.

    Args:
        shape: Shape of the labels, or length of a vector.
        num_groups: Number of groups, at most as many as there are labels.

    Returns:
        A strategy of NumPy arrays of integers.

    Raises:
        ImportError: If hypothesis is not installed.
        ValueError: If there are more groups than labels.

    Example:
        >>> import hypothesis
        >>> found = hypothesis.find(labels((2, 3), 4), lambda found: True)
        >>> found.shape, sorted(set(found.ravel().tolist()))
        ((2, 3), [0, 1, 2, 3])
    """
    st, _ = _hypothesis()
    number = int(np.prod(shape))
    if _checks.count("num_groups", num_groups) > number:
        raise ValueError(
            f"`num_groups` must be at most {number}, the number of labels, but is "
            f"{num_groups}. Take fewer groups."
        )
    others = st.lists(
        st.integers(0, num_groups - 1),
        min_size=number - num_groups,
        max_size=number - num_groups,
    )
    every = others.map(lambda rest: [*range(num_groups), *rest])
    return every.flatmap(st.permutations).map(lambda a: np.array(a).reshape(shape))


def _hypothesis() -> Any:
    """Its strategies, and that of arrays."""
    try:
        from hypothesis import strategies
        from hypothesis.extra.numpy import arrays
    except ImportError:
        raise ImportError(
            "`jaxplain.testing.strategies` needs hypothesis, which is not installed. "
            "Install it with `pip install 'jaxplain[testing]'`."
        ) from None
    return strategies, arrays

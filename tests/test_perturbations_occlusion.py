"""Occlusion by sliding windows, beside loops over every window."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx

X = np.asarray(jr.normal(jr.key(0), (5, 4, 2)))
WEIGHTS = np.asarray(jr.normal(jr.key(1), X.shape))


def f(x):
    y = (x * jnp.asarray(WEIGHTS, x.dtype)).ravel()
    return jnp.tanh(y.sum()) + (y[1:] * y[:-1]).sum()


def drops_of_windows(x, window, stride):
    """The drop of `f` for each window, and the indices that it covers."""
    starts = [
        range(0, length - side + step, step)
        for length, side, step in zip(x.shape, window, stride)
    ]
    for start in itertools.product(*starts):
        box = tuple(slice(a, a + side) for a, side in zip(start, window))
        without = x.copy()
        without[box] = 0.5
        yield box, float(f(jnp.asarray(x)) - f(jnp.asarray(without)))


@pytest.mark.parametrize(
    ("window", "stride"),
    [((2, 3), (1, 2)), ((3,), (2,)), ((2, 2, 1), (2, 1, 1)), ((5, 4), (1, 1))],
)
def test_an_entry_gets_the_mean_or_the_sum_over_the_windows_that_cover_it(
    window, stride
):
    total, count = np.zeros(X.shape), np.zeros(X.shape)
    for box, drop in drops_of_windows(X, window, stride):
        total[box] += drop
        count[box] += 1
    assert count.min() > 0

    @quick_jit
    def both(x):
        options = {"window": window, "stride": stride, "chunk_size": 4}
        mean = jx.occlusion(f, **options)(x, baseline=0.5)
        return mean, jx.occlusion(f, **options, reduce="sum")(x, baseline=0.5)

    assert_close(both(X), (total / count, total))


def test_one_number_is_a_window_over_all_axes_but_the_channels():
    sizes = [2, (2, 2)]
    both = lambda x: [jx.occlusion(f, window=a)(x, baseline=0.0) for a in sizes]
    assert_close(*quick_jit(both)(X))


def test_windows_of_one_entry_are_the_entries():
    makes = [jx.occlusion(f, window=(1, 1, 1)), jx.occlusion(f)]
    both = lambda x: [explain(x, baseline=0.0) for explain in makes]
    assert_close(*quick_jit(both)(X))


def test_windows_side_by_side_are_patches():
    labels, n = jx.groups.patches((5, 4), size=2)

    @quick_jit
    def both(x):
        drops = jx.occlusion(f, num_groups=n)(x, baseline=0.0, groups=labels)
        return jx.groups.spread(drops, labels), jx.occlusion(f, window=2)(
            x, baseline=0.0
        )

    heatmap, out = both(X)
    assert_close(out, np.repeat(np.asarray(heatmap)[..., None], 2, -1))


def test_a_window_that_is_not_finite_spoils_its_own_entries_alone():
    # Infinite where the last of five entries is absent.
    f = lambda x: x.sum() - jnp.log(x[4])
    explain = quick_jit(jx.occlusion(f, window=2, stride=1))
    out = explain(jnp.ones(5), baseline=0.0)
    assert np.array_equal(np.isfinite(out), [True, True, True, False, False])


def slide(**options):
    explain = lambda x: jx.occlusion(f, **options)(x, baseline=0.0)
    return lambda: jax.eval_shape(explain, X)


@cases(
    too_large=(
        slide(window=(6, 2)),
        ValueError,
        "`window` must fit into `x`, whose leading axes are (5, 4), but is (6, 2). "
        "Take a smaller one.",
    ),
    too_many_axes=(
        slide(window=(2, 2, 2, 2)),
        ValueError,
        "`window` must have at most one number per axis of `x`, which is "
        "float64[5,4,2], but is (2, 2, 2, 2). Leave out the axes that it covers whole, "
        "such as the channels.",
    ),
    gaps=(
        slide(window=2, stride=3),
        ValueError,
        "`stride` must be at most the window, (2, 2), along each of its axes, but is "
        "(3, 3): no window would cover the entries between. Take a smaller one, or "
        "leave it out.",
    ),
    other_axes=(
        slide(window=2, stride=(1,)),
        ValueError,
        "`stride` must be at most the window, (2, 2), along each of its axes, but is "
        "(1,): no window would cover the entries between. Take a smaller one, or leave "
        "it out.",
    ),
    no_side=(
        slide(window=0),
        ValueError,
        "`window` must be at least 1, but is 0.",
    ),
    no_axes=(
        slide(window=()),
        ValueError,
        "`window` must have a number for at least one axis, but is (). Pass one number "
        "for all axes but the channels, for example `window=8`.",
    ),
    stride_alone=(
        slide(stride=2),
        ValueError,
        "`stride` must come with a window, but is 2 alone. Give its sides, for example "
        "`window=8`.",
    ),
    groups=(
        slide(window=2, num_groups=3),
        ValueError,
        "`window` must come without groups, but is 2 with num_groups=3. Leave out one "
        "of the two.",
    ),
    reduce=(
        slide(window=2, reduce="men"),
        ValueError,
        "`reduce` must be one of 'mean', 'sum', but is 'men'. Did you mean 'mean'?",
    ),
)
def test_a_window_that_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)


def test_a_window_lies_on_one_array():
    explain = jx.occlusion(lambda x: x["a"].sum(), window=2)
    check(
        lambda: jax.eval_shape(lambda: explain({"a": jnp.ones(3)}, baseline=0.0)),
        ValueError,
        "`x` must be one array with axes for `window`, but is {'a': 'float64[3]'}. "
        "Bind the other inputs to `f`, or explain groups of features with `num_groups` "
        "and `groups`.",
    )

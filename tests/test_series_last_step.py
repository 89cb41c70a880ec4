"""What a step takes from its own input: the last row of the whole explanation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

import jaxplain as jx
from jaxplain import series

STEPS, LABELS = 5, np.array([0, 1, 1, 0, 1])
X = jnp.asarray(np.sin(1.0 + np.arange(2.0 * STEPS)).reshape(STEPS, 2))
INTO = jnp.asarray(np.cos(np.arange(6.0)).reshape(2, 3))
BACK = jnp.asarray(0.7 * np.cos(2.0 + np.arange(9.0)).reshape(3, 3))
START = jnp.full(3, 0.3)


def step(h, row, scale, label):
    h = jnp.tanh(row @ INTO + h @ BACK)
    return h, scale * h[label] ** 2


make = partial(series.last_step, step, in_axes=(None, 0), steps=4)
explain = quick_jit(partial(make(), carry=START, baseline=-0.2))


def score_at(t, x, scale):
    """The score of step `t`, as a function of the whole series."""
    h = START
    for s in range(t + 1):
        h, score = step(h, x[s], scale, LABELS[s])
    return score


def test_each_step_has_the_last_row_of_its_own_integrated_gradients():
    found = explain(X, 2.0, LABELS)
    for t in (0, STEPS - 1):
        whole = jx.integrated_gradients(partial(score_at, t), steps=4)
        assert_close(found[t], quick_jit(whole)(X, 2.0, baseline=-0.2)[t])


def test_without_memory_the_steps_are_complete():
    forgetful = lambda h, row: (h, row.sum() ** 2)
    explain = quick_jit(series.last_step(forgetful, steps=2))
    phi = explain(X, carry=jnp.zeros(()), baseline=0.5)
    assert_close(phi.sum(1), X.sum(1) ** 2 - 1.0)


@pytest.mark.slow
def test_one_right_node_is_the_input_times_the_gradient():
    one = quick_jit(make(steps=1, rule="riemann_right"))(
        X, 2.0, LABELS, carry=START, baseline=0.0
    )
    gradient = quick_jit(jax.grad(partial(score_at, STEPS - 1)))(X, 2.0)
    assert_close(one[-1], (X * gradient)[-1])


def test_chunks_and_batches_change_nothing():
    expected = explain(X, 2.0, LABELS)
    chunked = quick_jit(make(chunk_size=3))
    assert_close(chunked(X, 2.0, LABELS, carry=START, baseline=-0.2), expected)
    batch = jax.vmap(explain, (0, None, None))(jnp.stack([X, -X]), 2.0, LABELS)
    assert_close(batch[0], expected)


def test_an_input_of_several_arrays_keeps_its_structure_and_dtypes():
    both = lambda h, row: (0.5 * h + row["a"].astype(jnp.float64), h * row["b"].sum())
    x = {"a": X[:, 0].astype(jnp.float32), "b": X}
    explain = quick_jit(series.last_step(both, steps=1))
    phi = explain(x, carry=jnp.ones(()), baseline=0.0)
    assert (phi["a"].dtype, phi["b"].shape) == (jnp.float32, X.shape)
    assert_close(phi["a"], jnp.zeros_like(x["a"]))  # it only counts one step later


def test_a_moving_average_holds_what_there_is_at_the_ends():
    found = series.moving_average(X, radius=1)
    means = [X[max(t - 1, 0) : t + 2].mean(0) for t in range(STEPS)]
    assert_close(found, jnp.stack(means))
    assert_close(series.moving_average(X * 0 + 0.1, radius=2), X * 0 + 0.1)


def test_what_is_not_finite_stays_within_its_windows():
    found = series.moving_average(X.at[0, 0].set(jnp.inf), radius=1)
    assert jnp.isinf(found).tolist() == [[t < 2, False] for t in range(STEPS)]
    assert not jnp.isnan(found).any()


def blurred(x, m, sigma):
    """The equation, entry by entry."""
    out = np.empty_like(x)
    for t, i in np.ndindex(*x.shape):
        width = max(sigma * (1 - m[t, i]), 1e-9)
        weights = np.exp(-((np.arange(len(x)) - t) ** 2) / (2 * width**2))
        out[t, i] = (weights * x[:, i]).sum() / weights.sum()
    return out


def test_what_is_absent_is_blurred_by_its_own_width():
    m = np.linspace(0, 1, X.size).reshape(X.shape)
    weights = np.arange(1.0, 1 + X.size).reshape(X.shape)
    g = jax.jit(series.unfocused(lambda x, w: (x * w).sum(), sigma=3.0))
    assert_close(g(m, X, weights), (blurred(np.asarray(X), m, 3.0) * weights).sum())
    steps = np.repeat(m[:, :1], 2, 1)
    assert_close(g(steps, X, weights), g(m[:, 0], X, weights))  # one per step


def test_what_is_present_is_exactly_what_it_was():
    g = quick_jit(series.unfocused(lambda x: x[2, 1], sigma=1e6))
    assert g(jnp.ones(STEPS), X) == X[2, 1]
    assert_close(g(jnp.zeros(STEPS), X), X[:, 1].mean(), tol=1e-9)  # flat to 1e-11


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_dtype_is_kept(dtype):
    x = X.astype(dtype)
    average = lambda x: series.moving_average(x, radius=1)
    g = partial(series.unfocused(jnp.sum, sigma=1.0), jnp.zeros(STEPS))
    assert [jax.eval_shape(h, x).dtype for h in (average, g)] == [dtype, dtype]


@cases(
    carry=(
        lambda: make()(X, 2.0, LABELS, baseline=0.0),
        TypeError,
        "`carry` is missing: pass the state before the first step, for example "
        "`carry=jax.numpy.zeros(hidden)`.",
    ),
    baseline=(
        lambda: make()(X, 2.0, LABELS, carry=START),
        TypeError,
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`.",
    ),
    axes=(
        lambda: make(in_axes=(0,))(X, 2.0, LABELS, carry=START, baseline=0.0),
        ValueError,
        "`in_axes` must hold 0 or None for each argument of `step` after the step of "
        "the series, of which there are 2, but is (0,). Write 0 for those with time "
        "on their first axis, such as labels.",
    ),
    steps=(
        lambda: make()(X, 2.0, LABELS[:3], carry=START, baseline=0.0),
        ValueError,
        "an argument that `in_axes` maps over time must have 5 steps, as the series "
        "has, but is int64[3]. Write None for what all steps share.",
    ),
    two=(
        lambda: series.last_step(lambda h, row: h)(X, carry=0.0, baseline=0.0),
        ValueError,
        "`step` must return two things, the next carry and a score, as for "
        "`jax.lax.scan`, but returned float64[].",
    ),
    score=(
        lambda: series.last_step(lambda h, row: (h, row))(X, carry=0.0, baseline=0.0),
        ValueError,
        "`step` must return a floating-point scalar as the score of a step, but "
        "returned float64[2]. Select one output, for example `logits[label]`.",
    ),
    shape=(
        lambda: series.last_step(lambda h, row: (row, h))(X, carry=0.0, baseline=0.0),
        ValueError,
        "`step` must return a carry like the one it takes, float64[], but returned "
        "float64[2]. Pass `carry` in the shapes that the cell keeps.",
    ),
    present=(
        lambda: series.unfocused(jnp.sum, sigma=1.0)(jnp.ones(2), X),
        ValueError,
        "`present` must have the shape of the series, (5, 2), or of its leading axes, "
        "but has shape (2,). Pass `jax.numpy.ones((5, 2))` for the whole of it.",
    ),
    tree=(
        lambda: series.moving_average({"a": X}, radius=1),
        TypeError,
        "`x` must be one array, but is PyTreeDef({'a': *}). Take its arrays one by "
        "one, for example with `jax.tree.map`.",
    ),
)
def test_what_cannot_unfold_in_time_is_an_error(call, error, message):
    check(call, error, message)

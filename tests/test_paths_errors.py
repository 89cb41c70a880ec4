"""Errors of paths, word for word."""

import jax.numpy as jnp
import jax.random as jr
import pytest
from raising import cases, check

import jaxplain as jx

paths = jx.paths
X = jnp.ones(3)
f = lambda x: x.sum()


def straight(t, x, baseline):
    return x


@cases(
    rtol=(
        lambda: paths.adaptive_ig(f, rtol=0.1),
        ValueError,
        "`rtol` must be at most 0.01, but is 0.1: the first nodes would step over "
        "sharp changes of `f` unseen. For a rougher and cheaper answer, take "
        "`integrated_gradients` with few `steps`.",
    ),
    no_rtol=(
        lambda: paths.adaptive_fit(f, rtol=0),
        ValueError,
        "`rtol` must be a positive number, but is 0.",
    ),
    max_nodes=(
        lambda: paths.adaptive_ig(f, max_nodes=16),
        ValueError,
        "`max_nodes` must be at least 17, but is 16.",
    ),
    batch=(
        lambda: paths.adaptive_ig(f, batch=17),
        ValueError,
        "`batch` must be at most 16, but is 17. Take a smaller one: the first nodes "
        "leave 16 panels to halve.",
    ),
    fraction=(
        lambda: paths.guided_ig(f, fraction=1.5),
        ValueError,
        "`fraction` must be at most 1, but is 1.5. It is a share of the whole.",
    ),
    max_dist=(
        lambda: paths.guided_ig(f, max_dist=-0.1),
        ValueError,
        "`max_dist` must be a non-negative number, but is -0.1.",
    ),
    max_sigma=(
        lambda: paths.blur_ig(f, max_sigma=0),
        ValueError,
        "`max_sigma` must be a positive number, but is 0.",
    ),
    blur=(
        lambda: paths.blur(X, sigma=1.0),
        ValueError,
        "`x` must have channels last and at least one axis to blur, but is float64[3]. "
        "Add an axis: `f` of `x[..., None]`.",
    ),
    sigma_sign=(
        lambda: paths.blur(X[:, None], sigma=-1.0),
        ValueError,
        "`sigma` must not be negative, but is -1.0. Pass a standard deviation in "
        "pixels or time steps, or 0 for no blur.",
    ),
    sigma_shape=(
        lambda: paths.blur(X[:, None], sigma=jnp.ones(3)),
        ValueError,
        "`sigma` must be a scalar, but has shape (3,). Blur once for each, for example "
        "under `jax.vmap`.",
    ),
    point=(
        lambda: paths.along(f, lambda t, x, b: x[:2])(X, baseline=0.0),
        ValueError,
        "`path` must return a point like `x`, float64[3], but returned float64[2]. "
        "Write it as `path(t, x, baseline)`, where `t` is a number from 0 to 1.",
    ),
    steps=(
        lambda: paths.integrated_hessians(f, steps=0),
        ValueError,
        "`steps` must be at least 1, but is 0.",
    ),
    steps_of_a_list=(
        lambda: paths.interactions_with(f, steps=[8]),
        TypeError,
        "`steps` must be a Python int, but is list ([8]). It sets the size of the "
        "program, so it cannot be traced.",
    ),
    one_array=(
        lambda: paths.integrated_hessians(lambda x: x[0].sum())((X,), baseline=0.0),
        TypeError,
        "`x` must be one array, for an answer with two of its shapes, but is "
        "PyTreeDef((*,)). Join its leaves with `jax.flatten_util.ravel_pytree`, or "
        "take `interactions_with`.",
    ),
    mask=(
        lambda: paths.interactions_with(f)(X, baseline=0.0),
        TypeError,
        "`mask` is missing: say which features to pair with, for example "
        "`mask=jax.numpy.zeros_like(x).at[0].set(1)`.",
    ),
    mask_shape=(
        lambda: paths.interactions_with(f)(X, baseline=0.0, mask=jnp.ones(2)),
        ValueError,
        "`mask` must broadcast to `x`, float64[3], but is float64[2]. Pass an array of "
        "the shape of `x`, or a number for the whole of a leaf.",
    ),
    stack=(
        lambda: paths.expected_gradients(f, num_samples=2)(
            X, baseline=0.0, key=jr.key(0)
        ),
        ValueError,
        "`baseline` must be a stack, with one baseline per entry of the first axis of "
        "every leaf, but has shapes [()]. Stack the baselines with `jax.numpy.stack`, "
        "or leave `expected` out for a single one.",
    ),
    key=(
        lambda: paths.expected_gradients(f, num_samples=2)(X, baseline=X[:, None]),
        TypeError,
        "`key` is missing: expected_gradients draws random samples. Pass one, for "
        "example `key=jax.random.key(0)`.",
    ),
)
def test_an_error_says_what_was_expected_what_came_and_what_to_do(call, error, message):
    check(call, error, message)


@pytest.mark.parametrize(
    "explain",
    [
        paths.adaptive_ig(f),
        paths.adaptive_fit(f),
        paths.along(f, straight),
        paths.guided_ig(f),
        paths.integrated_hessians(f),
        paths.interactions_with(f),
    ],
)
def test_a_baseline_is_required(explain):
    message = (
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`."
    )
    check(lambda: explain(X), TypeError, message)

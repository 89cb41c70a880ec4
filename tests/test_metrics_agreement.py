"""Do two explanations agree: beside SciPy and scikit-image."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from scipy.stats import kendalltau, pearsonr, spearmanr
from skimage.metrics import structural_similarity

from jaxplain import metrics

ALL = {
    "rank": metrics.rank_correlation,
    "rank_of_sizes": partial(metrics.rank_correlation, absolute=True),
    "kendall": partial(metrics.kendall, chunk_size=5),
    "pearson": metrics.pearson,
    "cosine": metrics.cosine,
    "top": partial(metrics.top_k, k=4),
    "top_of_sizes": partial(metrics.top_k, k=4, absolute=True),
}


@quick_jit
@jax.vmap
def agreement(a, b):
    return {name: measure(a, b) for name, measure in ALL.items()}


RNG = np.random.default_rng(1)
A, B = RNG.normal(size=(2, 6, 12))
A[3:], B[3:] = np.rint(2 * A[3:]), np.rint(2 * B[3:])  # with ties


@functools.cache
def ours():
    return agreement(A, B)


def each(oracle, change=lambda v: v):
    return np.array([oracle(change(a), change(b)) for a, b in zip(A, B)], float)


def test_correlations_are_those_of_scipy():
    assert_close(ours()["rank"], each(lambda a, b: spearmanr(a, b)[0]))
    assert_close(ours()["rank_of_sizes"], each(lambda a, b: spearmanr(a, b)[0], np.abs))
    assert_close(ours()["kendall"], each(lambda a, b: kendalltau(a, b)[0]))
    assert_close(ours()["pearson"], each(lambda a, b: pearsonr(a, b)[0]))


def test_the_cosine_is_that_of_unit_vectors():
    unit = lambda v: v / np.linalg.norm(v)
    assert_close(ours()["cosine"], each(np.dot, unit))


def test_common_top_features_are_counted():
    def common(a, b):
        return len({*np.argsort(-a)[:4]} & {*np.argsort(-b)[:4]}) / 4

    untied = slice(0, 3)
    assert_close(ours()["top"][untied], each(common)[untied])
    assert_close(ours()["top_of_sizes"][untied], each(common, np.abs)[untied])


def test_an_explanation_agrees_with_itself_whatever_its_scale():
    for scale in (1.0, 1e-200):  # squares of which underflow
        same = agreement(scale * A, A)
        assert_close(same, {name: np.ones(6) for name in ALL})


def test_the_order_of_the_input_does_not_matter():
    order = RNG.permutation(12)
    assert_close(agreement(A[:, order], B[:, order]), ours())


def test_ranks_survive_a_monotone_change_and_correlations_a_linear_one():
    bent = agreement(np.exp(A), B)
    for name in ("rank", "kendall", "top"):
        assert_close(bent[name], ours()[name])
    assert_close(agreement(3 * A - 5, B)["pearson"], ours()["pearson"])


def test_a_constant_map_has_no_correlation_and_nan_is_never_ranked():
    # A mean of these is not exactly what they are: rounding must not correlate.
    flat = agreement(np.full_like(A, 0.1), B)
    for name in ("rank", "kendall", "pearson"):
        assert np.isnan(flat[name]).all()
    poisoned = agreement(A, np.where(np.arange(12) == 5, np.nan, B))
    assert all(np.isnan(value).all() for value in poisoned.values())


def test_infinite_values_have_a_place_in_the_order():
    found = agreement(np.where(A.max(1, keepdims=True) == A, np.inf, A), B)
    for name in ("rank", "kendall"):
        assert_close(found[name], ours()[name])


def test_kendalls_tau_is_at_most_one():
    # Of 7 untied entries 6 in 7 pairs count, and rounding the roots of it exceeds 1.
    seven = jnp.arange(7, dtype=jnp.float32)
    assert metrics.kendall(seven, seven) <= 1


def test_two_maps_of_zeros_have_the_same_top():
    assert_close(agreement(0 * A, 0 * A)["top"], np.ones(6))


@partial(quick_jit, static_argnames=("options",))
def similarity(a, b, options=()):
    return metrics.ssim(a, b, **dict(options))


MAP, OTHER = RNG.random((2, 16, 14, 2))


def theirs(a, b, **options):
    return structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, **options
    )


def test_structural_similarity_is_that_of_scikit_image():
    both = np.stack([MAP, OTHER])
    span = both.max() - both.min()
    ours = similarity(MAP, OTHER)
    for scale in (1e-200, 1e200):  # squares of which underflow, or overflow
        assert_close(similarity(scale * MAP, scale * OTHER), ours)
    assert_close(ours, theirs(MAP, OTHER, data_range=span, channel_axis=-1))
    one = similarity(MAP[..., 0], OTHER[..., 0], (("data_range", 2.0),))
    assert_close(one, theirs(MAP[..., 0], OTHER[..., 0], data_range=2.0))


@pytest.mark.slow
def test_structural_similarity_is_one_for_equal_maps_and_can_forget_the_scale():
    options = (("normalise", True),)
    assert_close(similarity(MAP, MAP / 7, options), 1.0)
    assert similarity(MAP, MAP / 7) < 0.5
    assert np.isnan(similarity(MAP, np.where(MAP.max() == MAP, np.nan, MAP)))


def test_maps_that_do_not_fit_are_refused():
    a = jnp.ones((4, 5))
    for measure in (metrics.rank_correlation, metrics.kendall, metrics.cosine):
        with pytest.raises(ValueError, match="to compare must have the same shapes"):
            measure(a, a.T)
    with pytest.raises(ValueError, match="same shapes, but are"):
        metrics.pearson({"a": a}, a)
    with pytest.raises(ValueError, match="`k` must be at most the number of features"):
        metrics.top_k(a, a, k=21)
    with pytest.raises(ValueError, match="the window is 11"):
        metrics.ssim(a, a)
    with pytest.raises(ValueError, match="least as large as an odd window"):
        metrics.ssim(jnp.ones((20, 20)), jnp.ones((20, 20)), window=4)
    with pytest.raises(ValueError, match="must have at least one entry"):
        metrics.cosine(jnp.ones(0), jnp.ones(0))
    with pytest.raises(TypeError, match="must hold real numbers"):
        metrics.cosine(jnp.ones(2, complex), jnp.ones(2, complex))

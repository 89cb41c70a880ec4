"""Coalitions: occlusion, Shapley values and LIME, as a user would ask for them."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from tiny_models import multi_input, multi_layer

import jaxplain as jx
from jaxplain import coalitions, surrogates

KEY = jax.random.key(0)  # every design here is exhaustive: no random number is used


def f(x):
    return multi_layer(x)[0]


def g(xs):
    return multi_input(xs, 1.0)[0]


x = jnp.array([20.0, 50.0, 30.0])
small = jnp.array([2.0, 10.0, 3.0])
pair = np.array([0, 0, 1])  # the first two inputs stand or fall together
three_inputs = (x, jnp.array([0.0, 100.0, 0.0]), small)
three_labels = (np.array([0, 1, 0]), np.array([0, 1, 2]), np.array([0, 0, 0]))
other_inputs = (jnp.array([23.0, 100.0, 0.0]), x, jnp.array([0.0, 100.0, 10.0]))
other_labels = (np.array([1, 1, 1]), np.array([0, 1, 2]), np.array([0, 1, 2]))


# Occlusion.


spots = jnp.zeros((5, 5)).at[1, 1].set(1.0).at[3, 3].set(1.0)


# Shapley values.


def shapley(f, x, groups=None, num_groups=None):
    explain = jx.kernel_shap(f, num_groups=num_groups)
    return explain(x, baseline=0.0, key=KEY, groups=groups)


def dummy_game(x):
    return x.mean() + x[1] * x[2]


def of_both_outputs():
    output = lambda x, label: multi_layer(x)[label]
    values = jax.vmap(
        partial(jx.kernel_shap(output), baseline=0.0, key=KEY), (None, 0)
    )(x, jnp.arange(2))
    return values.T


def by_player(values):
    return {f"({i},)": value for i, value in enumerate(values)}


def interactions(make, f, x):
    return make(f)(x, baseline=0.0, key=KEY)


def by_pair(values, pairs):
    i, j = np.triu_indices(len(values), 1)
    names = map(str, zip(i.tolist(), j.tolist()))
    return by_player(values) | dict(zip(names, pairs[i, j]))


def shapley_of_pairs():
    """The source gives single players their whole values."""
    pairs = interactions(jx.shapley_interactions, f, x).pairs
    return by_pair(jx.shapley_values(f)(x, baseline=0.0), pairs)


def faith_of_pairs():
    found = interactions(jx.faith_shap, f, x)
    return by_pair(found.main, found.pairs)


def dummy_interactions():
    found = interactions(jx.shapley_interactions, dummy_game, jnp.ones(7))
    return jnp.stack([found.pairs[1, 2], found.pairs[0, 3], found.main[1]])


# LIME.


def least_squares(f, x, groups, num_groups):
    """The linear model of all coalitions, equally weighted: the width is infinite."""
    v = jx.game(f, x, baseline=0.0, groups=groups)
    return surrogates.regress(
        v,
        coalitions.exhaustive(num_groups),
        num_groups,
        num_samples=2**num_groups,
        width=1e9,
        ridge=0.0,
    )


def lasso(f, x, groups, num_groups):
    """Lasso with alpha = 1: on an orthogonal design it shrinks by alpha / 0.25."""
    phi = least_squares(f, x, groups, num_groups).weights
    return jnp.sign(phi) * jax.nn.relu(jnp.abs(phi) - 1.0 / 0.25)


def kernel_weights(design, num_groups, num_samples, width):
    """The weight of each coalition, read from means of indicators.

    With an immense penalty nothing but the intercept is left: a weighted mean.
    """
    masks = jax.vmap(design)(jnp.arange(num_samples))

    def weighted_mean(mask):
        indicator = lambda m: (m == mask).all().astype(float)
        return surrogates.regress(
            indicator,
            design,
            num_groups,
            num_samples=num_samples,
            width=width,
            ridge=1e30,
        ).intercept

    return jax.vmap(weighted_mean)(masks)


def table(rows):
    rows = jnp.asarray(rows, bool)
    return lambda i: rows[i]


# The order of the source, whose weights we compare one by one.
LIME_ROWS = np.array([[1, 1, 1], *itertools.product([0, 1], repeat=3)][:-1])


def lime_base(chosen=(0, 1, 2), **selection):
    design = table(LIME_ROWS)
    v = jx.game(f, x, baseline=0.0, groups=np.arange(3))
    fit = surrogates.regress(v, design, 3, num_samples=8, **selection)
    chosen = jnp.array(chosen)
    weights = kernel_weights(design, 3, 8, width=0.25)
    weights = weights / weights[0]
    return {
        "intercept": fit.intercept,
        "coef": jnp.stack([chosen.astype(float), fit.weights[chosen]], 1),
        "score": fit.r2,
        "local_pred": (fit.intercept + fit.weights.sum())[None],
        "weights": weights,
        "distances": jnp.sqrt(-2 * 0.25**2 * jnp.log(weights)),
    }


def lime_image():
    picture = jnp.arange(48.0).reshape(4, 4, 3) / 48
    labels, n = jx.groups.patches((4, 4), size=2)

    def probability(picture):
        means = picture.reshape(2, 2, 2, 2, 3).mean((1, 3, 4)).ravel()
        return jax.nn.sigmoid(jnp.array([1.0, -2.0, 3.0, 0.5]) @ means)

    random = np.random.RandomState(0)
    random.randint(0, 1000)  # the source seeds its segmentation first
    masks = random.randint(0, 2, 50 * n).reshape(50, n)
    masks[0] = 1
    v = jx.game(probability, picture, baseline=0.0, groups=labels)
    fit = surrogates.regress(v, table(masks), n, num_samples=50)
    order = jnp.argsort(-jnp.abs(fit.weights))
    return {
        "local_exp": jnp.stack([order.astype(float), fit.weights[order]], 1),
        "intercept": fit.intercept,
        "score": fit.r2,
        "local_pred": (fit.intercept + fit.weights.sum())[None],
        "mask_first5": masks[:5],
    }


def cosine_kernel(width):
    """Distances between inputs: one player for each unit of (20, 50, 30)^2 / 100."""
    copies = np.array([4, 25, 9])
    kept = [[1, 1, 1], [0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]]
    # Each row eight times: a regression wants more rows than its 38 players.
    rows = np.tile(np.repeat(kept, copies, axis=1), (8, 1))
    weights = kernel_weights(table(rows), int(copies.sum()), len(rows), width)
    return weights[1:5] / weights[0]


RECIPES = {
    "ABL-1": lambda: jx.occlusion(f)(x, baseline=0.0),
    "ABL-2": lambda: jx.occlusion(f, num_groups=2)(x, baseline=0.0, groups=pair),
    "ABL-4": lambda: jx.occlusion(f)(small, baseline=0.0),
    "OCC-1": lambda: jx.occlusion(f, window=2, stride=1)(x, baseline=10.0),
    "OCC-2": lambda: jx.occlusion(f, window=2)(x, baseline=0.0),
    "OCC-4": lambda: jx.occlusion(
        lambda x: 3.0 * x.sum(), window=(3, 3), stride=1, reduce="sum"
    )(spots, baseline=0.0),
    "SHAP-1": lambda: shapley(f, x),
    "SHAP-2": lambda: shapley(f, x, pair, 2),
    "SHAP-4": lambda: shapley(f, small),
    "SHAP-5": lambda: shapley(g, three_inputs, three_labels, 3),
    "SHAP-7": lambda: shapley(g, other_inputs, other_labels, 3),
    "SHAP-8": lambda: shapley(lambda x: multi_layer(x).sum(), small, pair, 2),
    "SHAP-10": lambda: shapley(dummy_game, jnp.ones(7)),
    "SII-1": dummy_interactions,
    "LIME-1": lambda: lasso(f, x, np.arange(3), 3),
    "LIME-2": lambda: lasso(f, x, pair, 2),
    "LIME-4": lambda: lasso(f, jnp.array([10.0, 14.0, 4.0]), np.arange(3), 3),
    "LIME-5": lambda: lasso(g, three_inputs, three_labels, 3),
    "O-LIME-0.25-none-3": lime_base,
    "O-LIME-0.25-highest_weights-3": lime_base,
    "O-LIME-0.25-highest_weights-2": partial(lime_base, (1, 2), num_features=2),
    "O-LIME-0.25-lasso_path-2": partial(
        lime_base, (1, 2), num_features=2, selection="lasso_path"
    ),
    "O-LIMEIMG": lime_image,
    "O-SHAPK-0": of_both_outputs,
    "O-SIQ-BV": lambda: by_player(jx.banzhaf_values(f)(x, baseline=0.0)),
    "O-SIQ-SII": shapley_of_pairs,
    "O-SIQ-FSII": faith_of_pairs,
    "O-KERN-cosine-1.0": lambda: cosine_kernel(1.0),
    "O-KERN-cosine-10.0": lambda: cosine_kernel(10.0),
}

"""What the `lime` package does, written a second time, slowly, in NumPy."""

import itertools

import numpy as np


def least_squares(masks, values, weights, ridge=0.0):
    """Intercept, weights and score of a weighted ridge regression."""
    mean = weights @ masks / weights.sum()
    z, y = masks - mean, values - weights @ values / weights.sum()
    gram = (z * weights[:, None]).T @ z + ridge * np.eye(masks.shape[1])
    beta = np.linalg.lstsq(gram, (z * weights[:, None]).T @ y, rcond=None)[0]
    unexplained = weights @ (y - z @ beta) ** 2
    return values @ weights / weights.sum() - mean @ beta, beta, unexplained


def highest_weights(masks, values, weights, number):
    beta = least_squares(masks, values, weights, 0.01)[1]
    return sorted(np.argsort(-abs(beta), kind="stable")[:number])


def forward(masks, values, weights, number):
    """Refit with every candidate, and keep the best."""
    chosen = []
    for _ in range(number):
        left = [j for j in range(masks.shape[1]) if j not in chosen]
        loss = [least_squares(masks[:, [*chosen, j]], values, weights)[2] for j in left]
        chosen.append(left[int(np.argmin(loss))])
    return sorted(chosen)


def lasso_path(masks, values, weights, number):
    """The smallest penalty of a fine grid whose lasso has so few features.

    By coordinate descent, from large penalties to small ones.
    """
    z = masks - weights @ masks / weights.sum()
    y = values - weights @ values / weights.sum()
    gram, moment = (z * weights[:, None]).T @ z, (z * weights[:, None]).T @ y
    beta, best = np.zeros(masks.shape[1]), []
    for penalty in abs(moment).max() * np.geomspace(1, 1e-3, 700):
        for _, j in itertools.product(range(10), range(len(beta))):
            rest = moment[j] - gram[j] @ beta + gram[j, j] * beta[j]
            beta[j] = np.sign(rest) * max(abs(rest) - penalty, 0) / gram[j, j]
        if 0 < np.count_nonzero(beta) <= number:
            best = sorted(np.flatnonzero(beta))
    return best


def tabular_limit(play, num_groups, width):
    """Notes on Garreau and von Luxburg (2020): E[f | z_j = 1] - E[f | z_j = 0].

    The Euclidean kernel is a product over features, so under the weighted law they are
    independent, and each is present with probability `q`.
    """
    q = 1 / (1 + np.exp(-1 / (2 * width**2)))
    effect = np.zeros(num_groups)
    for mask in itertools.product([0, 1], repeat=num_groups):
        mask = np.array(mask)
        for j in range(num_groups):
            others = np.delete(mask, j)
            chance = np.prod(np.where(others == 1, q, 1 - q))
            effect[j] += (1 if mask[j] else -1) * chance * play(mask.astype(bool))
    return effect

"""Slow transcriptions of the papers, in NumPy: loops over what they sum over.

Nothing here knows of JAX. `f` and `v` are called as they are, one input at a time.
"""

import itertools
import math

import numpy as np

# Games.


def play(f, x, baseline, groups, mask):
    """`f` where the groups out of the mask are at the baseline, entry by entry."""
    z = np.array(baseline, float)
    for index in np.ndindex(x.shape):
        if mask[groups[index]]:
            z[index] = x[index]
    return float(f(z))


def occlusion(f, x, baseline, groups, num_groups):
    """Zeiler and Fergus (2014), section 4.2: what `f` loses without each group."""
    everyone = np.ones(num_groups, bool)
    drops = np.zeros(num_groups)
    for i in range(num_groups):
        without = everyone.copy()
        without[i] = False
        drops[i] = play(f, x, baseline, groups, everyone) - play(
            f, x, baseline, groups, without
        )
    return drops


def subsets(players):
    for size in range(len(players) + 1):
        yield from itertools.combinations(players, size)


def mask_of(subset, num_players):
    mask = np.zeros(num_players, bool)
    mask[list(subset)] = True
    return mask


def shapley_by_subsets(v, n):
    """Shapley (1953): marginal contributions, weighed by |S|! (n - |S| - 1)! / n!."""
    phi = np.zeros(n)
    for i in range(n):
        for subset in subsets([j for j in range(n) if j != i]):
            s = len(subset)
            weight = math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n)
            gain = v(mask_of((*subset, i), n)) - v(mask_of(subset, n))
            phi[i] += weight * gain
    return phi


def shapley_by_permutations(v, n):
    """The mean of what each player adds, over every order of arrival."""
    phi = np.zeros(n)
    for order in itertools.permutations(range(n)):
        mask = np.zeros(n, bool)
        for i in order:
            before = v(mask)
            mask[i] = True
            phi[i] += v(mask) - before
    return phi / math.factorial(n)


def shapley_kernel(n, s):
    """Lundberg and Lee (2017), theorem 2."""
    return (n - 1) / (math.comb(n, s) * s * (n - s))


def constrained_least_squares(v, masks, weights):
    """Covert and Lee (2021), equation 7: least squares that sum to v(N) - v(0).

    Solved by the Karush-Kuhn-Tucker equations, with a multiplier for the constraint.
    """
    n = len(masks[0])
    empty, full = v(np.zeros(n, bool)), v(np.ones(n, bool))
    system, right = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for mask, weight in zip(masks, weights, strict=True):
        z = np.array(mask, float)
        system[:n, :n] += weight * np.outer(z, z)
        right[:n] += weight * z * (v(mask) - empty)
    system[:n, n] = system[n, :n] = 1.0
    right[n] = full - empty
    return np.linalg.solve(system, right)[:n]


# Surrogates.


def lime_kernel(mask, width):
    """Ribeiro et al. (2016), section 3.4: exp(-D^2 / (2 width^2)), D the cosine's."""
    ones = np.ones(len(mask))
    norms = np.linalg.norm(mask) * np.linalg.norm(ones)
    cosine = float(np.dot(mask, ones) / norms) if norms > 0 else 0.0
    return math.exp(-((1 - cosine) ** 2) / (2 * width**2))


def weighted_ridge(masks, values, weights, ridge):
    """Intercept and weights, by normal equations with a column of ones.

    The intercept is not penalised.
    """
    n = len(masks[0])
    gram, moment = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for mask, value, weight in zip(masks, values, weights, strict=True):
        row = np.concatenate([[1.0], mask])
        gram += weight * np.outer(row, row)
        moment += weight * row * value
    gram[1:, 1:] += ridge * np.eye(n)
    solution = np.linalg.solve(gram, moment)
    return solution[0], solution[1:], gram


def hc3(masks, values, weights, ridge):
    """MacKinnon and White (1985): the sandwich of residuals over 1 - leverage."""
    intercept, slope, gram = weighted_ridge(masks, values, weights, ridge)
    inverse = np.linalg.inv(gram)
    meat = np.zeros_like(gram)
    for mask, value, weight in zip(masks, values, weights, strict=True):
        row = np.concatenate([[1.0], mask])
        leverage = weight * (row @ inverse @ row)
        residual = value - intercept - mask @ slope
        score = weight * residual / (1 - leverage) * row
        meat += np.outer(score, score)
    return np.sqrt(np.diag(inverse @ meat @ inverse))[1:]


def jackknife(masks, values, weights, ridge):
    """The same, without its formula: refit with each coalition left out."""
    _, slope, _ = weighted_ridge(masks, values, weights, ridge)
    squares = np.zeros_like(slope)
    for i in range(len(masks)):
        kept = [j for j in range(len(masks)) if j != i]
        _, without, _ = weighted_ridge(masks[kept], values[kept], weights[kept], ridge)
        squares += (without - slope) ** 2
    return np.sqrt(squares)


def weighted_r2(masks, values, weights, intercept, slope):
    """The share of the weighted variance that a linear model explains."""
    total = mean = 0.0
    for value, weight in zip(values, weights, strict=True):
        total += weight
        mean += weight * value
    mean /= total
    unexplained = variance = 0.0
    for mask, value, weight in zip(masks, values, weights, strict=True):
        unexplained += weight * (value - intercept - mask @ slope) ** 2
        variance += weight * (value - mean) ** 2
    return 1 - unexplained / variance


# Gradients.


def integrated_gradients(gradient, x, baseline, steps):
    """Sundararajan et al. (2017), equation 1, by the midpoint rule."""
    total = np.zeros_like(x)
    for k in range(steps):
        t = (k + 0.5) / steps
        total += gradient(baseline + t * (x - baseline))
    return (x - baseline) * total / steps


def expected_gradients(gradient, x, baselines, steps):
    """Erion et al. (2021), section 2.2: the mean over the baselines."""
    total = np.zeros_like(x)
    for baseline in baselines:
        total += integrated_gradients(gradient, x, baseline, steps)
    return total / len(baselines)


def rise(f, x, baseline, masks):
    """Petsiuk et al. (2018), equation 3, without the division by the mean mask."""
    total = np.zeros_like(x)
    for mask in masks:
        value = f(np.where(mask, x, baseline))
        for index in np.ndindex(x.shape):
            if mask[index]:
                total[index] += value
    return total / len(masks)


# Maps.


def grad_cam(features, gradient):
    """Selvaraju et al. (2017), equations 1 and 2, before the ReLU."""
    height, width, channels = features.shape
    heatmap = np.zeros((height, width))
    for k in range(channels):
        alpha = 0.0
        for i in range(height):
            for j in range(width):
                alpha += gradient[i, j, k] / (height * width)
        for i in range(height):
            for j in range(width):
                heatmap[i, j] += alpha * features[i, j, k]
    return heatmap


def upsample(heatmap, shape):
    """Bilinear, between pixel centres at half integers; constant beyond the last."""
    out = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            y = (i + 0.5) * heatmap.shape[0] / shape[0] - 0.5
            x = (j + 0.5) * heatmap.shape[1] / shape[1] - 0.5
            y = min(max(y, 0.0), heatmap.shape[0] - 1.0)
            x = min(max(x, 0.0), heatmap.shape[1] - 1.0)
            top, left = int(y), int(x)
            down = min(top + 1, heatmap.shape[0] - 1)
            right = min(left + 1, heatmap.shape[1] - 1)
            upper = (1 - (x - left)) * heatmap[top, left]
            upper += (x - left) * heatmap[top, right]
            lower = (1 - (x - left)) * heatmap[down, left]
            lower += (x - left) * heatmap[down, right]
            out[i, j] = (1 - (y - top)) * upper + (y - top) * lower
    return out


# Metrics.


def curve(f, x, baseline, attribution, steps, *, insert):
    """Petsiuk et al. (2018), section 4.3: the values, and their area by trapezoids."""
    flat = attribution.ravel()
    order = sorted(range(flat.size), key=lambda i: (-flat[i], i))
    values = []
    for k in range(steps + 1):
        z = np.array(baseline if insert else x, float).ravel()
        for i in order[: round(k * flat.size / steps)]:
            z[i] = x.ravel()[i] if insert else np.ravel(baseline)[i]
        values.append(float(f(z.reshape(x.shape))))
    area = sum((values[k] + values[k + 1]) / 2 for k in range(steps)) / steps
    return np.array(values), area

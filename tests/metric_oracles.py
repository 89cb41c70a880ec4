"""Slow transcriptions of the papers on metrics, in NumPy, loops and all."""

import numpy as np


def without(x, b, gone):
    """The input with the features of a set at the baseline."""
    z = np.array(x, float).ravel()
    for i in gone:
        z[i] = np.ravel(b)[i]
    return z.reshape(np.shape(x))


def first(attribution, count):
    """The `count` highest; equal ones in the order of the input."""
    flat = np.ravel(attribution)
    return sorted(range(flat.size), key=lambda i: (-flat[i], i))[:count]


def aopc(f, x, b, attribution, num_removed):
    """Samek et al. (2017), equation 12, for one input."""
    drops = [
        f(x) - f(without(x, b, first(attribution, k))) for k in range(num_removed + 1)
    ]
    return sum(drops) / (num_removed + 1)


def comprehensiveness(f, x, b, attribution, counts):
    """DeYoung et al. (2020), section 4.2, averaged over the bins."""
    drops = [f(x) - f(without(x, b, first(attribution, k))) for k in counts]
    return sum(drops) / len(counts)


def sufficiency(f, x, b, attribution, counts):
    """DeYoung et al. (2020), section 4.2: all but the highest are gone."""
    rest = lambda k: set(range(np.size(x))) - set(first(attribution, k))
    drops = [f(x) - f(without(x, b, rest(k))) for k in counts]
    return sum(drops) / len(counts)


def infidelity(f, x, attribution, moves, *, normalise=False):
    """Yeh et al. (2019), equation 1, over pairs of a change and a changed input."""
    claims = np.array([np.sum(change * attribution) for _, change in moves])
    drops = np.array([f(x) - f(np.asarray(there)) for there, _ in moves])
    if normalise:
        claims = claims * np.mean(claims * drops) / np.mean(claims**2)
    return np.mean((claims - drops) ** 2)


def correlation(a, b):
    a, b = np.ravel(a) - np.mean(a), np.ravel(b) - np.mean(b)
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def drops(f, x, b):
    """What is lost without each feature alone."""
    return np.array([f(x) - f(without(x, b, [i])) for i in range(np.size(x))])


def faithfulness_correlation(f, x, b, attribution, subsets):
    """Bhatt et al. (2020), definition 3."""
    sums = [sum(np.ravel(attribution)[i] for i in s) for s in subsets]
    return correlation(sums, [f(x) - f(without(x, b, s)) for s in subsets])


def noisy_linear(image, present):
    """Rong et al. (2022): one equation for each absent pixel, solved densely."""
    height, width, channels = image.shape
    weights = {
        (i, j): 1 / 6 if 0 in (i, j) else 1 / 12
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    }
    absent = [tuple(pixel) for pixel in np.argwhere(~present)]
    system, right = np.zeros((len(absent),) * 2), np.zeros((len(absent), channels))
    for row, (i, j) in enumerate(absent):
        for (di, dj), weight in weights.items():
            near = (i + di, j + dj)
            if not (0 <= near[0] < height and 0 <= near[1] < width):
                continue
            system[row, row] += weight
            if present[near]:
                right[row] += weight * image[near]
            else:
                system[row, absent.index(near)] -= weight
    filled = image.copy()
    for pixel, value in zip(absent, np.linalg.solve(system, right)):
        filled[pixel] = value
    return filled

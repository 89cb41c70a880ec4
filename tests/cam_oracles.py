"""Slow transcriptions of the papers on class activation maps, in NumPy.

Features and gradients have channels last. Nothing here knows of JAX.
"""

import numpy as np


def _weighed(features, weights):
    heatmap = np.zeros(features.shape[:-1])
    for position in np.ndindex(heatmap.shape):
        for k, weight in enumerate(weights):
            heatmap[position] += weight * features[(*position, k)]
    return heatmap


def grad_cam(features, gradients):
    """Selvaraju et al. (2017), equations 1 and 2, before the ReLU."""
    weights = []
    for k in range(features.shape[-1]):
        of_channel = [gradients[(*p, k)] for p in np.ndindex(features.shape[:-1])]
        weights.append(sum(of_channel) / len(of_channel))
    return _weighed(features, weights)


def grad_cam_plus_plus(features, gradients):
    """Chattopadhyay et al. (2018), equations 5 and 19, before anything cancels."""
    weights = []
    for k in range(features.shape[-1]):
        total, weight = features[..., k].sum(), 0.0
        for p in np.ndindex(features.shape[:-1]):
            g = gradients[(*p, k)]
            if g > 0:
                weight += g * g**2 / (2 * g**2 + total * g**3)
        weights.append(weight)
    return _weighed(features, weights)


def xgrad_cam(features, gradients):
    """Fu et al. (2020): gradients, weighed by the share of the features there."""
    weights = []
    for k in range(features.shape[-1]):
        total, weight = features[..., k].sum(), 0.0
        for p in np.ndindex(features.shape[:-1]):
            weight += features[(*p, k)] / total * gradients[(*p, k)]
        weights.append(weight)
    return _weighed(features, weights)


def hires_cam(features, gradients):
    """Draelos and Carin (2020): products, summed over channels alone."""
    heatmap = np.zeros(features.shape[:-1])
    for index in np.ndindex(features.shape):
        heatmap[index[:-1]] += features[index] * gradients[index]
    return heatmap


def layer_cam(features, gradients):
    """Jiang et al. (2021), before the ReLU: a weight per feature, if positive."""
    heatmap = np.zeros(features.shape[:-1])
    for index in np.ndindex(features.shape):
        heatmap[index[:-1]] += features[index] * max(gradients[index], 0.0)
    return heatmap


def _first_component(values):
    """Muhammad and Yeasin (2020), of centred values, by a singular decomposition."""
    rows = values.reshape(-1, values.shape[-1])
    rows = rows - rows.mean(0)
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    heatmap = (rows @ axes[0]).reshape(values.shape[:-1])
    return heatmap * np.sign((heatmap * values.sum(-1)).sum())


def eigen_cam(features, gradients):
    return _first_component(features)


def eigen_grad_cam(features, gradients):
    return _first_component(features * gradients)


def ablation_cam(features, head):
    """Desai and Ramaswamy (2020), before it divides by the score."""
    weights = []
    for k in range(features.shape[-1]):
        without = features.copy()
        without[..., k] = 0.0
        weights.append(head(features) - head(without))
    return _weighed(features, weights)


def score_cam(features, f, x, baseline, upsample):
    """Wang et al. (2020), algorithm 1, before the ReLU; `x` is an image of channels."""
    scores = []
    for k in range(features.shape[-1]):
        mask = upsample(features[..., k], x.shape[:2])
        mask = ((mask - mask.min()) / (mask.max() - mask.min()))[..., None]
        scores.append(f(mask * x + (1 - mask) * baseline))
    weights = np.exp(scores) / np.exp(scores).sum()
    return _weighed(features, weights)

"""Maps of images: class activation maps, guided backpropagation, stretched maps."""

from functools import partial

import jax
import jax.numpy as jnp
from tiny_models import one_conv

import jaxplain as jx


def f(image):
    return one_conv(image)[0]


def f_of_sum(images):
    return f(images[0] + images[1])


image = jnp.arange(16.0).reshape(4, 4)
ones = jnp.ones((4, 4))


def channels_of_grad_cam():
    """Grad-CAM before the sum over channels."""
    features, head = jx.cut(f, image, at="conv1")
    weights = jx.saliency(head)(features).mean((0, 1), keepdims=True)
    weights = jnp.broadcast_to(weights, features.shape)
    return (weights * features).transpose(2, 0, 1)


def weighed(features, gradient):
    """A model whose gradient at a layer is given."""
    return lambda: (jx.tap(features, "layer") * gradient).sum()


def given_grad_cam():
    """The horizontal lines of a square: the mean gradient is positive."""
    row = jnp.array([1.0, 2.0, 3.0, 2.0, 1.0])
    sign = jnp.array([-1.0, 1.0, 0.0, 1.0, -1.0])
    gradient = jnp.zeros((5, 5)).at[(0, -1), (0, -1)].set(2.0)
    gradient = gradient.at[(1, -1), 1:-1].set(3.0)[..., None]
    score = lambda x: (jx.tap(x, "layer") * gradient).sum()
    heatmap = jx.grad_cam(score, at="layer", relu=True)
    heatmap = heatmap(jnp.outer(sign, row)[..., None])
    return heatmap / heatmap.max()


def given_weights():
    """One image per channel, so that the map tells the weights one by one."""
    gradient = jnp.array(
        [
            [[1.0, 1.0], [1.0, 1.0]],
            [[1.0, 1.0], [0.0, 0.0]],
            [[1.0, 0.5], [0.0, 0.0]],
            [[0.5, 0.0], [0.0, 0.0]],
        ]
    ).transpose(1, 2, 0)
    score = lambda x: (jx.tap(x, "layer") * gradient).sum()
    only = lambda k: jnp.zeros((2, 2, 4)).at[..., k].set(1.0)
    heatmap = jax.vmap(jx.grad_cam(score, at="layer"))(jax.vmap(only)(jnp.arange(4)))
    return heatmap[:, 0, 0]


def guided_grad_cam(f, x, at):
    return jx.cam.guided_grad_cam(f, at=at, method="nearest")(x)


def as_pytorch_grad_cam(raw):
    """A map, and the same map rescaled, stretched and rescaled again."""
    stretch = lambda h: (h - h.min()) / (1e-7 + (h - h.min()).max())
    final = stretch(jx.cam.upsample(stretch(jax.nn.relu(raw)), (4, 4)))
    return {"raw": raw, "final": final}


def cam(make, at):
    return lambda: as_pytorch_grad_cam(make(f, at=at)(image))


def elementwise_grad_cam(features, gradients):
    """A map that this library does not have: the positive products."""
    return jax.nn.relu(features * gradients).sum(-1)


def ablation_cam_over_the_score():
    raw = jx.cam.ablation_cam(f, at="relu1")(image)
    return as_pytorch_grad_cam(raw / f(image))


def score_cam():
    raw = jx.cam.score_cam(f, at="relu1")(image, baseline=0.0)
    return as_pytorch_grad_cam(raw)


def upsample():
    return jx.cam.upsample(jnp.array([[0.0, 1.0], [2.0, 5.0]]), (4, 4))


RECIPES = {
    "CAM-1": lambda: jx.grad_cam(f, at="conv1")(image),
    "CAM-2": channels_of_grad_cam,
    "CAM-4": lambda: jx.grad_cam(f_of_sum, at="conv1")((image, ones)),
    "CAM-5": lambda: jx.grad_cam(f, at="input")(image.at[1, 1].set(-4.0)),
    "CAM-7": given_grad_cam,
    "CAM-8": given_weights,
    "GBP-1": lambda: jx.saliency(jx.rules.guided(f))(image),
    "GBP-2": lambda: jx.saliency(jx.rules.guided(f_of_sum))((image, ones))[1],
    "GGC-1": lambda: guided_grad_cam(f, image, "relu1"),
    "GGC-2": lambda: guided_grad_cam(f_of_sum, (image, ones), "conv1")[0],
    "O-CAM-GradCAM-conv1": cam(jx.grad_cam, "conv1"),
    "O-CAM-GradCAMPlusPlus-relu1": cam(jx.cam.grad_cam_plus_plus, "relu1"),
    "O-CAM-XGradCAM-relu1": cam(jx.cam.xgrad_cam, "relu1"),
    "O-CAM-XGradCAM-conv1": cam(jx.cam.xgrad_cam, "conv1"),
    "O-CAM-HiResCAM-conv1": cam(jx.cam.hires_cam, "conv1"),
    "O-CAM-LayerCAM-relu1": cam(jx.cam.layer_cam, "relu1"),
    "O-CAM-EigenCAM-relu1": cam(jx.cam.eigen_cam, "relu1"),
    "O-CAM-EigenCAM-conv1": cam(jx.cam.eigen_cam, "conv1"),
    "O-CAM-EigenGradCAM-conv1": cam(jx.cam.eigen_grad_cam, "conv1"),
    "O-CAM-GradCAMElementWise-relu1": cam(
        partial(jx.cam.activation_map, reducer=elementwise_grad_cam), "relu1"
    ),
    "O-CAM-AblationCAM-relu1": ablation_cam_over_the_score,
    "O-CAM-ScoreCAM-relu1": score_cam,
    "O-UP-bilinear": upsample,
    "O-UP-cv2": upsample,
    "O-UP-jax-linear": upsample,
    "O-UP-bilinear-align": upsample,
    "O-UP-skimage": upsample,
    "O-UP-jax-cubic": upsample,
}

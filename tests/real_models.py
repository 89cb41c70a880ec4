"""Trained networks as Flax modules of one example, and the loaders of their weights.

The weights are not part of the project: the folder that holds them is the value of
the environment variable `JAXPLAIN_DATA`. The keys of an archive are the paths of the
module's variables; those of the Keras LSTM are translated.
"""

import json
import os
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage
from flax.traverse_util import unflatten_dict
from jax.typing import DTypeLike
from jaxtyping import Array, Float
from PIL import Image

from experiments.traffic import metro


def folder() -> Path | None:
    """Where the trained weights are, or `None`: nobody has to have them."""
    return Path(path) if (path := os.environ.get("JAXPLAIN_DATA")) else None


needs_data = pytest.mark.skipif(
    folder() is None,
    reason="JAXPLAIN_DATA is not set: it names the folder with the trained weights",
)


def _load(name: str) -> dict[str, np.ndarray]:
    with np.load(folder() / name) as archive:
        return dict(archive)


def _variables(arrays: dict[str, np.ndarray], dtype: DTypeLike = jnp.float32) -> dict:
    # The dtype said aloud: x64 is on in the tests, and strict promotion forbids a mix.
    return unflatten_dict(
        {k: jnp.asarray(a, dtype) for k, a in arrays.items()}, sep="/"
    )


# SqueezeNet v1.0 for ImageNet (Iandola et al., 2016, arXiv:1602.07360).


class Fire(nn.Module):
    """Squeeze the channels, then expand them by 1x1 and 3x3 kernels side by side."""

    squeeze: int
    expand: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(self.squeeze, (1, 1), name="squeeze1x1")(x))
        one = nn.relu(nn.Conv(self.expand, (1, 1), name="expand1x1")(x))
        three = nn.relu(nn.Conv(self.expand, (3, 3), name="expand3x3")(x))
        return jnp.concatenate([one, three], -1)


class SqueezeNet(nn.Module):
    """`(227, 227, 3)`, RGB in 0..255 less `MEAN_COLOUR`, to 1000 logits."""

    @nn.compact
    def __call__(self, image: Float[Array, "h w 3"]) -> Float[Array, " 1000"]:
        pool = lambda x: nn.max_pool(x, (3, 3), (2, 2))
        x = nn.relu(nn.Conv(96, (7, 7), 2, padding="VALID", name="conv1")(image))
        x = pool(x)
        x = Fire(16, 64, name="fire2")(x)
        x = Fire(16, 64, name="fire3")(x)
        x = pool(Fire(32, 128, name="fire4")(x))
        x = Fire(32, 128, name="fire5")(x)
        x = Fire(48, 192, name="fire6")(x)
        x = Fire(48, 192, name="fire7")(x)
        x = pool(Fire(64, 256, name="fire8")(x))
        x = Fire(64, 256, name="fire9")(x)
        # A 1x1 kernel padded by one: the published prototxt does so, and the border
        # of bare biases counts in the average.
        x = nn.relu(nn.Conv(1000, (1, 1), padding=1, name="conv10")(x))
        return x.mean((0, 1))


def squeezenet() -> dict:
    """The variables of `SqueezeNet`."""
    return {"params": _variables(_load("squeezenet10.npz"))}


MEAN_COLOUR = np.array([123.0, 117.0, 104.0], np.float32)


def photograph(name: str) -> Float[Array, "227 227 3"]:
    """A picture that ships inside scikit-image, ready for SqueezeNet."""
    picture = getattr(skimage.data, name)()
    picture = picture[0] if isinstance(picture, tuple) else picture  # a stereo pair
    # Shorter side to 256, then the centre: other resamplings move a class by up to .2.
    height, width, _ = picture.shape
    scale = 256 / min(height, width)
    size = (round(width * scale), round(height * scale))
    resized = np.asarray(
        Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
    )
    top, left = (size[1] - 227) // 2, (size[0] - 227) // 2
    image = resized[top : top + 227, left : left + 227].astype(np.float32)
    return jnp.asarray(image - MEAN_COLOUR)


def imagenet_classes() -> list[str]:
    index = json.loads((folder() / "imagenet_class_index.json").read_text())
    return [index[str(i)][1] for i in range(1000)]


# ResNet-20 for CIFAR-10 (He et al., 2015, arXiv:1512.03385, section 4.2).


def _conv(width: int, stride: int, name: str) -> nn.Conv:
    # padding=1, not "SAME": at stride 2 that would pad below and on the right only.
    return nn.Conv(width, (3, 3), stride, padding=1, use_bias=False, name=name)


def _norm(name: str) -> nn.BatchNorm:
    return nn.BatchNorm(use_running_average=True, name=name)


class Block(nn.Module):
    """Two 3x3 convolutions around an identity, which has no weights of its own."""

    width: int
    stride: int = 1

    @nn.compact
    def __call__(self, x):
        y = nn.relu(_norm("bn1")(_conv(self.width, self.stride, "conv1")(x)))
        y = _norm("bn2")(_conv(self.width, 1, "conv2")(y))
        # The paper's option A: every other pixel, and as many zero channels as needed.
        grow = (self.width - x.shape[-1]) // 2
        x = jnp.pad(x[:: self.stride, :: self.stride], [(0, 0), (0, 0), (grow, grow)])
        return nn.relu(x + y)


class ResNet20(nn.Module):
    """`(32, 32, 3)`, as `cifar10` gives them, to 10 logits."""

    @nn.compact
    def __call__(self, image: Float[Array, "32 32 3"]) -> Float[Array, " 10"]:
        x = nn.relu(_norm("bn1")(_conv(16, 1, "conv1")(image)))
        for stage, width in enumerate((16, 32, 64), start=1):
            for i in range(3):
                stride = 2 if stage > 1 and i == 0 else 1
                x = Block(width, stride, name=f"layer{stage}_{i}")(x)
        return nn.Dense(10, name="linear")(x.mean((0, 1)))


def resnet20() -> dict:
    """The variables of `ResNet20`."""
    return _variables(_load("cifar10_resnet20.npz"))


def cifar10() -> tuple[Float[Array, "n 32 32 3"], np.ndarray]:
    """The test images of the subset, scaled as in training, and their labels."""
    data = _load("cifar10_subset.npz")
    # ImageNet's colours: with CIFAR's own, the training loss is a third higher.
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = (data["x_test"] / 255 - mean) / std
    return jnp.asarray(images, jnp.float32), data["y_test"].astype(np.int32)


# The LSTM of the traffic chapter (Masis, *Interpretable Machine Learning with Python*).

LSTM_FILE = "traffic_lstm168_1e.npz"
WINDOW, UNITS = 168, 168  # a week of hours, and as many units


class TrafficLSTM(nn.Module):
    """A week of 14 scaled inputs, `(168, 14)`, to the next hour's scaled volume."""

    param_dtype: DTypeLike = jnp.float32

    def setup(self):
        self.lstm = nn.RNN(nn.LSTMCell(UNITS, param_dtype=self.param_dtype))
        self.dense = nn.Dense(1, param_dtype=self.param_dtype)

    def __call__(self, window: Float[Array, "time 14"]) -> Float[Array, ""]:
        return nn.relu(self.dense(self.lstm(window)[-1]))[0]

    def resume(self, carry, windows: Float[Array, "batch time 14"]):
        """Go on from the states that the previous batch left, as Keras did."""
        carry, hidden = self.lstm(windows, initial_carry=carry, return_carry=True)
        return carry, nn.relu(self.dense(hidden[:, -1]))[:, 0]


def traffic_lstm(dtype: DTypeLike = jnp.float32) -> dict:
    """The variables of `TrafficLSTM`."""
    keras = _load(LSTM_FILE)
    gates = lambda name: np.split(keras[f"lstm/{name}"], 4, axis=-1)
    arrays = {f"dense/{name}": keras[f"dense/{name}"] for name in ("kernel", "bias")}
    # Keras stacks input, forget, candidate, output; its candidate is Flax's `g`. The
    # one bias goes to the recurrent side, where Flax has it.
    for i, gate in enumerate("ifgo"):
        arrays[f"lstm/cell/i{gate}/kernel"] = gates("kernel")[i]
        arrays[f"lstm/cell/h{gate}/kernel"] = gates("recurrent_kernel")[i]
        arrays[f"lstm/cell/h{gate}/bias"] = gates("bias")[i]
    return {"params": _variables(arrays, dtype)}


def keras_lstm(window: Float[Array, "time 14"]) -> Float[Array, ""]:
    """`TrafficLSTM` once more, transcribed from Keras, without Flax."""
    weight = {k: jnp.asarray(a, window.dtype) for k, a in _load(LSTM_FILE).items()}

    def step(state, x):
        h, c = state
        z = x @ weight["lstm/kernel"] + h @ weight["lstm/recurrent_kernel"]
        i, f, candidate, o = jnp.split(z + weight["lstm/bias"], 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros(UNITS, window.dtype)
    (h, _), _ = jax.lax.scan(step, (zero, zero), window)
    return jax.nn.relu(h @ weight["dense/kernel"] + weight["dense/bias"])[0]


def traffic() -> tuple[np.ndarray, np.ndarray]:
    """Every hour's inputs, scaled to [0, 1] as in training, and volume, in vehicles."""
    table = metro.prepare(folder() / "traffic.csv")
    low, high = table.inputs.min(0), table.inputs.max(0)
    # The scaler saw the whole table, test rows included; so must the weights' user.
    return (table.inputs - low) / (high - low), table.volume

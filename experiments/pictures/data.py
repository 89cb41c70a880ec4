"""Mosaics of real photographs: the right answer to "where?" is known by construction.

Every photograph ships inside the scikit-image wheel; nothing is fetched. Photographs
are cut in two before anything else, a training side and a held-out side, so that no
held-out pixel was ever trained on.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import skimage
from skimage.color import rgb2gray
from skimage.io import imread
from skimage.transform import resize, rotate

Split = Literal["train", "held_out"]
Sources = dict[int, list[np.ndarray]]

TILE, GRID = 32, 2
SIZE = TILE * GRID
CLASSES = ("brick", "grass", "gravel", "stars", "face")
CLUTTER, BLANK = len(CLASSES), len(CLASSES) + 1  # kinds of tile that are no class
NUM_KINDS = len(CLASSES) + 2
GREY, CONTRAST = 0.5, 0.18  # mean and standard deviation of an average tile
TRAIN_COLUMNS = 0.6  # of each photograph
TRAIN_FACES = 70  # of 100

# File in the wheel, and how many of its pixels become one.
TEXTURES = {
    "brick": ("brick.png", 3.0),
    "grass": ("grass.png", 2.0),
    "gravel": ("gravel.png", 2.0),
    "stars": ("hubble_deep_field.jpg", 3.0),
}
OTHERS = (
    ("coffee.png", 2.5),
    ("chelsea.png", 2.0),
    ("rocket.jpg", 2.5),
    ("motorcycle_left.png", 2.5),
    ("ihc.png", 2.5),
)


class Mosaics(NamedTuple):
    """Pictures, what their tiles are, and which classes they hold."""

    images: np.ndarray  # (n, SIZE, SIZE), grey levels in [0, 1]
    kinds: np.ndarray  # (n, GRID, GRID), the class of each tile, or CLUTTER, or BLANK
    present: np.ndarray  # (n, len(CLASSES)), 0 or 1


def shipped(name: str) -> Path:
    """Path of a file inside the scikit-image wheel; never a download."""
    path = Path(skimage.__file__).parent / "data" / name
    if not path.exists():
        raise ValueError(
            f"Expected {name!r} inside the installed scikit-image, but version "
            f"{skimage.__version__} came without it. Install its wheel from PyPI: "
            "`pip install --force-reinstall scikit-image`."
        )
    return path


def photograph(name: str) -> np.ndarray:
    """A shipped photograph in grey levels from 0 to 1: colour would give it away."""
    image = imread(shipped(name))
    return rgb2gray(image) if image.ndim == 3 else image / 255.0


def side(image: np.ndarray, split: Split) -> np.ndarray:
    """The columns of a photograph that belong to one split."""
    edge = int(TRAIN_COLUMNS * image.shape[1])
    return image[:, :edge] if split == "train" else image[:, edge:]


def shrink(image: np.ndarray, factor: float) -> np.ndarray:
    """Make `factor` pixels one, without aliasing."""
    shape = tuple(int(n / factor) for n in image.shape)
    return resize(image, shape, anti_aliasing=factor > 1)


def sources(split: Split) -> Sources:
    """The pictures that tiles of each kind are cut from."""

    # Cut, then shrink: shrinking first would mix pixels across the border.
    def load(name: str, factor: float) -> np.ndarray:
        return shrink(side(photograph(name), split), factor)

    faces = np.load(shipped("lfw_subset.npy"))[:100]  # the other 100 are not faces
    faces = faces[:TRAIN_FACES] if split == "train" else faces[TRAIN_FACES:]
    kinds = {CLASSES.index(name): [load(*file)] for name, file in TEXTURES.items()}
    others = [load(*file) for file in OTHERS]
    shown = views(faces, others) if split == "train" else upright(faces)
    kinds[CLASSES.index("face")], kinds[CLUTTER] = shown, others
    kinds[BLANK] = [np.full((TILE, TILE), GREY)]
    return kinds


def upright(faces: np.ndarray) -> list[np.ndarray]:
    """Faces a little larger than a tile, so that crops of the same face differ."""
    return [resize(face, (TILE + 2, TILE + 2)) for face in faces]


def views(faces: np.ndarray, backgrounds: list[np.ndarray]) -> list[np.ndarray]:
    """Faces nearer and tilted, too, and half of them in front of something else.

    Seventy faces are few to learn from, and the frame of their crops is no part of one.
    """
    rng = np.random.default_rng(0)
    found = []
    for face in faces:
        for size in (TILE, TILE + 3, TILE + 6):
            for angle in (-8, 0, 8):
                view = rotate(resize(face, (size, size)), angle, mode="reflect")
                found += [view, in_front_of(draw_crop(rng, backgrounds, size), view)]
    return found


def in_front_of(background: np.ndarray, face: np.ndarray) -> np.ndarray:
    """A face with a soft, oval outline."""
    y, x = np.mgrid[-1 : 1 : len(face) * 1j, -1 : 1 : len(face) * 1j]
    opacity = np.clip((1.1 - np.hypot(y, x / 0.85)) / 0.3, 0.0, 1.0)
    return opacity * face + (1 - opacity) * background


def standardise(image: np.ndarray, mean: float, contrast: float) -> np.ndarray:
    """Give a picture this mean and standard deviation, within [0, 1]."""
    z = (image - image.mean()) / max(image.std(), 1e-3)
    z = np.clip(z, -2, 2)  # or a few bright stars would take all the contrast
    z = (z - z.mean()) / max(z.std(), 1e-3)
    return np.clip(mean + contrast * z, 0.0, 1.0)


def draw_crop(
    rng: np.random.Generator, pictures: list[np.ndarray], size: int
) -> np.ndarray:
    """A random square of a random picture."""
    picture = pictures[rng.integers(len(pictures))]
    top, left = (rng.integers(n - size + 1) for n in picture.shape)
    return picture[top : top + size, left : left + size]


def draw_tile(rng: np.random.Generator, pictures: list[np.ndarray]) -> np.ndarray:
    """A random crop, mirrored or not, of random brightness and contrast.

    As photographed, these would go far to tell the classes apart.
    """
    tile = draw_crop(rng, pictures, TILE)
    tile = tile[:, ::-1] if rng.random() < 0.5 else tile
    mean = GREY + rng.uniform(-0.08, 0.08)
    return standardise(tile, mean, CONTRAST * rng.uniform(0.7, 1.3))


def draw_tiles(
    rng: np.random.Generator, kinds: np.ndarray, pictures: Sources
) -> np.ndarray:
    """Tiles of the given kinds, `(*kinds.shape, TILE, TILE)`."""
    tiles = [draw_tile(rng, pictures[kind]) for kind in kinds.ravel().tolist()]
    return np.stack(tiles).reshape(*kinds.shape, TILE, TILE).astype(np.float32)


def draw_mosaics(
    rng: np.random.Generator, kinds: np.ndarray, pictures: Sources
) -> Mosaics:
    """Mosaics whose tiles are of the given kinds, `(n, GRID, GRID)`."""
    tiles = draw_tiles(rng, kinds, pictures)
    images = tiles.swapaxes(2, 3).reshape(-1, SIZE, SIZE)
    present = (kinds[..., None] == np.arange(len(CLASSES))).any((1, 2))
    return Mosaics(images, kinds, present.astype(np.float32))


def random_kinds(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Kinds of tiles, drawn independently.

    So what else a mosaic holds says nothing about a class, and a model has no reason
    to look at the other tiles.
    """
    p = np.full(NUM_KINDS, 0.65 / len(CLASSES))
    p[CLUTTER], p[BLANK] = 0.25, 0.1
    return rng.choice(NUM_KINDS, size=shape, p=p)


def single_kinds(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Kinds of tiles where exactly one is of the class `label`, at a random place."""
    kinds = rng.integers(CLUTTER, size=(len(labels), GRID * GRID))
    # Kinds from `label` on move up by one: that leaves it out, and lets clutter in.
    kinds += kinds >= labels[:, None]
    place = rng.integers(GRID * GRID, size=len(labels))
    kinds[np.arange(len(labels)), place] = labels
    return kinds.reshape(-1, GRID, GRID)


def true_region(kinds: np.ndarray, label: int) -> np.ndarray:
    """The pixels whose tile is of the class, `(SIZE, SIZE)`."""
    return np.kron(kinds == label, np.ones((TILE, TILE), bool))

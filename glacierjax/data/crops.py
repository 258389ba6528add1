"""Training samples of the fine-tuning: which scene, which crop, which augmentation (method of the paper, section III)."""

import dataclasses

import numpy as np

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.data import transforms
from glacierjax.data.samples import SampleSource
from glacierjax.data.scene_store import SceneStore


@dataclasses.dataclass(frozen=True)
class CropOptions:
    """Sizes in pixels and probabilities of each step; the defaults are the published ones.

    `padding`: "published" pads a scene by `grid.whole_padding` before cropping; "fit" only to the crop's size.
    `label_resize`: "nearest" or "official" (`transforms.resize_labels`).
    `probability` fields are in [0, 1]; ranges are (low, high) of a uniform draw. Raises `InputError` for another choice.
    """

    context_px: int = 512
    padding: str = "published"
    label_resize: str = "nearest"
    zoom_probability: float = 0.5
    zoom_range: tuple[float, float] = (0.33, 2.83)
    mix_probability: float = 0.3
    mix_range: tuple[float, float] = (0.15, 0.30)
    speckle_probability: float = 0.2
    brightness_probability: float = 0.2
    brightness_range: tuple[float, float] = (0.6, 1.4)
    gamma_probability: float = 0.2
    gamma_range: tuple[float, float] = (0.7, 1.3)
    left_right_probability: float = 0.5
    up_down_probability: float = 0.5
    rotation_probability: float = 0.5

    def __post_init__(self) -> None:
        for flag, value, choices in (
            ("data.padding", self.padding, ("published", "fit")),
            ("augment.label_resize", self.label_resize, ("nearest", "official")),
        ):
            if value not in choices:
                raise InputError(f"--config.{flag}={value}: choose {' or '.join(choices)}")


SPECKLE_PEAKS = (1, 2, 3)


def draw_crop(
    store: SceneStore, index: int, rng: np.random.Generator, options: CropOptions
) -> tuple[np.ndarray, np.ndarray]:
    """A random, randomly zoomed crop of a scene, resized to the context: grey values and labels (C, C) uint8."""
    zoom = rng.uniform(*options.zoom_range) if rng.random() < options.zoom_probability else 1.0
    context = options.context_px
    side = int(context * zoom)
    window = []
    for size in store.sizes[index]:
        pad = grid.whole_padding(size, context) if options.padding == "published" else grid.fit_padding(size, side)
        padded = pad.before + size + pad.after
        start = int(rng.integers(0, max(1, padded - side)))
        window.append((start - pad.before, min(side, padded - start)))
    (top, height), (left, width) = window
    image, labels = store.crop(index, top, left, height, width)
    return (
        transforms.resize_bilinear(image, (context, context)),
        transforms.resize_labels(labels, (context, context), options.label_resize),
    )


def draw_photometric(image: np.ndarray, rng: np.random.Generator, options: CropOptions) -> np.ndarray:
    """Speckle, brightness and gamma, each with its probability."""
    if rng.random() < options.speckle_probability:
        peak = int(rng.choice(SPECKLE_PEAKS))
        image = transforms.speckle(image, rng.random(image.shape), rng.poisson(peak, image.shape), peak)
    if rng.random() < options.brightness_probability:
        image = transforms.brightness(image, rng.uniform(*options.brightness_range))
    if rng.random() < options.gamma_probability:
        image = transforms.gamma(image, rng.uniform(*options.gamma_range))
    return image


def draw_sample(store: SceneStore, index: int, rng: np.random.Generator, options: CropOptions) -> dict[str, np.ndarray]:
    """One training sample of scene `index`: {"image" (C, C, 1) uint8, "labels" (C, C) uint8}."""
    image, labels = draw_crop(store, index, rng, options)
    if rng.random() < options.mix_probability:
        weight = rng.uniform(*options.mix_range)
        other, _ = draw_crop(store, int(rng.integers(len(store))), rng, options)
        image = transforms.mix_ocean(image, other, labels, weight)
    image = draw_photometric(image, rng, options)
    left_right = rng.random() < options.left_right_probability
    up_down = rng.random() < options.up_down_probability
    quarter_turns = int(rng.integers(1, 4)) if rng.random() < options.rotation_probability else 0
    image, labels = (transforms.orient(x, left_right, up_down, quarter_turns) for x in (image, labels))
    return {"image": np.ascontiguousarray(image)[..., None], "labels": np.ascontiguousarray(labels)}


@dataclasses.dataclass(frozen=True)
class CropSource(SampleSource[SceneStore, CropOptions]):
    """Samples of the fine-tuning (`draw_sample`)."""

    def draw(self, scene: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return draw_sample(self.store, scene, rng, self.options)

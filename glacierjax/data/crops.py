"""Training samples of the fine-tuning: which crop of a scene, which augmentation (method of the paper, section III)."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from glacierjax.core import grid
from glacierjax.core.choices import GREY, OFFICIAL, SUMMER
from glacierjax.core.settings import AugmentSettings, LabelledDataSettings
from glacierjax.data import transforms
from glacierjax.data.labelled_scenes import LabelledScenes
from glacierjax.data.samples import Sample, SampleSource

SPECKLE_PEAKS = (1, 2, 3)
LABELS = "labels"


def draw_window(
    size: tuple[int, int], rng: np.random.Generator, data: LabelledDataSettings, augment: AugmentSettings
) -> tuple[int, int, int, int]:
    """Top, left, height and width of a random, randomly zoomed window of a scene of `size` (rows, columns).

    The scene is padded by `grid.whole_padding` under the official protocol, else only to the crop's size.
    """
    zoom = rng.uniform(*augment.zoom_range) if rng.random() < augment.zoom_probability else 1.0
    side = int(data.context_px * zoom)
    window = []
    for length in size:
        pad = (
            grid.whole_padding(length, data.context_px) if data.padding == OFFICIAL else grid.fit_padding(length, side)
        )
        padded = pad.before + length + pad.after
        start = int(rng.integers(0, max(1, padded - side)))
        window.append((start - pad.before, min(side, padded - start)))
    (top, height), (left, width) = window
    return top, left, height, width


def draw_crop(
    scenes: LabelledScenes, index: int, rng: np.random.Generator, data: LabelledDataSettings, augment: AugmentSettings
) -> tuple[UInt8[np.ndarray, "side side"], UInt8[np.ndarray, "side side"]]:
    """A crop of a scene by `draw_window`, resized to `data.context_px` a side: grey values and labels."""
    return resized_crop(scenes, index, draw_window(scenes.size(index), rng, data, augment), data, augment)


def resized_crop(
    scenes: LabelledScenes,
    index: int,
    window: tuple[int, int, int, int],
    data: LabelledDataSettings,
    augment: AugmentSettings,
) -> tuple[UInt8[np.ndarray, "side side"], UInt8[np.ndarray, "side side"]]:
    """Grey values and labels of a window of a scene, resized to `data.context_px` a side."""
    image, labels = scenes.crop(index, *window)
    size = (data.context_px, data.context_px)
    return transforms.resize_bilinear(image, size), transforms.resize_labels(labels, size, augment.label_resize)


def draw_photometric(
    image: UInt8[np.ndarray, "height width"], rng: np.random.Generator, augment: AugmentSettings
) -> UInt8[np.ndarray, "height width"]:
    """Speckle, brightness and gamma, each with its probability."""
    if rng.random() < augment.speckle_probability:
        peak = int(rng.choice(SPECKLE_PEAKS))
        scale, counts = rng.random(image.shape), transforms.poisson(rng.random(image.shape), peak)
        image = transforms.speckle(image, scale, counts, peak)
    if rng.random() < augment.brightness_probability:
        image = transforms.brightness(image, rng.uniform(*augment.brightness_range))
    if rng.random() < augment.gamma_probability:
        image = transforms.gamma(image, rng.uniform(*augment.gamma_range))
    return image


def draw_sample(
    scenes: LabelledScenes, index: int, rng: np.random.Generator, data: LabelledDataSettings, augment: AugmentSettings
) -> dict[str, UInt8[np.ndarray, "side side *channel"]]:
    """One training sample of scene `index`: "image" (side, side, 1) and "labels" (side, side).

    Where the input channels show more than grey, "image" is (side, side, 3).
    """
    window = draw_window(scenes.size(index), rng, data, augment)
    image, labels = resized_crop(scenes, index, window, data, augment)
    if rng.random() < augment.mix_probability:
        weight = rng.uniform(*augment.mix_range)
        other, _ = draw_crop(scenes, int(rng.integers(len(scenes))), rng, data, augment)
        image = transforms.mix_ocean(image, other, labels, weight)
    image = draw_photometric(image, rng, augment)
    left_right = rng.random() < augment.left_right_probability
    up_down = rng.random() < augment.up_down_probability
    quarter_turns = int(rng.integers(1, 4)) if rng.random() < augment.rotation_probability else 0
    priors = draw_priors(scenes.priors(index, *window), rng, data, augment)
    planes = {GREY: image, LABELS: labels, **priors}
    turned = {
        name: np.ascontiguousarray(transforms.orient(x, left_right, up_down, quarter_turns))
        for name, x in planes.items()
    }
    shown = np.stack([turned[name] for name in scenes.channels], axis=-1) if priors else turned[GREY][..., None]
    return {"image": shown, LABELS: turned[LABELS]}


def draw_priors(
    priors: Mapping[str, UInt8[np.ndarray, "height width"]],
    rng: np.random.Generator,
    data: LabelledDataSettings,
    augment: AugmentSettings,
) -> dict[str, UInt8[np.ndarray, "side side"]]:
    """Priors of a crop, resized; the brightness of a summer scene varies by itself; some are left out, so 0 everywhere."""
    found = {}
    for name, plane in priors.items():
        if rng.random() < augment.missing_probability:
            found[name] = np.zeros((data.context_px, data.context_px), np.uint8)
            continue
        resized = transforms.resize_bilinear(plane, (data.context_px, data.context_px))
        if name == SUMMER:
            resized = np.where(resized > 0, draw_photometric(resized, rng, augment), np.uint8(0))
        found[name] = resized
    return found


@dataclasses.dataclass(frozen=True)
class CropSource(SampleSource[LabelledScenes, LabelledDataSettings, AugmentSettings]):
    """Samples of the fine-tuning (`draw_sample`)."""

    def draw(self, scene: int, rng: np.random.Generator) -> Sample:
        return draw_sample(self.scenes, scene, rng, self.data, self.augment)

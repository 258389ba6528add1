"""Training samples of series: the same crop of every frame, and augmentation of all or of each (Dreier et al. 2026).

What is random is drawn first, as a `Plan`; `make_sample` is a pure function of it.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from glacierjax.core import grid
from glacierjax.core.choices import CLEAN, OFFICIAL
from glacierjax.core.settings import LabelledDataSettings, SeriesAugmentSettings, SeriesDataSettings
from glacierjax.core.zones import UNKNOWN_ID
from glacierjax.data import transforms
from glacierjax.data.crops import SPECKLE_PEAKS, draw_window
from glacierjax.data.labelled_scenes import LabelledScenes
from glacierjax.data.samples import Sample, SampleSource
from glacierjax.data.series_geometry import Register, mirrored_window, window_pixels
from glacierjax.datasets.series import day_positions, draw

ERASURES = 2  # tries a frame


class Window(NamedTuple):
    """A rectangle in pixels of a scene; it may reach beyond its borders."""

    top: int
    left: int
    height: int
    width: int


class Mix(NamedTuple):
    """Mix-up: a window of one scene, and its weight."""

    scene: int
    window: Window
    weight: float


class Cut(NamedTuple):
    """Cut-mix: a window of other frames, scaled to the first of them, and where it goes in the crop."""

    frames: tuple[int, ...]
    window: Window
    top: int
    left: int


class Erasure(NamedTuple):
    """Noise from (top, left) on, in one frame."""

    frame: int
    top: int
    left: int
    noise: UInt8[np.ndarray, "rows columns"]


class Speckle(NamedTuple):
    """See `transforms.speckle`."""

    scale: Float[np.ndarray, "side side"]
    counts: Int[np.ndarray, "side side"]
    peak: int


class Photometric(NamedTuple):
    """What one frame's grey values go through, in this order; None: not."""

    speckle: Speckle | None = None
    contrast: float | None = None
    brightness: float | None = None
    gamma: float | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """Every decision of a sample; scenes by number. `window` is of the frame at position `reference`."""

    frames: tuple[int, ...]
    reference: int
    window: Window
    mix: Mix | None
    cut: Cut | None
    erasures: tuple[Erasure, ...]
    photometric: tuple[Photometric, ...]
    left_right: bool = False
    up_down: bool = False
    quarter_turns: int = 0


def draw_plan(
    scenes: LabelledScenes,
    index: int,
    rng: np.random.Generator,
    data: LabelledDataSettings,
    augment: SeriesAugmentSettings,
    frames: int,
) -> Plan:
    """A random plan of a sample with scene `index` as its reference."""
    numbers = {name: i for i, name in enumerate(scenes.names)}
    side = data.context_px

    def series(reference: int) -> tuple[int, ...]:
        names = draw(scenes.names, scenes.names[reference], lambda n: int(rng.integers(n)), frames)
        return tuple(numbers[name] for name in names)

    def happens(probability: float) -> bool:
        return bool(rng.random() < probability)

    def window(scene: int) -> Window:
        return Window(*draw_window(scenes.size(scene), rng, data, augment))

    chosen = series(index)
    crop = window(index)
    mix = cut = None
    if happens(augment.mix_probability):
        weight = rng.uniform(*augment.mix_range)
        other = int(rng.integers(len(scenes)))
        mix = Mix(other, window(other), weight)
    if happens(augment.cut_mix_probability):
        others = series(int(rng.integers(len(scenes))))
        rows, columns = (min(side * 3 // 8, int(side / 4 + side / 4 * rng.random())) for _ in range(2))
        origin: list[int] = []
        for size, length in zip(scenes.size(others[0]), (rows, columns), strict=True):
            pad = grid.whole_padding(size, side) if data.padding == OFFICIAL else grid.fit_padding(size, length)
            origin.append(int(rng.integers(0, sum(pad) + size - length + 1)) - pad.before)
        top, left = (int(rng.integers(0, side - length + 1)) for length in (rows, columns))
        cut = Cut(others, Window(origin[0], origin[1], rows, columns), top, left)
    erasures = []
    for frame in range(frames):
        for _ in range(ERASURES):
            if happens(augment.erasure_probability):
                rows, columns = (max(1, int(side / 4 * rng.random())) for _ in range(2))
                top, left = (int(rng.integers(0, side - length + 1)) for length in (rows, columns))
                noise = rng.integers(0, transforms.GREY_MAX, (rows, columns)).astype(np.uint8)
                erasures.append(Erasure(frame, top, left, noise))
    photometric = tuple(_draw_photometric(rng, side, augment) for _ in range(frames))
    left_right, up_down = happens(augment.left_right_probability), happens(augment.up_down_probability)
    turns = int(rng.integers(1, 4)) if happens(augment.rotation_probability) else 0
    position = chosen.index(index)
    return Plan(chosen, position, crop, mix, cut, tuple(erasures), photometric, left_right, up_down, turns)


def _draw_photometric(rng: np.random.Generator, side: int, augment: SeriesAugmentSettings) -> Photometric:
    speckle = None
    if rng.random() < augment.speckle_probability:
        peak = int(rng.choice(SPECKLE_PEAKS))
        speckle = Speckle(rng.random((side, side)), transforms.poisson(rng.random((side, side)), peak), peak)
    factors = [
        float(rng.uniform(*limits)) if rng.random() < probability else None
        for probability, limits in (
            (augment.contrast_probability, augment.contrast_range),
            (augment.brightness_probability, augment.brightness_range),
            (augment.gamma_probability, augment.gamma_range),
        )
    ]
    return Photometric(speckle, *factors)


def make_sample(
    scenes: LabelledScenes,
    plan: Plan,
    side: int,
    label_resize: str = CLEAN,
    protocol: str = CLEAN,
    register: Register | None = None,
) -> Sample:
    """The sample of a plan: "image" (T, side, side, 1) and "labels" (T, side, side) uint8, "days" (T,) int.

    `label_resize` as in `transforms.resize_labels`; `protocol` as in `series_geometry.window_pixels`; `register`: lays the
    frames over each other by map coordinates, None: by their sizes. What a frame does not cover is no data: black, and not
    labelled (`UNKNOWN_ID`).
    """

    def crop(
        scene: int, reference: int, window: Window
    ) -> tuple[UInt8[np.ndarray, "rows columns"], UInt8[np.ndarray, "rows columns"]]:
        if register is None:
            return scenes.pixels(scene, *window_pixels(scenes.size(scene), scenes.size(reference), *window, protocol))
        places, pixels = register(scene, reference), mirrored_window(scenes.size(reference), *window)
        image, covered = places.bilinear(scenes.grey(scene), *pixels)
        labels, _ = places.nearest(scenes.labels(scene), *pixels)
        return image, np.where(covered, labels, np.uint8(UNKNOWN_ID))

    def resized(
        scene: int, reference: int, window: Window
    ) -> tuple[UInt8[np.ndarray, "rows columns"], UInt8[np.ndarray, "rows columns"]]:
        image, labels = crop(scene, reference, window)
        return (
            transforms.resize_bilinear(image, (side, side)),
            transforms.resize_labels(labels, (side, side), label_resize),
        )

    reference = plan.frames[plan.reference]
    both = [resized(scene, reference, plan.window) for scene in plan.frames]
    if plan.mix:
        patch, _ = resized(plan.mix.scene, plan.mix.scene, plan.mix.window)
        both = [(transforms.mix_ocean(image, patch, labels, plan.mix.weight), labels) for image, labels in both]
    images, all_labels = (np.stack(part) for part in zip(*both, strict=True))
    if plan.cut:
        height, width = plan.cut.window[2:]
        place = np.s_[plan.cut.top : plan.cut.top + height, plan.cut.left : plan.cut.left + width]
        for frame, scene in enumerate(plan.cut.frames):
            images[frame][place], all_labels[frame][place] = crop(scene, plan.cut.frames[0], plan.cut.window)
    for frame, top, left, noise in plan.erasures:
        images[frame, top : top + noise.shape[0], left : left + noise.shape[1]] = noise
    images = [_photometric(image, how) for image, how in zip(images, plan.photometric, strict=True)]
    turned = [
        [transforms.orient(x, plan.left_right, plan.up_down, plan.quarter_turns) for x in frames]
        for frames in (images, all_labels)
    ]
    days = day_positions([scenes.names[scene] for scene in plan.frames])
    return {"image": np.stack(turned[0])[..., None], "labels": np.stack(turned[1]), "days": days}


def _photometric(image: UInt8[np.ndarray, "side side"], how: Photometric) -> UInt8[np.ndarray, "side side"]:
    if how.speckle:
        image = transforms.speckle(image, how.speckle.scale, how.speckle.counts, how.speckle.peak)
    if how.contrast is not None:
        image = transforms.contrast(image, how.contrast)
    if how.brightness is not None:
        image = transforms.brightness(image, how.brightness)
    if how.gamma is not None:
        image = transforms.gamma(image, how.gamma)
    return image


@dataclasses.dataclass(frozen=True)
class SeriesSource(SampleSource[LabelledScenes, SeriesDataSettings, SeriesAugmentSettings]):
    """Samples of the fine-tuning of series (`draw_plan`); the scenes that come in turn are their references. `register`: as in
    `make_sample`."""

    register: Register | None = None

    def draw(self, scene: int, rng: np.random.Generator) -> Sample:
        plan = draw_plan(self.scenes, scene, rng, self.data, self.augment, self.data.frames)
        side, augment = self.data.context_px, self.augment
        return make_sample(self.scenes, plan, side, augment.label_resize, self.data.frame_scaling, self.register)

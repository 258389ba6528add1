"""Builds a predictor from checkpoints: an ensemble of networks, rotations and mirror images, averaged in memory."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.errors import FlaxError
from jaxtyping import Float32, Int

from glacierjax.checkpoints.calibration_file import fingerprint
from glacierjax.checkpoints.native import Checkpoint, load_checkpoint
from glacierjax.checkpoints.record import network_of, record_digest, require_task, training_of
from glacierjax.core.channels import GREY_ONLY
from glacierjax.core.choices import ALONE, CLEAN, GROUPS, LTAE, SEGMENTATION, SERIES
from glacierjax.core.errors import InputError
from glacierjax.core.grey import CAFFE_GREY, GREY_MAX, GreyRule, rule_of_record
from glacierjax.core.json_values import Json
from glacierjax.core.settings import DataSettings, FineTuning, SeriesFineTuning
from glacierjax.core.spacing import average_looks, enlarge_looks, looks_for
from glacierjax.core.zones import NUM_ZONES
from glacierjax.datasets.series import PUBLISHED_FRAMES
from glacierjax.fronts.calibration import ErrorEstimate
from glacierjax.fronts.indicators import Indicators
from glacierjax.fronts.verdict import USUAL, Thresholds, Verdict, judge
from glacierjax.model import SeriesTyrion, Tyrion, build, exact_products
from glacierjax.prediction.calibration import UNCALIBRATED, Calibration, find_calibration, way_of_use
from glacierjax.prediction.frames import Frame
from glacierjax.prediction.series import frame_strips, make_series_network, series_network
from glacierjax.prediction.tiles import Image, Network, Strip, assemble, mean_over_members, scene_strips

log = logging.getLogger(__name__)

# The best on validation scenes: 132 m, against 205 m tiled and 240 m whole (docs/howto/evaluation.md).
DEFAULT_MODE = "overlap"
OFFICIAL_MODE = "tiled"  # how the published figures were made
DEFAULT_CONTEXT_PX = DataSettings.context_px
AS_IT_IS, UP_DOWN, LEFT_RIGHT, BOTH = (), (1,), (2,), (1, 2)  # axes of images (N, H, W)


@functools.cache
def make_network(model: Any) -> Callable[[dict, np.ndarray], np.ndarray]:
    """(params, images (N, H, W) or (N, H, W, 3) uint8) -> probabilities (N, H, W, K) float32; compiled once for each shape."""

    @jax.jit
    def run(params: dict, images: jax.Array) -> jax.Array:
        channels = images[..., None] if images.ndim == 3 else images
        with exact_products(model.dtype):
            logits: Any = model.apply({"params": params}, channels.astype(jnp.float32) / GREY_MAX)
        return jax.nn.softmax(logits)

    return lambda params, images: np.asarray(run(params, images))


@dataclasses.dataclass(frozen=True)
class Predictor:
    """An ensemble: mean and standard deviation of class probabilities over networks and rotations or mirror images.

    `training` says how the first network was trained (None for converted weights). Above 0, `pixel_spacing_m` is
    what the networks want: finer scenes are averaged to about it (`glacierjax.core.spacing`) and the answer interpolated back.
    `grey` is the rule of the data set that they were trained with. `mirrors`: axes of the images (N, H, W) that are turned
    round for each mirror image, () for the image itself. `channels`: what the input shows; images are what
    `glacierjax.core.channels.input_of` makes of it, (H, W) or (H, W, 3).
    `fingerprints` of the networks' parameters, `records`: of their records (`record_digest`); `calibration`: how wrong their
    fronts are; `thresholds`: from where on a front is doubtful. `tiles_at_once`: None: what suits the
    machine (`glacierjax.prediction.devices`).
    """

    networks: Sequence[Callable[..., np.ndarray]]
    quarter_turns: Sequence[int]
    mode: str
    context_px: int
    size_multiple: int
    training: FineTuning | None
    sources: Sequence[str]
    pixel_spacing_m: float = 0
    grey: GreyRule = CAFFE_GREY
    mirrors: Sequence[tuple[int, ...]] = (AS_IT_IS,)
    channels: tuple[str, ...] = GREY_ONLY
    fingerprints: Sequence[str] = ()
    records: Sequence[str] = ()
    calibration: Calibration = UNCALIBRATED
    thresholds: Thresholds = USUAL
    tiles_at_once: int | None = None

    @property
    def members(self) -> int:
        """Networks times rotations times mirror images."""
        return len(self.networks) * len(self.quarter_turns) * len(self.mirrors)

    @property
    def averaged(self) -> str:
        """What each network is averaged over, in words."""
        if len(self.mirrors) > 1:
            return f"{len(self.mirrors)} mirror images"
        turns = len(self.quarter_turns)
        return "no rotations" if turns == 1 else f"{turns} rotations"

    @property
    def way_of_use(self) -> Json:
        """What a calibration is for (`glacierjax.prediction.calibration.way_of_use`)."""
        return way_of_use(self.fingerprints, self.mode, self.quarter_turns, self.mirrors)

    def judge(self, indicators: Indicators) -> tuple[ErrorEstimate | None, Verdict]:
        """Error (None: not calibrated) and verdict of a front."""
        model = self.calibration.model
        if model is None:
            return None, judge(indicators, thresholds=self.thresholds)
        error = model.estimate(indicators)
        return error, judge(indicators, error, model.usual_m, self.thresholds)

    def grey_distance(self, image: np.ndarray, pixel_spacing_m: float) -> float:
        """How far the grey of a scene (H, W) uint8 is from that of the training scenes (`GreyRule.distance`)."""
        return self.grey.distance(average_looks(image, looks_for(pixel_spacing_m, self.pixel_spacing_m)))

    def probabilities(self, image: Image, pixel_spacing_m: float) -> Float32[np.ndarray, "height width zone"]:
        """Mean class probabilities of a scene."""
        return assemble((mean for mean, _ in self.strips(image, pixel_spacing_m)), *image.shape[:2])

    def strips(self, image: Image, pixel_spacing_m: float) -> Iterator[tuple[Strip, Strip]]:
        """Mean and population standard deviation of the members' probabilities.

        These are successive strips of the scene: large scenes leave room for no more.
        """
        looks = looks_for(pixel_spacing_m, self.pixel_spacing_m)
        if looks == 1:
            yield from self._strips(image)
            return
        averaged = average_looks(image, looks)
        # A quarter of the scene's pixels or fewer, so they may be held whole: 8 bytes for each of the scene's at most.
        found = np.empty((2, *averaged.shape[:2], NUM_ZONES), np.float32)
        start = 0
        for strip in self._strips(averaged):
            found[:, start : start + len(strip[0])] = strip
            start += len(strip[0])
        height, width = image.shape[:2]
        enlarged = [enlarge_looks(part, looks, height, width, self.context_px // 2) for part in found]
        yield from zip(*enlarged, strict=True)

    def _strips(self, image: Image) -> Iterator[tuple[Strip, Strip]]:
        networks = [_mirrored(network, axes) for axes in self.mirrors for network in self.networks]
        how = (self.mode, self.context_px, self.size_multiple, self.tiles_at_once)
        members = scene_strips(networks, self.quarter_turns, image, *how)
        return mean_over_members(members)


@dataclasses.dataclass(frozen=True)
class SeriesPredictor(Predictor):
    """An ensemble of networks of series: `networks` are `glacierjax.prediction.series.SeriesNetwork`s.

    `frames`: scenes that they see at once; 1: what they see of other scenes makes no difference. `needs_dates`: the answer
    depends on the days, not only on their order.
    """

    frames: int = PUBLISHED_FRAMES
    needs_dates: bool = False

    def for_series(self, series: str) -> "SeriesPredictor":
        """This ensemble where `series` forms the series; errors of fronts are known of GROUPS alone, as `evaluate` forms them."""
        if self.frames == 1 or series == GROUPS or self.calibration.model is None:
            return self
        note = f"no errors of fronts are known where series are formed by {series}, only by {GROUPS}"
        return dataclasses.replace(self, calibration=Calibration(None, note))

    def strips(self, image: Image, pixel_spacing_m: float) -> Iterator[tuple[Strip, Strip]]:
        raise InputError(
            f"{self.sources[0]}: a network of series, which takes no single images; predict a series of one"
        )

    def series_strips(
        self,
        frames: Sequence[Frame],
        days: Int[np.ndarray, " frame"],
        wanted: Sequence[int],
        grid: tuple[int, int],
        protocol: str = CLEAN,
    ) -> Iterator[tuple[Strip, Strip]]:
        """Mean and standard deviation of the wanted frames' probabilities on the grid, as strips (rows, W, F, K).

        Arguments as in `glacierjax.prediction.series.frame_strips`; `days` since 1995-01-01 of each frame.
        """
        bound = [series_network(network, days, wanted) for network in self.networks]
        networks = [_mirrored(network, axes) for axes in self.mirrors for network in bound]
        how = (self.mode, self.context_px, self.size_multiple, protocol)
        return mean_over_members(frame_strips(networks, self.quarter_turns, frames, wanted, grid, *how))


def open_predictor(
    paths: Sequence[str],
    which: str = "best_iou",
    mode: str | None = None,
    rotations: bool = False,
    untrained_rotations: bool = False,
    thresholds: Thresholds = USUAL,
) -> Predictor:
    """Loads segmentation checkpoints (`glacierjax.checkpoints.native.load_checkpoint`) as one predictor.

    Networks of series give a `SeriesPredictor`. `mode` None means `default_mode` of the first checkpoint's training. Raises
    `InputError` for a checkpoint of another task, or of networks that take scenes differently. `rotations` averages over four
    rotations of a scene if the networks saw such crops in their training, else over the mirror images that they saw;
    `untrained_rotations` over four rotations in any case.
    """
    checkpoints = [load_checkpoint(path, which) for path in paths]
    for checkpoint in checkpoints:
        require_task(checkpoint, SEGMENTATION, SERIES)
    first = checkpoints[0]
    channels = network_of(first).channels
    for other in checkpoints[1:]:
        if network_of(other).channels != channels:
            raise InputError(
                f"{other.path}: its input channels are {', '.join(network_of(other).channels)}, those of {first.path} "
                f"{', '.join(channels)}; networks of an ensemble must agree, leave one of them out"
            )
        if _geometry(other) != _geometry(first):
            raise InputError(
                f"{other.path}: takes scenes differently (context and size multiple in pixels, pixel spacing in metres, "
                f"frames of a series: {tuple(_geometry(other))}) than {first.path} {tuple(_geometry(first))}; networks of an "
                "ensemble must agree, leave one of them out"
            )
    training = _training_of(first)
    context_px, size_multiple, pixel_spacing_m, frames = _geometry(first)
    quarter_turns, mirrors = (0,), (AS_IT_IS,)
    if untrained_rotations or (rotations and all(map(_saw_rotations, checkpoints))):
        quarter_turns = tuple(range(4))
    elif rotations:
        mirrors = _trained_mirrors(checkpoints)
    mode = mode or default_mode(training)
    fingerprints = [fingerprint(checkpoint.params) for checkpoint in checkpoints]
    kind: type[Predictor] = Predictor
    of_series: dict[str, Any] = {}
    if frames:
        kind = SeriesPredictor
        dated = any(network_of(checkpoint).temporal == LTAE for checkpoint in checkpoints)
        of_series = {"frames": frames, "needs_dates": dated}
    return kind(
        networks=[_bind(checkpoint) for checkpoint in checkpoints],
        quarter_turns=quarter_turns,
        mode=mode,
        context_px=context_px,
        size_multiple=size_multiple,
        training=training,
        sources=[str(checkpoint.path) for checkpoint in checkpoints],
        pixel_spacing_m=pixel_spacing_m,
        grey=rule_of_record(first.record, str(first.path)),
        mirrors=mirrors,
        channels=channels,
        fingerprints=fingerprints,
        records=[record_digest(checkpoint) for checkpoint in checkpoints],
        calibration=find_calibration(first.path, way_of_use(fingerprints, mode, quarter_turns, mirrors)),
        thresholds=thresholds,
        **of_series,
    )


def default_mode(training: FineTuning | None) -> str:
    """How a network covers a scene where nobody says it: as its training validated, but overlapping instead of tiled.

    A recipe that validates whole scenes shows its network nearly whole scenes. Tiles alone are kept for comparison.
    """
    mode = training.validation.mode if training else OFFICIAL_MODE
    return DEFAULT_MODE if mode == OFFICIAL_MODE else mode


class _Geometry(NamedTuple):
    """How a network takes scenes: its context and what the sides of an image must be multiples of in pixels; at what
    pixel spacing in metres (0: at the scene's own); how many at once (0: single images)."""

    context_px: int
    size_multiple: int
    pixel_spacing_m: float
    frames: int


def _geometry(checkpoint: Checkpoint) -> _Geometry:
    network, training = network_of(checkpoint), _training_of(checkpoint)
    frames = 0
    if checkpoint.record["task"] == SERIES:
        published = training.data.frames if isinstance(training, SeriesFineTuning) else PUBLISHED_FRAMES
        frames = 1 if network.temporal == ALONE else published
    if training is None:
        return _Geometry(DEFAULT_CONTEXT_PX, network.size_multiple, 0, frames)
    return _Geometry(training.data.context_px, network.size_multiple, training.data.pixel_spacing_m, frames)


def _saw_rotations(checkpoint: Checkpoint) -> bool:
    """Whether a network was trained on rotated crops; converted weights were, as published."""
    training = _training_of(checkpoint)
    return training is None or training.augment.rotation_probability > 0


def _trained_mirrors(checkpoints: Sequence[Checkpoint]) -> tuple[tuple[int, ...], ...]:
    """The mirror images that every network saw in its training; logs that they stand for the rotations."""
    trainings = [training for checkpoint in checkpoints if (training := _training_of(checkpoint)) is not None]
    mirrors: list[tuple[int, ...]] = [AS_IT_IS]
    left_right = all(training.augment.left_right_probability > 0 for training in trainings)
    up_down = all(training.augment.up_down_probability > 0 for training in trainings)
    if left_right:
        mirrors.append(LEFT_RIGHT)
    if up_down:
        mirrors.append(UP_DOWN)
    if left_right and up_down:
        mirrors.append(BOTH)
    untrained = next(checkpoint.path for checkpoint in checkpoints if not _saw_rotations(checkpoint))
    taken = f"{len(mirrors)} mirror images are averaged instead" if len(mirrors) > 1 else "nothing is averaged"
    log.warning(
        "%s: never trained on rotated crops, so %s; `untrained_rotations` averages four rotations", untrained, taken
    )
    return tuple(mirrors)


def _mirrored(network: Network, axes: tuple[int, ...]) -> Network:
    """The network as it sees mirror images, its answers (N, H, W, K) mirrored back."""
    if not axes:
        return network
    return lambda images: np.flip(network(np.ascontiguousarray(np.flip(images, axes))), axes)


def _training_of(checkpoint: Checkpoint) -> FineTuning | None:
    training = training_of(checkpoint)
    return training if isinstance(training, FineTuning) else None


def _bind(checkpoint: Checkpoint) -> Callable[..., np.ndarray]:
    """The network with its parameters: a `Network`, or of series a `SeriesNetwork`."""
    of_series = checkpoint.record["task"] == SERIES
    # hashable, which type checkers do not know
    model: Any = build(network_of(checkpoint), SeriesTyrion if of_series else Tyrion)
    network: Any = make_series_network(model) if of_series else make_network(model)
    params = jax.device_put(checkpoint.params)

    def answer(*inputs: np.ndarray) -> np.ndarray:
        try:
            return network(params, *inputs)
        except (FlaxError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{checkpoint.path}: its weights do not fit the network of its record ({reason}); copy it again"
            ) from error

    return answer

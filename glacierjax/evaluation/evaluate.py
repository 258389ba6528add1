"""One evaluation from start to end: opens what is scored and the true scenes, scores, and writes the results."""

import dataclasses
import functools
import logging
import re
from pathlib import Path

from glacierjax.core import choices
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.datasets.caffe.na_rule import NA_CHOICES
from glacierjax.evaluation.annotators import find_annotators
from glacierjax.evaluation.baselines import fit_baselines
from glacierjax.evaluation.lines import are_lines, from_lines
from glacierjax.evaluation.predictions import FRONT, ZONES
from glacierjax.evaluation.run import from_folder, raw_scenes, score_part
from glacierjax.evaluation.write import write_evaluation
from glacierjax.reports.metrics import Metrics
from glacierjax.terminus.attributes import Fields

log = logging.getLogger("glacierjax.evaluate")


@dataclasses.dataclass(frozen=True)
class ScoreOptions:
    """What to score, on which scenes, and how.

    Scored is one of `checkpoints` (training folders or checkpoints, several make an ensemble), `predictions` (a folder of
    zone PNGs) and `fronts` (a folder of front PNGs, or lines as `glacierjax.evaluation.lines` takes them, with `fields` as
    their attributes). The true scenes are those of `data` (CaFFe's data_raw); of a network
    without it those of `data_dir` (prepared data), else those of its training. `shard`: "I/N", the I-th of N parts of the
    scenes. `rock` "none": a network that expects a rock mask goes without where the data have none; `rock_rule`: what the
    data's rock mask shows is rock, whatever the network says. The other fields have the names of the flags of
    `glacierjax.evaluate`.
    """

    checkpoints: tuple[str, ...] = ()
    predictions: str | None = None
    fronts: str | None = None
    fields: Fields = dataclasses.field(default_factory=Fields)
    data: str | None = None
    data_dir: str | None = None
    split: str = "test"
    na: str = NA_CHOICES[0]
    which: str = choices.WHICH[0]
    mode: str | None = None
    rotations: bool = False
    untrained_rotations: bool = False
    baselines: bool = False
    rock: str = ""
    rock_rule: bool = False
    protocol: str = choices.CLEAN
    annotators: tuple[str, ...] = ()
    shard: str | None = None
    series: str | None = None
    registration: str | None = None

    def __post_init__(self):
        if bool(self.checkpoints) + bool(self.predictions) + bool(self.fronts) != 1:
            raise InputError("give one of `checkpoint`, `predictions` and `fronts` to score")
        if self.rock not in ("", choices.NONE):
            advice = f"choose {choices.NONE}; rock masks come with the data (label, build)"
            raise ArgumentError("rock", self.rock, advice)
        if self.fields != Fields() and not (self.fronts and are_lines(self.fronts)):
            raise InputError(
                "`date_field`, `name_field`, `glacier_field`: of lines, and none are given as `fronts`; leave them out"
            )
        if not self.checkpoints:
            of_networks = (
                "which",
                "mode",
                "rotations",
                "untrained_rotations",
                "rock",
                "rock_rule",
                "series",
                "registration",
            )
            for name in of_networks:
                self._refuse(name, "nothing is predicted here, what is given is scored as it is")
        if self.data or not self.checkpoints:
            self._refuse("data_dir", "the scenes are those of `data`")
        else:
            self._refuse("na", "of `data`, and none is given")
        if not self.checkpoints and not self.data:
            raise InputError("`data`: missing; name the data_raw that the predictions belong to")

    def _refuse(self, name: str, why: str) -> None:
        """Raises `ArgumentError` if the option is given although it says nothing."""
        value = getattr(self, name)
        if value not in (None, getattr(type(self), name)):
            raise ArgumentError(name, value, f"{why}; leave it out")

    @property
    def unusual(self) -> str:
        """What makes the errors of this evaluation others than those of a prediction with the same network, in words."""
        asked = {
            "the scenes are not those of the training": self.data,
            "rock is a rule": self.rock_rule,
            "there is no rock": self.rock,
            f"series are formed by {self.series}": self.series not in (None, choices.GROUPS),
            f"frames are laid over each other by {self.registration}": self.registration,
        }
        return next((why for why, is_so in asked.items() if is_so), "")


def evaluate(output: str | Path, options: ScoreOptions) -> Metrics | None:
    """Scores, writes everything to the folder `output`, and returns what metrics.json holds (None: of a part).

    Raises `InputError` for wrong input; what was scored before stays written.
    """
    output = Path(output)
    shard = parse_shard(options.shard) if options.shard else (0, 1)
    kind, calibrator, numbers = FRONT if options.fronts else ZONES, None, None
    read_split = functools.partial(raw_scenes, options.data or "", na=options.na)
    if options.checkpoints:
        # Imported here: scoring PNGs must not wait for JAX.
        from glacierjax.evaluation.calibrate import calibrator_for
        from glacierjax.evaluation.network import prepared_scenes
        from glacierjax.evaluation.series import predictions_of
        from glacierjax.prediction.ensemble import OFFICIAL_MODE, open_predictor

        mode = options.mode or (OFFICIAL_MODE if options.protocol == choices.OFFICIAL else None)
        predictor = open_predictor(
            options.checkpoints, options.which, mode, options.rotations, options.untrained_rotations
        )
        if not options.data:
            read_split = functools.partial(prepared_scenes, predictor.training, data_dir=options.data_dir or "")
        scenes = read_split(options.split)
        calibrator = calibrator_for(predictor, options.split, options.protocol, options.shard, options.unusual)
        predict, numbers, of_series = predictions_of(
            predictor,
            scenes,
            shard,
            options.series,
            options.registration,
            options.protocol,
            options.rock,
            options.rock_rule,
        )
        log.info("network: %s (%s), mode %s%s", ", ".join(predictor.sources), options.which, predictor.mode, of_series)
        averaged = f", {predictor.averaged}" if options.rotations or options.untrained_rotations else ""
        source = f"`{'`, `'.join(predictor.sources)}` (`{options.which}`), mode `{predictor.mode}`{averaged}{of_series}"
    else:
        folder = options.predictions or options.fronts
        assert folder is not None, "checked by the options"
        scenes = read_split(options.split)
        if kind == FRONT and are_lines(folder):
            predict = from_lines(folder, scenes.names, options.fields)
        else:
            predict = from_folder(folder, scenes.names, kind)
        source = f"`{folder}` against `{options.data}`"
    annotators = find_annotators(options.annotators, scenes.names) if options.annotators else {}
    baselines = fit_baselines(read_split("train")) if options.baselines else {}
    title, source = f"Evaluation on {options.split}", f"{source}, split `{options.split}`"
    part = score_part(
        scenes,
        predict,
        output,
        title,
        source,
        kind,
        options.protocol,
        baselines,
        annotators,
        shard,
        calibrator,
        numbers,
    )
    if calibrator is not None:
        calibrator.save(output)
    return None if options.shard else write_evaluation(output, part)


def parse_shard(text: str) -> tuple[int, int]:
    """ "1/4" -> (1, 4); raises `ArgumentError` for anything but I/N with 0 <= I < N."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ArgumentError("shard", text, "expected I/N with I from 0 to N - 1, such as 0/4")
    return int(match[1]), int(match[2])

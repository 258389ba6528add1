"""Scores calving fronts and zones: a trained network on a split, or predictions that any program left in a folder.

  python -m glacierjax.evaluate --checkpoint=RUN --output=OUT
  python -m glacierjax.evaluate --checkpoint=RUN1 --checkpoint=RUN2 --rotations --mode=overlap --output=OUT    (an ensemble)
  python -m glacierjax.evaluate --predictions=ZONES_DIR --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --fronts=FRONTS_DIR --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --fronts=lines.gpkg --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --checkpoint=RUN --shard=0/4 --output=PART0     (a quarter of the scenes; then 1/4, 2/4, 3/4)
  python -m glacierjax.evaluate --merge=PART0,PART1,PART2,PART3 --output=OUT     (merges the four parts; same result as one run)

Writes OUT/metrics.json, report.md, report.html, scores.csv, sums.json (what can be merged), and zones/, fronts/, overlays/
with one PNG for each scene; for an ensemble also deviation/.
"""

import logging
import sys
from pathlib import Path

from absl import flags

from glacierjax.core import choices, cli
from glacierjax.core.errors import InputError
from glacierjax.core.line_flags import define_line_flags
from glacierjax.datasets.caffe.na_rule import NA_CHOICES, NA_IN_WORDS

log = logging.getLogger("glacierjax.evaluate")

CHECKPOINT = flags.DEFINE_multi_string(
    "checkpoint",
    [],
    "Training folder, checkpoint, or hf://OWNER/NAME@REVISION of a network to score; several make an ensemble.",
)
flags.DEFINE_alias("workdir", "checkpoint")
PREDICTIONS = flags.DEFINE_string("predictions", None, "Folder of zone PNGs NAME.png (CaFFe's grey values) to score.")
FRONTS = flags.DEFINE_string(
    "fronts",
    None,
    "Fronts to score alone: a folder of PNGs NAME.png (0 and 255), or lines (vector file, folder, output of predict).",
)
FIELDS = define_line_flags()
MERGE = flags.DEFINE_list("merge", [], "Folders of all parts, DIR,DIR,...: merge them instead of scoring.")
DATA = flags.DEFINE_string("data", None, "CaFFe's data_raw (folder or zip file): the scenes and their labels.")
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Prepared data for a network, instead of --data. Default: those of its training."
)
SPLIT = flags.DEFINE_string("split", "test", "Split to score.")
NA = flags.DEFINE_enum(
    "na",
    NA_CHOICES[0],
    NA_CHOICES,
    f"{NA_IN_WORDS} (for --data).",
)
WHICH = flags.DEFINE_enum("which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder.")
MODE = flags.DEFINE_enum(
    "mode",
    None,
    choices.MODES,
    f"How a network covers a scene. {choices.MODES_IN_WORDS}. Default: overlap, or whole if the network was validated so; "
    "tiled with --protocol=official.",
)
ROTATIONS = flags.DEFINE_bool(
    "rotations",
    False,
    "Predict each scene in four rotations and average; in mirror images if the network was trained on these instead.",
)
UNTRAINED = flags.DEFINE_bool(
    "untrained_rotations", False, "Average four rotations also for a network that was trained without rotated crops."
)
BASELINES = flags.DEFINE_bool("baselines", False, "Also score two simple predictors, made from the training scenes.")
PROTOCOL = flags.DEFINE_enum(
    "protocol",
    choices.CLEAN,
    choices.PROTOCOLS,
    "clean: the rules of the paper; official: also the errors of the published code, to compare with published numbers.",
)
ANNOTATORS = flags.DEFINE_list(
    "annotators", [], "Folders of front PNGs, DIR,DIR,...: other people's fronts of the same scenes, to compare with."
)
ROCK = flags.DEFINE_enum(
    "rock", "", ["", choices.NONE], "none: a network that expects a rock mask goes without where the data have none."
)
ROCK_RULE = flags.DEFINE_bool(
    "rock_rule", False, "Where the data have a rock mask, its rock is rock in the prediction."
)
SHARD = flags.DEFINE_string("shard", None, "Score only a part of the scenes: I/N is part I of N, counted from 0.")
SERIES = flags.DEFINE_enum(
    "series", None, choices.SERIES_MODES, "Networks of series: scenes in groups (default), or each with its neighbours."
)
REGISTRATION = flags.DEFINE_enum(
    "registration",
    None,
    choices.REGISTRATIONS,
    "Networks of series: scenes all show the same ground (size), or lie over each other by map coordinates. Default: as "
    "trained.",
)
OUTPUT = flags.DEFINE_string("output", None, "Folder for the results.", required=True)


def main() -> None:
    given = [flag.name for flag in (CHECKPOINT, PREDICTIONS, FRONTS, MERGE) if flag.value]
    if len(given) != 1:
        named = " and ".join(f"--{name}" for name in given) or "nothing"
        raise InputError(f"{named} given to score; give one of --checkpoint, --predictions, --fronts, --merge")
    if MERGE.value:
        settings = (
            *FIELDS,
            DATA,
            NA,
            WHICH,
            MODE,
            ROTATIONS,
            UNTRAINED,
            DATA_DIR,
            SPLIT,
            BASELINES,
            PROTOCOL,
            ANNOTATORS,
            SHARD,
            ROCK,
            ROCK_RULE,
            SERIES,
            REGISTRATION,
        )
        if useless := [f"--{flag.name}" for flag in settings if flag.present]:
            raise InputError(f"{', '.join(useless)}: the parts of --merge have been scored; leave it out")
    elif not CHECKPOINT.value and not DATA.value:
        raise InputError(f"--data: missing; name the data_raw that --{given[0]} belongs to")

    # Imported here: --help must not wait for scipy, JAX or the data readers.
    from glacierjax.evaluation.evaluate import ScoreOptions, evaluate
    from glacierjax.evaluation.run import merge
    from glacierjax.terminus.attributes import Fields

    output = Path(OUTPUT.value)
    if MERGE.value:
        metrics = merge(MERGE.value, output)
    else:
        options = ScoreOptions(
            checkpoints=tuple(CHECKPOINT.value),
            predictions=PREDICTIONS.value,
            fronts=FRONTS.value,
            fields=Fields(*FIELDS.values),
            data=DATA.value,
            data_dir=DATA_DIR.value,
            split=SPLIT.value,
            na=NA.value,
            which=WHICH.value,
            mode=MODE.value,
            rotations=ROTATIONS.value,
            untrained_rotations=UNTRAINED.value,
            baselines=BASELINES.value,
            protocol=PROTOCOL.value,
            annotators=tuple(ANNOTATORS.value),
            shard=SHARD.value,
            rock=ROCK.value,
            rock_rule=ROCK_RULE.value,
            series=SERIES.value,
            registration=REGISTRATION.value,
        )
        metrics = evaluate(output, options)
    if metrics is None:
        log.info("a part is scored; the averages come with --merge of all parts")
        return
    error = "none" if metrics["mde_m"] is None else f"{metrics['mde_m']:.1f} m"
    log.info("mean distance error %s, %d missing front(s)", error, metrics["missing_fronts"])
    log.info("report: %s and %s", output / "report.md", output / "report.html")


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

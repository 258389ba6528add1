"""Scores calving fronts and zones: a trained network on a split, or predictions that any program left in a folder.

  python -m glacierjax.evaluate --workdir=RUN --output=OUT
  python -m glacierjax.evaluate --workdir=RUN1 --workdir=RUN2 --rotations --mode=overlap --output=OUT    (an ensemble)
  python -m glacierjax.evaluate --predictions=ZONES_DIR --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --fronts=FRONTS_DIR --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --workdir=RUN --shard=0/4 --output=PART0     (a quarter of the scenes; then 1/4, 2/4, 3/4)
  python -m glacierjax.evaluate --merge=PART0,PART1,PART2,PART3 --output=OUT           (the files that one pass gives)

Writes OUT/metrics.json, report.md, report.html, scores.csv, sums.json (what can be merged), and zones/, fronts/, overlays/
with one PNG for each scene, of an ensemble uncertainty/ too.
"""

import functools
import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.na_rule import NA_CHOICES

if TYPE_CHECKING:
    from glacierjax.evaluation.parts import Part

log = logging.getLogger("glacierjax.evaluate")

PREDICTIONS = flags.DEFINE_string("predictions", "", "Folder of zone PNGs NAME.png (CaFFe's grey values) to score.")
FRONTS = flags.DEFINE_string("fronts", "", "Folder of front PNGs NAME.png (0 and 255) to score alone.")
DATA = flags.DEFINE_string("data", "", "CaFFe's data_raw (folder or zip file): the scenes and their truth.")
NA = flags.DEFINE_enum(
    "na", "class", NA_CHOICES, "NA in --data is a zone, or not labelled (auto: if there is no rock)."
)
WORKDIR = flags.DEFINE_multi_string("workdir", [], "Training folder of a network to score; several make an ensemble.")
CHECKPOINT = flags.DEFINE_multi_string("checkpoint", [], "Checkpoint to score, as --workdir; several make an ensemble.")
WHICH = flags.DEFINE_enum("which", "best_iou", ["best_iou", "best_mde", "last"], "Which checkpoint of a network.")
MODE = flags.DEFINE_enum("mode", None, ["tiled", "overlap", "whole"], "How a network goes over a scene.")
ROTATIONS = flags.DEFINE_bool("rotations", False, "Average the network over four rotations of each scene.")
DATA_DIR = flags.DEFINE_string(
    "data_dir", "", "Prepared data for a network, instead of --data; default: that of its training."
)
SPLIT = flags.DEFINE_string("split", "test", "Split to score.")
BASELINES = flags.DEFINE_bool("baselines", False, "Score two simple baselines, made from the train split, beside it.")
PROTOCOL = flags.DEFINE_enum(
    "protocol", "clean", ["clean", "official"], "official: with the published code's oddities."
)
ANNOTATORS = flags.DEFINE_list(
    "annotators", [], "Folders of front PNGs, DIR,DIR,...: other people's fronts of the same scenes, to compare with."
)
SHARD = flags.DEFINE_string("shard", "", "Score a part of the scenes only: I/N, the I-th of N parts, from 0.")
MERGE = flags.DEFINE_list("merge", [], "Folders of all parts, DIR,DIR,...: puts them together instead of scoring.")
OUTPUT = flags.DEFINE_string("output", "", "Folder for the results.")


def main() -> None:
    networks = WORKDIR.value + CHECKPOINT.value
    sources = {
        "--predictions": PREDICTIONS.value, "--fronts": FRONTS.value, "--workdir or --checkpoint": networks,
        "--merge": MERGE.value,
    }  # fmt: skip
    given = [flag for flag, value in sources.items() if value]
    if len(given) != 1:
        raise InputError(f"{' and '.join(given) or 'nothing'} given to score; give one of {', '.join(sources)}")
    if not OUTPUT.value:
        raise InputError("--output: missing; name a folder for the results")
    if MERGE.value:
        settings = (DATA, NA, WHICH, MODE, ROTATIONS, DATA_DIR, SPLIT, BASELINES, PROTOCOL, ANNOTATORS, SHARD)
        if useless := [f"--{flag.name}" for flag in settings if flag.present]:
            raise InputError(f"{', '.join(useless)}: the parts of --merge have been scored; leave it out")
    elif not networks and not DATA.value:
        raise InputError(f"--data: missing; name the data_raw that {given[0]} belongs to")

    # Imported here: --help must not wait for scipy, JAX or the data readers.
    from glacierjax.evaluation.run import merge
    from glacierjax.evaluation.write import write_evaluation

    output = Path(OUTPUT.value)
    if MERGE.value:
        metrics = merge(MERGE.value, output)
    else:
        part = score(networks, output)
        if SHARD.value:
            log.info("%d scene(s) of a part scored; averages come with --merge of all parts", len(part.names))
            return
        metrics = write_evaluation(output, part)
    error = "none" if metrics["mde_m"] is None else f"{metrics['mde_m']:.1f} m"
    log.info("mean distance error %s, %d missing front(s)", error, metrics["missing_fronts"])
    log.info("report: %s and %s", output / "report.md", output / "report.html")


def score(networks: list[str], output: Path) -> "Part":
    """Scores what the flags name."""
    from glacierjax.evaluation.annotators import find_annotators
    from glacierjax.evaluation.baselines import fit_baselines
    from glacierjax.evaluation.predictions import FRONT, ZONES
    from glacierjax.evaluation.run import from_folder, raw_scenes, score_part

    shard = parse_shard(SHARD.value) if SHARD.value else (0, 1)
    kind = FRONT if FRONTS.value else ZONES
    read_split = functools.partial(raw_scenes, DATA.value, na=NA.value)
    if networks:
        from glacierjax.evaluation.network import most_probable, prepared_scenes
        from glacierjax.prediction.ensemble import OFFICIAL_MODE, open_predictor

        predictor = open_predictor(
            networks,
            WHICH.value,
            MODE.value or (OFFICIAL_MODE if PROTOCOL.value == "official" else None),
            ROTATIONS.value,
        )
        predict = most_probable(predictor)
        if not DATA.value:
            read_split = functools.partial(prepared_scenes, predictor.training, data_dir=DATA_DIR.value)
        scenes = read_split(SPLIT.value)
        log.info("network: %s (%s), mode %s", ", ".join(predictor.sources), WHICH.value, predictor.mode)
        turned = ", four rotations" if ROTATIONS.value else ""
        source = f"`{'`, `'.join(predictor.sources)}` (`{WHICH.value}`), mode `{predictor.mode}`{turned}"
    else:
        folder = PREDICTIONS.value or FRONTS.value
        scenes = read_split(SPLIT.value)
        predict = from_folder(folder, scenes.names, kind)
        source = f"`{folder}` against `{DATA.value}`"
    annotators = find_annotators(ANNOTATORS.value, scenes.names) if ANNOTATORS.value else {}
    baselines = fit_baselines(read_split("train")) if BASELINES.value else {}
    title, source = f"Evaluation on {SPLIT.value}", f"{source}, split `{SPLIT.value}`"
    return score_part(scenes, predict, output, title, source, kind, PROTOCOL.value, baselines, annotators, shard)


def parse_shard(text: str) -> tuple[int, int]:
    """ "1/4" -> (1, 4); raises `InputError` for anything but I/N with 0 <= I < N."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise InputError(f"--shard={text}: expected I/N with I from 0 to N - 1, such as 0/4")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

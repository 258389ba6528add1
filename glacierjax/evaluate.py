"""Scores calving fronts and zones: a trained network on a split, or predictions that any program left in a folder.

  python -m glacierjax.evaluate --workdir=RUN --output=OUT
  python -m glacierjax.evaluate --workdir=RUN1 --workdir=RUN2 --rotations --mode=overlap --output=OUT    (an ensemble)
  python -m glacierjax.evaluate --predictions=ZONES_DIR --data=data_raw --split=test --output=OUT
  python -m glacierjax.evaluate --fronts=FRONTS_DIR --data=data_raw --split=test --output=OUT

Writes OUT/metrics.json, report.md, scores.csv, and zones/, fronts/, overlays/ with one PNG for each scene.
"""

import functools
import logging
import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.core.unlabelled import NA_CHOICES

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
OUTPUT = flags.DEFINE_string("output", "", "Folder for the results.")


def main() -> None:
    networks = WORKDIR.value + CHECKPOINT.value
    sources = {"--predictions": PREDICTIONS.value, "--fronts": FRONTS.value, "--workdir or --checkpoint": networks}
    given = [flag for flag, value in sources.items() if value]
    if len(given) != 1:
        raise InputError(f"{' and '.join(given) or 'nothing'} given to score; give one of {', '.join(sources)}")
    if not OUTPUT.value:
        raise InputError("--output: missing; name a folder for the results")
    if not networks and not DATA.value:
        raise InputError(f"--data: missing; name the data_raw that {given[0]} belongs to")

    # Imported here: --help must not wait for scipy, JAX or the data readers.
    from glacierjax.evaluation.baselines import fit_baselines
    from glacierjax.evaluation.predictions import FRONT, ZONES
    from glacierjax.evaluation.run import evaluate, from_folder, raw_scenes

    kind = FRONT if FRONTS.value else ZONES
    read_split = functools.partial(raw_scenes, DATA.value, na=NA.value)
    if networks:
        from glacierjax.evaluation.network import most_probable, prepared_scenes
        from glacierjax.inference.predictor import open_predictor

        predictor = open_predictor(networks, WHICH.value, MODE.value, ROTATIONS.value)
        predict = most_probable(predictor)
        if not DATA.value:
            read_split = functools.partial(prepared_scenes, predictor.config, data_dir=DATA_DIR.value)
        scenes = read_split(SPLIT.value)
        log.info("network: %s (%s), mode %s", ", ".join(predictor.sources), WHICH.value, predictor.mode)
        turned = ", four rotations" if ROTATIONS.value else ""
        source = f"`{'`, `'.join(predictor.sources)}` (`{WHICH.value}`), mode `{predictor.mode}`{turned}"
    else:
        folder = PREDICTIONS.value or FRONTS.value
        scenes = read_split(SPLIT.value)
        predict = from_folder(folder, scenes.names, kind)
        source = f"`{folder}` against `{DATA.value}`"
    baselines = fit_baselines(read_split("train")) if BASELINES.value else {}
    output = Path(OUTPUT.value)
    title, source = f"Evaluation on {SPLIT.value}", f"{source}, split `{SPLIT.value}`, {len(scenes)} scenes."
    metrics = evaluate(scenes, predict, output, title, source, kind, PROTOCOL.value, baselines)
    error = "none" if metrics["mde_m"] is None else f"{metrics['mde_m']:.1f} m"
    log.info("mean distance error %s, %d missing front(s)", error, metrics["missing_fronts"])
    log.info("report: %s", output / "report.md")


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

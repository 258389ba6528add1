"""How good the expected errors and verdicts of fronts are: calibrated on one split, measured on another.

  python experiments/front_errors/run.py --checkpoint=RUN [--checkpoint=RUN2] [--rotations] [--data_dir=DIR] --work=FOLDER

Writes FOLDER/fronts.csv, a row for each scored front, and prints the table of RESULTS.md.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from absl import flags
from scipy.stats import spearmanr

from glacierjax.core import choices, cli
from glacierjax.evaluation.calibrate import known_of
from glacierjax.evaluation.network import most_probable, prepared_scenes
from glacierjax.evaluation.score import score_scene
from glacierjax.fronts.calibration import fit_error_model
from glacierjax.fronts.verdict import QUALITIES, REJECT, judge
from glacierjax.prediction.ensemble import open_predictor

GOOD_ENOUGH_M = 150.0

CHECKPOINT = flags.DEFINE_multi_string("checkpoint", None, "Training folders; several make an ensemble.", required=True)
ROTATIONS = flags.DEFINE_bool("rotations", False, "As glacierjax.evaluate.")
WHICH = flags.DEFINE_enum("which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder.")
DATA_DIR = flags.DEFINE_string("data_dir", "", "Prepared data. Default: those of the training.")
CALIBRATE = flags.DEFINE_string("calibrate", "val", "Split to calibrate on.")
MEASURE = flags.DEFINE_string("measure", "test", "Split to measure on.")
WORK = flags.DEFINE_string("work", None, "Folder for the results.", required=True)


def main() -> None:
    predictor = open_predictor(CHECKPOINT.value, WHICH.value, rotations=ROTATIONS.value)
    known, missing = {}, {}
    for split in (CALIBRATE.value, MEASURE.value):
        predict, fronts, missing[split] = most_probable(predictor), [], 0
        for scene in prepared_scenes(predictor.training, split, DATA_DIR.value):
            predicted = predict(scene)
            score = score_scene(scene, predicted.labels)
            indicators = known_of(scene, predicted, score)
            if score.mde_m is None or indicators is None:
                missing[split] += bool(score.true_front_pixels)
                continue
            fronts.append((scene.id.name, indicators, score))
        known[split] = fronts
    calibration = known[CALIBRATE.value]
    model = fit_error_model([i for _, i, _ in calibration], [score.mde_m or 0.0 for *_, score in calibration])
    rows = []
    for name, indicators, score in known[MEASURE.value]:
        error = model.estimate(indicators)
        verdict = judge(indicators, error, model.usual_m)
        rows.append((name, score.mde_m, score.distances, *error, verdict.quality, "; ".join(verdict.reasons)))
    Path(WORK.value).mkdir(parents=True, exist_ok=True)
    with (Path(WORK.value) / "fronts.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["scene", "true_m", "distances", "error_m", "error_low_m", "error_high_m", "quality", "reasons"])
        table.writerows(rows)
    report(rows, missing)


def report(rows: list[tuple], missing: dict[str, int]) -> None:
    """Prints the figures of RESULTS.md."""
    true, distances, expected = (np.array([row[i] for row in rows], float) for i in (1, 2, 3))
    low, high = (np.array([np.nan if row[i] is None else row[i] for row in rows]) for i in (4, 5))
    quality = np.array([row[6] for row in rows])
    kept, fine = quality != REJECT, true < GOOD_ENOUGH_M
    all_m, kept_m = np.average(true, weights=distances), np.average(true[kept], weights=distances[kept])
    print(f"{len(rows)} fronts, scenes without one {missing}")
    print(f"the interval holds {((low <= true) & (true <= high)).mean():.1%}")
    print(f"rank correlation {spearmanr(expected, true).statistic:.2f}")
    print(f"MDE {all_m:.1f} m, without rejected ones {kept_m:.1f} m ({1 - kept_m / all_m:.0%} less)")
    print(f"mean of scenes {true.mean():.1f} m, without rejected ones {true[kept].mean():.1f} m")
    print(f"rejected {(~kept).sum()}; of {fine.sum()} better than {GOOD_ENOUGH_M:g} m {(fine & ~kept).sum()}")
    for word in QUALITIES:
        of_word = true[quality == word]
        print(f"{word}: {len(of_word)} fronts, {of_word.mean() if len(of_word) else 0:.0f} m")


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

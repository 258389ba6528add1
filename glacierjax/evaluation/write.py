"""Leaves an evaluation on disk: metrics.json, report.md, scores.csv, and three pictures a scene."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from glacierjax.core.files import write_png, write_text
from glacierjax.core.labelled import LabelledScene
from glacierjax.core.zones import FRONT_GREY, grey_from_ids
from glacierjax.evaluation.score import SceneScore
from glacierjax.reports.figures import contact_sheet, overlay
from glacierjax.reports.tables import csv_text, report_text

SHOWN_OF_EACH = 3  # worst and best scenes in the report


def write_scene(output_dir: Path, scene: LabelledScene, score: SceneScore, predicted_ids: np.ndarray | None) -> None:
    """zones/NAME.png (as predicted, CaFFe's grey values; not without ids), fronts/NAME.png, overlays/NAME.png."""
    file = f"{scene.id.name}.png"
    front = np.zeros(scene.image.shape, bool)
    front[tuple(score.front_rc.T)] = True
    if predicted_ids is not None:
        write_png(output_dir / "zones" / file, grey_from_ids(predicted_ids))
    write_png(output_dir / "fronts" / file, front * np.uint8(FRONT_GREY))
    picture = overlay(
        scene.image, scene.front, front, scene.box, scene.id.pixel_spacing_m, scene.id.name, mde_text(score)
    )
    write_png(output_dir / "overlays" / file, picture)


def mde_text(score: SceneScore) -> str:
    """What an overlay says of its scene's distance error."""
    if score.mde_m is not None:
        return f"mean distance error {score.mde_m:.0f} m ({score.mde_px:.1f} px)"
    return "no front predicted" if score.true_front_pixels else "no true front drawn"


def write_evaluation(output_dir: Path, metrics: dict, title: str, source: str) -> None:
    """Writes metrics.json, scores.csv, worst_and_best.png (of the overlays that are there) and report.md."""
    write_text(output_dir / "metrics.json", json.dumps(metrics, indent=1, allow_nan=False) + "\n")
    write_text(output_dir / "scores.csv", csv_text(metrics))
    worst, best = worst_and_best(metrics)
    figures = {}
    if worst:
        pictures = [np.asarray(Image.open(output_dir / "overlays" / f"{name}.png")) for name in worst + best]
        write_png(output_dir / "worst_and_best.png", contact_sheet(pictures, columns=SHOWN_OF_EACH))
        counts = f"The {len(worst)} scene(s) with the largest mean distance error" + (
            f", then the {len(best)} with the smallest." if best else "."
        )
        figures[counts] = "worst_and_best.png"
    write_text(output_dir / "report.md", report_text(metrics, title, source, figures))


def worst_and_best(metrics: dict) -> tuple[list[str], list[str]]:
    """Names of the scenes with the largest (first) and the smallest mean distance error, none of them twice."""
    errors_m = {name: r["mde_m"] for name, r in metrics["per_scene"].items() if r["mde_m"] is not None}
    ranked = sorted(errors_m, key=lambda name: (-errors_m[name], name))
    worst, rest = ranked[:SHOWN_OF_EACH], ranked[SHOWN_OF_EACH:]
    return worst, rest[::-1][:SHOWN_OF_EACH]

"""Leaves an evaluation on disk: metrics.json, reports, scores.csv, and pictures of each scene."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside, write_png, write_text
from glacierjax.core.zones import FRONT_GREY, grey_from_ids
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.parts import Part, metrics_of
from glacierjax.evaluation.score import SceneScore
from glacierjax.fronts.scores import pixels_of
from glacierjax.reports.content import Figure
from glacierjax.reports.figures import NEAR_M, contact_sheet, overlay, uncertainty_picture
from glacierjax.reports.page import image_element, page_text
from glacierjax.reports.plots import error_plot
from glacierjax.reports.tables import csv_text, report_text

SHOWN_OF_EACH = 3  # worst and best scenes in the report
ZONES, FRONTS, OVERLAYS, UNCERTAINTY = "zones", "fronts", "overlays", "uncertainty"  # folders
CONTACT_SHEET, ERROR_PLOT = "worst_and_best.png", "errors.svg"


def write_scene(
    output_dir: Path, scene: LabelledScene, score: SceneScore, predicted_ids: np.ndarray | None
) -> np.ndarray:
    """zones/NAME.png (as predicted, CaFFe's grey values; not without ids), fronts/NAME.png, overlays/NAME.png.

    Returns the predicted front (H, W) bool.
    """
    file = f"{scene.id.name}.png"
    front = np.zeros(scene.image.shape, bool)
    front[tuple(score.front_rc.T)] = True
    if predicted_ids is not None:
        write_png(output_dir / ZONES / file, grey_from_ids(predicted_ids))
    write_png(output_dir / FRONTS / file, front * np.uint8(FRONT_GREY))
    false_rc, missed_rc = far_parts(score, pixels_of(scene.front))
    picture = overlay(
        scene.image, scene.front, front, scene.box, scene.id.pixel_spacing_m, scene.id.name, mde_text(score),
        missed_rc, false_rc,
    )  # fmt: skip
    _write_picture(output_dir / OVERLAYS / file, picture)
    return front


def far_parts(score: SceneScore, true_rc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the predicted front without a true one within `NEAR_M`, and of the true (n, 2) without a predicted one."""
    if not score.distances:
        return score.front_rc, true_rc
    far = score.distances_m > NEAR_M
    return score.front_rc[far[: score.front_pixels]], true_rc[far[score.front_pixels :]]


def write_uncertainty(output_dir: Path, scene: LabelledScene, deviation: np.ndarray) -> None:
    """uncertainty/NAME.png: the scene, and beside it where the ensemble disagrees (H, W)."""
    picture = uncertainty_picture(scene.image, deviation, scene.id.pixel_spacing_m, scene.id.name)
    _write_picture(output_dir / UNCERTAINTY / f"{scene.id.name}.png", picture)


def _write_picture(path: Path, picture: np.ndarray) -> None:
    """A PNG, hardly compressed: speckle does not get much smaller for ten times the time."""
    with write_beside(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", compress_level=1)


def copy_pictures(source: Path, output_dir: Path, names: Sequence[str]) -> None:
    """Copies what `write_scene` and `write_uncertainty` left of these scenes; raises `InputError` when one is missing."""
    kinds = [kind for kind in (ZONES, FRONTS, OVERLAYS, UNCERTAINTY) if (source / kind).is_dir()]
    for kind in kinds:
        for name in names:
            picture = source / kind / f"{name}.png"
            if not picture.is_file():
                raise InputError(f"{picture}: missing, a picture of this part; score it again")
            with write_beside(output_dir / kind / picture.name) as temporary:
                shutil.copyfile(picture, temporary)


def mde_text(score: SceneScore) -> str:
    """What an overlay says of its scene's distance error."""
    if score.mde_m is not None:
        return f"mean distance error {score.mde_m:.0f} m ({score.mde_px:.1f} px)"
    return "no front predicted" if score.true_front_pixels else "no true front drawn"


def write_evaluation(output_dir: Path, part: Part) -> dict:
    """Writes metrics.json, scores.csv, worst_and_best.png, errors.svg, report.md and report.html; returns the metrics.

    `part` is a whole split; its overlays are there already.
    """
    metrics, settings = metrics_of(part), part.settings
    source = f"{settings.source}, {len(settings.scenes)} scenes."
    write_text(output_dir / "metrics.json", json.dumps(metrics, indent=1, allow_nan=False) + "\n")
    write_text(output_dir / "scores.csv", csv_text(metrics))
    figures, elements = {}, []
    if plot := error_plot(metrics):
        write_text(output_dir / ERROR_PLOT, plot)
        caption = "Mean distance error of each scene (dots) and of each group (bars)."
        figures[caption] = ERROR_PLOT
        elements.append(Figure(caption, plot))
    worst, best = worst_and_best(metrics)
    if worst:
        pictures = [np.asarray(Image.open(output_dir / OVERLAYS / f"{name}.png")) for name in worst + best]
        sheet = contact_sheet(pictures, columns=SHOWN_OF_EACH)
        write_png(output_dir / CONTACT_SHEET, sheet)
        caption = f"The {len(worst)} scene(s) with the largest mean distance error" + (
            f", then the {len(best)} with the smallest." if best else "."
        )
        figures[caption] = CONTACT_SHEET
        elements.append(Figure(caption, image_element(sheet, caption)))
    write_text(output_dir / "report.md", report_text(metrics, settings.title, source, figures))
    drawn = {
        name: [output_dir / kind / f"{name}.png" for kind in (OVERLAYS, UNCERTAINTY)] for name in metrics["per_scene"]
    }
    drawn = {name: [path for path in paths if path.is_file()] for name, paths in drawn.items()}
    write_text(output_dir / "report.html", page_text(metrics, settings.title, source, elements, drawn))
    return metrics


def worst_and_best(metrics: dict) -> tuple[list[str], list[str]]:
    """Names of the scenes with the largest (first) and the smallest mean distance error, none of them twice."""
    errors_m = {name: r["mde_m"] for name, r in metrics["per_scene"].items() if r["mde_m"] is not None}
    ranked = sorted(errors_m, key=lambda name: (-errors_m[name], name))
    worst, rest = ranked[:SHOWN_OF_EACH], ranked[SHOWN_OF_EACH:]
    return worst, rest[::-1][:SHOWN_OF_EACH]

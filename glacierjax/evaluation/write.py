"""Writes an evaluation: metrics.json, reports, scores.csv, and pictures of each scene."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from glacierjax.core.drawing import picture_of
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import user_path, write_beside, write_png, write_text
from glacierjax.core.scene_names import parse_name
from glacierjax.core.version import version
from glacierjax.core.zones import FRONT_GREY, grey_from_ids
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.parts import SUMS_FILE, Part, metrics_of
from glacierjax.evaluation.score import SceneScore
from glacierjax.fronts.scores import pixels_of
from glacierjax.geo.georeference import georeference_of_bounds
from glacierjax.geo.rasters import SIDECAR, write_sidecar
from glacierjax.reports.content import counted, scene_facts, worst_first
from glacierjax.reports.figures import deviation_picture, overlay
from glacierjax.reports.maps import (
    LARGEST_DEVIATION,
    NEAR_M,
    Pixels,
    compared_fronts,
    deviation_map,
    display_zoom,
    grey_map,
    zone_map,
)
from glacierjax.reports.metrics import Metrics
from glacierjax.reports.page import SHOWN_SCENES, Map, SceneMaps, jpeg_bytes, page_text
from glacierjax.reports.plots import error_plot
from glacierjax.reports.tables import csv_text, report_text

ZONES, FRONTS, OVERLAYS, DEVIATION = "zones", "fronts", "overlays", "deviation"  # folders
ON_THE_MAP = (ZONES, FRONTS)  # pixel by pixel those of the scene
# Folders of the maps in report.html.
SCENE_MAP, FRONT_MAP, ZONE_MAP, TRUE_ZONE_MAP, DEVIATION_MAP = (
    f"maps/{kind}" for kind in ("scene", "fronts", "zones", "true_zones", "deviation")
)
PNG, JPEG = ".png", ".jpg"
SUFFIXES = {
    **dict.fromkeys((ZONES, FRONTS, OVERLAYS, DEVIATION, FRONT_MAP, ZONE_MAP, TRUE_ZONE_MAP, DEVIATION_MAP), PNG),
    SCENE_MAP: JPEG,
}
"""Folder -> suffix of its files, one for each scene."""
NOT_ALWAYS = (ZONES, ZONE_MAP, DEVIATION, DEVIATION_MAP)  # folders of what only some evaluations have
MAP_PX, DEVIATION_PX = 512, 256  # longest side of a map in report.html; of the deviation map, which is smooth
METRICS, SCORES, ERROR_PLOT, REPORT, PAGE = "metrics.json", "scores.csv", "errors.png", "report.md", "report.html"
CAPTIONS = {
    FRONT_MAP: "both fronts",
    SCENE_MAP: "scene",
    DEVIATION_MAP: f"disagreement of the ensemble, 0 (dark) to {LARGEST_DEVIATION:g} (bright)",
    TRUE_ZONE_MAP: "true zones",
    ZONE_MAP: "predicted zones",
}
"""Maps of report.html in their order."""

Ids = UInt8[np.ndarray, "height width"]
Deviation = Float[np.ndarray, "height width"]


def write_scene(
    output_dir: Path,
    scene: LabelledScene,
    score: SceneScore,
    predicted_ids: Ids | None,
    deviation: Deviation | None = None,
) -> Bool[np.ndarray, "height width"]:
    """Writes the pictures of one scene and returns the predicted front.

    Files: zones/NAME.png (as predicted, CaFFe's grey values), fronts/NAME.png, overlays/NAME.png, deviation/NAME.png (for
    an ensemble), and maps/ for the report; beside zones and front where they lie on the map, if that is known. Without
    `predicted_ids` or `deviation` the files that show them are not written; those of an earlier evaluation are removed.
    """
    name, spacing_m = scene.id.name, scene.id.pixel_spacing_m
    front = np.zeros(scene.image.shape, bool)
    front[tuple(score.front_rc.T)] = True
    false_rc, missed_rc = far_parts(score, pixels_of(scene.front))
    zoom = display_zoom(scene.image.shape, MAP_PX)
    pictures = {
        FRONTS: front * np.uint8(FRONT_GREY),
        OVERLAYS: overlay(
            scene.image, scene.front, front, scene.box, spacing_m, name, mde_text(score), missed_rc, false_rc
        ),
        FRONT_MAP: compared_fronts(scene.front, front, scene.box, zoom, missed_rc, false_rc),
        TRUE_ZONE_MAP: zone_map(scene.zones, min(zoom, 1)),
    }
    if predicted_ids is not None:
        pictures |= {ZONES: grey_from_ids(predicted_ids), ZONE_MAP: zone_map(predicted_ids, min(zoom, 1))}
    if deviation is not None:
        pictures |= {
            DEVIATION: deviation_picture(scene.image, deviation, spacing_m, name),
            DEVIATION_MAP: deviation_map(deviation, min(zoom, display_zoom(deviation.shape, DEVIATION_PX))),
        }
    place = georeference_of_bounds(scene.bounds, scene.image.shape) if scene.bounds else None
    for kind, picture in pictures.items():
        path = _picture_path(output_dir, kind, name)
        write_png(path, picture)
        if kind in ON_THE_MAP:
            write_sidecar(path, place)
    with write_beside(_picture_path(output_dir, SCENE_MAP, name)) as temporary:
        temporary.write_bytes(jpeg_bytes(grey_map(scene.image, min(zoom, 1))))
    for kind in SUFFIXES.keys() - pictures.keys() - {SCENE_MAP}:
        path = _picture_path(output_dir, kind, name)
        path.unlink(missing_ok=True)
        if kind in ON_THE_MAP:
            write_sidecar(path, None)
    return front


def far_parts(score: SceneScore, true_rc: Pixels) -> tuple[Pixels, Pixels]:
    """Pixels of the predicted front farther than `NEAR_M` from the true front, and pixels of the true front likewise."""
    if not score.distances:
        return score.front_rc, true_rc
    far = score.distances_m > NEAR_M
    return score.front_rc[far[: score.front_pixels]], true_rc[far[score.front_pixels :]]


def check_pictures(source: Path, names: Sequence[str]) -> None:
    """Raises `InputError` when a picture that `write_scene` wrote of these scenes is missing."""
    for kind in SUFFIXES:
        missing = [picture for name in names if not (picture := _picture_path(source, kind, name)).is_file()]
        if missing and not (kind in NOT_ALWAYS and len(missing) == len(names)):
            raise InputError(f"{missing[0]}: missing; copy the whole folder of this part, or score it again")


def copy_pictures(source: Path, output_dir: Path, names: Sequence[str]) -> None:
    """Copies the pictures that `write_scene` wrote of these scenes; those that it did not write are removed from `output_dir`."""
    for kind in SUFFIXES:
        for name in names:
            picture, target = (_picture_path(folder, kind, name) for folder in (source, output_dir))
            for suffix in ("", SIDECAR):
                copy = target.with_name(target.name + suffix)
                if (file := picture.with_name(picture.name + suffix)).is_file():
                    with write_beside(copy) as temporary:
                        shutil.copyfile(file, temporary)
                else:
                    copy.unlink(missing_ok=True)


def mde_text(score: SceneScore) -> str:
    """The text about the distance error in an overlay."""
    if score.mde_m is not None:
        return f"mean distance error {score.mde_m:.0f} m ({score.mde_px:.1f} px)"
    return "no front predicted" if score.true_front_pixels else "no true front drawn"


def remove_averages(output_dir: Path) -> None:
    """Removes what tells about all scenes of an earlier evaluation: the pictures beside it are about to be replaced."""
    folder = user_path(output_dir)
    if folder.exists() and not folder.is_dir():
        raise ArgumentError("output", output_dir, "is a file; choose a folder")
    for name in (SUMS_FILE, METRICS, SCORES, ERROR_PLOT, REPORT, PAGE):
        (folder / name).unlink(missing_ok=True)


def write_evaluation(output_dir: Path, part: Part) -> Metrics:
    """Writes metrics.json, scores.csv, errors.png, report.md and report.html; returns the metrics.

    `part` holds all scenes of a split, whose pictures are written already.
    """
    output_dir = user_path(output_dir)
    metrics, settings = metrics_of(part), part.settings
    source = f"{settings.source}, {counted(len(settings.scenes), 'scene')}."
    write_text(output_dir / METRICS, json.dumps({"version": version(), **metrics}, indent=1, allow_nan=False) + "\n")
    write_text(output_dir / SCORES, csv_text(metrics))
    pictures, chart = {}, None
    for name in worst_first(metrics)[:SHOWN_SCENES]:
        caption = f"{name}: {scene_facts(metrics['per_scene'][name])}"
        pictures[caption] = f"{OVERLAYS}/{name}{PNG}"
    if figure := error_plot(metrics):
        write_png(output_dir / ERROR_PLOT, picture_of(figure))
        pictures["Mean distance error of each scene (dots) and of each group (bars)."] = ERROR_PLOT
        chart = (output_dir / ERROR_PLOT).read_bytes()
    else:
        (output_dir / ERROR_PLOT).unlink(missing_ok=True)  # of an earlier evaluation
    write_text(output_dir / REPORT, report_text(metrics, settings.title, source, version(), pictures))
    scenes = {name: _scene_maps(output_dir, name) for name in metrics["per_scene"]}
    write_text(output_dir / PAGE, page_text(metrics, settings.title, source, version(), chart, scenes))
    return metrics


def _picture_path(folder: Path, kind: str, name: str) -> Path:
    return user_path(folder) / kind / f"{name}{SUFFIXES[kind]}"


def _scene_maps(folder: Path, name: str) -> SceneMaps:
    """The maps of a scene that `write_scene` wrote."""
    paths = {kind: _picture_path(folder, kind, name) for kind in CAPTIONS}
    files = {kind: path.read_bytes() for kind, path in paths.items() if path.is_file()}
    picture = files[SCENE_MAP]
    maps = [Map(CAPTIONS[kind], None if kind == SCENE_MAP else file) for kind, file in files.items()]
    with Image.open(_picture_path(folder, FRONTS, name)) as front:
        size_px = front.size
    return SceneMaps(picture, size_px, size_px[0] * parse_name(name).pixel_spacing_m, maps)

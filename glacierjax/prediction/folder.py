"""Predicts many files one after the other: goes on after a bad one, and where it was when started again."""

import csv
import dataclasses
import glob
import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.progress import track
from glacierjax.core.scene_names import facts_of_name
from glacierjax.geo.areas import Area
from glacierjax.geo.scenes import SUFFIXES, ReadOptions, read_scene
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.scene import GEOJSON, Prediction, find_front

log = logging.getLogger(__name__)

SETTINGS = "settings.json"
RECORDS = "records"
TABLE = "scenes.csv"
ALL_FRONTS = "fronts.geojson"
COLUMNS = ("scene", "glacier", "date", "sensor", "pixel_spacing_m", "georeferenced", "front_lines", "length_m",
           "mean_uncertainty", "source")  # fmt: skip
SHOWN_PROBLEMS = 5


def find_scenes(patterns: Sequence[str]) -> list[Path]:
    """The scene files that files, folders (all PNG and TIFF files in them) and glob patterns name, in order, none twice.

    Raises `InputError` for what names none, and for two files that would be written under one name.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES and file.is_file()]
            if not files:
                raise InputError(f"--input={pattern}: no {' or '.join(SUFFIXES)} file in this folder")
        elif path.exists():
            files = [path]
        else:
            files = [Path(file) for file in sorted(glob.glob(pattern, recursive=True)) if Path(file).is_file()]  # noqa: PTH207
            if not files:
                raise InputError(f"--input={pattern}: no such file or folder, and no file that fits it as a pattern")
        found |= dict.fromkeys(files)
    by_name: dict[str, Path] = {}
    for file in found:
        other = by_name.setdefault(file.stem, file)
        if other is not file:
            raise InputError(f"{file}: would be written under the name of {other}; rename it or use another --output")
    return list(found)


@dataclasses.dataclass(frozen=True)
class Batch:
    """How scenes are predicted, and where to. `vector`: formats of the lines beside GeoJSON."""

    predictor: Predictor
    output: Path
    options: ReadOptions
    area: Area | None = None
    vector: Sequence[str] = ()
    overwrite: bool = False

    def run(self, files: Sequence[Path]) -> None:
        """Predicts the files that are not done yet, then writes the table and all fronts in one file.

        Raises `InputError` at the end if some of the files could not be predicted, and names them; at once if `output`
        holds results of other settings.
        """
        self._settle()
        todo = [file for file in files if self.overwrite or not self._is_done(file)]
        if len(todo) < len(files):
            log.info(
                "%d of %d scenes are done already (--overwrite does them again)", len(files) - len(todo), len(files)
            )
        problems = {}
        for file in track(todo, len(todo), "scenes predicted"):
            try:
                self._predict(file)
            except InputError as error:
                problems[file] = str(error)
                log.info("%s", error)
        write_summary(self.output)
        if problems:
            reasons = list(problems.values())
            shown = "; ".join(reasons[:SHOWN_PROBLEMS])
            more = f"; and {len(reasons) - SHOWN_PROBLEMS} more" if len(reasons) > SHOWN_PROBLEMS else ""
            raise InputError(f"{len(reasons)} of {len(files)} scenes could not be predicted: {shown}{more}")

    def _predict(self, file: Path) -> None:
        scene = read_scene(file, self.options)
        for note in scene.warnings:
            log.warning("%s: %s", file, note)
        prediction = find_front(self.predictor, scene, self.area)
        prediction.save(self.output, self.vector)
        write_text(self._record(file), json.dumps(_row(prediction, file), indent=1) + "\n")  # last: it means "done"

    def _is_done(self, file: Path) -> bool:
        """The scene has a record, and has not changed since."""
        record = self._record(file)
        return record.is_file() and file.is_file() and record.stat().st_mtime >= file.stat().st_mtime

    def _record(self, file: Path) -> Path:
        return self.output / RECORDS / f"{file.stem}.json"

    def _settle(self) -> None:
        """Writes down the settings, or compares them with those that the folder's results were made with."""
        path, settings = self.output / SETTINGS, self._settings()
        if path.is_file() and not self.overwrite:
            try:
                before = json.loads(path.read_text(encoding="utf-8"))
                changed = [name for name in settings if before.get(name) != settings[name]]
            except (OSError, ValueError, AttributeError) as error:
                raise InputError(f"{path}: not readable ({error}); remove it or use another --output") from error
            if changed:
                raise InputError(
                    f"{self.output}: holds results of other settings ({', '.join(changed)}); use another --output, or "
                    "--overwrite to do all of them again"
                )
        write_text(path, json.dumps(settings, indent=1) + "\n")

    def _settings(self) -> dict[str, Any]:
        predictor = self.predictor
        return {
            "checkpoints": list(predictor.sources),
            "mode": predictor.mode,
            "rotations": len(predictor.quarter_turns) > 1,
            "box": self.area.digest if self.area else None,
            "vector": sorted(self.vector),
            **dataclasses.asdict(self.options),
        }


def write_summary(output: Path) -> None:
    """scenes.csv, a row for each scene with a record, and fronts.geojson, the lines of all georeferenced ones."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((output / RECORDS).glob("*.json"))]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(output / TABLE, text.getvalue())
    paths = [output / "lines" / f"{row['scene']}{GEOJSON}" for row in rows if row["georeferenced"]]
    if paths:
        lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()[1:-1]]
        members = ",\n".join(line.rstrip(",") for line in lines if line)
        write_text(output / ALL_FRONTS, f'{{"type": "FeatureCollection", "features": [\n{members}\n]}}\n')


def _row(prediction: Prediction, file: Path) -> dict[str, Any]:
    scene, facts = prediction.scene, facts_of_name(prediction.scene.name)
    return {
        "scene": scene.name,
        "glacier": facts.glacier,
        "date": facts.date and facts.date.isoformat(),
        "sensor": facts.sensor,
        "pixel_spacing_m": round(scene.pixel_spacing_m, 3),
        "georeferenced": scene.georeference is not None,
        "front_lines": len(prediction.front_lines),
        "length_m": round(sum(prediction.lengths_m), 1),
        "mean_uncertainty": round(float(prediction.uncertainty.mean(dtype=float)), 4),
        "source": str(file),
    }

"""Predicts many files one after the other: goes on after a bad one, and where it was when started again."""

import csv
import dataclasses
import glob
import io
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.cli import advice_for
from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import is_hidden, user_path, visible_files, write_text
from glacierjax.core.progress import track
from glacierjax.core.scene_names import facts_of_name
from glacierjax.geo.areas import Area
from glacierjax.geo.scenes import SUFFIXES, ReadOptions, read_scene
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.records import (
    Record,
    Source,
    check_settings,
    is_done,
    name_scenes,
    read_records,
    source_of,
    write_record,
)
from glacierjax.prediction.scene import GEOJSON, Prediction, find_front

log = logging.getLogger(__name__)

SETTINGS = "settings.json"
TABLE = "scenes.csv"
ALL_FRONTS = "fronts.geojson"
COLUMNS: tuple[str, ...] = ("scene", "glacier", "date", "sensor", "pixel_spacing_m", "georeferenced", "front_lines", "length_m",
           "mean_uncertainty", "source")  # fmt: skip
SHOWN_PROBLEMS = 5


def find_scenes(patterns: Sequence[str]) -> list[Path]:
    """The scene files that files, folders (all PNG and TIFF files in them) and glob patterns name, in order, none twice.

    Hidden files of folders and patterns are passed over. Raises `InputError` for what names none.
    """
    found: dict[str, Path] = {}
    for pattern in patterns:
        path = user_path(pattern)
        if path.is_dir():
            files = visible_files(path, SUFFIXES)
            if not files:
                raise InputError(f"--input={pattern}: no {' or '.join(SUFFIXES)} file in this folder")
        elif path.exists():
            files = [path]
        else:
            matches = (Path(match) for match in sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207
            files = [file for file in matches if file.is_file() and not is_hidden(file)]
            if not files:
                raise InputError(f"--input={pattern}: no such file or folder, and no file that fits it as a pattern")
        for file in files:
            found.setdefault(os.path.abspath(file), file)  # noqa: PTH100 (links are not followed: they are names too)
    return list(found.values())


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
        if (self.output / SETTINGS).is_file() and not self.overwrite:
            check_settings(self.output / SETTINGS, self._settings())
        write_text(self.output / SETTINGS, json.dumps(self._settings(), indent=1) + "\n")
        records = read_records(self.output)
        names, problems = name_scenes(files, records, self.output)
        for problem in problems.values():
            log.info("%s", problem)
        todo = [file for file, name in names.items() if self.overwrite or not self._is_done(file, records.get(name))]
        if len(todo) < len(names):
            log.info(
                "%d of %d scenes are done already (--overwrite does them again)", len(names) - len(todo), len(names)
            )
        for file in track(todo, len(todo), "scenes predicted"):
            name = names[file]
            try:
                self._predict(file, name, records.get(name))
            except InputError as error:
                problems[file] = str(error)
            except Exception as error:  # whatever is wrong with one scene, the others are predicted
                log.debug("%s", file, exc_info=True)
                reason = advice_for(error) or f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                problems[file] = f"{file}: cannot be predicted ({reason})"
            if file in problems:
                log.info("%s", problems[file])
        write_summary(self.output)
        _log_counts([name for file, name in names.items() if file not in problems], read_records(self.output))
        if problems:
            reasons = list(problems.values())
            shown = "; ".join(reasons[:SHOWN_PROBLEMS])
            more = f"; and {len(reasons) - SHOWN_PROBLEMS} more" if len(reasons) > SHOWN_PROBLEMS else ""
            raise InputError(f"{len(reasons)} of {len(files)} scenes could not be predicted: {shown}{more}")

    def _is_done(self, file: Path, record: Record | None) -> bool:
        return is_done(record, source_of(file, self.output), self.output)

    def _predict(self, file: Path, name: str, before: Record | None) -> None:
        source = source_of(file, self.output)  # as it is now: a file that changes meanwhile is done again
        scene = dataclasses.replace(read_scene(file, self.options), name=name)
        for note in scene.warnings:
            log.warning("%s: %s", file, note)
        prediction = find_front(self.predictor, scene, self.area)
        written = [path.relative_to(self.output).as_posix() for path in prediction.save(self.output, self.vector)]
        write_record(self.output, Record(source, _row(prediction, source), written))
        for left_over in set(before.files if before else ()) - set(written):
            (self.output / left_over).unlink(missing_ok=True)

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
    rows = [record.row for record in read_records(output).values()]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(output / TABLE, text.getvalue())
    paths = [output / "lines" / f"{row['scene']}{GEOJSON}" for row in rows if row["georeferenced"]]
    if missing := [path.name for path in paths if not path.is_file()]:
        log.warning("%s: removed, so not in %s; predict their scenes again", some_names(missing), ALL_FRONTS)
    if paths:
        lines = [
            line for path in paths if path.is_file() for line in path.read_text(encoding="utf-8").splitlines()[1:-1]
        ]
        members = ",\n".join(line.rstrip(",") for line in lines if line)
        write_text(output / ALL_FRONTS, f'{{"type": "FeatureCollection", "features": [\n{members}\n]}}\n')


def _log_counts(names: Sequence[str], records: Mapping[str, Record]) -> None:
    """How many of the scenes have a front, and which have none."""
    without = [name for name in names if not records[name].row["front_lines"]]
    log.info("%d scenes: %d with a front, %d without one", len(names), len(names) - len(without), len(without))
    if without:
        log.warning("no front in %s", some_names(without))


def _row(prediction: Prediction, source: Source) -> dict[str, Any]:
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
        "source": source.path,
    }

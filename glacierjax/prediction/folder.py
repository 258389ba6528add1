"""Predicts many files one after the other: goes on after a bad one, and where it was when started again."""

import contextlib
import csv
import dataclasses
import functools
import io
import itertools
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from glacierjax.checkpoints.hub import shown_checkpoint
from glacierjax.core.cli import reason_for
from glacierjax.core.errors import InputError, some_names, some_reasons
from glacierjax.core.files import write_text
from glacierjax.core.grey import UNLIKE_FROM
from glacierjax.core.json_values import Json, digest_of_json
from glacierjax.core.progress import track
from glacierjax.core.scene_names import facts_of_name
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import WGS84
from glacierjax.geo.glacier_ids import PLAIN, LineOptions
from glacierjax.geo.regions import Interest
from glacierjax.geo.registration import Footprint
from glacierjax.geo.run_layer import write_run
from glacierjax.geo.scenes import READING, ReadOptions, Scene, outline_of, read_scene
from glacierjax.geo.sources import Source
from glacierjax.geo.vectors import GEOJSON, remove_layer
from glacierjax.prediction.catalogue import write_catalogue
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.priors import NO_PRIORS, Priors
from glacierjax.prediction.records import (
    SETTINGS,
    Record,
    States,
    check_settings,
    current_records,
    formats_before,
    is_done,
    name_scenes,
    read_records,
    states_of,
    write_record,
)
from glacierjax.prediction.saved_lines import feature_lines
from glacierjax.prediction.scene import Prediction, find_front
from glacierjax.prediction.stac import COLLECTION
from glacierjax.terminus.front_files import LINES_FOLDER, SCENES_TABLE

log = logging.getLogger(__name__)

ALL_FRONTS = "fronts.geojson"
COLUMNS: tuple[str, ...] = (
    "scene",
    "glacier",
    "date",
    "sensor",
    "polarisation",
    "orbit",
    "relative_orbit",
    "pixel_spacing_m",
    "georeferenced",
    "front_lines",
    "length_m",
    "error_m",
    "error_low_m",
    "error_high_m",
    "quality",
    "reasons",
    "mean_uncertainty",
    "grey_distance",
    "series_scenes",
    "registration",
    "source",
    *READING,
)
UNCERTAIN_FROM = (
    0.6  # mean uncertainty; the demo's network has 0.45 to 0.53 on its test scenes, 0.66 on land without ice
)


@dataclasses.dataclass(frozen=True)
class Batch:
    """How scenes are predicted, and where to. `vector`: formats of the lines beside GeoJSON; `interest`: what of large
    scenes is read; `priors`: rock and summer scenes; `stac`: write a catalogue too (one that is there is kept up to date)."""

    predictor: Predictor
    output: Path
    options: ReadOptions
    area: Area | None = None
    vector: Sequence[str] = ()
    overwrite: bool = False
    interest: Interest | None = None
    priors: Priors = NO_PRIORS
    lines: LineOptions = PLAIN
    stac: bool = False

    def run(self, sources: Sequence[Source]) -> None:
        """Predicts the sources that are not done yet, then writes the table and all fronts in one file.

        Raises `InputError` at the end if sources could not be predicted, and names them; at once if `output`
        holds results of other settings.
        """
        self.claim_output()
        records = read_records(self.output)
        current = current_records(self.output, records)
        if len(current) < len(records):  # others leave the tables now, lest a run that is stopped leave both in them
            write_summary(self.output, current, self.vector, self.lines)
        names, problems = name_scenes(sources, records, self.output)
        for problem in problems.values():
            log.info("%s", problem)
        self._predict_all(names, records, problems)
        records = current_records(self.output, read_records(self.output))  # in the order of their names
        write_summary(self.output, records, self.vector, self.lines)
        if self.stac or (self.output / COLLECTION).is_file():
            write_catalogue(self.output, records)
        _log_counts([name for source, name in names.items() if source not in problems], records)
        if problems:
            reasons = some_reasons(list(problems.values()))
            raise InputError(f"{len(problems)} of {len(sources)} scenes could not be predicted: {reasons}")

    def claim_output(self) -> None:
        """Writes the settings into the output; all fronts in formats that are no longer asked for are removed.

        Raises `InputError` if it holds results of other settings.
        """
        file = self.output / SETTINGS
        if file.is_file() and not self.overwrite:
            check_settings(file, self.settings())
        for kind in set(formats_before(file)) - set(self.vector):
            remove_layer((self.output / ALL_FRONTS).with_suffix(f".{kind}"))
        write_text(file, json.dumps(self.settings(), indent=1) + "\n")

    def _predict_all(
        self, names: Mapping[Source, str], records: dict[str, Record], problems: dict[Source, str]
    ) -> None:
        """Predicts what is not done yet of the sources with their names; adds what goes wrong to the problems."""
        todo = [
            source
            for source, name in names.items()
            if self.overwrite or not self.is_done(source, records.get(name), name)
        ]
        log_done(len(names) - len(todo), len(names))
        for source in track(todo, len(todo), "scenes predicted"):
            with noting([source], problems):
                name = names[source]
                records[name] = self.predict(source, name, records.get(name))

    def predict(self, source: Source, name: str, before: Record | None = None) -> Record:
        """Predicts one scene and writes its files and, last of all, its record, which is returned.

        `before`: the record that it has in `output`; files of it that are not written again are removed.
        """
        states = states_of(source, self.output)  # as they are now: files that change meanwhile are done again
        scene = self._read(source, name)
        priors = self.priors.of(scene, source)
        found = find_front(self.predictor, scene, self.area, priors)
        tried = (state for summer in priors.summer_sources for state in states_of(summer, self.output))
        return self._write(found, (*states, *tried), before)

    def is_done(self, source: Source, record: Record | None, name: str) -> bool:
        """Whether the record of a scene with this name stands for what would be predicted now."""
        if record is None or record.settings != self.digest:
            return False
        own = states_of(source, self.output)
        return is_done(record, (*own, *self._summer_states(source, name, record, own)), self.output, self.digest)

    def _summer_states(self, source: Source, name: str, record: Record, own: States) -> States:
        """The states of as many summer scenes as were tried for the record, one at least: those that would be tried now.

        Only headers are read. A record without a summer scene holds none, so one that has come since makes a difference.
        """
        summer = self.priors.summer
        if summer is None or summer.named is not None:  # a named one is among the settings
            return ()
        date = source.facts.filled_from(facts_of_name(name)).date
        count = max(1, len(record.source) - len(own))
        try:
            outline = outline_of(source, self.options, self.interest)
            if outline.place is None:
                return ()
            candidates = summer.candidates(source, date, Footprint(outline.place, outline.shape))
            states = (state for candidate in candidates for state in states_of(candidate, self.output))
            return tuple(itertools.islice(states, count))
        except InputError:
            return ()  # reading the scene tells what is wrong

    def _read(self, source: Source, name: str) -> Scene:
        scene = read_scene(source, self.options, self.interest, self.predictor.grey)
        for note in scene.warnings:
            log.warning("%s: %s", source.where, note)
        return dataclasses.replace(scene, name=name, known=scene.facts.filled_from(facts_of_name(name)))

    def _write(self, prediction: Prediction, states: States, before: Record | None) -> Record:
        """Writes the files of a scene and its record; removes what else was written of it before."""
        written = [
            path.relative_to(self.output).as_posix() for path in prediction.save(self.output, self.vector, self.lines)
        ]
        record = Record(states, self._row(prediction, states), written, self.digest)
        write_record(self.output, record)
        for left_over in set(before.files if before else ()) - set(written):
            (self.output / left_over).unlink(missing_ok=True)
        return record

    def _row(self, prediction: Prediction, states: States) -> Json:
        scene, facts = prediction.scene, prediction.scene.facts
        return {
            "scene": scene.name,
            "glacier": facts.glacier,
            "date": facts.date and facts.date.isoformat(),
            "sensor": facts.sensor,
            "polarisation": facts.polarisation,
            "orbit": facts.orbit,
            "relative_orbit": facts.relative_orbit,
            "pixel_spacing_m": round(scene.pixel_spacing_m, 3),
            "georeferenced": scene.georeference is not None,
            "front_lines": len(prediction.front_lines),
            "length_m": round(sum(prediction.lengths_m), 1),
            **prediction.quality_columns(),
            "mean_uncertainty": round(prediction.mean_uncertainty, 4),
            "grey_distance": round(self.predictor.grey_distance(scene.image, scene.pixel_spacing_m), 1),
            "series_scenes": prediction.series and len(prediction.series.scenes),
            "registration": prediction.series and prediction.series.registration,
            "source": states[0].path,
            **scene.reading,
        }

    @functools.cached_property
    def digest(self) -> str:
        """Of the settings."""
        return digest_of_json(self.settings())

    def settings(self) -> Json:
        """What tells results of this batch from others of the same scenes."""
        predictor = self.predictor
        return {
            "checkpoints": list(map(shown_checkpoint, predictor.sources)),
            "networks": sorted(predictor.fingerprints),
            "records": sorted(predictor.records),
            "mode": predictor.mode,
            "rotations": list(predictor.quarter_turns),
            "mirrors": [list(axes) for axes in predictor.mirrors],
            "box": self.area.digest if self.area else None,
            "aoi": self.interest.area.digest if self.interest else None,
            "vector": sorted(self.vector),
            **self.priors.settings(self.output),
            "crs": self.lines.crs and self.lines.crs.to_string(),
            "author": self.lines.author,
            "outlines": self.lines.outlines and self.lines.outlines.digest,
            "thresholds": {name: str(value) for name, value in dataclasses.asdict(predictor.thresholds).items()},
            "calibration": [predictor.calibration.note, predictor.calibration.digest],
            **dataclasses.asdict(self.options),
        }


@contextlib.contextmanager
def noting(sources: Sequence[Source], problems: dict[Source, str]) -> Iterator[None]:
    """Whatever goes wrong becomes the problem of these sources: the others are predicted."""
    try:
        yield
    except Exception as error:
        for source in sources:
            reason = reason_for(error)
            is_told = isinstance(error, InputError)
            problems[source] = reason if is_told else f"{source.where}: cannot be predicted ({reason})"
            log.info("%s", problems[source])


def log_done(done: int, scenes: int) -> None:
    if done:
        log.info("%d of %d scenes are done already (`overwrite` does them again)", done, scenes)


def write_summary(
    output: Path, records: Mapping[str, Record], vector: Sequence[str] = (), options: LineOptions = PLAIN
) -> None:
    """scenes.csv, a row for each scene with a record, and fronts.geojson, the lines of all georeferenced ones.

    With it fronts.KIND in each format of `vector`, in WGS84 without another choice, and fronts.qml, how QGIS shows them. Raises
    `InputError` for lines that are damaged.
    """
    rows = [record.row for record in records.values()]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(output / SCENES_TABLE, text.getvalue())
    paths = [output / LINES_FOLDER / f"{row['scene']}{GEOJSON}" for row in rows if row["georeferenced"]]
    if missing := [path.name for path in paths if not path.is_file()]:
        log.warning("%s: removed, so not in %s; predict their scenes again", some_names(missing), ALL_FRONTS)
    if paths or (output / ALL_FRONTS).is_file():  # one of scenes that no longer count is replaced
        members = ",\n".join(line for path in paths if path.is_file() for line in feature_lines(path))
        write_text(output / ALL_FRONTS, f'{{"type": "FeatureCollection", "features": [\n{members}\n]}}\n')
        write_run(output / ALL_FRONTS, vector, options.crs or WGS84)


def _log_counts(names: Sequence[str], records: Mapping[str, Record]) -> None:
    """How many of the scenes have a front, and which have none."""
    without = [name for name in names if not records[name].row["front_lines"]]
    log.info("%d scenes: %d with a front, %d without one", len(names), len(names) - len(without), len(without))
    if without:
        log.warning("no front in %s", some_names(without))
    uncertain = [name for name in names if records[name].row["mean_uncertainty"] > UNCERTAIN_FROM]
    unlike = [name for name in names if records[name].row["grey_distance"] > UNLIKE_FROM]
    if unlike:
        log.warning(
            "grey unlike that of the training scenes: %s; give the backscatter itself instead of a picture of it",
            some_names(unlike),
        )
    if uncertain:
        log.warning(
            "uncertain over most of the scene: %s; unlike what the network was trained with, so do not trust its fronts",
            some_names(uncertain),
        )

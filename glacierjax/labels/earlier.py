"""What a folder of labels holds already, and what of it stays when `glacierjax label` writes there again."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import ArgumentError, some_names
from glacierjax.core.files import user_path
from glacierjax.core.json_values import read_json
from glacierjax.datasets.caffe.archive import STATEMENT
from glacierjax.datasets.caffe.meta_data import META_DATA, read_meta_data, write_meta_data
from glacierjax.datasets.caffe.writer import scene_files

log = logging.getLogger(__name__)

OVERLAYS = "overlays"
SCENES, SPLIT = "scenes", "split"  # fields of labels.json: facts by scene, among them its split


def files_of(scenes: Mapping[str, Any]) -> set[str]:
    """The files of labelled scenes, from the output folder. `scenes`: what `labels.json` says of them, by name."""
    return {
        str(path)
        for name, facts in scenes.items()
        for path in (*scene_files(facts[SPLIT], name), f"{OVERLAYS}/{name}.png")
    }


def kept_of(earlier: Mapping[str, Any], written: Mapping[str, Any], split: str, has_problems: bool) -> dict[str, Any]:
    """What stays of an earlier result: scenes of other splits, and those that a run with problems may have failed to make."""
    others = {name: facts for name, facts in earlier.items() if name not in written}
    if failed := [name for name, facts in others.items() if facts[SPLIT] == split and has_problems]:
        log.warning("kept from an earlier run, because of the problems of this one: %s", some_names(failed))
    return {name: facts for name, facts in others.items() if facts[SPLIT] != split or has_problems}


def read_earlier(output: Path) -> dict[str, Any]:
    """What `labels.json` says of the scenes of an earlier result in a folder. Raises `InputError` if it holds something else."""
    output = user_path(output)
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return {}
    try:
        scenes = dict(read_json(output / STATEMENT)[SCENES])
        splits = Counter(str(facts[SPLIT]) for facts in scenes.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ArgumentError(
            "output", output, "holds something else than labels that this command wrote; choose another folder"
        ) from None
    counts = ", ".join(f"{count} of {split}" for split, count in sorted(splits.items()))
    log.info("%s: labelled before: %s; those of the same split are replaced", output, counts)
    return scenes


def write_places(output: Path, made: Mapping[str, MapBounds | None], kept: Iterable[str]) -> None:
    """Writes where the scenes lie on the map, all or none: the builder wants a row for each.

    `made`: of this run; `kept`: scenes of earlier ones, which `META_DATA` knows.
    """
    file = user_path(output / META_DATA)
    before = read_meta_data(file).by_name() if file.is_file() else {}
    places = {**{name: before.get(name) for name in kept}, **made}
    if nowhere := [name for name, bounds in places.items() if bounds is None]:
        log.warning(
            "no %s: it cannot say where %s lie (rotated, without EPSG code, or not in metres on the ground)",
            META_DATA,
            some_names(nowhere),
        )
        file.unlink(missing_ok=True)
        return
    write_meta_data(output, {name: bounds for name, bounds in places.items() if bounds is not None})

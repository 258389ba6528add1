"""A series ready to be measured: fronts in one plane and one direction, a box, and a verdict on each front."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glacierjax.core.errors import ArgumentError, InputError, some_names, some_reasons
from glacierjax.core.files import user_path
from glacierjax.core.json_values import Json, parse_json
from glacierjax.fronts.verdict import GOOD, USUAL, Thresholds, Verdict
from glacierjax.geo.features import read_text
from glacierjax.terminus.attributes import Fields
from glacierjax.terminus.box import Box
from glacierjax.terminus.centreline import towards_ocean
from glacierjax.terminus.curved_box import box_along
from glacierjax.terminus.direction import one_direction
from glacierjax.terminus.front_files import JUDGED
from glacierjax.terminus.fronts import Front, Plane, lay_out, read_fronts
from glacierjax.terminus.inputs import (
    choose_box,
    choose_glacier,
    choose_spacing,
    drawn_polygon,
    given_area,
    given_centreline,
    point_on_glacier,
)
from glacierjax.terminus.outliers import judge_series

log = logging.getLogger(__name__)

SUMMARY, BOX_FILE, CENTRELINE_FILE = "summary.json", "box.geojson", "centreline.geojson"  # of the output of timeseries


@dataclasses.dataclass(frozen=True)
class SeriesOptions:
    """`box`, `centreline`: files, "": none; `width_m` of a box that follows the centreline, None: a straight box; `glacier`,
    `pixel_spacing_m`: only the fronts of these; `fields`: attributes; `thresholds`: from where on a front is doubtful or
    rejected; `as_written`: by `timeseries`, so verdicts and box are taken as they are; `name`: of the one glacier that all
    fronts are of, whatever they tell, "": as they tell."""

    box: str = ""
    centreline: str = ""
    width_m: float | None = None
    glacier: str = ""
    pixel_spacing_m: float | None = None
    fields: Fields = dataclasses.field(default_factory=Fields)
    thresholds: Thresholds = USUAL
    as_written: bool = False
    name: str = ""

    def __post_init__(self):
        if self.width_m is None:
            return
        if not 0 < self.width_m < float("inf"):
            raise ArgumentError("width_m", self.width_m, "give a number of metres above 0")
        if not self.centreline:
            raise ArgumentError("width_m", self.width_m, "is of a box that follows a line; give `centreline` too")


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Dated fronts of one glacier in metres of `plane`, the glacier on their left, and what they are measured with.

    `verdicts`: one for each front; `centreline` (n, 2), towards the ocean; `turned`: scenes whose lines were turned round;
    `side_from`: what told on which side the glacier is; `problems`: what is wrong with files that could not be read.
    """

    fronts: list[Front]
    plane: Plane
    box: Box
    centreline: np.ndarray | None
    verdicts: list[Verdict]
    turned: list[str]
    side_from: str
    problems: list[str]

    def require_all_files(self, output: Path) -> None:
        """Raises `InputError` if files could not be read: `output` is written without them."""
        if self.problems:
            number = len(self.problems)
            raise InputError(f"{output}: written without {number} file(s) of lines: {some_reasons(self.problems)}")


def open_series(patterns: Sequence[str], options: SeriesOptions) -> Series:
    """The fronts that files, folders and patterns name, as `options` choose them.

    Files that cannot be read are left out and told. Raises `InputError` for whatever else is wrong, and if no file is left.
    """
    area = given_area(options.box)
    if area and options.width_m is not None:
        raise ArgumentError("width_m", options.width_m, f"{options.box} has a box already; leave one of them out")
    problems: list[str] = []
    read = read_fronts(patterns, options.fields, problems)
    for problem in problems:
        log.error("left out: %s", problem)
    named = [dataclasses.replace(front, glacier=options.name) for front in read] if options.name else read
    of_glacier = choose_glacier(named, options.glacier, area)
    placed, plane = lay_out(choose_spacing(of_glacier, options.pixel_spacing_m))
    drawn_line = given_centreline(options.centreline, plane)
    polygon = drawn_polygon(area, placed, plane) if area else None
    if drawn_line is not None and options.width_m is not None:
        polygon = box_along(drawn_line, options.width_m, options.centreline).polygon
    on_glacier = point_on_glacier(options.box, plane)
    fronts, turned = one_direction(placed, on_glacier, polygon)
    if turned:
        log.warning("drawn with the glacier on the right, so turned round: %s", some_names(turned))
    if on_glacier is None and not all(front.is_own for front in fronts):
        log.warning(
            "the glacier is taken to lie on the left of most lines, which other programs do not promise; if it does not, add a "
            "point on the glacier to the file of `box`"
        )
    centreline = None if drawn_line is None else towards_ocean(drawn_line, [front.lines for front in fronts])
    if centreline is not None and options.width_m is not None:
        box = box_along(centreline, options.width_m, options.centreline)
    else:
        box = choose_box(polygon, fronts, options.box, clip=not options.as_written)
    if options.as_written:
        verdicts = [front.verdict or Verdict(GOOD) for front in fronts]
    else:
        verdicts = judge_series(fronts, box, options.thresholds)
    side = "direction of the lines" if on_glacier is None else "point on the glacier"
    return Series(fronts, plane, box, centreline, verdicts, turned, side, problems)


def open_written(patterns: Sequence[str], box: str = "", glacier: str = "") -> Series | None:
    """The series that a folder of `timeseries` holds, with its box (without another one) and its verdicts; None: it is no such
    folder. Raises `InputError` for one without lines."""
    folder = user_path(patterns[0])
    if len(patterns) > 1 or not (folder / SUMMARY).is_file():
        return None
    if not (folder / JUDGED).is_file():
        raise InputError(
            f"{folder}: no {JUDGED} in it, as of fronts in pixels; make it again with georeferenced fronts"
        )
    options = SeriesOptions(box=box or str(folder / BOX_FILE), glacier=glacier, as_written=True)
    used = _box_facts(folder / SUMMARY)
    if used["follows_centreline"] and not box:
        line = str(folder / CENTRELINE_FILE)
        options = dataclasses.replace(options, box="", centreline=line, width_m=used["width_m"])
    return open_series([str(folder / JUDGED)], options)


def _box_facts(path: Path) -> Json:
    try:
        return {"follows_centreline": False, **parse_json(read_text(path))["box"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not as timeseries writes it ({error}); run timeseries again") from None

"""Front lines from files, each with the file that it comes from and the scene that it was drawn on."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glacierjax.core.errors import InputError, some_names
from glacierjax.labels.frames import Frame
from glacierjax.terminus.attributes import Fields
from glacierjax.terminus.front_files import files_of
from glacierjax.terminus.fronts import Front, read_fronts
from glacierjax.terminus.places import name_places, place_of

log = logging.getLogger(__name__)

BY_NAME, BY_DATE = "name", "date"
MOSTLY = 0.5  # share of a line that lies in its scene


@dataclasses.dataclass(frozen=True, eq=False)
class Line:
    """The front of one scene (longitude, latitude) and its `file`."""

    front: Front
    file: str

    @property
    def where(self) -> str:
        """For messages: the file, and which of its fronts."""
        front = self.front
        told = None if front.scene.startswith(Path(self.file).stem) else front.scene
        return ", ".join(str(part) for part in (self.file, told or front.date) if part)


def read_lines(patterns: Sequence[str], fields: Fields) -> tuple[list[Line], list[str]]:
    """The fronts in files, folders and patterns, and what is wrong with the files that cannot be read."""
    found, problems = [], []
    for file in dict.fromkeys(file for pattern in patterns for file in files_of(pattern)):
        try:
            fronts = read_fronts([str(file)], fields)
            for front in fronts:
                line = Line(front, str(file))
                try:
                    _check(line)
                    found.append(line)
                except InputError as error:
                    problems.append(str(error))
        except InputError as error:
            problems.append(str(error))
    return _with_glaciers(found), problems


def _check(line: Line) -> None:
    """Raises `InputError` for a front without lines, in pixels, or with a line that crosses itself."""
    front = line.front
    if front.pixel_spacing_m is not None:
        raise InputError(f"{line.where}: in pixels; give lines on Earth")
    if not front.lines:
        raise InputError(f"{line.where}: no line in it")
    for points in front.lines:
        if len(np.unique(points, axis=0)) < 2:
            raise InputError(f"{line.where}: a line of a single point; draw it again")


def _with_glaciers(lines: list[Line]) -> list[Line]:
    """The lines, those whose glacier nothing tells named by their place."""
    nameless = [line for line in lines if not line.front.glacier]
    if not nameless:
        return lines
    places = name_places([line.front.lines for line in nameless])
    if places is None:
        places = [place_of([points for line in nameless for points in line.front.lines])] * len(nameless)
    names = {id(line): place for line, place in zip(nameless, places, strict=True)}
    log.info("glacier of %d front(s) told by place: %s", len(nameless), some_names(sorted(set(names.values()))))
    return [
        dataclasses.replace(line, front=dataclasses.replace(line.front, glacier=names[id(line)]))
        if id(line) in names
        else line
        for line in lines
    ]


def scene_of(line: Line, frames: Sequence[Frame], name_was_given: bool) -> tuple[Frame, str]:
    """The scene that a front belongs to, and by what that is known: `BY_NAME` or `BY_DATE`.

    By the name in its attributes or of its file, whole or the beginning of that of a scene of its date; else by date among the
    scenes that it lies in. Raises `InputError` naming both files if there is none, or several.
    """
    front = line.front
    asked = front.scene.removesuffix(f" {front.date}").casefold()  # which `read_fronts` adds to names of several dates
    named = [frame for frame in frames if frame.name.casefold() == asked] if asked else []
    begun = [frame for frame in frames if asked and frame.name.casefold().startswith(asked)]
    # Many scenes of a glacier may begin with its name.
    named = named or [frame for frame in begun if None in (front.date, frame.date) or frame.date == front.date]
    if len(named) > 1:  # one product in several pieces
        named = [frame for frame in named if frame.share_inside(front.lines) > MOSTLY] or named
    if len(named) == 1:
        return _with_line_inside(line, named[0]), BY_NAME
    there = some_names([frame.name for frame in frames])
    if named:
        raise InputError(
            f"{line.where}: several scenes have this name ({some_names([f.where for f in named])}); give one of them"
        )
    if name_was_given and not begun:
        raise InputError(f"{line.where}: no scene of the name {front.scene!r}; there are: {there}")
    if front.date is None:
        raise InputError(
            f"{line.where}: neither name nor date tells the scene; name it with `name_field` or `date_field`"
        )
    dated = [frame for frame in frames if frame.date == front.date]
    if not dated:
        raise InputError(f"{line.where}: no scene of {front.date}; there are: {there}")
    inside = [frame for frame in dated if frame.share_inside(front.lines) > MOSTLY]
    if not inside:
        raise InputError(
            f"{line.where}: lies outside of {some_names([frame.where for frame in dated])}, the scene of its date"
        )
    if len(inside) > 1:
        raise InputError(
            f"{line.where}: {len(inside)} scenes of {front.date} show it ({some_names([f.where for f in inside])}); name the "
            "right one in an attribute (`name_field`), or leave the others out"
        )
    return inside[0], BY_DATE


def _with_line_inside(line: Line, frame: Frame) -> Frame:
    if frame.share_inside(line.front.lines) <= MOSTLY:
        raise InputError(f"{line.where}: lies outside of its scene {frame.where}; is its reference system right?")
    if line.front.date and frame.date and line.front.date != frame.date:
        log.warning(
            "%s: dated %s, but its scene by name is %s of %s, for which it is taken",
            line.where,
            line.front.date,
            frame.name,
            frame.date,
        )
    return frame

"""The summer scene of a scene: one without sea ice, of the same ground, laid on the scene's grid."""

import dataclasses
import datetime
import functools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.choices import NEAREST
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.grey import CAFFE_GREY, GreyRule
from glacierjax.core.scene_names import facts_of_name
from glacierjax.core.seasons import hemisphere_of, nearest_ice_free
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.registration import Footprint
from glacierjax.geo.scenes import ReadOptions, Scene, outline_of, read_scene
from glacierjax.geo.sources import Source, split_archive

log = logging.getLogger(__name__)

SHARED = 0.5  # of the smaller one of two scenes; what they have less in common shows another place


class SummerScene(NamedTuple):
    """`grey` values on a scene's grid, 0 where the summer scene has none; its `name`; `tried`: the candidates that were read,
    in their order, the last of which it is; () of a named one."""

    grey: UInt8[np.ndarray, "height width"]
    name: str
    tried: tuple[Source, ...] = ()


@dataclasses.dataclass(frozen=True)
class SummerScenes:
    """Where summer scenes come from: `named`: one source for all, None: the nearest in time among `sources`.

    `months` without sea ice, (): those of the hemisphere.
    """

    sources: tuple[Source, ...]
    named: Source | None = None
    months: tuple[int, ...] = ()
    options: ReadOptions = dataclasses.field(default_factory=ReadOptions)
    rule: GreyRule = CAFFE_GREY

    def for_scene(
        self, own: Source, date: datetime.date | None, georeference: Georeference, shape: tuple[int, int]
    ) -> SummerScene | None:
        """The summer scene of a scene with this grid; None: there is none.

        Raises `InputError` for a named one that cannot be read or shows other ground.
        """
        grid = Footprint(georeference, shape)
        if self.named is not None:
            summer = _read(self.named, self.options, self.rule)
            if summer.georeference is None or grid.shared_with(_footprint(summer)) < SHARED:
                raise InputError(
                    f"{self.named.where}: shows other ground than {own.where}; choose another summer scene"
                )
            return SummerScene(_laid_on(summer, grid), summer.name)
        tried = []
        for source in self.candidates(own, date, grid):
            tried.append(source)
            try:
                summer = _read(source, self.options, self.rule)
            except InputError as error:
                log.info("%s: no summer scene (%s)", source.name, error)
                continue
            return SummerScene(_laid_on(summer, grid), summer.name, tuple(tried))
        return None

    def candidates(self, own: Source, date: datetime.date | None, grid: Footprint) -> Iterator[Source]:
        """The sources without sea ice that show a scene's ground, the nearest in time first; only their headers are read.

        A scene is not its own summer scene.
        """
        if date is None:
            return
        middle = np.array([[grid.shape[1] / 2, grid.shape[0] / 2]])
        hemisphere = hemisphere_of(None, float(grid.place.to_lonlat(middle)[0, 1]))
        dated = [(source, when) for source in self.sources if source != own and (when := date_of(source)) is not None]
        for i in nearest_ice_free(date, [when for _, when in dated], hemisphere, self.months):
            try:
                outline = outline_of(dated[i][0], self.options)
                shows_it = outline.place is not None and (
                    grid.shared_with(Footprint(outline.place, outline.shape)) >= SHARED
                )
            except InputError as error:
                log.info("%s: no summer scene (%s)", dated[i][0].name, error)
                continue
            if shows_it:
                yield dated[i][0]


def date_of(source: Source) -> datetime.date | None:
    """The date that a source or its name tells."""
    return source.facts.date or facts_of_name(source.name).date


def _read(source: Source, options: ReadOptions, rule: GreyRule) -> Scene:
    """A summer scene, which serves many scenes; read again when its files have changed."""
    zipped = {path: split_archive(path) for path in source.paths}
    files = [Path(archive[0] if archive else path) for path, archive in zipped.items()]
    return _read_once(source, options, rule, tuple(file.stat().st_mtime_ns for file in files if file.is_file()))


@functools.lru_cache(maxsize=2)
def _read_once(source: Source, options: ReadOptions, rule: GreyRule, modified_ns: tuple[int, ...]) -> Scene:
    return read_scene(source, options, rule=rule)


def _footprint(scene: Scene) -> Footprint:
    assert scene.georeference is not None
    height, width = scene.image.shape
    return Footprint(scene.georeference, (height, width))


def _laid_on(summer: Scene, grid: Footprint) -> UInt8[np.ndarray, "height width"]:
    height, width = grid.shape
    there = grid.map_into(_footprint(summer))
    shown = np.where(summer.valid, summer.image, np.uint8(0))
    return there.nearest(shown, np.arange(height), np.arange(width))[0]


def summer_scenes(
    summer: str,
    sources: Sequence[Source],
    months: tuple[int, ...],
    options: ReadOptions,
    rule: GreyRule = CAFFE_GREY,
) -> SummerScenes:
    """`summer`: a file of the one summer scene, or "nearest" (also ""): of the sources, by `months`.

    Raises `ArgumentError` for a file that is not there, or several.
    """
    if summer in ("", NEAREST):
        return SummerScenes(tuple(sources), None, months, options, rule)
    try:
        found = find_sources([summer])
    except ArgumentError as error:
        raise ArgumentError("summer", summer, error.advice) from None
    if len(found) > 1:
        raise ArgumentError("summer", summer, f"{len(found)} scenes; give one of them")
    return SummerScenes((), found[0], months, options, rule)

"""The summer scene of a scene: one without sea ice, of the same ground, laid on the scene's grid."""

import dataclasses
import datetime
import functools
import logging
from collections.abc import Sequence

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
from glacierjax.geo.sources import Source

log = logging.getLogger(__name__)

SHARED = 0.5  # of the smaller one of two scenes; what they have less in common shows another place


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
    ) -> tuple[UInt8[np.ndarray, "height width"], str] | None:
        """Grey values on the scene's grid (H, W), 0 where the summer scene has none, and its name; None: there is none.

        A scene is not its own summer scene. Raises `InputError` for a named one that cannot be read or shows other ground.
        """
        grid = Footprint(georeference, shape)
        if self.named is not None:
            summer = _read(self.named, self.options, self.rule)
            if summer.georeference is None or grid.shared_with(_footprint(summer)) < SHARED:
                raise InputError(
                    f"{self.named.where}: shows other ground than {own.where}; choose another summer scene"
                )
            return _laid_on(summer, grid), summer.name
        if date is None:
            return None
        middle = np.array([[shape[1] / 2, shape[0] / 2]])
        hemisphere = hemisphere_of(None, float(georeference.to_lonlat(middle)[0, 1]))
        dated = [(source, when) for source in self.sources if source != own and (when := date_of(source)) is not None]
        for i in nearest_ice_free(date, [when for _, when in dated], hemisphere, self.months):
            try:
                outline = outline_of(dated[i][0], self.options)
                if outline.place is None or grid.shared_with(Footprint(outline.place, outline.shape)) < SHARED:
                    continue
                summer = _read(dated[i][0], self.options, self.rule)
            except InputError as error:
                log.info("%s: no summer scene (%s)", dated[i][0].name, error)
                continue
            return _laid_on(summer, grid), summer.name
        return None


def date_of(source: Source) -> datetime.date | None:
    """The date that a source or its name tells."""
    return source.facts.date or facts_of_name(source.name).date


@functools.lru_cache(maxsize=2)
def _read(source: Source, options: ReadOptions, rule: GreyRule) -> Scene:
    """A summer scene, which serves many scenes."""
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

"""Trained networks, ready to look at scenes: what `glacierjax.load` returns."""

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.choices import AUTO, GROUPS, MODES
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.fronts.verdict import USUAL, Thresholds
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.arrays import grey_from_anything
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scenes import ReadOptions, Scene, read_scene, scene_of_grey, spacing_without_map
from glacierjax.geo.sources import Source
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor, open_predictor
from glacierjax.prediction.priors import ScenePriors, open_priors
from glacierjax.prediction.scene import Prediction, find_front, interest_for
from glacierjax.prediction.series_scene import find_fronts, group_of
from glacierjax.prediction.spool import Spool

log = logging.getLogger(__name__)

ARRAY = "array"  # name of a scene that comes from none


@dataclasses.dataclass(frozen=True)
class Model:
    """One network or an ensemble of them."""

    predictor: Predictor

    def predict(
        self,
        scene: Any,
        pixel_spacing_m: float | None = None,
        box: str | os.PathLike | Sequence[float] | None = None,
        *,
        band: int | None = None,
        scale: str = AUTO,
        nodata: float | str = AUTO,
        polarisation: str | None = None,
        aoi: str | os.PathLike | None = None,
        rock: str | os.PathLike = "",
        rock_rule: bool | None = None,
        summer: str | os.PathLike = "",
        name: str = ARRAY,
    ) -> Prediction:
        """Zones, uncertainty and calving front of a scene.

        Args:
          scene: a PNG or GeoTIFF file, a Sentinel-1 product, a link or a STAC item; or grey values or backscatter (H, W) as an
            array (masked ones too), a list or a picture of Pillow. `glacierjax.geo.grey` tells what becomes of values that are
            not 8-bit.
          pixel_spacing_m: metres a pixel, where neither a georeference nor the scene's name tells, or to override them.
          box: where a front may be: a CaFFe box file, a GeoJSON file of polygons, or (xmin, ymin, xmax, ymax) in pixels.
          band: of a GeoTIFF, counted from 1; None: by polarisation.
          scale: what values that are not 8-bit are: "auto", "amplitude", "power", "db", or "stretch": as they are.
          nodata: the value that means no data, "none", or "auto": as the file says, or guessed.
          polarisation: of products that hold several; None: the co-polarised one.
          aoi: area of interest, a GeoJSON file of polygons: only this part of the scene is read.
          rock: rock that never moves: a vector file of polygons or a raster mask; "none": go without where the network
            expects one.
          rock_rule: rock is rock in the result, whatever the network says; None: where it has no channel for rock.
          summer: a scene of the same ground without sea ice, for networks that expect one; "none": go without.
          name: of a scene given as array.

        Raises:
          InputError: the scene cannot be read, or the pixel spacing is not known.
        """
        options, area = ReadOptions(pixel_spacing_m, band, scale, nodata, polarisation), _area(box)
        read, source = self._read(scene, options, area, _area(aoi), name)
        priors = open_priors(self.predictor, [source], os.fspath(rock), rock_rule, os.fspath(summer), (), options)
        known = priors.of(read, source)
        if isinstance(self.predictor, SeriesPredictor):
            (found,) = self._predict_series([read], area, GROUPS, None, {read.name: known})
            return found
        return find_front(self.predictor, read, area, known)

    def predict_series(
        self,
        scenes: Sequence[Any],
        pixel_spacing_m: float | None = None,
        box: str | os.PathLike | Sequence[float] | None = None,
        *,
        names: Sequence[str] | None = None,
        series: str = GROUPS,
        registration: str | None = None,
        band: int | None = None,
        scale: str = AUTO,
        nodata: float | str = AUTO,
        polarisation: str | None = None,
        aoi: str | os.PathLike | None = None,
    ) -> list[Prediction]:
        """Zones, uncertainty and calving front of each of the scenes of one place, with a network of series.

        Args:
          scenes: as in `predict`, in any order; the network sees them in the order of their dates.
          names: of the scenes, with their dates, where they are arrays.
          series: "groups": the scenes in groups, each with an answer for all of its scenes; "reference": each scene with its
            neighbours in time, which takes as many times longer as the network sees scenes.
          registration: "georeference": scenes lie over each other by map coordinates; "size": all show the same ground; None:
            by map coordinates if all scenes have them.

        The other arguments are those of `predict`. All scenes are read before the first one is predicted.

        Returns:
          the predictions in the order of `scenes`.

        Raises:
          InputError: as `predict`, and if the network takes single scenes, or the scenes share no ground.
        """
        if not isinstance(self.predictor, SeriesPredictor):
            raise InputError(f"{self.predictor.sources[0]}: a network of single scenes; call predict for each of them")
        if names is not None and len(names) != len(scenes):
            raise ArgumentError("names", len(names), f"there are {len(scenes)} scenes; give a name for each")
        for name in names or ():
            _require_file_name(name)
        options, area = ReadOptions(pixel_spacing_m, band, scale, nodata, polarisation), _area(box)
        called = list(names) if names is not None else [f"{ARRAY}{number}" for number in range(len(scenes))]
        interest = _area(aoi)
        read = [self._read(scene, options, area, interest, name)[0] for scene, name in zip(scenes, called, strict=True)]
        if names is not None:
            read = [dataclasses.replace(scene, name=name, known=None) for scene, name in zip(read, called, strict=True)]
        return self._predict_series(read, area, series, registration)

    def _read(
        self, scene: Any, options: ReadOptions, area: Area | None, aoi: Area | None, name: str
    ) -> tuple[Scene, Source]:
        if isinstance(scene, str | os.PathLike):
            interest = interest_for(self.predictor, aoi, area)
            source = _one_source(scene, options.polarisation)
            read = read_scene(source, options, interest, self.predictor.grey)
        else:
            _require_file_name(name)
            for argument, value in (("aoi", aoi), ("band", options.band), ("polarisation", options.polarisation)):
                if value is not None:
                    raise InputError(f"`{argument}` is of files, but the scene is an array; cut or choose before")
            source = Source(name, ())
            grey = grey_from_anything(scene, options.values, self.predictor.grey, name)
            read = scene_of_grey(name, grey, spacing_without_map(name, name, options.pixel_spacing_m))
        for note in read.warnings:
            log.warning("%s: %s", read.name, note)
        return read, source

    def _predict_series(
        self,
        scenes: Sequence[Scene],
        area: Area | None,
        series: str,
        registration: str | None,
        priors: Mapping[str, ScenePriors] | None = None,
    ) -> list[Prediction]:
        assert isinstance(self.predictor, SeriesPredictor), "checked before"
        predictor = self.predictor.for_series(series)
        by_name = {scene.name: scene for scene in scenes}
        if len(by_name) < len(scenes):
            raise InputError("two scenes have one name; give each scene of a series once, or names that differ")
        group = group_of(scenes, registration)
        found = {}
        for sample in group.plan(series, predictor.frames):
            frames = {name: by_name[name] for name in sample.frames}
            with Spool() as spool:
                how = (group.registration, spool, area, None, priors)
                for predicted in find_fronts(predictor, frames, sample, *how):
                    one = predicted()
                    found[one.scene.name] = one
        if len(scenes) == 1 and predictor.frames > 1:
            log.warning("%s: alone, so the network sees %d copies of it", scenes[0].name, predictor.frames)
        return [found[scene.name] for scene in scenes]


def load(
    *checkpoints: str | os.PathLike,
    which: str = "best_iou",
    mode: str | None = None,
    rotations: bool = False,
    untrained_rotations: bool = False,
    thresholds: Thresholds = USUAL,
) -> Model:
    """The network of a checkpoint or training folder; several make an ensemble.

    Args:
      checkpoints: folders that `glacierjax.train`, `glacierjax.convert` or `glacierjax.export` wrote, or names on the hub,
        "hf://OWNER/NAME@REVISION" (extra [hub]).
      which: of a training folder: "best_iou", "best_mde" or "last".
      mode: "tiled", "overlap" or "whole"; None: as the training validated, but overlap instead of tiled.
      rotations: average over four rotations of each scene, or if the networks were not trained on rotated crops, over the
        mirror images that they were trained on.
      untrained_rotations: average over four rotations in any case.
      thresholds: from where on a front is doubtful or rejected.

    Raises:
      InputError: there is no such checkpoint, or it finds no fronts.
    """
    if not checkpoints:
        raise InputError("no checkpoint given; name a folder that glacierjax.train or glacierjax.convert wrote")
    if mode is not None and mode not in MODES:
        raise ArgumentError("mode", mode, f"choose one of {', '.join(MODES)}")
    paths = [str(path) for path in checkpoints]
    return Model(open_predictor(paths, which, mode, rotations, untrained_rotations, thresholds))


def _require_file_name(name: str) -> None:
    """Raises `InputError` for a name of a scene that cannot name its files: they would lie elsewhere, or replace each other."""
    if not name.strip() or name.startswith(".") or set(name) & set("/\\\0"):
        raise ArgumentError("name", name, "names files; give one that is not empty, has no / and starts with no dot")


def _one_source(scene: str | os.PathLike, polarisation: str | None) -> Source:
    sources = find_sources([str(scene)], polarisation)
    if len(sources) > 1:
        raise InputError(f"{scene}: {len(sources)} scenes ({sources[0].name}, ...); give one of them")
    return sources[0]


def _area(box: str | os.PathLike | Sequence[float] | None) -> Area | None:
    if box is None:
        return None
    if isinstance(box, str | os.PathLike):
        return read_area(Path(box))
    if len(box) != len(BoundingBox._fields):
        raise InputError(f"box {box!r}: expected four numbers (xmin, ymin, xmax, ymax) in pixels, or a file")
    return Area("box", box=BoundingBox(*map(float, box)))

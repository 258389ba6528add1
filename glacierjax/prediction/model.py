"""Trained networks, ready to look at scenes: what `glacierjax.load` returns."""

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.fronts.verdict import USUAL, Thresholds
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.arrays import grey_from_anything
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scales import AUTO
from glacierjax.geo.scenes import ReadOptions, read_scene, scene_of_grey, spacing_without_map
from glacierjax.geo.sources import Source
from glacierjax.prediction.ensemble import Predictor, open_predictor
from glacierjax.prediction.priors import open_priors
from glacierjax.prediction.scene import Prediction, find_front, interest_for

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
        if isinstance(scene, str | os.PathLike):
            interest = interest_for(self.predictor, _area(aoi), area)
            source = _one_source(scene, polarisation)
            read = read_scene(source, options, interest, self.predictor.grey)
        else:
            grey = grey_from_anything(scene, options.values, self.predictor.grey, name)
            source = Source(name, ())
            read = scene_of_grey(name, grey, spacing_without_map(name, name, pixel_spacing_m))
        for note in read.warnings:
            log.warning("%s: %s", read.name, note)
        priors = open_priors(self.predictor, [source], os.fspath(rock), rock_rule, os.fspath(summer), (), options)
        return find_front(self.predictor, read, area, priors.of(read, source))


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
      checkpoints: folders that `glacierjax.train` or `glacierjax.convert` wrote.
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
    paths = [str(path) for path in checkpoints]
    return Model(open_predictor(paths, which, mode, rotations, untrained_rotations, thresholds))


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

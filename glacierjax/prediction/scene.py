"""What a network finds in one scene: a record that can be looked at and saved."""

import dataclasses
import functools
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from jaxtyping import Bool, UInt8
from PIL import Image
from rasterio.crs import CRS
from scipy import ndimage

from glacierjax.checkpoints.hub import shown_checkpoint
from glacierjax.core.channels import input_of
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, write_png
from glacierjax.core.grey import GREY_MAX
from glacierjax.core.json_values import Json
from glacierjax.core.version import version
from glacierjax.core.zones import FRONT_GREY, GREY_VALUES, ZONE_COLOURS, ZONE_TITLES, Zone, grey_from_ids
from glacierjax.data.transforms import resize_nearest
from glacierjax.fronts import clean_zones
from glacierjax.fronts.calibration import ErrorEstimate
from glacierjax.fronts.extract import front_of_border, ocean_glacier_border
from glacierjax.fronts.indicators import Indicators, indicators_of
from glacierjax.fronts.lines import length_px, trace_front
from glacierjax.fronts.postprocess import EIGHT_NEIGHBOURS, mask_invalid
from glacierjax.fronts.verdict import Verdict
from glacierjax.geo.antimeridian import cut_line
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import WGS84, Georeference, reproject, segment_lengths_m, turn_around_earth
from glacierjax.geo.glacier_ids import PLAIN, LineOptions
from glacierjax.geo.line_columns import termpicks_columns
from glacierjax.geo.nodata import fill_specks, missing_areas
from glacierjax.geo.rasters import MADE_BY, RasterLook, raster_path, write_raster
from glacierjax.geo.regions import Interest
from glacierjax.geo.scenes import Scene
from glacierjax.geo.vectors import GEOJSON, feature, write_geojson, write_layer, write_points
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.priors import NOTHING_KNOWN, ScenePriors
from glacierjax.prediction.scene_maps import SceneMaps, maps_of
from glacierjax.reports.figures import front_picture
from glacierjax.terminus.front_files import LINES_FOLDER

log = logging.getLogger(__name__)

POINTS = ".csv"
# Folder of a map -> what its GeoTIFF says.
LOOKS = {
    "zones": RasterLook(
        "zones",
        nodata=GREY_VALUES[Zone.NA],
        colours=dict(zip(GREY_VALUES, ZONE_COLOURS, strict=True)),
        categories=dict(zip(GREY_VALUES, ZONE_TITLES, strict=True)),
    ),
    "uncertainty": RasterLook("entropy of the zone probabilities, 0 to 1", step=1 / GREY_MAX),
    "deviation": RasterLook(
        "largest standard deviation of a zone probability in the ensemble, 0 to 0.5", step=0.5 / GREY_MAX
    ),
    "fronts": RasterLook("calving front: 255"),
}


class SeriesNote(NamedTuple):
    """With what a scene was predicted. `scenes`: names of the different scenes that the network saw at once, itself among
    them; `registration`: how they were laid over each other."""

    scenes: tuple[str, ...]
    registration: str


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """Zones, their uncertainty and the front of a `scene` (H, W).

    `zones` uint8 class ids, of the network, NA where there are no data; `uncertainty` float32, 0 (sure) to 1 (all
    zones equally likely): entropy of the mean probabilities; `deviation` float32, 0 to 0.5: largest standard deviation
    of a zone's probability over the members of an ensemble, None for a single network; `front` bool; `front_lines`:
    arrays (n, 2) of x, y in pixels (`glacierjax.fronts.lines`), the longest first; `area` bool, where a front was
    allowed, None: everywhere; `checkpoint`: what predicted. Of the front, None without one: `indicators` of its error;
    `error`: expected, None: the network was never calibrated; `verdict`: whether it can be used. `series`: of
    networks of series, what they saw beside it.
    """

    scene: Scene
    zones: np.ndarray
    uncertainty: np.ndarray
    deviation: np.ndarray | None
    front: np.ndarray
    front_lines: list[np.ndarray]
    area: np.ndarray | None
    checkpoint: str
    indicators: Indicators | None = None
    error: ErrorEstimate | None = None
    verdict: Verdict | None = None
    series: SeriesNote | None = None

    @functools.cached_property
    def lengths_m(self) -> list[float]:
        """Length of each line: on the ground where the scene is georeferenced, else pixels times their spacing."""
        georeference = self.scene.georeference
        if georeference is None:
            return [length_px(line) * self.scene.pixel_spacing_m for line in self.front_lines]
        return [float(segment_lengths_m(georeference.to_lonlat(line)).sum()) for line in self.front_lines]

    @property
    def mean_uncertainty(self) -> float:
        """Over the pixels with data; at the others it is 0."""
        pixels = int(np.count_nonzero(~missing_areas(self.scene.valid)))
        return float(self.uncertainty.sum(dtype=float)) / max(pixels, 1)

    def geojson(self, lines: LineOptions = PLAIN) -> Json:
        """The front as a GeoJSON collection, one feature a line. Raises `InputError` without georeference."""
        return {"type": "FeatureCollection", "features": self._features(lines)}

    def show(self) -> Image.Image:
        """The scene with its front, as a picture that notebooks draw."""
        return Image.fromarray(self.picture())

    def picture(self) -> UInt8[np.ndarray, "height width 3"]:
        """The overlay (rows, columns, 3) uint8."""
        scene, length_km = self.scene, sum(self.lengths_m) / 1000
        text = f"calving front, {length_km:.1f} km" if self.front_lines else "no calving front found"
        along_row_m, _ = scene.pixel_sides_m or (scene.pixel_spacing_m, scene.pixel_spacing_m)
        return front_picture(scene.image, self.front, self.area, along_row_m, scene.name, text)

    def save(self, folder: str | Path, vector: Sequence[str] = (), lines: LineOptions = PLAIN) -> list[Path]:
        """Writes all results below `folder`, each file atomically, and returns the files.

        zones/NAME (CaFFe's grey values), uncertainty/NAME, deviation/NAME (ensembles), fronts/NAME (0 and 255) as .tif
        where the scene is georeferenced, else .png; overlays/NAME.png; lines/NAME.geojson, or .csv with pixel
        coordinates. `vector`: further formats of the lines, "gpkg" and "shp" (extra [vector]) and "parquet" (needs pyarrow).
        """
        folder, scene = user_path(folder), self.scene
        maps: list[tuple[np.ndarray | None, str]] = [
            (grey_from_ids(self.zones), "zones"),
            (self.uncertainty, "uncertainty"),
            (self.deviation, "deviation"),
            (self.front * np.uint8(FRONT_GREY), "fronts"),
        ]
        origin = {MADE_BY: version(), "scene": scene.name, "checkpoint": self.checkpoint}
        written = []
        for array, kind in maps:
            if array is not None:
                path = raster_path(folder / kind, scene.name, scene.georeference)
                look = dataclasses.replace(LOOKS[kind], tags=origin)
                written += write_raster(path, array, scene.georeference, look)
        written.append(folder / "overlays" / f"{scene.name}.png")
        write_png(written[-1], self.picture())
        return written + self._save_lines(folder / LINES_FOLDER / scene.name, vector, lines)

    def _save_lines(self, stem: Path, vector: Sequence[str], options: LineOptions) -> list[Path]:
        scene = self.scene
        if scene.georeference is None:
            path = stem.with_name(stem.name + POINTS)
            write_points(path, self.front_lines, scene.name, scene.pixel_spacing_m)
            return [path]
        written = [stem.with_name(stem.name + GEOJSON)]
        write_geojson(written[0], self._features(options))
        crs = options.crs or scene.georeference.crs
        shapes = self._shapes(scene.georeference, crs)
        geometry_type = shapes[0].geom_type if shapes else "LineString"
        for kind in vector:
            path = stem.with_name(f"{stem.name}.{kind}")
            written += write_layer(path, shapes, self._properties(options), crs, geometry_type)
        return written

    def _shapes(
        self, place: Georeference, crs: CRS
    ) -> Sequence[shapely.LineString] | Sequence[shapely.MultiLineString]:
        """The lines in a reference system. All are in parts where one would run around the Earth at 180 degrees."""
        lines = self._lines_on_map()
        if crs != place.crs and turn_around_earth(crs):
            parts = [cut_line(place.to_lonlat(line)) for line in lines]
            if max(map(len, parts), default=0) > 1:
                return [shapely.MultiLineString([reproject(part, WGS84, crs) for part in some]) for some in parts]
        return [shapely.LineString(reproject(place.to_crs(line), place.crs, crs)) for line in lines]

    def _features(self, options: LineOptions) -> list[Json]:
        georeference = self.scene.georeference
        if georeference is None:
            raise InputError(f"{self.scene.name}: not georeferenced, so its pixels have no longitude and latitude")
        pairs = zip(self._lines_on_map(), self._properties(options), strict=True)
        return [feature(georeference.to_lonlat(line), properties) for line, properties in pairs]

    def _lines_on_map(self) -> list[np.ndarray]:
        """The lines in pixels, with the glacier on the left as the map is looked at."""
        mirrored = self.scene.georeference is not None and self.scene.georeference.is_mirrored
        return [line[::-1] for line in self.front_lines] if mirrored else self.front_lines

    def quality_columns(self) -> Json:
        """Error and verdict, as tables and lines carry them; None: not known."""
        metres = self.error or (None, None, None)
        columns: Json = {
            name: None if value is None else round(value, 1)
            for name, value in zip(("error_m", "error_low_m", "error_high_m"), metres, strict=True)
        }
        columns["quality"] = self.verdict and self.verdict.quality
        columns["reasons"] = self.verdict and "; ".join(self.verdict.reasons)
        return columns

    def _properties(self, options: LineOptions) -> list[Json]:
        facts, georeference = self.scene.facts, self.scene.georeference
        quality = self.quality_columns()
        glacier_id = None
        if options.outlines is not None and georeference is not None:
            glacier_id = options.outlines.find([georeference.to_lonlat(line) for line in self.front_lines])
        known = facts.date, facts.sensor, quality["quality"]
        termpicks = termpicks_columns(self.scene.name, *known, glacier_id, options.author)
        return [
            {
                "scene": self.scene.name,
                "line": number,
                "glacier": facts.glacier,
                "date": facts.date and facts.date.isoformat(),
                "sensor": facts.sensor,
                "length_m": round(length_m, 1),
                "pixel_spacing_m": round(self.scene.pixel_spacing_m, 3),
                "checkpoint": self.checkpoint,
                **quality,
                **termpicks,
            }
            for number, length_m in enumerate(self.lengths_m, 1)
        ]


def interest_for(predictor: Predictor, area: Area | None, box: Area | None = None) -> Interest | None:
    """What of large scenes is read for these networks around an area; None: all.

    Raises `InputError` for a `box` in pixels, which would lie elsewhere in the part that is read.
    """
    if area is None:
        return None
    if box is not None and box.box is not None:
        raise InputError(f"{box.where}: a box in pixels of the whole scene, of which `aoi` reads a part; give polygons")
    return Interest(area, predictor.context_px, predictor.pixel_spacing_m)


def find_front(
    predictor: Predictor, scene: Scene, area: Area | None = None, priors: ScenePriors = NOTHING_KNOWN
) -> Prediction:
    """Zones, uncertainty and front of a scene, without its context; probabilities exist a strip at a time only.

    Single missing pixels (`glacierjax.geo.nodata`, specks) do not break a front: they get a zone as their neighbours do. The
    network sees square pixels; what it finds is brought back to the scene's own. `priors`: of the whole scene, with its
    context.
    """
    missing = missing_areas(scene.valid)
    image = with_square_pixels(fill_specks(scene.image, scene.valid, missing), scene.pixel_sides_m)
    planes = {
        name: None if plane is None else with_square_pixels(plane, scene.pixel_sides_m)
        for name, plane in priors.planes.items()
    }
    shown = input_of(predictor.channels, image, planes)
    maps = maps_of(predictor, shown, scene.pixel_spacing_m)
    return prediction_of(predictor, scene, missing, maps, area, priors)


def prediction_of(
    predictor: Predictor,
    scene: Scene,
    missing: np.ndarray,
    maps: SceneMaps,
    area: Area | None,
    priors: ScenePriors = NOTHING_KNOWN,
    series: SeriesNote | None = None,
) -> Prediction:
    """The prediction that follows from what the networks say, on the scene's pixels or on square ones of the same area.

    `missing` bool (H, W): where the scene has no data; `maps` are changed; the other arguments as the fields of `Prediction`.
    """
    if maps.zones.shape != scene.image.shape:
        maps.transform(lambda map_: resize_nearest(map_, scene.image.shape))
    if priors.is_rule and priors.rock is not None:
        maps.zones[priors.rock] = Zone.ROCK
    if scene.inner is not None:
        inner = scene.inner.slices
        maps.transform(lambda map_: map_[inner])
        missing = missing[inner]
        scene = scene.without_context()
    zones = mask_invalid(maps.zones, ~missing)
    allowed = None if area is None else area.mask(scene.image.shape, scene.georeference)
    if area and allowed is not None and not allowed.any():
        log.warning("%s: no pixel of it lies inside of %s, so no front is looked for", scene.name, area.where)
    cleaned = clean_zones(zones)
    front = _front(cleaned, scene)
    if allowed is not None:
        front &= allowed
    uncertainty, deviation = maps.uncertainty, maps.deviation
    for doubt in (uncertainty, *([] if deviation is None else [deviation])):
        doubt[missing] = 0  # these pixels have no data
    lines = trace_front(cleaned, front)
    if scene.pixel_sides_m:  # they come by their length in pixels
        lines.sort(key=lambda line: length_px(line * np.array(scene.pixel_sides_m)), reverse=True)
    checkpoint = "; ".join(map(shown_checkpoint, predictor.sources))
    found = Prediction(scene, zones, uncertainty, deviation, front, lines, allowed, checkpoint, series=series)
    quality = (uncertainty, deviation, maps.lean)
    indicators = indicators_of(front, lines, cleaned, scene.pixel_spacing_m, *quality, allowed, scene.pixel_sides_m)
    if indicators is None:
        return found
    error, verdict = predictor.judge(indicators)
    return dataclasses.replace(found, indicators=indicators, error=error, verdict=verdict)


def _front(cleaned: UInt8[np.ndarray, "height width"], scene: Scene) -> Bool[np.ndarray, "height width"]:
    """The front (H, W) bool in cleaned zones (H, W). Its length is measured on square pixels."""
    border = ocean_glacier_border(cleaned)
    if scene.pixel_sides_m is None:
        return front_of_border(border, scene.pixel_spacing_m)
    square = resize_nearest(cleaned, _square_shape(cleaned.shape, scene.pixel_sides_m))
    long_enough = front_of_border(ocean_glacier_border(square), scene.pixel_spacing_m)
    reach = 1 + math.ceil(max(scene.pixel_sides_m) / scene.pixel_spacing_m / 2)  # by which resampling moves a border
    near = ndimage.binary_dilation(long_enough, EIGHT_NEIGHBOURS, iterations=reach)
    return border & resize_nearest(near, border.shape)


def with_square_pixels(
    image: UInt8[np.ndarray, "height width"], sides_m: tuple[float, float] | None
) -> UInt8[np.ndarray, "rows columns"]:
    """An image (H, W) uint8 resampled to square pixels of the same area, by means along the finer side."""
    if sides_m is None:
        return image
    height, width = _square_shape(image.shape, sides_m)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def _square_shape(shape: tuple[int, ...], sides_m: tuple[float, float]) -> tuple[int, int]:
    """Rows and columns of a scene of `shape` in square pixels of the same area."""
    along_row, along_column = sides_m
    ratio = np.sqrt(along_row / along_column)
    return max(1, round(shape[0] / ratio)), max(1, round(shape[1] * ratio))

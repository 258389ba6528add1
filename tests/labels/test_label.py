"""Lines that people drew over GeoTIFFs become the labels that they came from, in any reference system and direction."""

import dataclasses
import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.na_rule import na_is_unlabelled
from glacierjax.fronts.lines import trace_front
from glacierjax.fronts.scores import distance_errors
from glacierjax.geo.georeference import WGS84, Georeference, reproject
from glacierjax.geo.rasters import write_raster
from glacierjax.labels.make import LabelOptions, label_scenes
from glacierjax.simulate.archive import ArchiveOptions, simulate

MAP = CRS.from_epsg(3413)
SIZE_PX = 200
SCENES = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    scene: object
    place: Georeference
    path: object

    @property
    def lines(self):
        """Longitude and latitude, the glacier on the left."""
        return [self.place.to_lonlat(line) for line in trace_front(self.scene.zones, self.scene.front)]

    def box(self):
        xmin, ymin, xmax, ymax = self.scene.box
        height, width = self.scene.image.shape
        corners = shapely.box(max(xmin, 0), max(ymin, 0), min(xmax, width), min(ymax, height))
        ring = shapely.get_coordinates(shapely.segmentize(corners, 5))
        return shapely.Polygon(self.place.to_lonlat(ring))

    def on_glacier(self):
        """A point (2,) of longitude and latitude, as far from the ocean as there is."""
        from scipy import ndimage

        distance = ndimage.distance_transform_edt(np.pad(self.scene.zones == Zone.GLACIER, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(distance.argmax(), distance.shape)
        return self.place.to_lonlat(np.array([[column + 0.5, row + 0.5]]))[0]


@pytest.fixture(scope="module")
def truths(tmp_path_factory):
    """Simulated scenes as GeoTIFFs in EPSG:3413, where UTM 33 and degrees lie askew."""
    folder = tmp_path_factory.mktemp("scenes")
    found = []
    for number, (_, scene) in enumerate(simulate(ArchiveOptions(seed=3, scenes=SCENES, size=SIZE_PX))):
        spacing = scene.id.pixel_spacing_m
        place = Georeference(MAP, (spacing, 0, 900_000 + 40_000 * number, 0, -spacing, -900_000))
        path = folder / f"{scene.id.name}.tif"
        write_raster(path, scene.image, place, "grey")
        found.append(Truth(scene, place, path))
    return found


def write_vectors(path, shapes_lonlat, rows, epsg):
    """Shapes with their attributes as GeoJSON with a reference system, or as what the suffix says."""
    shapes = [shapely.transform(s, lambda points: reproject(points, WGS84, CRS.from_epsg(epsg))) for s in shapes_lonlat]
    if path.suffix == ".geojson":
        members = [
            {"type": "Feature", "geometry": shapely.geometry.mapping(s), "properties": row}
            for s, row in zip(shapes, rows, strict=True)
        ]
        crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": members}))
    else:
        pyogrio = pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
        names = list(rows[0])
        pyogrio.raw.write(
            path,
            np.array([s.wkb for s in shapes], object),
            fields=np.array(names),
            field_data=[np.array([row[name] for row in rows], object) for name in names],
            geometry_type=shapes[0].geom_type,
            crs=f"EPSG:{epsg}",
        )
    return path


def fronts_file(path, truths, epsg, reverse=False):
    shapes = [shapely.LineString(line[::-1] if reverse else line) for truth in truths for line in truth.lines]
    rows = [
        {"Image": truth.path.name, "Date_": truth.scene.id.date.isoformat()} for truth in truths for _ in truth.lines
    ]
    return write_vectors(path, shapes, rows, epsg)


def boxes_file(path, truths, epsg=4326):
    return write_vectors(path, [truth.box() for truth in truths], [{"what": "box"}] * len(truths), epsg)


def label(truths, output, fronts, **options):
    return label_scenes([str(truth.path) for truth in truths], [str(fronts)], output, LabelOptions(**options))


def check_against(truths, output):
    """Fronts within a pixel of the truth, zones right wherever they are labelled, the image unchanged."""
    archive = open_archive(output)
    assert archive.names("train") == sorted(truth.scene.id.name for truth in truths)
    assert na_is_unlabelled("stated", archive)
    for truth in truths:
        found, true = archive.read("train", truth.scene.id.name), truth.scene
        assert (found.image == true.image).all()
        inside = found.front | ~true.front
        errors_px = distance_errors(found.front, true.front, 1.0)
        assert errors_px.size and errors_px.max() <= 1.0, truth.path.name
        labelled = found.zones != Zone.NA
        compared = labelled & (true.zones != Zone.NA) & (true.zones != Zone.ROCK)
        assert labelled.mean() > 0.1 and inside.any()
        assert (found.zones[compared] == true.zones[compared]).mean() > 0.99


@pytest.mark.parametrize(("epsg", "suffix"), [(3413, ".gpkg"), (32633, ".shp"), (4326, ".geojson")])
def test_simulated_truth_comes_back_from_its_lines(truths, tmp_path, epsg, suffix):
    fronts = fronts_file(tmp_path / f"fronts{suffix}", truths, epsg)
    rock = write_vectors(
        tmp_path / f"rock{suffix}", [rock_of(truth) for truth in truths], [{"what": "rock"}] * len(truths), epsg
    )
    label(truths, tmp_path / "data_raw", fronts, box=str(boxes_file(tmp_path / "box.geojson", truths)), rock=str(rock))
    check_against(truths, tmp_path / "data_raw")


def rock_of(truth):
    from rasterio import features
    from rasterio.transform import Affine

    mask = truth.scene.zones == Zone.ROCK
    shapes = features.shapes(mask.astype(np.uint8), mask, transform=Affine(*truth.place.transform))
    whole = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in shapes])
    return shapely.MultiPolygon(
        shapely.get_parts(shapely.transform(whole, lambda p: reproject(p, MAP, WGS84))).tolist()
    )

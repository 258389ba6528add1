"""A small campaign: GeoTIFFs over two glaciers, tables of them, and a stand-in for the networks."""

import json

import numpy as np
from brightness import make_predictor

from glacierjax.campaign import settings as settings_module
from glacierjax.campaign.plan import plan_campaign
from glacierjax.campaign.settings import CampaignSettings
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.rasters import RasterLook, write_raster

UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
SHAPE = (60, 70)
PLACES_PX = {"G1": (10, 10, 60, 50), "G2": (1010, 10, 1060, 50)}  # xmin, ymin, xmax, ymax on the grid of UTM
NETWORK = "run1"


def write_scene(folder, name, left_px=0, front_px=40):
    """A GeoTIFF with glacier to the left of a column and ocean to the right."""
    image = np.full(SHAPE, 30, np.uint8)
    image[:, :front_px] = 200
    path = folder / f"{name}.tif"
    write_raster(path, image, UTM.moved(left_px, 0), RasterLook("grey"))
    return path


def write_scenes(folder):
    """Two scenes of G1, two of G2, one of neither, a damaged one and one without map coordinates."""
    for date, front_px in (("20200101", 40), ("20210301", 35)):
        write_scene(folder, f"S1A_{date}", 0, front_px)
        write_scene(folder, f"S1B_{date}", 1000, front_px)
    write_scene(folder, "S1A_20220101_elsewhere", 5000)
    (folder / "S1A_20220102_damaged.tif").write_bytes((folder / "S1A_20200101.tif").read_bytes()[:300])
    return folder


def polygon(box_px):
    xmin, ymin, xmax, ymax = box_px
    corners = np.array([(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax), (xmin, ymin)], float)
    return {"type": "Polygon", "coordinates": [UTM.to_lonlat(corners).tolist()]}


def write_glaciers(path, **properties):
    """GeoJSON of the glaciers in `PLACES_PX`; `properties` of each by its id."""
    features = [
        {
            "type": "Feature",
            "geometry": polygon(box_px),
            "properties": {"id": glacier, "region": "R", **properties.get(glacier, {})},
        }
        for glacier, box_px in PLACES_PX.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def use_stand_in(monkeypatch, predictor=None):
    """Bright is glacier, instead of the networks of a checkpoint."""
    settings_module._load.cache_clear()
    made = predictor or make_predictor(0.9)
    monkeypatch.setattr(settings_module, "open_predictor", lambda *arguments: made)
    return made


def make_plan(tmp_path, name="plan", **rest):
    """The plan of the scenes in tmp_path/scenes, and its summary."""
    glaciers = rest.pop("glaciers", None) or write_glaciers(tmp_path / "glaciers.geojson")
    scenes = [str(one) for one in rest.pop("scenes", [tmp_path / "scenes"])]
    settings = rest.pop("settings", CampaignSettings((NETWORK,)))
    return tmp_path / name, plan_campaign(glaciers, scenes, tmp_path / name, settings, **rest)


def files_of(folder):
    """Every file below a folder with its bytes; where it lies and when it was read do not count."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found

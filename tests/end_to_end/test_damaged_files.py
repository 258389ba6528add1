"""Files of every kind but images with flipped bytes, cut ends and changed values: one line, or an answer; nothing else."""

import json
import resource
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import damaged
from small_world import write_archive

from glacierjax.checkpoints import native
from glacierjax.checkpoints.conversion import Wanted, from_file, to_file
from glacierjax.core.boxes import BoundingBox, box_text
from glacierjax.core.errors import InputError
from glacierjax.core.files import encode_png
from glacierjax.core.settings import PRESETS, FineTuning
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.chips import open_chips
from glacierjax.datasets.members import open_archive_file
from glacierjax.geo.areas import read_area
from glacierjax.geo.stac import sources_of_stac
from glacierjax.geo.vectors import write_points
from glacierjax.model import Tyrion, build
from glacierjax.prediction.ensemble import open_predictor
from glacierjax.recipes.configs import load_config, settings_of
from glacierjax.recipes.workdir import CONFIG_JSON, read_settings
from glacierjax.terminus.fronts import read_fronts

LONGEST_S = 10
MOST_BYTES = 2 << 30
PEAK_RESET = Path("/proc/self/clear_refs")  # writing 5 forgets the peak (Linux)
HEAD_BYTES = 400
OTHER_VALUES = (None, True, -1, 0, 7, 1e308, 10**30, float("nan"), "", "7", "é\0", [], {}, [[]], [None], {"type": None})
SCENE = "COL_2012-11-03_TDX_20_1_092"
RING = [[-50.0, 68], [-49, 68], [-49, 69], [-50, 69], [-50, 68]]
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 56)).astype(np.uint8)


def peak_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # bytes on macOS, kilobytes on Linux


def peak_bytes_from_now():
    """Forgets the peak of the tests that ran in this process before, and returns the memory in use."""
    if PEAK_RESET.exists():
        PEAK_RESET.write_text("5")
    return peak_bytes()


def write_collection(path, geometry):
    feature = {"type": "Feature", "geometry": geometry, "properties": {"scene": SCENE, "date": "2012-11-03"}}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))


def write_gpkg(path):
    import pyogrio
    import shapely

    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shapely.Polygon(RING))], object),
        geometry_type="Polygon",
        fields=np.array(["date"]),
        field_data=[np.array(["2012-11-03"], object)],
        crs="EPSG:4326",
        driver="GPKG",
    )


def write_zip(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))


def write_chips(path):
    with zipfile.ZipFile(path, "w") as archive:
        for kind, suffix, grey in (("sar_images", "", 90), ("zones", "_zones", 254), ("fronts", "_front", 0)):
            chip = encode_png(np.full((32, 32), grey, np.uint8))
            archive.writestr(f"caffe/{kind}/test/{SCENE}{suffix}__0_0_0_0_0.png", chip)


def write_checkpoint(path):
    network = PRESETS["tiny"]
    shapes = jax.eval_shape(build(network, Tyrion).init, jax.random.key(0), np.zeros((1, 32, 32, 1), np.float32))
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes["params"])
    config = {"data": {"context_px": 64}, "augment": {"rotation_probability": 0.5}}
    native.save_checkpoint(
        path, params, {"task": "segmentation", "model": network.to_json(), "config": config, "metrics": {}}
    )


def write_stac(path):
    assets = {"vv": {"href": "vv.tif", "type": "image/tiff", "roles": ["data"], "sar:polarizations": ["VV"]}}
    item = {
        "type": "Feature",
        "id": "S1A_IW_1",
        "assets": assets,
        "properties": {"datetime": "2021-02-05T16:39:03Z", "platform": "sentinel-1a", "sat:relative_orbit": 69},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [item, {**item, "id": "S1A_IW_2"}]}))


def read_scenes(archive):
    for split in archive.splits():
        for name in archive.names(split):
            archive.read(split, name)


def read_members(file):
    members = open_archive_file(file)
    for name in members.names:
        members.read(name)


def read_network(folder):
    return open_predictor([str(folder)]).probabilities(IMAGE, 20)


def read_weights(file):
    with tempfile.TemporaryDirectory() as folder:
        from_file(file, Path(folder) / "converted", None, None, Wanted())


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Pairs of a file or folder and what reads it."""
    pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    root = tmp_path_factory.mktemp("originals")
    write_collection(root / "box.geojson", {"type": "Polygon", "coordinates": [RING]})
    write_collection(root / "front.geojson", {"type": "LineString", "coordinates": RING[:3]})
    write_gpkg(root / "box.gpkg")
    (root / "box.txt").write_text(box_text(BoundingBox(3, 4, 50, 60)))
    write_points(root / "front.csv", [np.array(RING)], SCENE, 20.0)
    write_zip(root / "data_raw.zip", write_archive(root / "data_raw"))
    with tarfile.open(root / "data_raw.tar.gz", "w:gz") as archive:
        archive.add(root / "data_raw", "data_raw")
    write_chips(root / "caffe.zip")
    write_checkpoint(root / "network")
    for kind in ("safetensors", "torch"):
        to_file(root / "network", root / f"network.{kind}", kind, None, "last")
    (root / "config.py").write_text(
        "from glacierjax.core.settings import FineTuning\nfrom glacierjax.recipes.configs import config_of\n\n\n"
        "def get_config():\n    config = config_of(FineTuning())\n    config.model.preset = 'tiny'\n    return config\n"
    )
    (root / "run").mkdir()
    (root / "run" / CONFIG_JSON).write_text(json.dumps(FineTuning().to_json()))
    write_stac(root / "items.json")
    return [
        (root / "box.geojson", read_area),
        (root / "front.geojson", lambda file: read_fronts([str(file)])),
        (root / "box.gpkg", read_area),
        (root / "box.txt", read_area),
        (root / "front.csv", lambda file: read_fronts([str(file)])),
        (root / "data_raw.zip", lambda file: read_scenes(open_archive(file))),
        (root / "data_raw.tar.gz", read_members),
        (root / "caffe.zip", lambda file: read_scenes(open_chips(file))),
        (root / "network", read_network),
        (root / "network.safetensors", read_weights),
        (root / "network.torch", read_weights),
        (root / "config.py", lambda file: settings_of(load_config(str(file)))),
        (root / "run", read_settings),
        (root / "items.json", sources_of_stac),
    ]


def with_another_value(data, rng):
    """JSON with one value, somewhere in it, replaced or left out."""
    document = json.loads(data)
    places, todo = [], [document]
    while todo:
        node = todo.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                todo.append(node[key])
    node, key = places[rng.integers(len(places))]
    choice = rng.integers(len(OTHER_VALUES) + 1)
    if choice == len(OTHER_VALUES):
        del node[key]
    else:
        node[key] = OTHER_VALUES[choice]
    return json.dumps(document).encode()


def write_damaged(original, copy, rng):
    """A damaged copy of a file, or of a folder with one damaged file; returns which file it is."""
    file = copy
    if original.is_dir():
        shutil.copytree(original, copy)
        files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
        with_values = [path for path in files if path.read_bytes().startswith(b"{")]
        file = (files if rng.random() < 0.5 else with_values)[rng.integers(len(files)) % len(with_values)]
    data = (original / file.relative_to(copy)).read_bytes() if original.is_dir() else original.read_bytes()
    is_json = data.startswith((b"{", b"["))
    file.write_bytes(
        with_another_value(data, rng) if is_json and rng.random() < 0.6 else damaged(data, rng, HEAD_BYTES)
    )
    return file


@pytest.mark.parametrize("copies", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_damage_is_one_line_or_an_answer(originals, tmp_path, copies):
    rng = np.random.default_rng(copies)
    before = peak_bytes_from_now()
    for original, read in originals:
        read(original)
        for number in range(copies):
            copy = tmp_path / f"{number}_{original.name}"
            file = write_damaged(original, copy, rng)
            started = time.monotonic()
            try:
                read(copy)
            except InputError as error:
                assert copy.name in str(error) or original.name == "config.py", file
            assert time.monotonic() - started < LONGEST_S, file
    assert peak_bytes() - before < MOST_BYTES

"""PROJ with the variables that QGIS, PostGIS or conda set."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from rasterio.env import PROJDataFinder

TRY = """
import threading
import numpy as np
from glacierjax.geo.georeference import WGS84, crs_from_user, reproject
def show():
    print(reproject(np.array([[-45.0, 75]]), WGS84, crs_from_user("EPSG:3413", "test")).round(1).tolist())
show()
threads = [threading.Thread(target=show)]
threads[0].start()
threads[0].join()
"""


@pytest.fixture
def another_proj(tmp_path):
    """The data of an older PROJ: its database has another layout."""
    own = PROJDataFinder().search()
    if own is None:
        pytest.skip("rasterio is built against the system's PROJ")
    (tmp_path / "proj.db").write_bytes((Path(own) / "proj.db").read_bytes())
    with contextlib.closing(sqlite3.connect(tmp_path / "proj.db")) as database, database:
        database.execute("update metadata set value = '0' where key = 'DATABASE.LAYOUT.VERSION.MINOR'")
    return tmp_path


@pytest.mark.parametrize("variable", ["PROJ_LIB", "PROJ_DATA"])
@pytest.mark.parametrize("kind", ["another version", "no such folder"])
def test_the_data_of_another_proj_are_not_used(another_proj, variable, kind):
    folder = another_proj if kind == "another version" else another_proj / "none"
    environment = {**os.environ, variable: str(folder)}
    done = subprocess.run([sys.executable, "-c", TRY], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[[0.0, -1633879.5]]"] * 2, done.stderr  # of the central meridian, by pyproj
    assert "ERROR" not in done.stderr

"""A flag that would change nothing, or nothing without another one, is refused instead of ignored."""

import pytest
from helpers import run_here

from glacierjax.campaign.scenes import find_scenes
from glacierjax.core.errors import InputError
from glacierjax.geo.scenes import ReadOptions

GIVEN = {
    "predict": ("--checkpoint=RUN", "--input=scene.tif", "--output=OUT"),
    "composite": ("--fronts=SERIES", "--output=OUT"),
    "convert": ("--input=RUN", "--output=OUT"),
    "adapt": ("--checkpoint=RUN", "--data=DATA_RAW", "--output=OUT"),
    "run": ("--plan=PLAN", "--output=OUT"),
}


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("predict", ["--crs=EPSG:3413"], "--crs=EPSG:3413: is of the lines in the formats of --vector"),
        ("predict", ["--glacier_field=rgi_id"], "--glacier_field=rgi_id: is of the polygons of --glaciers"),
        ("predict", ["--asset=vv"], "--asset=vv: of STAC items (.json), and none are given"),
        ("composite", ["--between=nearest"], "--between=nearest: is of the ice mask; give --grid_spacing_m too"),
        ("composite", ["--crs=EPSG:32633"], "--crs=EPSG:32633: is of the ice mask and of the lines of --vector"),
        ("convert", ["--to=torch", "--preset=tiny"], "--preset=tiny: the checkpoint records the sizes"),
        ("convert", ["--which=last"], "--which=last: is of a training folder that --to writes"),
        ("adapt", ["--replay_share=0.3"], "--replay_share=0.3: is of the data of --replay"),
        ("run", ["--attempts=0"], "--attempts=0: choose 1 or more"),
    ],
)
def test_a_flag_of_no_use_is_one_clear_line_and_exit_code_2(tmp_path, monkeypatch, command, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scene.tif").write_bytes(b"")
    done = run_here(f"glacierjax.{command}", *GIVEN[command], *flags)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "OUT").exists()


def test_an_asset_is_refused_where_a_campaign_has_no_items(tmp_path):
    (tmp_path / "scene.tif").write_bytes(b"")
    with pytest.raises(InputError, match="asset='vv': of STAC items"):
        find_scenes([str(tmp_path / "scene.tif")], ReadOptions(), "vv")

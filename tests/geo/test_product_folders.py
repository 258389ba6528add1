"""Folders as they are downloaded: which file is the image, what is its mask, what is left out."""

import logging
import zipfile

import numpy as np
import pytest
from rasterio.control import GroundControlPoint
from rasters_for_tests import power, write

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.layers import source_of_file
from glacierjax.geo.scenes import ReadOptions, read_scene
from glacierjax.geo.sources import GAMMA_AFFECTED, MASK_AFFECTED

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
HYP3 = "S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A"
OPERA = "OPERA_L2_RTC-S1_T069-147170-IW1_20210205T163901Z_20220101T140222Z_S1A_30_v1.0"
GRD = "S1A_IW_GRDH_1SDV_20200701T120000_20200701T120025_033260_03DA5B_ABCD"
ZEROS = np.zeros((40, 50), np.uint8)


@pytest.fixture(autouse=True)
def _log_is_heard(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("glacierjax"), "propagate", True)  # commands turn it off
    caplog.set_level(logging.INFO, "glacierjax")


def hyp3_folder(folder, polarisations=("VV", "VH"), ls_map=None):
    for number, one in enumerate(polarisations):
        write(folder / f"{HYP3}_{one}.tif", power(seed=number), nodata=0)
    for layer in ("dem", "inc_map", "area"):
        write(folder / f"{HYP3}_{layer}.tif", power())
    write(folder / f"{HYP3}_rgb.tif", np.zeros((3, 40, 50), np.uint8))
    write(folder / f"{HYP3}_ls_map.tif", np.ones((40, 50), np.uint8) if ls_map is None else ls_map)
    write_png(folder / f"{HYP3}.png", ZEROS)
    write_png(folder / f"{HYP3}_rgb.png", ZEROS)
    (folder / f"{HYP3}.README.md.txt").write_text("")
    return folder


def names(*patterns, **rest):
    return [source.name for source in find_sources([str(pattern) for pattern in patterns], **rest)]


def test_of_a_hyp3_product_the_co_polarised_image_is_the_scene(tmp_path, caplog):
    (source,) = find_sources([str(hyp3_folder(tmp_path / HYP3))])
    assert source.name == f"{HYP3}_VV"
    assert (str(source.facts.date), source.facts.sensor, source.facts.polarisation) == ("2018-01-28", "S1", "VV")
    assert source.tiles[0].mask is not None and source.tiles[0].mask.affected == GAMMA_AFFECTED
    assert "1 area, 1 dem, 1 inc_map, 1 ls_map, 1 picture, 2 rgb" in caplog.text, "nothing is left out in silence"


def test_a_product_is_found_in_a_folder_of_downloads_and_by_pattern(tmp_path):
    hyp3_folder(tmp_path / HYP3)
    write(tmp_path / "fjord_2016-01-05.tif", power())
    write(tmp_path / "notes" / "no_product.tif", power())
    write(tmp_path / "._fjord.tif", power())
    assert names(tmp_path) == [f"{HYP3}_VV", "fjord_2016-01-05"]
    assert names(tmp_path / "S1A*") == names(tmp_path / HYP3 / "*.tif") == [f"{HYP3}_VV"]


def test_another_polarisation_is_taken_if_asked_for_and_told_if_it_is_not_there(tmp_path):
    hyp3_folder(tmp_path)
    assert names(tmp_path, polarisation="VH") == [f"{HYP3}_VH"]
    (missing,) = find_sources([str(tmp_path)], polarisation="HH")
    with pytest.raises(InputError, match=r"_VH.tif: no HH image .*only VH, VV; give `polarisation`=VH or "):
        read_scene(missing)


def test_a_product_of_cross_polarised_images_alone_is_asked_about_unless_the_file_itself_is_named(tmp_path, caplog):
    hyp3_folder(tmp_path, polarisations=("VH",))
    (source,) = find_sources([str(tmp_path)])
    with pytest.raises(InputError, match=r"no co-polarised image .* give `polarisation`=VH"):
        read_scene(source)
    assert names(tmp_path / f"{HYP3}_VH.tif") == [f"{HYP3}_VH"] and "cross-polarised" in caplog.text


def test_layers_are_left_out_beside_scenes_of_every_name_but_not_words_that_may_be_places(tmp_path):
    for name in ("fjord", "fjord_dem", "fjord_mask", "fjord_rgb", "study_area", "COL_2011-11-13_TSX_7_1_092"):
        write(tmp_path / f"{name}.tif", power())
    assert names(tmp_path) == ["COL_2011-11-13_TSX_7_1_092", "fjord", "study_area"]


def test_a_folder_of_layers_alone_is_refused_but_a_file_named_itself_is_taken(tmp_path, caplog):
    write(tmp_path / "fjord_dem.tif", power())
    with pytest.raises(InputError, match=r"input=.*only layers that are no images by their names \(1 files\)"):
        find_sources([str(tmp_path)])
    assert names(tmp_path / "fjord_dem.tif") == ["fjord_dem"] and "its name says that it is no image" in caplog.text


def test_folders_of_a_date_give_their_name_to_files_that_tell_only_their_content(tmp_path):
    for date in ("2016-01-05", "2016-01-17"):
        write(tmp_path / date / "VV.tif", power())
        write(tmp_path / date / "VH.tif", power())
    assert names(tmp_path / "*" / "*.tif") == ["2016-01-05_VV", "2016-01-17_VV"]


def test_planetary_computer_files_are_named_after_the_product_folder(tmp_path):
    for one in ("vv", "vh"):
        write(tmp_path / GRD / "measurement" / f"iw-{one}.rtc.tiff", power(), nodata=-32768)
    (source,) = find_sources([str(tmp_path)])
    assert source.name == f"{GRD}_VV"
    assert (source.facts.orbit, source.facts.relative_orbit, source.facts.polarisation) == (33260, 113, "VV")


@pytest.mark.parametrize("entry", ["X.dim", "X.data", ""])
def test_snap_s_own_format_is_read_band_by_band(tmp_path, entry):
    name = f"{GRD}_Orb_NR_Cal_TC"
    folder = tmp_path / f"{name}.data"
    for number, one in enumerate(("VH", "VV")):
        write(folder / f"Sigma0_{one}.img", power(seed=number), driver="ENVI")
    for layer in ("elevation", "localIncidenceAngle", "layoverShadowMask"):
        write(folder / f"{layer}.img", ZEROS, driver="ENVI")
    (tmp_path / f"{name}.dim").write_text("<Dimap_Document/>")
    (source,) = find_sources([str(tmp_path / entry.replace("X", name))])
    assert source.name == f"{name}_VV" and source.tiles[0].path.endswith("Sigma0_VV.img")
    assert source.tiles[0].mask is not None and source.tiles[0].mask.affected == MASK_AFFECTED
    scene = read_scene(source)
    assert scene.facts.polarisation == "VV" and scene.georeference is not None and scene.valid.all()


def test_a_dim_without_its_folder_is_named(tmp_path):
    (tmp_path / "scene.dim").write_text("<Dimap_Document/>")
    (source,) = find_sources([str(tmp_path / "scene.dim")])
    with pytest.raises(InputError, match=r"scene.dim: its folder scene.data is not beside it"):
        read_scene(source)


def test_a_grd_product_in_its_safe_folder_gets_the_line_that_says_what_to_run(tmp_path):
    measurement = tmp_path / f"{GRD}.SAFE" / "measurement"
    gcps = [
        GroundControlPoint(row, column, -50 + column / 50, 69 - row / 100) for row in (0, 40) for column in (0, 25, 50)
    ]
    for number, one in enumerate(("vv", "vh"), 1):
        name = f"s1a-iw-grd-{one}-20200701t120000-20200701t120025-033260-03da5b-00{number}.tiff"
        write(measurement / name, np.ones((40, 50), np.uint16), crs="EPSG:4326", transform=None, gcps=gcps)
    write_png(tmp_path / f"{GRD}.SAFE" / "preview" / "quick-look.png", ZEROS)
    (source,) = find_sources([str(tmp_path)])
    assert source.facts.polarisation == "VV" and source.facts.orbit == 33260
    with pytest.raises(
        InputError, match=r"only 6 ground control points; run SNAP's terrain correction: gpt Terr"
    ) as error:
        read_scene(source)
    line = str(error.value)
    assert "-PmapProjection=EPSG:32622 -PpixelSpacingInMeter=10 -PnodataValueAtSea=false" in line
    assert (
        f"'{tmp_path / GRD}.SAFE'" in line and "gdalwarp -tps -t_srs EPSG:32622 -tr 10 10" in line and "\n" not in line
    )


def test_other_packages_are_named_with_what_to_do(tmp_path):
    slc = GRD.replace("GRDH", "SLC_")
    (tmp_path / f"{slc}.SAFE").mkdir()
    (tmp_path / f"{GRD}.SAFE").mkdir()
    (tmp_path / f"{HYP3}.zip").write_bytes(b"PK")
    with zipfile.ZipFile(tmp_path / f"{GRD}.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    (tmp_path / "holiday.zip").write_bytes(b"PK")
    write(tmp_path / "fjord.tif", power())
    problems = {source.name.rpartition("/")[2]: source.problem for source in find_sources([str(tmp_path)])}
    assert set(problems) == {f"{slc}.SAFE", f"{GRD}.SAFE", f"{HYP3}.zip", f"{GRD}.zip", "fjord"}
    assert "order it as RTC" in problems[f"{slc}.SAFE"] and "no measurement" in problems[f"{GRD}.SAFE"]
    assert "not a readable zip" in problems[f"{HYP3}.zip"] and "no image in it" in problems[f"{GRD}.zip"]
    assert not problems["fjord"]


def test_a_zipped_product_is_read_where_it_is(tmp_path):
    ls_map = np.ones((40, 50), np.uint8)
    ls_map[:, :3] = 17
    folder = hyp3_folder(tmp_path / "unpacked" / HYP3, ls_map=ls_map)
    with zipfile.ZipFile(tmp_path / f"{HYP3}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, f"{HYP3}/{file.name}")
    (zipped,), (plain,) = find_sources([str(tmp_path / f"{HYP3}.zip")]), find_sources([str(folder)])
    assert zipped.name == plain.name and zipped.tiles[0].mask is not None
    scene = read_scene(zipped)
    np.testing.assert_array_equal(scene.image, read_scene(plain).image)
    assert not scene.valid[:, :3].any() and scene.valid[:, 3:].all()


def test_a_file_that_is_named_in_two_ways_is_one_scene(tmp_path, monkeypatch):
    write(tmp_path / "fjord.tif", power())
    monkeypatch.chdir(tmp_path)
    assert names("fjord.tif", "./fjord.tif", tmp_path, "f*.tif") == ["fjord"]


def test_gamma_s_map_becomes_no_data(tmp_path):
    ls_map = np.ones((40, 50), np.uint8)
    for column, value in enumerate((0, 1, 3, 5, 9, 17, 31)):
        ls_map[:, column] = value
    scene = read_scene(find_sources([str(hyp3_folder(tmp_path, ls_map=ls_map))])[0])
    expected = np.ones((40, 50), bool)
    expected[:, 2:7] = False
    np.testing.assert_array_equal(scene.valid, expected)
    assert not scene.image[:, 2:7].any() and scene.reading["layover_shadow_masks"] == 1


def test_opera_s_mask_becomes_no_data_and_the_static_one_where_there_is_no_other(tmp_path):
    mask = np.zeros((40, 50), np.uint8)
    mask[:, :4] = (1, 2, 3, 255)
    image = power()
    image[:, 3] = np.nan
    write(tmp_path / f"{OPERA}_VV.tif", image, nodata=np.nan)
    write(tmp_path / f"{OPERA}_VH.tif", image, nodata=np.nan)
    static = OPERA.replace("RTC-S1_", "RTC-S1-STATIC_").replace("_20210205T163901Z_20220101T140222Z", "_20140403")
    write(tmp_path / f"{static}_mask.tif", mask, nodata=255)
    write(tmp_path / f"{static}_local_incidence_angle.tif", power())
    scene = read_scene(find_sources([str(tmp_path)])[0])
    assert scene.name == f"{OPERA}_VV" and scene.facts.relative_orbit == 69
    assert not scene.valid[:, :4].any() and scene.valid[:, 4:].all()
    own = np.zeros((40, 50), np.uint8)
    own[:, 10] = 2
    write(tmp_path / f"{OPERA}_mask.tif", own, nodata=255)
    write_png(tmp_path / f"{OPERA}_BROWSE.png", ZEROS)
    scene = read_scene(find_sources([str(tmp_path)])[0])
    assert scene.valid[:, :3].all() and not scene.valid[:, 10].any(), "the mask of the date itself"
    assert read_scene(tmp_path / f"{OPERA}_VV.tif").valid.sum() == scene.valid.sum(), "one file by its path too"


def test_a_mask_on_another_grid_is_laid_over_the_scene(tmp_path):
    mask = np.ones((10, 10), np.uint8)
    mask[:, :1] = 5
    hyp3_folder(tmp_path)
    write(tmp_path / f"{HYP3}_ls_map.tif", mask, left=500_200, spacing_m=100.0)
    scene = read_scene(find_sources([str(tmp_path)])[0])
    expected = np.ones((40, 50), bool)
    expected[:, 10:15] = False
    np.testing.assert_array_equal(scene.valid, expected)


def test_files_named_by_path_are_single_scenes(tmp_path):
    hyp3_folder(tmp_path)
    assert source_of_file(tmp_path / f"{HYP3}_VH.tif").facts.polarisation == "VH"
    assert read_scene(tmp_path / f"{HYP3}_VH.tif", ReadOptions()).facts.polarisation == "VH"


def test_a_product_without_its_sea_is_warned_of(tmp_path):
    name = HYP3.replace("gpuned", "gpwned")
    scene = read_scene(write(tmp_path / f"{name}_VV.tif", power(), nodata=0))
    assert scene.warnings == ("ordered with a water mask: there is no sea in it, so no front; order it without",)


def test_bands_that_tell_nothing_are_not_given_the_polarisation_of_the_name(tmp_path):
    path = write(tmp_path / "fjord_VV.tif", np.stack([power(), power(seed=1)]))
    scene = read_scene(path)
    assert scene.facts.polarisation is None and scene.warnings[0] == "band 1 of 2; `band` chooses another"


def test_formats_that_are_not_read_and_subfolders_with_images_are_not_left_out_in_silence(tmp_path, caplog):
    for name in ("fjord_2016-01-05.tif", "2017/fjord_2017-01-05.tif", "2018/fjord_2018-01-05.png", "empty/notes.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty" / "notes.tif").rename(tmp_path / "empty" / "notes.txt")
    for name in (
        "fjord_2019-01-05.jp2",
        "fjord_2020-01-05.NC",
        "fjord_2016-01-05.jpg",
        f"{OPERA}.h5",
        "._x.jp2",
        "a.txt",
    ):
        (tmp_path / name).write_bytes(b"")
    assert names(tmp_path) == ["fjord_2016-01-05"]
    assert "as these formats are not read: fjord_2019-01-05.jp2, fjord_2020-01-05.NC; convert them" in caplog.text
    assert "subfolders are not searched: 2017, 2018; name them too" in caplog.text


def test_of_a_plain_folder_nothing_is_said(tmp_path, caplog):
    hyp3_folder(tmp_path / "downloads" / HYP3)
    write(tmp_path / "downloads" / "fjord_2016-01-05.tif", power())
    (tmp_path / "downloads" / "out" / "zones").mkdir(parents=True)
    (tmp_path / "downloads" / "out" / "zones" / "fjord_2016-01-05.tif").write_bytes(b"")
    assert len(names(tmp_path / "downloads")) == 2
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

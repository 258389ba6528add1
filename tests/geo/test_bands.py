"""Which band of a file is the image."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasters_for_tests import power, write

from glacierjax.core.errors import InputError
from glacierjax.geo.bands import choose_band, snap_band_names
from glacierjax.geo.scenes import ReadOptions, read_scene

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:Dataset has no geotransform")
GRD = "S1A_IW_GRDH_1SDV_20200701T120000_20200701T120025_033260_03DA5B_ABCD"


@pytest.mark.parametrize(
    ("descriptions", "wanted", "number", "polarisation"),
    [
        (("VV", "VH", "angle"), None, 1, "VV"),
        (("VH", "VV", "angle"), None, 2, "VV"),
        (("VH", "VV", "angle"), "VH", 1, "VH"),
        (("HH", "HV", "angle"), None, 1, "HH"),
        (("Sigma0_VH", "Sigma0_VV", "layoverShadowMask"), None, 2, "VV"),
        (("Gamma0_VV_db", "Gamma0_VH_db"), None, 1, "VV"),
        (("Amplitude_VH", "Intensity_VH", "Amplitude_VV", "Intensity_VV"), None, 3, "VV"),
        (("elevation", "VV_count", "VV"), None, 3, "VV"),
        (("VH",), None, 1, "VH"),
        ((None,), None, 1, None),
    ],
)
def test_band_by_description(descriptions, wanted, number, polarisation):
    band = choose_band(descriptions, "file", "fjord", polarisation=wanted)
    assert (band.number, band.polarisation, band.note) == (number, polarisation, "")


def test_a_chosen_band_is_taken_and_its_polarisation_recorded():
    assert choose_band(("VV", "VH"), "file", "fjord", band=2)[:2] == (2, "VH")
    with pytest.raises(InputError, match=r"band=3: file has 2 band"):
        choose_band(("VV", "VH"), "file", "fjord", band=3)


def test_the_name_tells_of_a_single_band_what_its_description_does_not():
    assert choose_band((None,), "file", "fjord_VH")[:2] == (1, "VH")
    with pytest.raises(InputError, match=r"its name says VH, not `polarisation`=VV"):
        choose_band((None,), "file", "fjord_VH", polarisation="VV")
    assert "taken as HH" in choose_band((None,), "file", "fjord", polarisation="HH").note


def test_bands_that_nothing_tells_apart_are_asked_about_where_it_matters():
    with pytest.raises(InputError, match=r"none of its 2 bands tells its polarisation; choose one with `band`"):
        choose_band((None, None), "file", f"{GRD}_TC")
    with pytest.raises(InputError, match=r"none of its 2 bands tells which is VH"):
        choose_band((None, None), "file", "fjord", polarisation="VH")
    assert choose_band((None, None), "file", "fjord").note == "band 1 of 2; `band` chooses another"
    with pytest.raises(InputError, match=r"no HH band, only VV, VH"):
        choose_band(("VV", "VH"), "file", "fjord", polarisation="HH")


@pytest.mark.parametrize("wrong", [{"polarisation": "VX"}, {"polarisation": "VV", "band": 2}])
def test_wrong_choices_are_named(wrong):
    with pytest.raises(InputError, match="polarisation"):
        ReadOptions(**wrong)


def test_bands_of_a_snap_geotiff_are_known_by_snap_s_own_description(tmp_path):
    names = ("Sigma0_VH", "Sigma0_VV")
    xml = "".join(f"<Spectral_Band_Info><BAND_NAME>{name}</BAND_NAME></Spectral_Band_Info>" for name in names)
    file = write(tmp_path / f"{GRD}_Orb_Cal_TC.tif", np.stack([power(seed=1), power(seed=2)]))
    path = add_tag(file, f"<Dimap_Document>{xml}</Dimap_Document>")
    assert snap_band_names(str(path)) == list(names)
    scene = read_scene(path)
    assert scene.reading["band"] == 2 and scene.facts.polarisation == "VV" and scene.facts.orbit == 33260
    np.testing.assert_array_equal(scene.image, read_scene(write(tmp_path / "vv.tif", power(seed=2))).image)


def test_a_mask_among_the_bands_becomes_no_data(tmp_path):
    mask = np.zeros((40, 50), np.float32)
    mask[:, :3] = (1, 2, 3)
    path = write(tmp_path / "fjord.tif", np.stack([power(), mask]), descriptions=("Sigma0_VV", "layoverShadowMask"))
    scene = read_scene(path)
    assert not scene.valid[:, :3].any() and scene.valid[:, 3:].all() and scene.reading["layover_shadow_masks"] == 1


def add_tag(path, text):
    """Appends SNAP's tag to a TIFF: a directory at its end with the entries of the old one, the text behind it."""
    data = Path(path).read_bytes()
    (start,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[start : start + 2])
    entries = data[start + 2 : start + 2 + 12 * count]
    end = len(data) + len(data) % 2
    content = text.encode() + b"\0"
    behind = end + 2 + 12 * (count + 1) + 4
    tag = struct.pack("<HHII", 65000, 2, len(content), behind)
    directory = struct.pack("<H", count + 1) + entries + tag + struct.pack("<I", 0)
    Path(path).write_bytes(data[:4] + struct.pack("<I", end) + data[8:].ljust(end - 8, b"\0") + directory + content)
    return path


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0+garbage that is no header", b"\x89PNG"]
)
def test_no_names_come_from_other_files(tmp_path, content):
    (tmp_path / "x.tif").write_bytes(content)
    assert snap_band_names(str(tmp_path / "x.tif")) == []
    Image.new("L", (4, 4)).save(tmp_path / "y.tif")
    assert snap_band_names(str(tmp_path / "y.tif")) == []

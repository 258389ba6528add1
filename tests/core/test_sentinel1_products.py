"""Names of Sentinel-1 products, as each of their makers writes them."""

import datetime

import pytest

from glacierjax.core.products import (
    ancillary_layer,
    choose_polarisation,
    polarisation_of_name,
    product_of_name,
    weak_ancillary_layer,
    without_polarisation,
)
from glacierjax.core.scene_names import facts_of_name

GRD = "S1A_IW_GRDH_1SDV_20200701T120000_20200701T120025_033260_03DA5B_ABCD"
HYP3 = "S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A"
OPERA = "OPERA_L2_RTC-S1_T069-147170-IW1_20210205T163901Z_20220101T140222Z_S1A_30_v1.0"
STATIC = "OPERA_L2_RTC-S1-STATIC_T069-147170-IW1_20140403_S1A_30_v1.0"
# name, kind, satellite, mode, start, polarisations, absolute and relative orbit
NAMES = [
    (GRD, "ESA", "S1A", "IW", "2020-07-01T12:00:00", ("VV", "VH"), 33260, 113),
    (f"{GRD}.SAFE", "ESA", "S1A", "IW", "2020-07-01T12:00:00", ("VV", "VH"), 33260, 113),
    (f"{GRD}_COG", "ESA", "S1A", "IW", "2020-07-01T12:00:00", ("VV", "VH"), 33260, 113),
    (f"subset_0_of_{GRD}_Orb_NR_Cal_Spk_TC_dB", "ESA", "S1A", "IW", "2020-07-01T12:00:00", ("VV", "VH"), 33260, 113),
    (
        "S1A_IW_GRDH_1SDV_20241020T060232_20241020T060257_056182_06E074_rtc",
        "ESA",
        "S1A",
        "IW",
        "2024-10-20T06:02:32",
        ("VV", "VH"),
        56182,
        110,
    ),
    (
        "S1B_EW_GRDM_1SDH_20181103T235855_20181103T235955_013430_018D5D_5616",
        "ESA",
        "S1B",
        "EW",
        "2018-11-03T23:58:55",
        ("HH", "HV"),
        13430,
        104,
    ),
    (
        "S1C_IW_SLC__1SSV_20250701T120000_20250701T120025_003260_003A5B_ABCD",
        "ESA",
        "S1C",
        "IW",
        "2025-07-01T12:00:00",
        ("VV",),
        3260,
        None,
    ),
    (
        "s1a-ew-grd-hh-20141010t074510-20141010t074610-002764-0031bd-001-cog",
        "measurement",
        "S1A",
        "EW",
        "2014-10-10T07:45:10",
        ("HH",),
        2764,
        67,
    ),
    (HYP3, "HyP3", "S1A", "IW", "2018-01-28T16:12:01", ("VV", "VH"), None, None),
    (f"{HYP3}_VV", "HyP3", "S1A", "IW", "2018-01-28T16:12:01", ("VV", "VH"), None, None),
    ("S1A_IW_RT30_20170708T161200_G_gpn_VV", "old HyP3", "S1A", "IW", "2017-07-08T16:12:00", (), None, None),
    (f"{OPERA}_VH", "OPERA", "S1A", "IW", "2021-02-05T16:39:01", (), None, 69),
    (
        "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db",
        "pyroSAR",
        "S1A",
        "IW",
        "2015-03-09T17:30:17",
        (),
        None,
        None,
    ),
]


@pytest.mark.parametrize(("name", "kind", "satellite", "mode", "start", "polarisations", "orbit", "relative"), NAMES)
def test_names_tell_satellite_time_polarisations_and_orbit(
    name, kind, satellite, mode, start, polarisations, orbit, relative
):
    product = product_of_name(name)
    assert product is not None
    assert (product.kind, product.satellite, product.mode) == (kind, satellite, mode)
    assert product.start == datetime.datetime.fromisoformat(start).replace(tzinfo=datetime.UTC)
    assert (product.polarisations, product.orbit, product.relative_orbit) == (polarisations, orbit, relative)
    facts = facts_of_name(name)
    assert (facts.date, facts.sensor) == (datetime.date.fromisoformat(start[:10]), "S1")
    assert (facts.orbit, facts.relative_orbit) == (orbit, relative)


def test_the_date_of_a_product_is_that_of_the_acquisition_not_of_the_processing():
    assert facts_of_name(f"20220101_{OPERA}_VV").date == datetime.date(2021, 2, 5)


@pytest.mark.parametrize(
    "name",
    ["COL_2011-11-13_TSX_7_1_092", "fjord_2016-01-05", "S1A_20150309T173017", "S1A_IW_GRDH_1SDV_20209901T120000_x"],
)
def test_other_names_are_no_products(name):
    assert product_of_name(name) is None


def test_static_layers_have_a_burst_and_no_date():
    product = product_of_name(f"{STATIC}_mask")
    assert product is not None and product.is_static and product.start is None
    assert product.burst == "T069-147170-IW1" == product_of_name(OPERA).burst


def test_pieces_of_one_pass_have_one_key_and_other_passes_another():
    def key(name):
        return product_of_name(name).pass_key

    other_burst = OPERA.replace("T069-147170-IW1", "T069-147171-IW2").replace("163901Z", "163904Z")
    assert key(OPERA) == key(other_burst)
    assert key(OPERA) != key(OPERA.replace("T069", "T070")) and key(OPERA) != key(OPERA.replace("_S1A_", "_S1B_"))
    next_slice = GRD.replace("20200701T120000_20200701T120025", "20200701T120025_20200701T120050").replace(
        "ABCD", "1234"
    )
    assert key(GRD) == key(next_slice) != key(next_slice.replace("03DA5B", "03DA60"))
    assert key(HYP3) != key(HYP3.replace("RTC30", "RTC10"))


@pytest.mark.parametrize(
    ("name", "polarisation"),
    [
        (f"{HYP3}_VV", "VV"),
        ("iw-vh.rtc", "VH"),
        ("Sigma0_HH_db", "HH"),
        (GRD, None),
        ("S1_VV_VH_ratio", None),
        ("2020_Sentinel-1_AWS-IW-VVVH_VV_-_decibel_gamma0", "VV"),
        ("VV", "VV"),
        ("COL_2011-11-13_TSX_7_1_092", None),
        ("hVv", None),
    ],
)
def test_polarisation_is_a_word_of_the_name(name, polarisation):
    assert polarisation_of_name(name) == polarisation


def test_layers_of_one_product_have_one_base():
    assert without_polarisation(f"{HYP3}_VV") == without_polarisation(f"{HYP3}_VH") == HYP3
    bases = {
        without_polarisation(f"s1a-iw-grd-{pol}-20200701t120000-20200701t120025-033260-03da5b-00{i}")
        for i, pol in enumerate(("vv", "vh"), 1)
    }
    assert len(bases) == 1
    assert without_polarisation("S1A__IW___A_20150309T173017_VV_grd") == "S1A__IW___A_20150309T173017_grd"


@pytest.mark.parametrize(
    "layer", ["dem", "inc_map", "ls_map", "rgb", "local_incidence_angle", "number_of_looks", "water_mask"]
)
def test_layers_beside_an_image_are_known_by_name(layer):
    assert ancillary_layer(f"{HYP3}_{layer}") == layer


def test_words_that_may_name_a_place_are_weaker():
    assert ancillary_layer("study_area") is None and weak_ancillary_layer("study_area") == "area"
    assert ancillary_layer("Vendemmia") is None and weak_ancillary_layer(f"{OPERA}_mask") == "mask"
    assert weak_ancillary_layer("COL_2011-11-13_TSX_7_1_092") is None


def test_the_co_polarised_image_is_chosen_unless_another_is_wanted():
    assert choose_polarisation(("VH", "VV"), None) == "VV" and choose_polarisation(("HV", "HH"), None) == "HH"
    assert choose_polarisation(("VH", "VV"), "VH") == "VH"
    assert choose_polarisation(("VH",), None) is None and choose_polarisation(("VV", "VH"), "HH") is None


def test_hyp3_names_tell_a_water_mask():
    assert product_of_name(HYP3.replace("gpuned", "gpwned")).is_water_masked
    assert not product_of_name(HYP3).is_water_masked and not product_of_name(OPERA).is_water_masked

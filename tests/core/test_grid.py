"""Padding and tile grids, against the official numbers (case 6) and NumPy's own mirroring."""

import json
import zlib

import numpy as np
import pytest
from golden_rules import FOLDERS, integers
from hypothesis import given, settings
from hypothesis import strategies as st

from glacierjax.core import grid
from glacierjax.core.grid import Padding
from glacierjax.core.zones import grey_from_ids, ids_from_grey

CONTEXT, TARGET, STRIDE = 512, 256, 128
sizes = st.integers(1, 3000)
few_pixels = st.integers(0, 40)


@pytest.fixture(scope="module", params=FOLDERS)
def case6(request):
    """The official geometry, and for each padded row or column the index of the pixel that it shows."""
    with np.load(request.param / "case6_padding.npz") as file:
        sources = dict(file)
    return json.loads((request.param / "case6_geometry.json").read_text()), sources


def official_routines(case6):
    """(routine, size of an axis, official padding) of every axis in case 6."""
    for row in case6[0]["padding"]:
        for routine, found in row.items():
            if routine not in ("rows", "cols"):
                yield routine, row["rows"], Padding(found["pad_top"], found["pad_bottom"])
                yield routine, row["cols"], Padding(found["pad_left"], found["pad_right"])


def test_official_padding_is_repeated_exactly(case6):
    found = [row for row in official_routines(case6) if row[0].startswith("whole")]
    assert len(found) == 48
    for routine, size, expected in found:
        assert grid.whole_padding(size, int(routine[6:]), "official") == expected


def test_clean_padding_is_the_official_one_but_where_that_is_a_pixel_too_large(case6):
    differing = 0
    for routine, size, expected in official_routines(case6):
        if not routine.startswith("whole"):
            continue
        tile = int(routine[6:])
        clean = grid.whole_padding(size, tile)
        assert sum(clean) + size == (size // tile + 2) * tile
        if sum(clean) % 4 in (2, 3):
            assert sum(clean) == sum(expected) - 1
            differing += 1
        else:
            assert clean == expected
    assert differing >= 4


@pytest.mark.parametrize("overlap", [384, 256])
def test_overlap_padding_is_the_official_one_for_scenes_that_are_not_lost(case6, overlap):
    for routine, size, expected in official_routines(case6):
        if routine == f"overlapping_512_{overlap}_256":
            found = grid.overlap_padding(size, CONTEXT, CONTEXT - overlap)
            lost = sum(expected) + size < CONTEXT
            assert found == (Padding(128, expected.after + STRIDE) if lost else expected)
            assert lost == (overlap == 384 and size < STRIDE)


def official_sources(case6, routine):
    """(size of an axis, which of its pixels the padded axis shows) where case 6 has it."""
    geometry, sources = case6
    for row in geometry["padding"]:
        for axis, side in (("rows", "row"), ("cols", "col")):
            key = f"{routine}/{row['rows']}x{row['cols']}/{side}_source"
            if key in sources:
                yield row[axis], sources[key]


@pytest.mark.parametrize("tile", [256, 512])
def test_mirroring_shows_the_official_pixels(case6, tile):
    compared = 0
    for size, expected in official_sources(case6, f"whole_{tile}"):
        padding = grid.whole_padding(size, tile, "official")
        np.testing.assert_array_equal(grid.mirror_indices(-padding.before, size + padding.after, size), expected)
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize("stride", [128, 256])
def test_overlapping_padding_shows_the_official_pixels(case6, stride):
    compared = 0
    for size, expected in official_sources(case6, f"overlapping_512_{CONTEXT - stride}_256"):
        found = grid.overlapping_pixels(size, CONTEXT, stride)
        np.testing.assert_array_equal(found[: len(expected)], expected)
        assert len(found) == max(len(expected), CONTEXT)
        compared += 1
    assert compared >= 4


def crcs(image, labels, row, column):
    """Of context, its labels, target, its labels."""
    context = np.s_[row : row + CONTEXT, column : column + CONTEXT]
    margin = (CONTEXT - TARGET) // 2
    inner = np.s_[row + margin : row + margin + TARGET, column + margin : column + margin + TARGET]
    return [zlib.crc32(np.ascontiguousarray(x[part]).tobytes()) for part in (context, inner) for x in (image, labels)]


def drawn_scene(rows, columns):
    image = integers(f"case6.image.{rows}x{columns}", 256, (rows, columns)).astype(np.uint8)
    zones = integers(f"case6.zones.{rows}x{columns}", 4, (rows, columns)).astype(np.uint8)
    return image, ids_from_grey(grey_from_ids(zones), "case 6")


def test_tiles_without_overlap_are_the_official_ones(case6):
    for case in case6[0]["patches"]:
        rows, columns = case["rows"], case["cols"]
        expected = case["non_overlapping"]
        padding = [grid.whole_padding(size, TARGET, "official") for size in (rows, columns)]
        image, labels = (grid.pad_mirrored(x, *padding) for x in drawn_scene(rows, columns))
        assert list(image.shape) == expected["padded_shape"]
        places = [
            (r, c)
            for r in grid.origins(image.shape[0], CONTEXT, TARGET)
            for c in grid.origins(image.shape[1], CONTEXT, TARGET)
        ]
        assert len(places) == expected["count"] == (rows // TARGET + 1) * (columns // TARGET + 1)
        assert [[r, c, CONTEXT, CONTEXT] for r, c in places] == expected["origin_row_col_and_crop_shape"]
        found = [crcs(image, labels, r, c) for r, c in places]
        assert found == expected["crc32_context_contextmask_image_imagemask"]


def test_overlapping_tiles_are_the_official_ones_and_tiny_scenes_get_one(case6):
    lost = 0
    for case in case6[0]["patches"]:
        rows, columns = case["rows"], case["cols"]
        expected = case["overlapping_384"]
        row, column = (grid.overlapping_pixels(size, CONTEXT, STRIDE) for size in (rows, columns))
        image, labels = (x[row[:, None], column] for x in drawn_scene(rows, columns))
        places = [
            [r, c]
            for c in grid.origins(image.shape[1], CONTEXT, STRIDE)
            for r in grid.origins(image.shape[0], CONTEXT, STRIDE)
        ]
        if expected["count"] == 0:
            lost += 1
            assert min(rows, columns) < STRIDE
            assert places
            continue
        assert list(image.shape) == expected["padded_shape"]
        assert len(places) == expected["count"]
        assert places[: len(expected["origin_row_col"])] == expected["origin_row_col"]
        for index, *expected_crcs in expected["index_and_crc32_context_contextmask_image_imagemask"]:
            assert crcs(image, labels, *places[index]) == expected_crcs
    assert lost >= 2


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), few_pixels, few_pixels, few_pixels, few_pixels)
def test_mirroring_is_numpys_symmetric_padding(height, width, above, below, left, right):
    image = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    ours = grid.pad_mirrored(image, Padding(above, below), Padding(left, right))
    np.testing.assert_array_equal(ours, np.pad(image, ((above, below), (left, right)), "symmetric"))


def test_further_axes_are_left_alone():
    image = np.random.default_rng(0).random((4, 5, 3))
    ours = grid.pad_mirrored(image, Padding(2, 1), Padding(0, 6))
    np.testing.assert_array_equal(ours, np.pad(image, ((2, 1), (0, 6), (0, 0)), "symmetric"))


@settings(deadline=None)
@given(sizes, st.sampled_from([32, 64, 256, 512]))
def test_whole_padding_is_centred_and_its_targets_cover_the_axis(size, tile):
    padding = grid.whole_padding(size, tile)
    assert padding.after - padding.before in (0, 1)
    starts = [origin + tile // 2 - padding.before for origin in grid.origins(sum(padding) + size, 2 * tile, tile)]
    assert starts[0] <= 0
    assert starts[-1] + tile >= size
    assert len(starts) == size // tile + 1


@settings(deadline=None)
@given(sizes, st.integers(0, 600), st.sampled_from([1, 32, 512]))
def test_fit_padding_is_centred_and_the_least(size, least, multiple):
    padding = grid.fit_padding(size, least, multiple)
    padded = sum(padding) + size
    assert padded % multiple == 0 and padded >= max(size, least) > padded - multiple
    assert padding.after - padding.before in (0, 1)


@settings(deadline=None)
@given(sizes, st.sampled_from([32, 64, 512]))
def test_overlapping_tiles_fit_exactly_and_cover_the_axis(size, context):
    stride = context // 4
    padding = grid.overlap_padding(size, context, stride)
    padded = sum(padding) + size
    assert padding.before == context // 4
    assert (padded - context) % stride == 0
    last = grid.origins(padded, context, stride)[-1]
    assert last + context == padded
    assert padded - context // 4 >= padding.before + size, "the last target ends behind the scene"


@pytest.mark.parametrize("size", [1, 2, 5])
def test_slices_of_the_mirrored_axis_are_its_indices(size):
    for start in range(-3 * size, 3 * size):
        for stop in range(start + 1, start + 3 * size):
            cut = np.concatenate([np.arange(size)[part] for part in grid.mirror_slices(start, stop, size)])
            np.testing.assert_array_equal(cut, grid.mirror_indices(start, stop, size))

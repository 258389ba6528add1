"""Scenes of one place on grids of their own, laid over each other: fronts come back where they were."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from brightness import BRIGHT, bright_is_glacier, make_predictor, make_series_predictor
from scipy import ndimage

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.datasets.series import day_positions
from glacierjax.geo.georeference import Georeference, crs_from_user, reproject
from glacierjax.geo.scenes import Scene
from glacierjax.prediction import answers, spool
from glacierjax.prediction.frames import FrameBySize
from glacierjax.prediction.model import Model
from glacierjax.prediction.scene import find_front

UTM, POLAR, DEGREES = (crs_from_user(name, "test") for name in ("EPSG:32622", "EPSG:3413", "EPSG:4326"))
EAST, NORTH = 500_000.0, 7_650_000.0
FRONT_M = 2_500.0  # east of EAST, where the bright glacier ends


def ground(points_utm):
    """Grey of the ground: a glacier in the west, with a slanted front."""
    x, y = points_utm[:, 0] - EAST, NORTH - points_utm[:, 1]
    return np.where(x + 0.2 * y < FRONT_M, 200, 30).astype(np.uint8)


def scene(name, crs, metres, shape, east=0.0, south=0.0):
    """What a scene whose first corner lies there shows of the ground."""
    x, y = reproject(np.array([[EAST + east, NORTH - south]]), UTM, crs)[0].tolist()
    if crs == DEGREES:
        place = Georeference(crs, (metres / 40_000, 0, x, 0, -metres / 111_000, y))
    else:
        place = Georeference(crs, (metres, 0, x, 0, -metres, y))
    rows, columns = np.indices(shape)
    centres = np.column_stack([columns.ravel() + 0.5, rows.ravel() + 0.5])
    image = ground(reproject(place.to_crs(centres), crs, UTM)).reshape(shape)
    sides = (metres * 39_000 / 40_000, metres * 1.0) if crs == DEGREES else None
    return Scene(name, image, np.ones(shape, bool), float(metres), place, pixel_sides_m=sides)


def series():
    """One glacier: two UTM grids shifted by a third of a tile, a polar grid, a finer and a coarser one."""
    return [
        scene("a_2020-01-01", UTM, 20, (200, 220)),
        scene("b_2020-02-01", UTM, 20, (190, 230), east=20 * 64 / 3, south=20 * 64 / 3),
        scene("c_2020-03-01", POLAR, 20, (240, 260), east=-300, south=-300),
        scene("d_2020-04-01", UTM, 13, (300, 330), south=100),
        scene("e_2020-05-01", UTM, 45, (90, 95), south=-50),
    ]


def front_utm(prediction):
    lines = [prediction.scene.georeference.to_crs(line) for line in prediction.front_lines]
    return reproject(np.concatenate(lines), prediction.scene.georeference.crs, UTM)


def off_px(prediction):
    """Distances of the predicted line from the true front, in pixels of the scene."""
    x, y = front_utm(prediction).T
    return np.abs((x - EAST) + 0.2 * (NORTH - y) - FRONT_M) / np.hypot(1, 0.2) / prediction.scene.pixel_spacing_m


def predict(scenes, predictor=None, **rest) -> Any:
    model = Model(predictor or make_series_predictor(0.9))
    return model._predict_series(scenes, None, rest.pop("series", "groups"), rest.pop("registration", None))


@pytest.mark.parametrize("mode", ["tiled", "overlap"])
@pytest.mark.parametrize("how", ["groups", "reference"])
def test_fronts_of_unlike_grids_are_within_a_pixel_of_the_truth(mode, how):
    scenes = series()
    found = predict(scenes, make_series_predictor(0.9, mode=mode), series=how)
    assert [one.scene.name for one in found] == [one.name for one in scenes]
    for one, given in zip(found, scenes, strict=True):
        assert one.zones.shape == given.image.shape and one.series.registration == "georeference"
        alone = find_front(make_predictor(0.9), given)
        for front, other in ((one.front, alone.front), (alone.front, one.front)):
            assert ndimage.distance_transform_cdt(~other, "chessboard")[front].max() <= 1
        assert off_px(one).mean() < 0.6, one.scene.name
        assert abs(sum(one.lengths_m) / sum(alone.lengths_m) - 1) < 0.05


def test_every_scene_gets_its_own_answer_everywhere():
    for one in predict(series()):
        expected = np.where(one.scene.image >= BRIGHT, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE)
        assert np.mean(one.zones != expected) < 0.01
        certain = one.uncertainty[one.uncertainty > 0]
        assert np.median(certain) == pytest.approx(float(certain.min()), rel=1e-3)


def test_pixels_that_are_not_square_come_back_too():
    scenes = [series()[0], scene("f_2020-06-01", DEGREES, 20, (200, 220))]
    for one in predict(scenes):
        assert one.front_lines and off_px(one).mean() < 0.6


def test_by_map_equals_by_size_where_grids_are_equal():
    scenes = [dataclasses.replace(series()[0], name=name) for name in ("a_2020-01-01", "b_2020-01-02", "c_2020-01-03")]
    scenes[1] = dataclasses.replace(scenes[1], image=np.roll(scenes[1].image, 9, 1))
    both = [predict(scenes, registration=how) for how in ("size", "georeference")]
    for by_size, by_map in zip(*both, strict=True):
        np.testing.assert_array_equal(by_size.zones, by_map.zones)
        np.testing.assert_array_equal(by_size.uncertainty, by_map.uncertainty)


def test_what_a_frame_does_not_cover_is_black_for_the_network():
    scenes = [series()[0], scene("b_2020-02-01", UTM, 20, (200, 220), east=20 * 110)]
    seen = []

    def network(images, days):
        seen.append(images)
        return bright_is_glacier(0.9)(images)

    predict(scenes, dataclasses.replace(make_series_predictor(frames=2), networks=[network], sources=["run"]))
    shown = np.concatenate(seen)
    assert set(np.unique(shown)) <= {0, 30, 200} and (shown == 0).any()


def test_no_data_stay_no_data():
    scenes = series()[:2]
    valid = np.ones(scenes[0].image.shape, bool)
    valid[:60] = False
    scenes[0] = dataclasses.replace(scenes[0], image=np.where(valid, scenes[0].image, 0), valid=valid)
    found = predict(scenes)[0]
    assert (found.zones[:60] == Zone.NA).all() and (found.zones[61:] != Zone.NA).all()
    assert (found.uncertainty[:60] == 0).all() and not found.front[:59].any()


def test_networks_that_want_coarser_pixels_get_them():
    sizes = []

    def network(images, days):
        sizes.append(images.shape)
        return bright_is_glacier(0.9)(images)

    predictor = make_series_predictor(pixel_spacing_m=40)
    found = predict(series()[:4], dataclasses.replace(predictor, networks=[network], sources=["run"]))
    assert all(off_px(one).mean() < 1.5 for one in found)  # of pixels of 20 m and 13 m
    coarse = len(sizes)
    predict(series()[:4], dataclasses.replace(make_series_predictor(), networks=[network], sources=["run"]))
    assert len(sizes) - coarse > 2 * coarse


def test_a_single_scene_is_seen_as_many_times_as_the_network_has_frames(caplog):
    shapes = []

    def network(images, days):
        shapes.append((len(images), (images == images[:1]).all()))
        return bright_is_glacier(0.9)(images)

    predictor = dataclasses.replace(make_series_predictor(frames=4), networks=[network], sources=["run"])
    (found,) = predict(series()[:1], predictor)
    assert set(shapes) == {(4, True)}
    assert found.series.scenes == ("a_2020-01-01",) and "sees 4 copies" in caplog.text


def test_an_ensemble_averages_and_deviates():
    (found, *_) = predict(series()[:2], make_series_predictor(0.9, 0.7))
    assert found.deviation is not None and found.deviation.max() == pytest.approx(0.1, abs=1e-5)


def test_rotations_and_mirrors_change_nothing_for_a_network_that_looks_at_pixels():
    plain = predict(series()[:3])
    averaged = dataclasses.replace(
        make_series_predictor(0.9), quarter_turns=(0, 1, 2, 3), mirrors=((), (1,), (2,), (1, 2))
    )
    for one, other in zip(plain, predict(series()[:3], averaged), strict=True):
        np.testing.assert_array_equal(one.zones, other.zones)


def test_days_of_the_frames_reach_the_network_in_order():
    asked = []

    def network(images, days):
        asked.append(days.tolist())
        return bright_is_glacier(0.9)(images)

    predictor = dataclasses.replace(make_series_predictor(needs_dates=True), networks=[network], sources=["run"])
    predict([series()[i] for i in (2, 0, 1)], predictor)
    assert asked[0] == day_positions(["a_2020-01-01", "b_2020-02-01", "c_2020-03-01"]).tolist()


def test_large_scenes_pass_through_files(monkeypatch, tmp_path):
    monkeypatch.setattr(spool, "FROM_BYTES", 1000)
    monkeypatch.setattr(answers, "BLOCK_PX", 50)
    expected = predict(series())
    monkeypatch.undo()
    for one, other in zip(expected, predict(series()), strict=True):
        np.testing.assert_array_equal(one.zones, other.zones)
        np.testing.assert_array_equal(one.uncertainty, other.uncertainty)


def test_answers_between_pixels_are_interpolated_across_strips():
    frame = FrameBySize(np.zeros((10, 8), np.uint8), (30, 24), (10, 8), looks=3)
    grid = np.random.default_rng(0).random((10, 8, 4)).astype(np.float32)
    grid /= grid.sum(-1, keepdims=True)
    found = []
    for height in (10, 4, 1):
        collected = answers.Answers(frame, (10, 8), True)
        for top in range(0, 10, height):
            part = grid[top : top + height]
            collected.take(top, part, part)
        maps = collected.maps
        found.append((maps.zones, maps.uncertainty, maps.deviation))
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(found[0][2][1::3, 1::3], grid.max(-1), rtol=1e-6)


@pytest.mark.parametrize(
    ("scenes", "rest", "message"),
    [
        ([0, 5], {}, "far_2020-01-01: shares no ground with a_2020-01-01, so they are no series"),
        ([0, 6], {"registration": "georeference"}, "plain: not georeferenced, which `registration`=georeference needs"),
        ([0, 6], {"series": "reference"}, "plain: no date in the scene's name, which `series`=reference needs"),
        ([0, 1], {"series": "all"}, "series='all': choose groups or reference"),
        ([0, 1], {"registration": "best"}, "registration='best': choose size or georeference"),
        ([0, 0], {}, "two scenes have one name"),
    ],
)
def test_what_is_no_series_is_told_in_one_line(scenes, rest, message):
    given = [*series(), scene("far_2020-01-01", UTM, 20, (90, 90), east=90_000)]
    given.append(dataclasses.replace(given[0], name="plain", georeference=None))
    with pytest.raises(InputError, match=message) as caught:
        predict([given[i] for i in scenes], **rest)
    assert "\n" not in str(caught.value)


def test_a_date_is_needed_for_networks_that_know_the_dates_only():
    scenes = [dataclasses.replace(one, name=one.name[0]) for one in series()[:2]]
    assert len(predict(scenes)) == 2
    with pytest.raises(InputError, match="a: no date in the scene's name, which temporal='ltae' needs"):
        predict(scenes, make_series_predictor(0.9, needs_dates=True))


def test_a_network_of_single_scenes_takes_no_series():
    with pytest.raises(InputError, match="run1: a network of single scenes; call predict for each"):
        Model(make_predictor(0.9)).predict_series([np.zeros((9, 9), np.uint8)])


def test_arrays_with_names_are_a_series():
    model = Model(make_series_predictor(0.9))
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    found = model.predict_series([image, np.roll(image, 5, 1)], 20, names=["b_2020-01-02", "a_2020-01-01"])
    assert [one.scene.name for one in found] == ["b_2020-01-02", "a_2020-01-01"]
    assert [round(float(one.front_lines[0][:, 0].mean())) for one in found] == [40, 45]
    assert model.predict(image, 20).series.scenes == ("array",)
    with pytest.raises(InputError, match="names=1: there are 2 scenes"):
        model.predict_series([image, image], 20, names=["x"])

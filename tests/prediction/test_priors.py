"""Rock and summer scenes beside a scene: what the network gets, what becomes of the result, and what is refused."""

import dataclasses
import json
import logging
import os

import numpy as np
import pytest
import shapely
from brightness import make_predictor

from glacierjax.core.choices import GREY, ROCK, SUMMER
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions, read_scene
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.model import Model
from glacierjax.prediction.priors import open_priors
from glacierjax.prediction.scene import find_front

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
DATES = ("2015-03-09", "2015-08-01", "2013-07-20", "2015-04-01")  # the second is the nearest in summer
SHAPE = (60, 80)
ROCK_ROWS = slice(0, 20)


@pytest.fixture
def scenes(tmp_path):
    """Scenes of one glacier: bright ice in the first 40 columns; each on a grid that is shifted against the others'."""
    paths = []
    for number, date in enumerate(DATES):
        image = np.full(SHAPE, 30 + number, np.uint8)
        image[:, : 40 - 5 * number] = 200 + number
        place = UTM.moved(5 * number, 0)
        paths.append(tmp_path / f"JAC_{date}_HH.tif")
        write_raster(paths[-1], image, place, "grey")
    return paths


@pytest.fixture
def rock(tmp_path):
    """The uppermost twenty rows of the first scene, in another reference system, as polygon and as raster."""
    corners = UTM.to_crs(np.array([(-5, -5), (90, -5), (90, 20), (-5, 20), (-5, -5)], float))
    polygon = shapely.Polygon(reproject(corners, UTM.crs, WGS84))
    (tmp_path / "rock.geojson").write_text(json.dumps(shapely.geometry.mapping(polygon)))
    fine = Georeference(UTM.crs, (10, 0, 499_900, 0, -10, 7_650_100))
    mask = np.zeros((200, 240), np.uint8)
    mask[: 10 + 40] = 1
    write_raster(tmp_path / "rock.tif", mask, fine, "rock")
    return tmp_path


class Watched:
    """The network of `brightness` that looks at the first channel and remembers what it was given."""

    def __init__(self, channels):
        self.seen = []
        plain = make_predictor(0.9)

        def network(images):
            self.seen.append(images)
            return plain.networks[0](images[..., 0] if images.ndim == 4 else images)

        self.predictor = dataclasses.replace(plain, networks=[network], channels=channels)


@pytest.mark.parametrize("file", ["rock.geojson", "rock.tif"])
def test_rock_as_a_rule_removes_the_front_there(scenes, rock, file):
    (source,) = find_sources([str(scenes[0])])
    predictor = make_predictor(0.9)
    priors = open_priors(predictor, [source], str(rock / file))
    scene = read_scene(source)
    found = find_front(predictor, scene, None, priors.of(scene, source))
    assert (found.zones[ROCK_ROWS] == Zone.ROCK).all() and not (found.zones[20:] == Zone.ROCK).any()
    assert not found.front[ROCK_ROWS].any() and found.front[20:, 40].all()
    through_python = Model(predictor).predict(scenes[0], rock=rock / file)
    np.testing.assert_array_equal(through_python.zones, found.zones)


def test_rock_as_a_channel_leaves_the_result_to_the_network(scenes, rock):
    watched = Watched((GREY, ROCK, GREY))
    found = Model(watched.predictor).predict(scenes[0], rock=rock / "rock.tif")
    (images,) = watched.seen
    assert images.shape == (1, *SHAPE, 3)
    assert (images[0, ROCK_ROWS, :, 1] == 255).all() and not images[0, 20:, :, 1].any()
    assert (images[..., 0] == images[..., 2]).all()
    assert not (found.zones == Zone.ROCK).any()
    both = Model(watched.predictor).predict(scenes[0], rock=rock / "rock.tif", rock_rule=True)
    assert (both.zones[ROCK_ROWS] == Zone.ROCK).all()


def test_a_network_that_expects_rock_and_gets_none_says_so(scenes):
    watched = Watched((GREY, ROCK, GREY))
    with pytest.raises(InputError, match=r"rock=.*run1 expects a rock mask as its second channel"):
        Model(watched.predictor).predict(scenes[0])
    assert not watched.seen
    Model(watched.predictor).predict(scenes[0], rock="none")
    assert not watched.seen[0][..., 1].any()


def test_what_would_have_no_use_is_refused(scenes, rock, tmp_path):
    plain = Model(make_predictor(0.9))
    with pytest.raises(InputError, match="no channel for a summer scene"):
        plain.predict(scenes[0], summer=scenes[1])
    with pytest.raises(InputError, match="summer_months='7,8': no summer scene is looked for"):
        open_priors(plain.predictor, find_sources([str(scenes[0])]), summer_months=(7, 8))
    with pytest.raises(InputError, match="no rock channel, and rock_rule is off"):
        plain.predict(scenes[0], rock=rock / "rock.tif", rock_rule=False)
    with pytest.raises(InputError, match="there is no rock to rule"):
        plain.predict(scenes[0], rock_rule=True)
    (tmp_path / "rock.txt").write_text("granite")
    for name, what in (
        ("rock.txt", "neither polygons"),
        ("absent.tif", "no such file"),
        ("absent.gpkg", "no such file"),
    ):
        with pytest.raises(InputError, match=f"{name}: {what}"):
            plain.predict(scenes[0], rock=tmp_path / name)


def test_rock_of_another_glacier_is_told(scenes, rock, tmp_path, caplog):
    plain = Model(make_predictor(0.9))
    far = np.array([50_000.0, 50_000.0])
    write_raster(tmp_path / "far.tif", np.ones((50, 50), np.uint8), UTM.moved(2000, 2000), "rock")
    with pytest.raises(
        InputError, match=rf"far.tif: shows nothing of .*{scenes[0].name}; give the mask of its glacier"
    ):
        plain.predict(scenes[0], rock=tmp_path / "far.tif")
    corners = UTM.to_crs(np.array([(0, 0), (9, 0), (9, 9)], float)) + far
    polygon = shapely.Polygon(reproject(corners, UTM.crs, WGS84))
    (tmp_path / "far.geojson").write_text(json.dumps(shapely.geometry.mapping(polygon)))
    with caplog.at_level(logging.WARNING):
        plain.predict(scenes[0], rock=tmp_path / "far.geojson")
    assert "no rock of" in caplog.text and "lies in it" in caplog.text
    empty = np.zeros((200, 240), np.uint8)
    write_raster(tmp_path / "none.tif", empty, Georeference(UTM.crs, (10, 0, 499_900, 0, -10, 7_650_100)), "rock")
    plain.predict(scenes[0], rock=tmp_path / "none.tif")


def test_the_nearest_summer_scene_is_laid_on_the_grid_of_each_scene(scenes, tmp_path, caplog):
    watched = Watched((GREY, GREY, SUMMER))
    sources = find_sources([str(path) for path in scenes])
    priors = open_priors(watched.predictor, sources)
    with caplog.at_level(logging.INFO):
        Batch(watched.predictor, tmp_path / "out", ReadOptions(), priors=priors).run(sources[:1])
    shown = watched.seen[0][0]
    assert "JAC_2015-03-09_HH: its summer scene is JAC_2015-08-01_HH" in caplog.text
    assert not shown[:, :5, 2].any(), "the summer scene begins five pixels farther east"
    assert (shown[:, 5:40, 2] == 201).all() and (shown[:, 40:, 2] == 31).all()
    with pytest.raises(InputError, match="holds results of other settings"):
        Batch(
            watched.predictor,
            tmp_path / "out",
            ReadOptions(),
            priors=open_priors(watched.predictor, sources, summer="none"),
        ).run(sources[:1])


def test_a_summer_scene_is_not_its_own_and_can_be_named_or_left_out(scenes, caplog):
    watched = Watched((GREY, GREY, SUMMER))
    model = Model(watched.predictor)
    with caplog.at_level(logging.WARNING):
        model.predict(scenes[1])  # nothing but itself to choose from
    assert "no summer scene of its ground" in caplog.text and not watched.seen[0][..., 2].any()
    model.predict(scenes[1], summer=scenes[2])
    assert watched.seen[1][0, 0, 10, 2] == 202
    model.predict(scenes[1], summer="none")
    assert not watched.seen[2][..., 2].any()
    far = scenes[0].with_name("JAC_2015-08-02_far.tif")
    write_raster(far, np.full(SHAPE, 9, np.uint8), UTM.moved(10_000, 0), "grey")
    with pytest.raises(InputError, match="shows other ground than"):
        model.predict(scenes[1], summer=far)


def made_again(watched, sources, output):
    """Which of the first scene and its neighbours a run makes again: how many, in all."""
    before = len(watched.seen)
    priors = open_priors(watched.predictor, sources)
    Batch(watched.predictor, output, ReadOptions(), priors=priors).run(sources[:1])
    return len(watched.seen) - before


def test_a_scene_is_done_as_long_as_its_summer_scene_is_the_same(scenes, tmp_path):
    watched, out = Watched((GREY, GREY, SUMMER)), tmp_path / "out"
    without, some, every = (find_sources([str(path) for path in scenes[:n]]) for n in (1, 2, 4))
    assert [made_again(watched, without, out) for _ in range(2)] == [1, 0], "there is none"
    assert [made_again(watched, some, out) for _ in range(2)] == [1, 0], "one has come"
    assert made_again(watched, every, out) == 0, "others that are farther off in time, or not of summer"
    image = np.full(SHAPE, 77, np.uint8)
    write_raster(scenes[1], image, UTM.moved(5, 0), "grey")
    os.utime(scenes[1], (2_000_000_000, 2_000_000_000))
    assert [made_again(watched, every, out) for _ in range(2)] == [1, 0], "it was replaced"
    assert (watched.seen[-1][0, :, 5:, 2] == 77).all()
    nearer = scenes[0].with_name("JAC_2015-07-01_HH.tif")
    write_raster(nearer, image, UTM, "grey")
    assert [made_again(watched, [*every, *find_sources([str(nearer)])], out) for _ in range(2)] == [1, 0], "nearer"


def test_a_damaged_summer_scene_that_was_repaired_is_used(scenes, tmp_path, caplog):
    watched, out = Watched((GREY, GREY, SUMMER)), tmp_path / "out"
    sources = find_sources([str(path) for path in scenes])
    content = scenes[1].read_bytes()
    scenes[1].write_bytes(content[:300])
    assert [made_again(watched, sources, out) for _ in range(2)] == [1, 0]
    scenes[1].write_bytes(content)
    with caplog.at_level(logging.INFO):
        assert made_again(watched, sources, out) == 1
    assert "its summer scene is JAC_2015-08-01_HH" in caplog.text


def test_where_a_named_summer_scene_lies_is_told_from_the_output(scenes, tmp_path, monkeypatch):
    watched = Watched((GREY, GREY, SUMMER))
    sources = find_sources([str(scenes[0])])
    for folder in (tmp_path, tmp_path.parent):
        monkeypatch.chdir(folder)
        priors = open_priors(watched.predictor, sources, summer=str(scenes[1]))
        Batch(watched.predictor, tmp_path / "out", ReadOptions(), priors=priors).run(sources)
    assert len(watched.seen) == 1

"""Labels made of lines, from the command through builder, training, scores and predictions."""

import dataclasses

import numpy as np
import pytest
import shapely
from drawn_lines import NORTH, label_plain, straight
from vector_files import write_vectors

from glacierjax.core.errors import InputError
from glacierjax.core.settings import FineTuning, LabelledDataSettings, ModelSettings, ValidationSettings
from glacierjax.core.zones import UNKNOWN_ID, Zone
from glacierjax.data.labelled_scenes import planes_of
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.evaluation.evaluate import ScoreOptions, evaluate
from glacierjax.evaluation.run import raw_scenes
from glacierjax.evaluation.score import score_scene
from glacierjax.prediction.model import load
from glacierjax.recipes.train import train_in_workdir
from tfds_builders.build import main as build


def test_what_is_not_labelled_counts_in_no_loss_and_no_score(plain, tmp_path):
    """From the command through the builder, the crops and the scores, with nothing said to any of them."""
    rows = [{"date": f"{year}-07-01", "glacier": "A"} for year in range(2018, 2022)]
    label_plain(plain, tmp_path, [straight(plain[1], *NORTH)] * 4, rows)
    flags = ["tfds_builders/caffe", f"--data_dir={tmp_path / 'data'}", f"--manual_dir={tmp_path / 'out'}"]
    assert build(flags) == 0
    split = open_split(tmp_path / "data", "train")
    scene = split[0]
    assert scene.valid is not None and 0.1 < scene.valid.mean() < 0.6
    assert (scene.valid == (scene.zones != Zone.NA)).all()
    _, labels = planes_of([scene], 0)
    assert (labels[~scene.valid] == UNKNOWN_ID).all() and (labels[scene.valid] == scene.zones[scene.valid]).all()
    right = np.where(np.arange(100) < 50, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE).astype(np.uint8) + np.zeros(
        (80, 1), np.uint8
    )
    wrong_outside = np.where(scene.valid, right, Zone.ROCK).astype(np.uint8)
    scores = [
        score_scene(scene, zones) for zones in (right, wrong_outside, archive_view(tmp_path, scene.id.name, right))
    ]
    for score in scores:
        assert score.zone_counts.sum() == scene.valid.sum() and np.trace(score.zone_counts) == scene.valid.sum()
        assert score.distances and score.mde_m <= 20.0 * 0.5


def archive_view(tmp_path, name, zones):
    """The same prediction; the scenes of data_raw leave out the same pixels as the prepared ones."""
    scenes = raw_scenes(str(tmp_path / "out"), "train")
    valid = scenes[scenes.names.index(name)].valid
    assert valid is not None and not valid.all()
    return zones


@pytest.mark.slow
def test_a_network_learns_from_labels_with_rock_and_asks_for_it_ever_after(plain, tmp_path):
    """A long one, as it compiles a network: from lines over GeoTIFFs to a trained network, its scores and its predictions."""
    years = range(2018, 2022)
    shapes = [straight(plain[1], (40 + 5 * i, 79), (40 + 5 * i, 1)) for i, _ in enumerate(years)]
    rows = [{"date": f"{year}-07-01", "glacier": "A"} for year in years]
    corner = straight(plain[1], (-1, -1), (99, -1), (99, 12), (-1, 12), (-1, -1))
    rock = write_vectors(tmp_path / "rock.geojson", [shapely.Polygon(corner.coords)], [{"what": "rock"}], 32633)
    label_plain(plain, tmp_path, shapes, rows, rock=str(rock))
    assert build(["tfds_builders/caffe", f"--data_dir={tmp_path / 'data'}", f"--manual_dir={tmp_path / 'out'}"]) == 0
    settings = FineTuning(
        model=ModelSettings(preset="tiny", channels=("grey", "rock", "grey")),
        batch_size=2,
        micro_batch_size=2,
        num_epochs=1,
        keep=("best_iou",),
        validation=ValidationSettings(mode="whole"),
        data=LabelledDataSettings(
            dir=str(tmp_path / "data"), samples_per_epoch=4, context_px=64, padding="clean", workers=0
        ),
    )
    train_in_workdir(settings, tmp_path / "run")
    options = ScoreOptions(checkpoints=(str(tmp_path / "run"),), split="val", which="last", rock_rule=True)
    scores = evaluate(tmp_path / "report", options)
    (scored,) = scores["per_scene"].values()
    assert scored["recall"]["rock"] == 1.0, "the mask rules"
    model = load(tmp_path / "run", which="last")
    assert model.predictor.channels == ("grey", "rock", "grey")
    with pytest.raises(InputError, match="expects a rock mask"):
        model.predict(plain[0][0])
    assert model.predict(plain[0][0], rock=rock).zones.shape == (80, 100)
    label_plain(plain, tmp_path, shapes, rows)  # the same labels without rock
    with pytest.raises(InputError, match=r"A_2018.*expects a rock mask, and the data have none.*`rock`=none"):
        evaluate(tmp_path / "report2", dataclasses.replace(options, data=str(tmp_path / "out"), split="train"))
    assert build(["tfds_builders/caffe", f"--data_dir={tmp_path / 'bare'}", f"--manual_dir={tmp_path / 'out'}"]) == 0
    bare = dataclasses.replace(settings, data=dataclasses.replace(settings.data, dir=str(tmp_path / "bare")))
    with pytest.raises(
        InputError, match=r"no scene has a rock mask, which .config\.model\.channels.=grey,rock,grey names"
    ):
        train_in_workdir(bare, tmp_path / "run2")

"""The multi-annotator study on fronts at known distances."""

import numpy as np
import pytest
from made_up_archive import NAMES, SHAPE, evaluate, write_archive, write_fronts, write_predictions

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.evaluation.annotators import find_annotators
from glacierjax.evaluation.run import from_folder, raw_scenes

TEST = NAMES["test"]


def study(tmp_path, columns):
    """Annotators "a", "b", ... with fronts at these columns, and a prediction of fronts at column 43."""
    scenes = raw_scenes(str(write_archive(tmp_path / "data_raw")), "test")
    predicted = from_folder(str(write_fronts(tmp_path / "predicted", 43)), scenes.names, "front")
    folders = [str(write_fronts(tmp_path / name, column)) for name, column in zip("abcd", columns, strict=False)]
    annotators = find_annotators(folders, scenes.names)
    return evaluate(scenes, predicted, tmp_path / "out", kind="front", annotators=annotators)["annotators"]


def test_distances_to_and_among_annotators(tmp_path):
    found = study(tmp_path, (41, 44, 45))
    assert [found["prediction"][name]["mde_m"] for name in "abc"] == [2 * 20, 1 * 20, 2 * 20]
    assert {pair: one["mde_m"] for pair, one in found["among"].items()} == {"a, b": 60, "a, c": 80, "b, c": 20}
    assert found["mde_m"] == pytest.approx(100 / 3) and found["among_mde_m"] == pytest.approx(160 / 3)
    assert found["times"] == pytest.approx(100 / 160)
    assert found["without_distance"] == found["among_without_distance"] == 0
    report = (tmp_path / "out" / "report.md").read_text()
    assert "annotators **33.3 m**" in report and "themselves **53.3 m**" in report


def test_a_front_that_nobody_drew_is_counted(tmp_path):
    scenes = raw_scenes(str(write_archive(tmp_path / "data_raw")), "test")
    predicted = from_folder(str(write_predictions(tmp_path / "zones")), scenes.names, "zones")  # the last one has none
    folders = [str(write_fronts(tmp_path / name, 40)) for name in "ab"]
    write_png(tmp_path / "b" / f"{TEST[0]}.png", np.zeros(SHAPE, np.uint8))
    found = evaluate(scenes, predicted, tmp_path / "out", annotators=find_annotators(folders, scenes.names))
    found = found["annotators"]
    assert found["without_distance"] == 3 and found["among_without_distance"] == 1
    assert (
        found["prediction"]["a"]["missing_fronts"] == 1 and found["prediction"]["b"]["scenes_without_true_front"] == 1
    )
    assert found["among_mde_m"] == 0 and found["times"] is None


@pytest.mark.parametrize(
    "names, named",
    [
        (TEST[:2], f"no front for 1 of 3 scenes ({TEST[2]})"),
        ([*TEST, "COL_2013-01-01_S1_20_1_001"], "belong to no scene"),
    ],
)
def test_an_annotator_of_other_scenes_is_refused(tmp_path, names, named):
    folders = [write_fronts(tmp_path / "a", 40), write_fronts(tmp_path / "b", 41, names)]
    with pytest.raises(InputError) as error:
        find_annotators([str(folder) for folder in folders], TEST)
    assert named in str(error.value) and str(folders[1]) in str(error.value)


def test_one_annotator_or_two_of_one_name_are_refused(tmp_path):
    one, other = write_fronts(tmp_path / "x" / "a", 40), write_fronts(tmp_path / "y" / "a", 40)
    for folders in ([str(one)], [str(one), str(other)]):
        with pytest.raises(InputError, match=r"annotators=.*at least two folders"):
            find_annotators(folders, TEST)


def test_an_annotators_front_of_another_size_is_refused(tmp_path):
    scenes = raw_scenes(str(write_archive(tmp_path / "data_raw")), "test")
    folders = [str(write_fronts(tmp_path / name, 40)) for name in "ab"]
    write_png(tmp_path / "b" / f"{TEST[1]}.png", np.zeros((4, 5), np.uint8))
    predicted = from_folder(folders[0], scenes.names, "front")
    with pytest.raises(InputError, match=r"4 x 5 pixels, but its scene has 60 x 80"):
        evaluate(scenes, predicted, tmp_path / "out", kind="front", annotators=find_annotators(folders, scenes.names))

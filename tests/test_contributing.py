"""The examples in CONTRIBUTING.md run, and give what the text says."""

import re
from pathlib import Path

import jax
import numpy as np
import pytest

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> dict:
    """What the examples define, run one after the other in an empty folder."""
    defined: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
            exec(code, defined)
    return defined


def test_the_task_has_a_loss_and_a_gradient(names):
    assert 0 <= names["loss"] <= 1 and names["terms"]["l1"] == names["loss"]
    norms = [float(np.abs(leaf).max()) for leaf in jax.tree.leaves(names["gradient"])]
    assert np.isfinite(norms).all() and max(norms) > 0


def test_the_data_set_is_read_back_as_it_was_written(names):
    scene = names["scene"]
    assert scene.id.glacier == "Mine" and scene.id.pixel_spacing_m == 20
    assert scene.front[:, 40].all() and scene.front.sum() == len(scene.front)


def test_the_score_of_a_front_without_the_other_is_none(names):
    front = names["scene"].front
    assert names["hausdorff_distance"](front, np.zeros_like(front), 20.0) is None

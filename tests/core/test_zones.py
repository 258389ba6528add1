"""Class ids and grey values."""

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.zones import GREY_VALUES, Zone, grey_from_ids, ids_from_grey


def test_grey_values_become_class_ids_in_order():
    assert ids_from_grey(np.array([[0, 64, 127, 254]], np.uint8), "x").tolist() == [[0, 1, 2, 3]]


def test_63_counts_as_rock():
    assert ids_from_grey(np.array([[63]], np.uint8), "x").tolist() == [[Zone.ROCK]]


def test_ids_and_grey_values_are_inverse():
    ids = np.arange(len(GREY_VALUES), dtype=np.uint8)[None]
    assert (ids_from_grey(grey_from_ids(ids), "x") == ids).all()


@pytest.mark.parametrize("value", [1, 65, 128, 253, 255])
def test_unknown_grey_value_names_file_and_value(value):
    with pytest.raises(InputError, match=rf"zones\.png: unknown grey value {value} "):
        ids_from_grey(np.array([[0, value]], np.uint8), "zones.png")

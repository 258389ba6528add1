"""What class NA means."""

import numpy as np
import pytest
from helpers import LANDSAT, needs_landsat

from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.archive import A_ZONE, NOT_LABELLED, open_archive
from glacierjax.datasets.caffe.na_rule import na_is_unlabelled, valid_mask


class ZonesOnly:
    def __init__(self, *zones, na_means=None):
        self._zones = dict(zip("abcdef", zones, strict=False))
        self.na_means = na_means

    def splits(self):
        return ["train"]

    def labelled(self, _):
        return True

    def names(self, _):
        return list(self._zones)

    def read_zones(self, _, name):
        if self._zones[name] is None:
            raise InputError("unreadable")
        return np.array(self._zones[name], np.uint8)


@pytest.mark.parametrize(
    ("zones", "expected"),
    [([[0, 2, 3]], True), ([[0, 1, 2, 3]], False), ([[2, 3]], False)],
    ids=["NA without rock", "NA and rock", "no NA"],
)
def test_auto_takes_na_for_unlabelled_where_rock_is_never_drawn(zones, expected):
    assert na_is_unlabelled("auto", ZonesOnly(zones)) is expected


def test_rock_in_any_scene_decides_and_unreadable_ones_are_passed_over():
    assert na_is_unlabelled("auto", ZonesOnly([[0, 2, 3]], None, [[1, 2]])) is False
    assert na_is_unlabelled("auto", ZonesOnly(None, [[0, 2, 3]])) is True


def test_choice_overrides_what_is_drawn():
    assert na_is_unlabelled("class", ZonesOnly([[0, 2, 3]])) is False
    assert na_is_unlabelled("unlabelled", ZonesOnly([[0, 1]])) is True
    with pytest.raises(InputError, match="na='maybe'"):
        na_is_unlabelled("maybe", ZonesOnly([[0]]))


@pytest.mark.parametrize("choice", ["stated", "auto"])
def test_what_the_data_set_says_comes_before_any_guess(choice):
    assert na_is_unlabelled(choice, ZonesOnly([[0, 1]], na_means=NOT_LABELLED)) is True
    assert na_is_unlabelled(choice, ZonesOnly([[0, 2]], na_means=A_ZONE)) is False


def test_without_a_statement_na_is_a_zone():
    assert na_is_unlabelled("stated", ZonesOnly([[0, 2, 3]])) is False


def test_valid_is_everything_but_na():
    assert valid_mask(np.array([[0, 1, 2, 3]], np.uint8)).tolist() == [[False, True, True, True]]


@needs_landsat
def test_landsat_fronts_have_unlabelled_na():
    assert na_is_unlabelled("auto", open_archive(LANDSAT)) is True

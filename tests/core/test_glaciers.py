"""Spellings of glacier names."""

import pytest

from glacierjax.core.glaciers import canonical_glacier, glacier_key


@pytest.mark.parametrize("spelling", ["COL", "Columbia", "columbia", "Columbia-Glacier"])
def test_every_spelling_of_columbia_is_col(spelling):
    assert canonical_glacier(spelling) == "COL"
    assert glacier_key(spelling) == glacier_key("COL")


def test_an_unknown_glacier_keeps_its_name_and_meets_its_own_other_spellings():
    assert canonical_glacier("Kongsbreen") == "Kongsbreen"
    assert glacier_key("Kongs-breen") == glacier_key("kongsbreen") != glacier_key("Hubbard")

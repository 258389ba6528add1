"""What input channels can show, and which months are without sea ice."""

import datetime

import numpy as np
import pytest

from glacierjax.core.channels import GREY_ONLY, check_channels, input_of, priors_of, rock_plane
from glacierjax.core.choices import GREY, ROCK, SUMMER
from glacierjax.core.errors import InputError
from glacierjax.core.seasons import hemisphere_of, is_ice_free, months_from_text, nearest_ice_free
from glacierjax.core.settings import FineTuning, ModelSettings, Pretraining, settings_from_json

IMAGE = np.arange(6, dtype=np.uint8).reshape(2, 3)


def test_grey_alone_stays_as_it_is():
    assert input_of(GREY_ONLY, IMAGE, {ROCK: IMAGE}) is IMAGE and priors_of(GREY_ONLY) == ()


def test_each_prior_stands_in_its_channel_and_what_is_not_known_is_zero():
    rock = IMAGE > 3
    shown = input_of((GREY, ROCK, SUMMER), IMAGE, {ROCK: rock_plane(rock), SUMMER: None})
    assert (shown[..., 0] == IMAGE).all() and (shown[..., 1] == 255 * rock).all() and not shown[..., 2].any()
    assert (input_of((GREY, GREY, SUMMER), IMAGE, {SUMMER: IMAGE[::-1]})[..., 1] == IMAGE).all()


@pytest.mark.parametrize("channels", [(ROCK, GREY, GREY), (GREY, SUMMER, GREY), (GREY, GREY, ROCK), (GREY, GREY)])
def test_a_channel_at_the_wrong_place_is_refused(channels):
    with pytest.raises(InputError, match="choose grey, grey or rock, grey or summer"):
        check_channels(channels, "channels")


def test_channels_travel_in_the_settings_and_reach_the_network_that_is_recorded():
    settings = FineTuning(model=ModelSettings(preset="tiny", channels=(GREY, ROCK, GREY)))
    assert settings_from_json(settings.to_json()) == settings
    assert settings.model.network().channels == (GREY, ROCK, GREY)
    assert FineTuning().model.network().channels == GREY_ONLY
    with pytest.raises(InputError, match=r"config\.model\.channels.*optsimmim takes no summer"):
        Pretraining(model=ModelSettings(channels=(GREY, GREY, SUMMER)))


def day(text):
    return datetime.date.fromisoformat(text)


def test_months_without_sea_ice_depend_on_the_hemisphere_and_can_be_given():
    assert is_ice_free(day("2020-08-01"), "north") and not is_ice_free(day("2020-08-01"), "south")
    assert is_ice_free(day("2020-02-01"), "south") and not is_ice_free(day("2020-02-01"), "north")
    assert is_ice_free(day("2020-06-01"), None, (6,)) and not is_ice_free(day("2020-08-01"), None)
    assert hemisphere_of("JAC", None) == "north" and hemisphere_of("Crane", None) == "south"
    assert hemisphere_of("JAC", -64.0) == "south" and hemisphere_of("Nowhere", None) is None


def test_the_nearest_summer_is_before_or_after():
    others = [day(text) for text in ("2018-08-01", "2019-12-24", "2020-09-30", "2021-07-01", "2020-01-01")]
    assert nearest_ice_free(day("2020-12-31"), others, "north") == [2, 3, 0]
    assert nearest_ice_free(day("2020-12-31"), others, "north", (12, 1)) == [4, 1]


def test_months_are_numbers():
    assert months_from_text(["7", " 12"]) == (7, 12)
    with pytest.raises(InputError, match="months as numbers from 1 to 12"):
        months_from_text(["July"])

"""Months without sea ice, by hemisphere; from them the summer scene is chosen that a network sees beside a scene.

Ice is least in September in the Arctic and in February in the Antarctic. Mélange lasts longer in some fjords than in others,
so the months can be given instead.
"""

import datetime
from collections.abc import Mapping, Sequence

from glacierjax.core.errors import ArgumentError
from glacierjax.core.scene_names import HEMISPHERES

NORTH, SOUTH = "north", "south"
ICE_FREE_MONTHS: Mapping[str, tuple[int, ...]] = {NORTH: (7, 8, 9), SOUTH: (1, 2, 3)}


def hemisphere_of(glacier: str | None, latitude: float | None) -> str | None:
    """ "north" or "south", by latitude in degrees, else by the glacier's name; None if neither tells."""
    if latitude is not None:
        return NORTH if latitude >= 0 else SOUTH
    return HEMISPHERES.get(glacier or "")


def is_ice_free(date: datetime.date, hemisphere: str | None, months: Sequence[int] = ()) -> bool:
    """Whether a date lies in `months`, or without any in those of the hemisphere; never where that is not known."""
    return date.month in (months or ICE_FREE_MONTHS.get(hemisphere or "", ()))


def nearest_ice_free(
    date: datetime.date, others: Sequence[datetime.date], hemisphere: str | None, months: Sequence[int] = ()
) -> list[int]:
    """Numbers of the dates that lie in months without sea ice, the nearest in time first; of equals the first given."""
    found = [i for i, other in enumerate(others) if is_ice_free(other, hemisphere, months)]
    return sorted(found, key=lambda i: abs(others[i] - date))


def check_months(months: Sequence[int], is_used: bool) -> None:
    """Raises `ArgumentError` for months without sea ice where no summer scene is looked for."""
    if months and not is_used:
        given = ",".join(map(str, months))
        raise ArgumentError(
            "summer_months", given, "no summer scene is looked for, so they have no use; leave them out"
        )


def months_from_text(months: Sequence[str]) -> tuple[int, ...]:
    """The numbers of months. Raises `ArgumentError` for one that is none."""
    found = tuple(int(month) if month.strip().isdigit() else 0 for month in months)
    if any(not 1 <= month <= 12 for month in found):
        raise ArgumentError("summer_months", ",".join(months), "give months as numbers from 1 to 12, such as 7,8,9")
    return found

"""Which scenes of a folder are series of one place: by glacier and pixel spacing, or by where they lie on the map."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence

from glacierjax.core.choices import GEOREFERENCE, GROUPS, REFERENCE, SIZE
from glacierjax.core.errors import InputError
from glacierjax.datasets.series import chunks, neighbours
from glacierjax.geo.registration import Footprint
from glacierjax.prediction.series import Series, check_series_mode, sample_of_reference, samples_of_chunks

LEAST_OVERLAP = 0.5  # of the smaller of two scenes of one series
LAST = datetime.date.max  # of scenes without a date


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A scene before its pixels are read; None: not known."""

    name: str
    pixel_spacing_m: float
    glacier: str | None = None
    date: datetime.date | None = None
    place: Footprint | None = None


@dataclasses.dataclass(frozen=True)
class Group:
    """Scenes of one place, in the order of their dates, and how they are laid over each other."""

    dates: Mapping[str, datetime.date | None]
    registration: str

    @property
    def names(self) -> list[str]:
        return list(self.dates)

    def without(self, name: str) -> "Group":
        return Group({other: date for other, date in self.dates.items() if other != name}, self.registration)

    def plan(self, mode: str, frames: int) -> list[Series]:
        """The samples that give each scene one answer (`glacierjax.prediction.series.plan_series`).

        Raises `InputError` in the mode "reference" for a scene without a date.
        """
        check_series_mode(mode)
        if mode == GROUPS:
            return samples_of_chunks(chunks(self.names, frames))
        dates = {name: date for name, date in self.dates.items() if date is not None}
        undated = next((name for name in self.dates if name not in dates), None)
        if undated is not None and len(self.dates) > 1:
            raise without_date(undated)
        if undated is not None:
            return samples_of_chunks(chunks(self.names, frames))
        return [sample_of_reference(neighbours(dates, name, frames), name) for name in dates]


def without_date(where: str) -> InputError:
    """The error of a scene without a date where the mode "reference" needs one."""
    return InputError(
        f"{where}: no date in the scene's name, which `series`={REFERENCE} needs; put it there as YYYY-MM-DD, or use "
        f"`series`={GROUPS}"
    )


def group_scenes(candidates: Sequence[Candidate], registration: str | None = None) -> list[Group]:
    """The series among scenes, each scene in one of them, perhaps alone.

    `registration` None: by map coordinates where a scene has them, else by size. By size: scenes of one glacier and pixel
    spacing; a scene whose glacier is not known is alone. By map coordinates: scenes of one glacier, as far as it is known, of
    which each shares half its area, or of the first one's, with the first one.
    """
    parts: list[list[Candidate]] = []
    keys: list[tuple] = []
    ordered = sorted(candidates, key=lambda candidate: (candidate.date or LAST, candidate.name))
    for candidate in ordered:
        how = registration or (GEOREFERENCE if candidate.place else SIZE)
        key = (how, candidate.glacier, candidate.pixel_spacing_m) if how == SIZE else (how,)
        for part, other in zip(parts, keys, strict=True):
            if key == other and _belongs(candidate, part[0], how):
                part.append(candidate)
                break
        else:
            parts.append([candidate])
            keys.append(key)
    return [Group({one.name: one.date for one in part}, key[0]) for part, key in zip(parts, keys, strict=True)]


def _belongs(candidate: Candidate, first: Candidate, registration: str) -> bool:
    glaciers = candidate.glacier, first.glacier
    if registration == SIZE:
        return None not in glaciers  # they are equal
    if None not in glaciers and glaciers[0] != glaciers[1]:
        return False
    if candidate.place is None or first.place is None:
        return False
    return first.place.shared_with(candidate.place) >= LEAST_OVERLAP

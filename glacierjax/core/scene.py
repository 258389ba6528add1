"""Scene names: the only place that knows CaFFe's grammar `GLACIER_YYYY-MM-DD_SENSOR_SPACING_QUALITY_ORBIT`."""

import dataclasses
import datetime
import re

from glacierjax.core.errors import InputError

# Hemispheres of CaFFe's glaciers: they decide which months are winter (method of Gourmelon et al. 2022).
HEMISPHERES = {
    "COL": "north", "JAC": "north",
    "Crane": "south", "DBE": "south", "Jorum": "south", "Mapple": "south", "SI": "south",
}  # fmt: skip
SENSOR_GROUPS = {"TSX": "TSX/TDX", "TDX": "TSX/TDX"}  # twin satellites, reported together

_NAME = re.compile(
    r"(?P<glacier>[^_]+)_(?P<date>\d{4}-\d{2}-\d{2})_(?P<sensor>[^_]+)_(?P<spacing>\d+)_(?P<quality>\d+)_(?P<orbit>[^_]+)"
)
NAME_GRAMMAR = "GLACIER_YYYY-MM-DD_SENSOR_PIXELSPACING_QUALITY_ORBIT"


@dataclasses.dataclass(frozen=True)
class SceneId:
    """What a scene's name says. `pixel_spacing_m` in metres, `quality` 1 (best) to 6, `date` of acquisition."""

    name: str
    glacier: str
    date: datetime.date
    sensor: str
    pixel_spacing_m: int
    quality: int
    orbit: str

    @property
    def sensor_group(self) -> str:
        return SENSOR_GROUPS.get(self.sensor, self.sensor)

    def season(self, hemispheres: dict[str, str] | None = None) -> str | None:
        """ "winter", "summer", or None for a glacier whose hemisphere ("north", "south") is not known.

        Winter is September to March in the north, April to August in the south, as in the CaFFe evaluation.
        `hemispheres` adds to (and overrides) CaFFe's own glaciers.
        """
        hemisphere = {**HEMISPHERES, **(hemispheres or {})}.get(self.glacier)
        if hemisphere is None:
            return None
        northern_winter = self.date.month < 4 or self.date.month > 8
        return "winter" if northern_winter == (hemisphere == "north") else "summer"


def parse_name(name: str, where: str | None = None) -> SceneId:
    """Parses a scene name without suffix. Raises `InputError` naming `where` (default: the name itself)."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(
            f"{where or name}: the scene name {name!r} does not follow {NAME_GRAMMAR} (e.g. COL_2011-11-13_TSX_7_1_092)"
        )
    try:
        date = datetime.date.fromisoformat(match["date"])
    except ValueError:
        raise InputError(f"{where or name}: {match['date']} in the scene name is not a date") from None
    spacing = int(match["spacing"])
    if spacing == 0:
        raise InputError(f"{where or name}: the pixel spacing in the scene name is 0 m")
    return SceneId(name, match["glacier"], date, match["sensor"], spacing, int(match["quality"]), match["orbit"])

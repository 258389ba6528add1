"""Scene names: the only place that knows CaFFe's grammar `GLACIER_YYYY-MM-DD_SENSOR_SPACING_QUALITY_ORBIT`.

Names of other origin (satellite products, own files) follow no grammar; `facts_of_name` takes from them what it can.
"""

import dataclasses
import datetime
import re

from glacierjax.core.errors import InputError
from glacierjax.core.products import polarisation_of_name, product_of_name

# Hemispheres of CaFFe's glaciers: they decide which months are winter (method of Gourmelon et al. 2022).
HEMISPHERES = {
    "COL": "north",
    "JAC": "north",
    "Crane": "south",
    "DBE": "south",
    "Jorum": "south",
    "Mapple": "south",
    "SI": "south",
}
SENSOR_GROUPS = {"TSX": "TSX/TDX", "TDX": "TSX/TDX"}  # twin satellites, reported together

_NAME = re.compile(
    r"(?P<glacier>[^_]+)_(?P<date>\d{4}-\d{2}-\d{2})_(?P<sensor>[^_]+)_(?P<spacing>\d+)_(?P<quality>\d+)_(?P<orbit>[^_]+)"
)
_DATE = re.compile(r"(?<!\d)(?P<year>19[7-9]\d|20\d\d)(?P<dash>[-_.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)(?!\d)")
# A date as files write it: ISO 8601, with dashes, slashes, dots or nothing between, and a time of day behind it or not.
_WRITTEN_DATE = re.compile(
    r"(?P<year>\d{4})(?:(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})|(?P<mm>\d\d)(?P<dd>\d\d))"
    r"(?:[T ]\d{1,2}(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
_DECIMAL_YEAR = re.compile(r"(?:19|20)\d\d[.]\d+")
# How products of a satellite begin or name it, by CaFFe's name of the satellite.
_SENSORS = {
    "S1": re.compile(r"S1[A-D]?|SENTINEL1[A-D]?"),
    "TSX": re.compile(r"TSX\d?"),
    "TDX": re.compile(r"TDX\d?"),
    "ENVISAT": re.compile(r"ENVISAT|ASAR|ASA"),
    "ERS": re.compile(r"ERS[12]?|E[12]"),
    "RSAT": re.compile(r"RSAT[12]?|RADARSAT[12]?|RS[12]"),
    "PALSAR": re.compile(r"PALSAR2?|ALPSRP\w*|ALOS2?\w*"),
}
FOLDER_MARK = "__"  # between a folder's name and a scene's, where the scene's alone is not unique
YEARS = range(1500, 2500)  # of fronts on maps too; programs write 0001 and 9999 for a date that nobody knows
DAY_ROUNDING = 0.02  # of a day: decimal years are written with a few digits, and fall a little short of their day
SENTINEL_1 = "S1"  # of all four satellites
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


@dataclasses.dataclass(frozen=True)
class NameFacts:
    """What the name of a scene of any origin says; None: it does not say. `orbit`: absolute; `relative_orbit`: ground track."""

    glacier: str | None = None
    date: datetime.date | None = None
    sensor: str | None = None
    pixel_spacing_m: int | None = None
    polarisation: str | None = None
    orbit: int | None = None
    relative_orbit: int | None = None

    def filled_from(self, other: "NameFacts") -> "NameFacts":
        """These facts, and what they leave open from the other ones."""
        own = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return dataclasses.replace(other, **own)


def facts_of_name(name: str) -> NameFacts:
    """Everything in a name of CaFFe or of a Sentinel-1 product; of another name the first date (2015-03-09, 20150309), the
    satellite and the polarisation, if any.

    Of a name with a folder before it, `FOLDER__NAME` (`glacierjax.prediction.records`), the folder fills in what the rest
    does not say.
    """
    last = name.rpartition(FOLDER_MARK)[2]
    try:
        scene = parse_name(last)
    except InputError:
        date, sensor = first_date(last) or first_date(name), _first_sensor(last) or _first_sensor(name)
        facts = NameFacts(None, date, sensor, None, polarisation_of_name(last) or polarisation_of_name(name))
        product = product_of_name(name)
        if product is None:
            return facts
        date = product.start.date() if product.start else date
        orbits = {"orbit": product.orbit, "relative_orbit": product.relative_orbit}
        return dataclasses.replace(facts, date=date, sensor=SENTINEL_1, **orbits)
    return NameFacts(scene.glacier, scene.date, scene.sensor, scene.pixel_spacing_m)


def first_date(name: str) -> datetime.date | None:
    """The first date (2015-03-09, 2015_03_09, 20150309) in a name; None without one."""
    for match in _DATE.finditer(name):
        try:
            return datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            continue
    return None


def parse_date(text: str, where: str) -> datetime.date:
    """The day of a date in a field of a file: ISO 8601 with or without a time, with slashes, or a decimal year.

    The day is the one that is written, whatever the time zone. A decimal year (2016.5) counts the days of its year. Raises
    `InputError` naming `where`, also for years that no date of a front has.
    """
    text = text.strip()
    try:
        if match := _WRITTEN_DATE.fullmatch(text):
            month, day = match["month"] or match["mm"], match["day"] or match["dd"]
            date = datetime.date(int(match["year"]), int(month), int(day))
            if date.year in YEARS:
                return date
        if _DECIMAL_YEAR.fullmatch(text):
            year, share = divmod(float(text), 1)
            start, end = datetime.date(int(year), 1, 1), datetime.date(int(year) + 1, 1, 1)
            return start + datetime.timedelta(days=int(share * (end - start).days + DAY_ROUNDING))
    except ValueError:
        pass
    raise InputError(f"{where}: {text!r} is not a date; write YYYY-MM-DD")


def decimal_year(date: datetime.date) -> float:
    """A day as a decimal year: 2016.0 is its first day (`parse_date` reads it)."""
    first, next_first = (datetime.date(year, 1, 1).toordinal() for year in (date.year, date.year + 1))
    return date.year + (date.toordinal() - first) / (next_first - first)


def _first_sensor(name: str) -> str | None:
    parts = re.split(r"[^A-Za-z0-9]+", name.upper())
    return next((sensor for part in parts for sensor, prefix in _SENSORS.items() if prefix.fullmatch(part)), None)

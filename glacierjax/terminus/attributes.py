"""Which attributes of front lines hold date, scene and glacier: those that were named, else a guess."""

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import facts_of_name, first_date, parse_date
from glacierjax.fronts.verdict import QUALITIES, Verdict

# Names that are tried, without capitals, spaces and underscores: of glacierjax, TermPicks, CALFIN, AutoTerm, COBRA and others.
DATE = (
    "date",
    "datetime",
    "acquisitiondate",
    "acqdate",
    "imagedate",
    "obsdate",
    "timestamp",
    "decdate",
    "decimaldate",
    "decimalyear",
    "time",
)
YEAR_MONTH_DAY = ("year", "month", "day")
NAME = ("scene", "sceneid", "imageid", "image", "src", "source", "filename", "file", "name")
GLACIER = ("glacier", "glacierid", "glaciername", "glacname", "officialn", "rgiid")
SENSOR = ("sensor", "satellite")
OWN = "scene"  # an attribute of all lines that glacierjax wrote
PICTURE_SUFFIXES = (".tif", ".tiff", ".png")

Properties = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Fields:
    """Names of attributes that were given; "": guessed."""

    date: str = ""
    name: str = ""
    glacier: str = ""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the attributes of a line tell; `used`: the attributes that told it."""

    name: str | None
    date: datetime.date | None
    glacier: str | None
    sensor: str | None
    used: tuple[str, ...]


def read_facts(properties: Properties, fields: Fields, file: Path) -> Facts:
    """What a line's attributes, the scene's name in them and the file's name tell, in this order.

    Raises `InputError` for an attribute that was given and is not there, and for a date that is none.
    """
    name_key, name = _value(properties, fields.name, NAME, "`name_field`", file)
    scene = None if name is None else _without_suffix(str(name))
    date_key, date = _date(properties, fields.date, file)
    glacier_key, glacier = _value(properties, fields.glacier, GLACIER, "`glacier_field`", file)
    _, sensor = _value(properties, "", SENSOR, "", file)
    for text in (scene, file.stem):
        told = facts_of_name(text or "")
        date, glacier, sensor = date or told.date, glacier or told.glacier, sensor or told.sensor
    used = tuple(key for key in (date_key, name_key, glacier_key) if key)
    return Facts(scene, date, None if glacier is None else str(glacier), str(sensor) if sensor else None, used)


def read_quality(properties: Properties, file: Path) -> tuple[float | None, Verdict | None]:
    """Error in metres and verdict of a line that glacierjax wrote; None: it does not carry them."""
    error, quality = _known(properties.get("error_m")), _known(properties.get("quality"))
    if quality is not None and quality not in QUALITIES:
        raise InputError(f"{file}: quality {quality!r}; expected one of {', '.join(QUALITIES)}")
    try:
        error_m = None if error is None else float(error)
    except (TypeError, ValueError):
        raise InputError(f"{file}: error_m {error!r} is no number") from None
    reasons = tuple(str(_known(properties.get("reasons")) or "").split("; "))
    return error_m, None if quality is None else Verdict(quality, tuple(filter(None, reasons)))


def _value(
    properties: Properties, given: str, candidates: tuple[str, ...], flag: str, file: Path
) -> tuple[str | None, object]:
    """(name, value) of the attribute that was given, else of the first candidate that has a value."""
    if given:
        key = next((key for key in properties if _plain(key) == _plain(given)), None)
        if key is None:
            there = ", ".join(properties) or "none"
            raise InputError(f"{flag}={given}: no such attribute in {file}; there are: {there}")
        return key, _known(properties[key])
    for candidate in candidates:
        for key, value in properties.items():
            if _plain(key) == candidate and _known(value) is not None:
                return key, value
    return None, None


def _date(properties: Properties, given: str, file: Path) -> tuple[str | None, datetime.date | None]:
    if given:
        key, value = _value(properties, given, (), "`date_field`", file)
        return key, None if value is None else _parsed(value, f"{file}: {key}")
    for candidate in DATE:
        key, value = _value(properties, "", (candidate,), "", file)
        if value is None:
            continue
        try:
            return key, _parsed(value, f"{file}: {properties.get(OWN) or key}")
        except InputError:
            if candidate == DATE[0]:
                raise
    parts = [_value(properties, "", (part,), "", file)[1] for part in YEAR_MONTH_DAY]
    if None not in parts:
        try:
            year, month, day = (int(float(str(part))) for part in parts)
        except (ValueError, OverflowError):
            raise InputError(
                f"{file}: year {parts[0]}, month {parts[1]}, day {parts[2]} are no date; correct them"
            ) from None
        return "year, month, day", _parsed(f"{year:04}-{month:02}-{day:02}", str(file))
    return None, None


def _parsed(value: object, where: str) -> datetime.date:
    """A date in any way that `parse_date` reads, a whole number such as 20200405, or the first one in a name."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    try:
        return parse_date(text, where)
    except InputError:
        if (found := first_date(text)) is not None:
            return found
        raise


def _known(value: Any) -> Any:
    return None if value is None or str(value).strip() in ("", "None", "NULL", "nan", "NaT") else value


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace(" ", "").replace("-", "")


def _without_suffix(name: str) -> str:
    return Path(name).stem if name.lower().endswith(PICTURE_SUFFIXES) else name

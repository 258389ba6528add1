"""Which attributes of front lines hold date, scene and glacier: those that were named, else a guess."""

import dataclasses
import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glacierjax.core.choices import SHAPEFILE
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import facts_of_name, first_date, parse_date
from glacierjax.fronts.verdict import QUALITIES, Verdict
from glacierjax.geo.features import attribute_named, plain_name
from glacierjax.geo.glacier_ids import id_text
from glacierjax.geo.line_columns import COLUMNS, name_in

# Names that are tried, as plain names: of glacierjax, TermPicks, CALFIN, AutoTerm, COBRA and others.
DECIMAL = ("decdate", "decimaldate", "decimalyear")
DATE = (
    "date",
    "datetime",
    "acquisitiondate",
    "acqdate",
    "imagedate",
    "obsdate",
    "timestamp",
    *DECIMAL,
    "time",
)
YEAR_MONTH_DAY = ("year", "month", "day")
NAME = ("scene", "sceneid", "imageid", "image", "src", "source", "filename", "file", "name")
GLACIER = ("glacier", "glacierid", "glaciername", "glacname", "officialn", "rgiid")
SENSOR = ("sensor", "satellite")
WRITTEN_DIGITS = 8  # of a date as a number: 20200405
OWN = {"scene", "line", "checkpoint"}  # attributes of all lines that glacierjax wrote, perhaps without a value
# Columns that a series passes on as the lines tell them: of lines that glacierjax wrote all, of others those of TermPicks.
GLACIER_ID, AUTHOR = "GlacierID", "Author"
PASSED_ON = (GLACIER_ID, AUTHOR, "checkpoint", "pixel_spacing_m", "error_low_m", "error_high_m")
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
    return Facts(scene, date, None if glacier is None else id_text(glacier), str(sensor) if sensor else None, used)


def read_quality(properties: Properties, file: Path) -> tuple[float | None, Verdict | None]:
    """Error in metres and verdict of a line that glacierjax wrote; None: it does not carry them."""
    error, quality = _known(properties.get("error_m")), _known(properties.get("quality"))
    if quality is not None and quality not in QUALITIES:
        raise InputError(f"{file}: quality {quality!r}; expected one of {', '.join(QUALITIES)}")
    try:
        error_m = None if error is None else float(error)
        if error_m is not None and not 0 <= error_m < math.inf:
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"{file}: error_m {error!r} is no number of metres from 0 on; correct it, or leave it empty"
        ) from None
    reasons = tuple(str(_known(properties.get("reasons")) or "").split("; "))
    return error_m, None if quality is None else Verdict(quality, tuple(filter(None, reasons)))


def passed_on(properties: Properties, is_own: bool) -> dict[str, Any]:
    """The columns `PASSED_ON` of a line; what it does not tell is left out."""
    found = {}
    for name in PASSED_ON if is_own else (GLACIER_ID, AUTHOR):
        key = attribute_named(name, properties) or attribute_named(name_in(name, SHAPEFILE), properties)
        value = None if key is None else _known(properties[key])
        if COLUMNS[name].kind == "number":
            value = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        elif value is not None:
            value = id_text(value)
        if value is not None:
            found[name] = value
    return found


def _value(
    properties: Properties, given: str, candidates: tuple[str, ...], flag: str, file: Path
) -> tuple[str | None, object]:
    """(name, value) of the attribute that was given, else of the first candidate that has a value."""
    if given:
        key = attribute_named(given, properties)
        if key is None:
            there = ", ".join(properties) or "none"
            raise InputError(f"{flag}={given}: no such attribute in {file}; there are: {there}")
        return key, _known(properties[key])
    for candidate in candidates:
        for key, value in properties.items():
            if plain_name(key) == candidate and _known(value) is not None:
                return key, value
    return None, None


def _date(properties: Properties, given: str, file: Path) -> tuple[str | None, datetime.date | None]:
    if given:
        key, value = _value(properties, given, (), "`date_field`", file)
        return key, None if value is None else _parsed(key, value, f"{file}: {key}")
    unreadable: InputError | None = None
    for candidate in DATE:
        key, value = _value(properties, "", (candidate,), "", file)
        if value is None:
            continue
        try:
            return key, _parsed(key, value, f"{file}: {properties.get('scene') or key}")
        except InputError as error:
            if candidate == DATE[0]:
                raise
            unreadable = unreadable or error
    parts = [_value(properties, "", (part,), "", file)[1] for part in YEAR_MONTH_DAY]
    if None not in parts:
        try:
            year, month, day = (int(float(str(part))) for part in parts)
        except (ValueError, OverflowError):
            raise InputError(
                f"{file}: year {parts[0]}, month {parts[1]}, day {parts[2]} are no date; correct them"
            ) from None
        return "year, month, day", parse_date(f"{year:04}-{month:02}-{day:02}", str(file))
    if unreadable is not None:  # a date in the file's name may be another one, as that of an export
        raise unreadable
    return None, None


def _parsed(key: str | None, value: object, where: str) -> datetime.date:
    """A date in any way that `parse_date` reads, a whole number such as 20200405, or the first one in a name.

    2016.0 is the first day of its year; 2016 too, in an attribute of decimal years.
    """
    text = str(value).strip()
    whole = text.removesuffix(".0")
    if isinstance(value, float) and whole.isdecimal() and len(whole) == WRITTEN_DIGITS:
        text = whole
    elif whole.isdecimal() and key is not None and plain_name(key) in DECIMAL:
        text = f"{whole}.0"
    try:
        return parse_date(text, where)
    except InputError:
        if (found := first_date(text)) is not None:
            return found
        raise


def _known(value: Any) -> Any:
    return None if value is None or str(value).strip() in ("", "None", "NULL", "nan", "NaT") else value


def _without_suffix(name: str) -> str:
    return Path(name).stem if name.lower().endswith(PICTURE_SUFFIXES) else name

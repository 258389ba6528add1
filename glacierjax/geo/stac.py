"""Reads scenes from STAC items: a JSON file that the search of a catalogue gave. No catalogue is asked here.

An item (or a FeatureCollection of them, as pystac's `ItemCollection.save_object` writes it) tells its id, date, satellite
and orbit, and links its files. Links are taken as they are, signed or not, or as paths beside the JSON file.
"""

import dataclasses
import datetime
import re
from collections.abc import Mapping
from pathlib import Path

import shapely
from shapely.geometry import shape

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.json_values import Json, read_json
from glacierjax.core.products import POLARISATIONS, choose_polarisation, polarisation_of_name
from glacierjax.core.scene_names import SENTINEL_1, NameFacts, facts_of_name
from glacierjax.geo.antimeridian import HALF_TURN_DEG, cut_polygons
from glacierjax.geo.layers import MASKS, RASTER_SUFFIXES, mask_of
from glacierjax.geo.sources import Coverage, MaskLayer, Source, Tile, gdal_path, is_virtual, shown_path, stem_of

_SENTINEL_1 = re.compile(r"sentinel[-_ ]?1[a-d]?|s1[a-d]", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w.\- ]")

Assets = Mapping[str, Json]


def sources_of_stac(path: Path, polarisation: str | None = None, asset: str | None = None) -> list[Source]:
    """One source an item, none twice. An item without the asset is a source with a problem. `InputError`: no STAC file."""
    path = path.expanduser()
    try:
        document = read_json(path)
        members = document["features"] if document["type"] == "FeatureCollection" else [document]
        items = {
            str(item["id"]): item for item in members if item["type"] == "Feature" and isinstance(item["assets"], dict)
        }
        if not items:
            raise ValueError("no items in it")
    except FileNotFoundError:
        raise ArgumentError("input", path, "no such file") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(
            "input",
            path,
            f"not a STAC item or item collection ({type(error).__name__}: {error}); save the answer of a search as JSON",
        ) from None
    return [_source(identifier, item, path, polarisation, asset) for identifier, item in items.items()]


def _source(identifier: str, item: Json, path: Path, polarisation: str | None, asset: str | None) -> Source:
    name = _UNSAFE.sub("_", identifier)
    try:
        held = item.get("assets", {})
        key, chosen = _choose(held, polarisation, asset)
        href = _href(held[key], path)
        facts = _facts(name, item, chosen or polarisation_of_name(stem_of(href)))
        label = facts.polarisation if facts.polarisation and not asset else _UNSAFE.sub("_", key)
        if polarisation_of_name(name) is None or asset:
            name = f"{name}_{label}"
        return Source(name, (Tile(href, _mask(held, path), _coverage(item, held[key])),), facts)
    except InputError as error:
        return Source(name, (), problem=f"{path}: item {identifier}: {error}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Source(name, (), problem=f"{path}: item {identifier}: not readable ({type(error).__name__}: {error})")


def _choose(assets: Assets, wanted: str | None, asset: str | None) -> tuple[str, str | None]:
    """Key of the asset to read and its polarisation, if it tells one."""
    if asset is not None:
        if asset not in assets:
            raise InputError(f"no asset {asset!r}; there are: {', '.join(assets) or 'none'}")
        return asset, _polarisation(asset, assets[asset])
    by_polarisation: dict[str, str] = {}
    for key, value in assets.items():
        found = _polarisation(key, value)
        if found and _is_raster(value) and not mask_of("", key.lower()):
            by_polarisation.setdefault(found, key)
    if not by_polarisation:
        rasters = [key for key, value in assets.items() if _is_raster(value)]
        raise InputError(f"no asset tells its polarisation; choose with `asset`={'|'.join(rasters) or 'KEY'}")
    chosen = choose_polarisation(tuple(by_polarisation), wanted)
    if chosen is None:
        advice = " or ".join(f"`polarisation`={one}" for one in by_polarisation)
        raise InputError(f"no {wanted or 'co-polarised'} asset, only {', '.join(by_polarisation)}; give {advice}")
    return by_polarisation[chosen], chosen


def _polarisation(key: str, asset: Json) -> str | None:
    """By the key (vv, VV, 0_VV), by the asset's own list of one, or by the file's name."""
    listed = asset.get("sar:polarizations") or []
    if len(listed) == 1 and listed[0] in POLARISATIONS:
        return str(listed[0])
    return polarisation_of_name(key) or polarisation_of_name(stem_of(str(asset.get("href", ""))))


def _is_raster(asset: Json) -> bool:
    """An image file, not metadata nor a picture to look at."""
    kind, roles = str(asset.get("type", "")), asset.get("roles") or []
    suffix = Path(shown_path(gdal_path(str(asset.get("href", ""))))).suffix.lower()
    if {"metadata", "thumbnail", "overview"} & set(roles):
        return False
    return "tiff" in kind or "cog" in kind or suffix in RASTER_SUFFIXES


def _mask(assets: Assets, path: Path) -> MaskLayer | None:
    """The mask of layover and shadow, if the item has one of a known kind."""
    for key, value in assets.items():
        if not _is_raster(value):
            continue
        stem = stem_of(gdal_path(str(value.get("href", ""))))
        for layer in MASKS:
            if key.lower() == layer or stem.lower().endswith(f"_{layer}"):
                mask = mask_of(_href(value, path), layer)
                if mask is not None:
                    return mask
    return None


def _href(asset: Json, path: Path) -> str:
    """What GDAL opens: the link, or the file it names, from the folder of the JSON file."""
    href = str(asset["href"])
    if is_virtual(href):
        return gdal_path(href)
    return str(path.parent / href)


def _coverage(item: Json, asset: Json) -> Coverage | None:
    """The item's footprint and pixel spacing (of the extension sar, else gsd); None: the file itself must tell."""
    facts = {**(item.get("properties") or {}), **asset}
    spacing = facts.get("sar:pixel_spacing_range") or facts.get("gsd")
    spacing_m = float(spacing) if isinstance(spacing, int | float) and spacing > 0 else None
    try:
        outline = shape(item["geometry"])
        parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon" and not part.is_empty]
        # A scene beside a pole is wide, but no scene without the pole in it is wider than half a turn.
        return Coverage(cut_polygons(parts, HALF_TURN_DEG), spacing_m) if parts else None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError):
        return None


def _facts(name: str, item: Json, polarisation: str | None) -> NameFacts:
    """What the item says; what it does not, its id may."""
    facts, properties = facts_of_name(name), item.get("properties") or {}
    moment = properties.get("datetime") or properties.get("start_datetime")
    date = datetime.datetime.fromisoformat(moment).date() if moment else facts.date
    platform = str(properties.get("platform") or "")
    return dataclasses.replace(
        facts,
        date=date,
        sensor=SENTINEL_1 if _SENTINEL_1.fullmatch(platform) else facts.sensor,
        polarisation=polarisation,
        orbit=properties.get("sat:absolute_orbit") or facts.orbit,
        relative_orbit=properties.get("sat:relative_orbit") or facts.relative_orbit,
    )

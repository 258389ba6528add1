"""Which band of a file is the image: by its description, by SNAP's list of bands, or because there is only one."""

import re
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import rasterio
from PIL import TiffImagePlugin

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.products import choose_polarisation, polarisation_of_name, product_of_name
from glacierjax.geo.layers import SNAP_MASKS
from glacierjax.geo.sources import is_virtual

# Sigma0_VV, Gamma0_VV_db, Intensity_VH, VV, VV_lin: a polarisation and words that say how it was calibrated.
_IMAGE_BAND = re.compile(
    r"(?:(?:sigma0|gamma0|beta0|amplitude|intensity|sigma|gamma|s0|g0|iw\d?|ew\d?|rtc|grd|backscatter)[_\-\s]*)*"
    r"(?P<polarisation>hh|hv|vh|vv)(?:[_\-\s]*(?:db|lin|linear|power|amp|amplitude|intensity|mst|rtc))*",
    re.IGNORECASE,
)
_SNAP_TAG = 65000  # of a TIFF: SNAP's description of the product, where other programs look for no band names
_SNAP_BAND = re.compile(r"<BAND_NAME>\s*([^<]*?)\s*</BAND_NAME>")
_LONGEST_TAG = 20_000_000


class Band(NamedTuple):
    """`number` from 1; `polarisation` None: not known; `note`: what was guessed, in words."""

    number: int
    polarisation: str | None
    note: str = ""


def choose_band(
    descriptions: Sequence[str | None], where: str, name: str, band: int | None = None, polarisation: str | None = None
) -> Band:
    """The band to read of a file with these descriptions.

    Args:
      descriptions: of all bands.
      where: the file, for messages.
      name: of the scene, which may tell the polarisation of a single band.
      band: that the user chose, from 1; None: by polarisation, or the first.
      polarisation: that the user chose; None: the co-polarised one.

    Raises `InputError` for a band or polarisation that is not there, and for a product of several bands that does not
    tell which is which.
    """
    told = [_IMAGE_BAND.fullmatch(text or "") for text in descriptions]
    by_number = {number: match["polarisation"].upper() for number, match in enumerate(told, 1) if match}
    of_name = polarisation_of_name(name)
    if band is not None:
        if band > len(descriptions):
            raise ArgumentError("band", band, f"{where} has {len(descriptions)} band(s)")
        return Band(band, by_number.get(band) or (of_name if len(descriptions) == 1 else None))
    if by_number:
        held = tuple(by_number.values())
        chosen = choose_polarisation(held, polarisation)
        if chosen is None and polarisation is None and len(set(held)) == 1:
            chosen = held[0]
        if chosen is None:
            wanted = polarisation or "co-polarised"
            raise InputError(f"{where}: no {wanted} band, only {', '.join(held)}; choose one with `polarisation`")
        number = next(number for number, found in by_number.items() if found == chosen)
        return Band(number, chosen)
    if polarisation is not None and of_name is not None and of_name != polarisation:
        raise InputError(f"{where}: its name says {of_name}, not `polarisation`={polarisation}; give the other file")
    if len(descriptions) > 1 and (polarisation is not None or _is_dual(name)):
        wanted = f"which is {polarisation}" if polarisation else "its polarisation"
        raise InputError(f"{where}: none of its {len(descriptions)} bands tells {wanted}; choose one with `band`")
    note = ""
    if polarisation is not None and of_name is None:
        note = f"neither band nor name tells the polarisation; taken as {polarisation}"
    elif len(descriptions) > 1:
        note = f"band 1 of {len(descriptions)}; `band` chooses another"
    return Band(1, of_name or polarisation if len(descriptions) == 1 else None, note)


def descriptions_of(dataset: rasterio.DatasetReader, path: str) -> tuple[str | None, ...]:
    """What the bands of a file say they are."""
    if dataset.count > 1 and not any(dataset.descriptions) and not is_virtual(path):
        names = snap_band_names(path)
        if len(names) >= dataset.count:
            return tuple(names[: dataset.count])
    return dataset.descriptions


def mask_band(descriptions: Sequence[str | None]) -> int | None:
    """The band with SNAP's mask of layover and shadow, from 1."""
    return next((i for i, text in enumerate(descriptions, 1) if (text or "").lower() in SNAP_MASKS), None)


def snap_band_names(path: str) -> list[str]:
    """The names of the bands of a TIFF that SNAP wrote, which GDAL does not see; none for other files."""
    try:
        with Path(path).open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damage, which GDAL names when it reads the file
            header = file.read(8)
            if header[2:3] == b"+" or header[3:4] == b"+":  # BigTIFF
                header += file.read(8)
            directory = TiffImagePlugin.ImageFileDirectory_v2(header)
            file.seek(directory.next)
            directory.load(file)
            text = directory.get(_SNAP_TAG)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, RuntimeError, MemoryError, struct.error):
        return []
    text = text[0] if isinstance(text, tuple) else text
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _SNAP_BAND.findall(text[:_LONGEST_TAG]) if isinstance(text, str) else []


def _is_dual(name: str) -> bool:
    product = product_of_name(name)
    return product is not None and len(product.polarisations) > 1 and polarisation_of_name(name) is None

"""What class NA means in a data set: a zone like any other, or pixels that are not labelled."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import NOT_LABELLED, SceneArchive

STATED = "stated"
NA_CHOICES = (STATED, "class", "unlabelled", "auto")
NA_IN_WORDS = (
    "What class NA means. stated: what labels.json of the data set says, without one as class; class: a zone; unlabelled: not "
    "labelled; auto: as stated, but without labels.json not labelled if no scene has rock"
)


def na_is_unlabelled(choice: str, archive: SceneArchive) -> bool:
    """Resolves the option `na` for an archive.

    "stated": what the data set's `labels.json` says, without one as "class". "class": NA is a zone (CaFFe: no data, radar
    shadow). "unlabelled": NA pixels count in no loss and no score. "auto": what `labels.json` says, without one
    unlabelled if NA occurs but rock nowhere. Data sets with zones have rock beside their glaciers; data sets
    made from fronts alone do not. Zone images that cannot be read are skipped.
    """
    if choice not in NA_CHOICES:
        raise InputError(f"na={choice!r}: unknown; expected one of {', '.join(NA_CHOICES)}")
    if choice in (STATED, "auto") and archive.na_means is not None:
        return archive.na_means == NOT_LABELLED
    if choice == "auto":
        return _has_na_but_no_rock(_readable_zones(archive))
    return choice == "unlabelled"


def valid_mask(zones: UInt8[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """True where a label was given, for class ids (H, W) in which NA means "not labelled"."""
    return zones != Zone.NA


def _readable_zones(archive: SceneArchive) -> Iterable[UInt8[np.ndarray, "height width"]]:
    for split in filter(archive.labelled, archive.splits()):
        for name in archive.names(split):
            try:
                yield archive.read_zones(split, name)
            except InputError:
                continue  # reported when the scene itself is read


def _has_na_but_no_rock(zone_images: Iterable[UInt8[np.ndarray, "height width"]]) -> bool:
    any_na = False
    for zones in zone_images:
        if (zones == Zone.ROCK).any():
            return False
        any_na = any_na or bool((zones == Zone.NA).any())
    return any_na

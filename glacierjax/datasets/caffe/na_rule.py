"""What class NA means in a data set: a zone like any other, or "nobody looked here"."""

from collections.abc import Iterable

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import SceneArchive

NA_CHOICES = ("class", "unlabelled", "auto")


def na_is_unlabelled(choice: str, archive: SceneArchive) -> bool:
    """Resolves the option `na` for an archive.

    "class": NA is a zone (CaFFe: no data, radar shadow). "unlabelled": NA pixels count in no loss and no score.
    "auto": unlabelled if NA occurs but rock nowhere. A set that draws zones draws rock beside its glaciers, a set
    that only has fronts leaves everything beside them open. Unreadable zone images are passed over.
    """
    if choice not in NA_CHOICES:
        raise InputError(f"na={choice!r}: unknown; expected one of {', '.join(NA_CHOICES)}")
    if choice == "auto":
        return _has_na_but_no_rock(_readable_zones(archive))
    return choice == "unlabelled"


def valid_mask(zones: np.ndarray) -> np.ndarray:
    """True where a label was given, for class ids (H, W) in which NA means "not labelled"."""
    return zones != Zone.NA


def _readable_zones(archive: SceneArchive) -> Iterable[np.ndarray]:
    for split in filter(archive.labelled, archive.splits()):
        for name in archive.names(split):
            try:
                yield archive.read_zones(split, name)
            except InputError:
                continue  # reported when the scene itself is read


def _has_na_but_no_rock(zone_images: Iterable[np.ndarray]) -> bool:
    any_na = False
    for zones in zone_images:
        if (zones == Zone.ROCK).any():
            return False
        any_na = any_na or bool((zones == Zone.NA).any())
    return any_na

"""Pieces of one pass of the satellite, and tiles of one export, joined to sources that are mosaicked."""

import dataclasses
import logging
import re
from collections.abc import Sequence

from glacierjax.core.products import LONGEST_GAP, Product, product_of_name
from glacierjax.geo.sources import Source

log = logging.getLogger(__name__)

# Earth Engine cuts large exports into files NAME-0000000000-0000010496.tif: first row and column of each.
_EXPORT_TILE = re.compile(r"(?P<name>.*)-\d{10}-\d{10}")
MOSAIC, _EXPORT = "mosaic", "export"


def join_passes(sources: Sequence[Source]) -> list[Source]:
    """The sources, with those that are pieces of one image joined, each in the place of its first piece.

    Joined are bursts and slices of one satellite, pass, polarisation and processing, with `LONGEST_GAP` between their
    starts at most, and the tiles of one export of Earth Engine. Scenes that start at the same second, as cut-outs of one
    product do, stay apart; of a burst that is there twice the one that was processed last is taken.
    """
    groups: dict[tuple, list[Source]] = {}
    for number, source in enumerate(sources):
        groups.setdefault(_key(source) or (number,), []).append(source)
    joined = []
    for key, group in groups.items():
        if len(group) == 1:
            joined += group
        elif key[0] == _EXPORT:
            joined.append(_join(group, key[-1]))
        else:
            joined += _join_in_time(group)
    return joined


def _key(source: Source) -> tuple | None:
    """What pieces of one image have in common; None: it is no piece."""
    if source.problem or len(source.tiles) != 1:
        return None
    tile = _EXPORT_TILE.fullmatch(source.name)
    if tile:
        return _EXPORT, source.tiles[0].path.rpartition("/")[0], tile["name"]
    product = product_of_name(source.name)
    if product is None or product.start is None or product.kind == "measurement":
        return None
    return (*product.pass_key, source.facts.polarisation, source.name.replace(product.text, ""))


def _join_in_time(group: Sequence[Source]) -> list[Source]:
    """Sources of one key, joined where one follows the other."""
    dated = sorted(((_product(source), source) for source in group), key=lambda pair: (pair[0].start, pair[1].name))
    dated = _latest_of_each_burst(dated)
    chains: list[list[tuple[Product, Source]]] = []
    for product, source in dated:
        last = chains[-1][-1][0] if chains else None
        if last and last.start and product.start and product.start - last.start <= LONGEST_GAP:
            chains[-1].append((product, source))
        else:
            chains.append([(product, source)])
    found = []
    for chain in chains:
        starts = {product.start for product, _ in chain}
        pieces = [source for _, source in chain]
        if len(pieces) == 1:
            found += pieces
        elif len(starts) < len(pieces) and not chain[0][0].is_burst:
            log.warning("%s and %d more begin in the same second: kept apart", pieces[0].name, len(pieces) - 1)
            found += pieces
        else:
            product, first = chain[0]
            begin, _, rest = first.name.partition(product.text)
            found.append(_join(pieces, f"{begin}{product.text}_{MOSAIC}{rest}"))
    return found


def _latest_of_each_burst(dated: Sequence[tuple[Product, Source]]) -> list[tuple[Product, Source]]:
    latest: dict[tuple, tuple[Product, Source]] = {}
    for number, (product, source) in enumerate(dated):
        key = (product.burst, product.start) if product.is_burst else (number,)
        other = latest.get(key)
        if other is not None:
            older, newer = sorted((other, (product, source)), key=lambda pair: (pair[0].processed, pair[1].name))
            log.info("%s: left out, %s was processed later", older[1].name, newer[1].name)
            latest[key] = newer
        else:
            latest[key] = (product, source)
    return list(latest.values())


def _join(pieces: Sequence[Source], name: str) -> Source:
    log.info("%s: a mosaic of %d files", name, len(pieces))
    return dataclasses.replace(pieces[0], name=name, tiles=tuple(tile for piece in pieces for tile in piece.tiles))


def _product(source: Source) -> Product:
    product = product_of_name(source.name)
    assert product is not None, "the key of a pass is made of its product"
    return product

"""The files of products: which polarisation is the image, which layers are masks, which are neither."""

import dataclasses
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from glacierjax.core.files import visible_files
from glacierjax.core.products import (
    CO_POLARISED,
    ancillary_layer,
    choose_polarisation,
    polarisation_of_name,
    product_of_name,
    weak_ancillary_layer,
    without_layer,
    without_polarisation,
)
from glacierjax.core.scene_names import facts_of_name
from glacierjax.geo.sources import (
    GAMMA_AFFECTED,
    MASK_AFFECTED,
    MaskLayer,
    Source,
    Tile,
    is_virtual,
    shown_path,
    stem_of,
)

log = logging.getLogger(__name__)

PNG_SUFFIXES = (".png",)
VRT = ".vrt"  # of a text that names other files
RASTER_SUFFIXES = (".tif", ".tiff", VRT, ".img")
IMAGE_SUFFIXES = PNG_SUFFIXES + RASTER_SUFFIXES
# Names of files that tell nothing but their content: the folder has the name.
_CONTENT_ONLY = re.compile(
    r"(?:(?:iw|ew)\d?|sigma0|gamma0|beta0|amplitude|intensity|rtc|grd|db|lin|backscatter|sar|cog|[_.\-\s])*",
    re.IGNORECASE,
)
FOLDERS_INSIDE = ("measurement",)  # of products, that hold their images
_FOLDER_SUFFIXES = re.compile(r"\.(?:safe|data)$", re.IGNORECASE)
Masks = Mapping[str, MaskLayer]
OPERA_MASK, GAMMA_MASK, SNAP_MASKS = "mask", "ls_map", ("layovershadowmask", "layover_shadow_mask")
MASKS = (OPERA_MASK, GAMMA_MASK, *SNAP_MASKS)


@dataclasses.dataclass(frozen=True)
class Found:
    """A file or link; `named`: by the user, one by one; `problem`: why it cannot be read."""

    path: str
    named: bool = False
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class Layer:
    """A file of a product. `base`: its name without polarisation and layer, the same for all files of the product."""

    path: str
    name: str
    base: str
    polarisation: str | None
    layer: str | None
    named: bool

    @property
    def folder(self) -> str:
        if is_virtual(self.path):
            return shown_path(self.path).rpartition("/")[0]
        return Path(self.path).parent.as_posix()


def sources_of_files(files: Sequence[Found], polarisation: str | None = None) -> list[Source]:
    """One source for each product or image, in the order of the files."""
    groups: dict[tuple[str, str], list[Layer]] = {}
    linked: dict[str, list[Layer]] = {}
    for file in files:
        layer = layer_of(file.path, file.named)
        groups.setdefault((layer.folder, layer.base), []).append(layer)
        linked.setdefault(layer.folder, []).append(layer)
    sources, left_out, masks = [], Counter(), {}
    for (folder, _), group in groups.items():
        images = _images(group)
        left_out.update(layer.layer or "picture" for layer in group if layer not in images)
        if images and folder not in masks:
            local = not is_virtual(images[0].path)
            near = map(layer_of, map(str, _visible(Path(folder)))) if local else linked[folder]
            masks[folder] = masks_of(layer for layer in near if layer.folder == folder)
        sources += _group_sources(images, polarisation, masks.get(folder, {}))
    if left_out:
        what = ", ".join(f"{count} {layer}" for layer, count in sorted(left_out.items()))
        log.info("not predicted, as their names say that they are layers beside an image: %s", what)
    return sources


def source_of_file(path: str | Path) -> Source:
    """A single image, whatever its name says, with the mask that lies beside it."""
    near = [] if is_virtual(str(path)) else _visible(Path(path).parent)
    return _source(layer_of(str(path)), masks_of(layer_of(str(other)) for other in near))


def masks_of(layers: Iterable[Layer]) -> dict[str, MaskLayer]:
    """The layover and shadow masks among the files of a folder, by the base of their product; OPERA's static ones by burst."""
    found = {}
    for layer in layers:
        mask = mask_of(layer.path, layer.layer) if layer.layer else None
        product = product_of_name(layer.base)
        if mask is not None:
            found[product.burst if product and product.is_static else layer.base] = mask
    return found


def layer_of(path: str, named: bool = False) -> Layer:
    """What the name of a file tells, with the help of its folder's where it tells nothing but its content."""
    stem = stem_of(path)
    layer = ancillary_layer(stem) or weak_ancillary_layer(stem)
    polarisation = polarisation_of_name(stem)
    base = without_polarisation(without_layer(stem) if layer else stem)
    name = stem
    if _CONTENT_ONLY.fullmatch(base):
        folder = _folder_name(path)
        if folder:
            name, base = "_".join(filter(None, (folder, polarisation or stem))), folder
    return Layer(path, name, base, polarisation, layer, named)


def mask_of(path: str, layer: str | None) -> MaskLayer | None:
    """The mask that a file is by the layer in its name, if its values are known."""
    if layer == GAMMA_MASK:
        return MaskLayer(path, GAMMA_AFFECTED)
    product = product_of_name(stem_of(path))
    if layer in SNAP_MASKS or (layer == OPERA_MASK and product is not None and product.is_burst):
        return MaskLayer(path, MASK_AFFECTED)
    return None


def _images(group: Sequence[Layer]) -> list[Layer]:
    """The layers of a group that are images: those that the user named one by one, and those that no name speaks against."""
    certain = [layer for layer in group if layer.layer is None]
    of_product = product_of_name(group[0].base) is not None
    weak = [layer for layer in group if layer.layer and ancillary_layer(stem_of(layer.path)) is None]
    if not certain and not of_product:
        certain += weak  # study_area.tif, alone
        for layer in weak:
            log.warning("%s: taken as an image, though its name ends with %s", shown_path(layer.path), layer.layer)
    if any(layer.polarisation and not _is_png(layer) for layer in certain) or of_product:
        certain = [layer for layer in certain if layer.polarisation or not _is_png(layer)]  # the picture for browsing
    named = [layer for layer in group if layer.named and layer not in certain]
    for layer in named:
        log.warning("%s: its name says that it is no image; predicted as it was named itself", shown_path(layer.path))
    return [layer for layer in group if layer in certain or layer in named]


def _group_sources(images: Sequence[Layer], wanted: str | None, masks: Masks) -> Iterator[Source]:
    """Each image that names no polarisation or was named itself; of the others those of the chosen polarisation."""
    polarised = [image for image in images if image.polarisation and (wanted or not image.named)]
    for image in images:
        if image not in polarised:
            if image.polarisation and image.polarisation not in CO_POLARISED:
                log.warning("%s: cross-polarised; networks know co-polarised images", image.name)
            yield _source(image, masks)
    if not polarised:
        return
    held = tuple(dict.fromkeys(image.polarisation for image in polarised if image.polarisation))
    chosen = choose_polarisation(held, wanted)
    if chosen is None:
        what = f"no {wanted} image" if wanted else "no co-polarised image"
        advice = " or ".join(f"`polarisation`={one}" for one in held)
        where = shown_path(polarised[0].path)
        yield Source(polarised[0].name, (), problem=f"{where}: {what} beside it, only {', '.join(held)}; give {advice}")
    for image in polarised:
        if image.polarisation == chosen:
            yield _source(image, masks)


def _source(image: Layer, masks: Masks) -> Source:
    product = product_of_name(image.name)
    mask = masks.get(image.base) or (masks.get(product.burst) if product and product.burst else None)
    return Source(image.name, (Tile(image.path, mask),), facts_of_name(image.name))


def _visible(folder: Path) -> list[Path]:
    return visible_files(folder, RASTER_SUFFIXES) if folder.is_dir() else []


def _folder_name(path: str) -> str:
    """The name of the folder that a product lies in."""
    shown = shown_path(path) if is_virtual(path) else Path(path).absolute().as_posix()
    for part in reversed(shown.split("/")[:-1]):
        if part and part not in FOLDERS_INSIDE:
            return _FOLDER_SUFFIXES.sub("", part)
    return ""


def _is_png(layer: Layer) -> bool:
    return Path(shown_path(layer.path)).suffix.lower() in PNG_SUFFIXES

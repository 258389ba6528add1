"""Finds the summer scene of each scene, in a data set whose scenes of a glacier lie on one grid, as CaFFe's do."""

import functools
import logging
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.core.seasons import hemisphere_of, nearest_ice_free
from glacierjax.datasets.caffe.archive import SceneArchive
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.splits import ArchivedScene

log = logging.getLogger(__name__)


class CommonGridSummer:
    """For a scene, the nearest one in time of its glacier, pixel spacing and size in `months` without sea ice.

    `months` (): by the glacier's hemisphere. All splits are searched, those without labels too: only images are taken.
    """

    def __init__(self, archive: SceneArchive, months: Sequence[int] = ()):
        self._archive, self._months = archive, months
        every = [ArchivedScene(split, name) for split in archive.splits() for name in archive.names(split)]
        self._sources = [(source, own) for source in every if (own := _id_of(source)) is not None]
        self._image = functools.lru_cache(maxsize=4)(self._read)

    def for_scene(self, scene: LabelledScene) -> UInt8[np.ndarray, "height width"] | None:
        """Grey values on the grid of the scene; None if there is no such scene, or the hemisphere is not known."""
        own = scene.id
        others = [(source, there) for source, there in self._sources if _on_grid_of(there, own)]
        hemisphere = hemisphere_of(own.glacier, None)
        for i in nearest_ice_free(own.date, [there.date for _, there in others], hemisphere, self._months):
            image = self._image(others[i][0])
            if image is not None and image.shape == scene.image.shape:
                return image
        return None

    def _read(self, source: ArchivedScene) -> UInt8[np.ndarray, "height width"] | None:
        try:
            return self._archive.read_image(*source)[1]
        except InputError as error:  # told where the scene itself is read
            log.debug("%s", error)
            return None


def _id_of(source: ArchivedScene) -> SceneId | None:
    try:
        return parse_name(source.name)
    except InputError:
        return None


def _on_grid_of(there: SceneId, own: SceneId) -> bool:
    """Another scene of the same glacier and pixel spacing."""
    same = there.glacier == own.glacier and there.pixel_spacing_m == own.pixel_spacing_m
    return same and there.name != own.name

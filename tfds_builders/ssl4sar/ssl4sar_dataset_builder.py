"""TFDS builder of SSL4SAR (see README.md here). Needs no TensorFlow: the shards are ArrayRecord files."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from glacierjax.core.errors import InputError
from glacierjax.core.files import encode_png
from glacierjax.core.glaciers import glacier_key
from glacierjax.datasets.ssl4sar.archive import OPTICAL_FOLDER, SAR_FOLDERS, SarScene, Ssl4SarArchive
from glacierjax.datasets.ssl4sar.optical import BANDS, Grid

log = logging.getLogger("tfds_builders.ssl4sar")  # by name: see the CaFFe builder
SAR, OPTICAL = "sar", "optical"
SCENES_PER_LOG_LINE = 500
WHERE_TO_GET_IT = (
    "get the archives of SSL4SAR from Zenodo (record 14748506, free, no login) and put them there as they are, or unpacked: "
    f"{', '.join(SAR_FOLDERS.values())} and {OPTICAL_FOLDER}"
)


@dataclasses.dataclass
class Ssl4SarConfig(tfds.core.BuilderConfig):
    """What to build: `content` "sar" or "optical"; `resample` and `allow_bad`: README.md, "Fields of a config"."""

    content: str = SAR
    resample: bool = False
    allow_bad: bool = False

    def __post_init__(self) -> None:
        if self.content not in (SAR, OPTICAL):
            raise InputError(f"content={self.content!r}: unknown; expected {SAR} or {OPTICAL}")


class Builder(tfds.core.GeneratorBasedBuilder):
    """SSL4SAR: SAR scenes without labels (config `sar`) and optical images of the same glaciers (config `optical`)."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar = [
        Ssl4SarConfig(name=SAR, content=SAR, description="Unlabelled SAR scenes."),
        Ssl4SarConfig(name=OPTICAL, content=OPTICAL, description="One optical image of 14 bands for each glacier."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = WHERE_TO_GET_IT

    def __init__(self, *, file_format: str | None = None, **kwargs: Any):
        # Set here, not by the caller: a pickled builder (--num_processes) forgets the argument and needs TensorFlow.
        super().__init__(file_format=file_format or "array_record", **kwargs)

    @classmethod
    def configs_in(cls, manual_dir: Path) -> list[str]:
        """Names of the configs that can be built from what lies in `manual_dir`. Raises `InputError` if none can."""
        archive = Ssl4SarArchive(manual_dir)
        configs = [name for name, content in ((SAR, archive.splits()), (OPTICAL, archive.glaciers())) if content]
        if not configs:
            raise InputError(f"--manual_dir {manual_dir}: nothing of SSL4SAR in it; {WHERE_TO_GET_IT}")
        return configs

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text()
        if self._config.content == SAR:
            image = tfds.features.Image(shape=(None, None, 1), dtype=np.uint8, encoding_format="png")
            features: dict[str, Any] = {"image": image, **dict.fromkeys(("name", "glacier", "sensor", "date"), text)}
        else:
            bands = tfds.features.Tensor(shape=(None, None, len(BANDS)), dtype=np.uint8, encoding="zlib")
            transform = tfds.features.Tensor(shape=(6,), dtype=np.float64, encoding="bytes")
            features = {"bands": bands, "transform": transform, **dict.fromkeys(("name", "glacier", "crs"), text)}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            homepage="https://doi.org/10.5281/zenodo.14748506",
            disable_shuffling=True,  # records in the order of the archive
            metadata=tfds.core.MetadataDict(),
        )

    @property
    def _config(self) -> Ssl4SarConfig:
        assert isinstance(self.builder_config, Ssl4SarConfig)
        return self.builder_config

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        try:
            manual_dir = Path(dl_manager.manual_dir)
        except AssertionError:
            raise InputError(f"--manual_dir: missing, or an empty or no folder; {WHERE_TO_GET_IT}") from None
        archive = Ssl4SarArchive(manual_dir)
        content = archive.splits() if self._config.content == SAR else archive.glaciers()
        if not content:
            what = f"nothing for the config {self._config.name}"
            raise InputError(f"--manual_dir {manual_dir}: {what}; {WHERE_TO_GET_IT}")
        if self._config.content == OPTICAL:
            return {"train": self._generate_examples(archive, None)}
        if not archive.glaciers():
            log.warning("no %s: the scenes can only be used alone", OPTICAL_FOLDER)
        return {split: self._generate_examples(archive, split) for split in content}

    def _generate_examples(self, archive: Ssl4SarArchive, split: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
        records = self._optical(archive) if split is None else self._scenes(archive, split)
        yield from enumerate(records)

    def _optical(self, archive: Ssl4SarArchive) -> Iterator[dict[str, Any]]:
        onto = archive.sar_grids() if self._config.resample else None
        for name, glacier, image in archive.optical_images(onto):
            log.info("optical image %s of %s, %d x %d pixels", name, glacier, image.grid.width, image.grid.height)
            yield {
                "bands": image.bands,
                "name": name,
                "glacier": glacier,
                "crs": image.grid.crs or "",
                "transform": np.array(image.grid.transform or [math.nan] * 6, np.float64),
            }

    def _scenes(self, archive: Ssl4SarArchive, split: str) -> Iterator[dict[str, Any]]:
        # Before the scenes are walked: a compressed archive that holds both would be started anew in between.
        expected = self._expected_grids(archive)
        total = archive.count(split)
        log.info("%s, %d scenes ...", split, total)
        for number, scene in enumerate(archive.scenes(split), 1):
            if number % SCENES_PER_LOG_LINE == 0:
                log.info("%s, %d of %d", split, number, total)
            if isinstance(scene, InputError):
                if not self._config.allow_bad:
                    raise InputError(f"{scene} (or build with --allow_bad to skip such scenes)") from scene
                self._skip(str(scene))
                continue
            if expected:
                _check_pair(archive, expected, split, scene)
            yield {
                "image": encode_png(scene.image),
                "name": scene.id.name,
                "glacier": scene.id.glacier,
                "sensor": scene.id.sensor,
                "date": scene.id.date.isoformat() if scene.id.date else "",
            }

    def _skip(self, why: str) -> None:
        """Notes a scene that is left out, in what TFDS keeps as metadata.json."""
        log.warning("skipped: %s", why)
        assert isinstance(self.info.metadata, tfds.core.MetadataDict)
        self.info.metadata["skipped"] = [*self.info.metadata.get("skipped", []), why]

    def _expected_grids(self, archive: Ssl4SarArchive) -> dict[str, tuple[str, Grid]]:
        """By `glacier_key`: which file says how large the scenes of a glacier are, and how large."""
        grids = archive.optical_grids
        if not self._config.resample:
            return grids
        of_sar = archive.sar_grids()
        return {key: ("the glacier's first SAR scene", of_sar[key]) for key in grids if key in of_sar}


def _check_pair(archive: Ssl4SarArchive, expected: dict[str, tuple[str, Grid]], split: str, scene: SarScene) -> None:
    """Raises `InputError` unless the scene has an optical image on its grid (or one that will be brought to it)."""
    where = f"{SAR_FOLDERS[split]}/{scene.id.name}"
    archive.check_optical(scene.id.glacier, where)
    file, grid = expected[glacier_key(scene.id.glacier)]
    if grid.shape != scene.grid.shape:
        raise InputError(
            f"{where}: {scene.grid.width} x {scene.grid.height} pixels, but {file} has {grid.width} x {grid.height}; "
            "scenes of a glacier share one grid (--resample brings a georeferenced optical image to that of "
            "georeferenced scenes)"
        )

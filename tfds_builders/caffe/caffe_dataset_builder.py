"""TFDS builder of CaFFe (see README.md here). Needs no TensorFlow: the shards are ArrayRecord files."""

import dataclasses
import hashlib
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import encode_png
from glacierjax.core.grey import GREY_MAX
from glacierjax.core.seasons import check_months, months_from_text
from glacierjax.core.zones import FRONT_GREY
from glacierjax.datasets.caffe.archive import (
    A_ZONE,
    IMAGES,
    NOT_LABELLED,
    PRIOR_SUFFIX,
    SceneArchive,
    open_archive,
)
from glacierjax.datasets.caffe.chips import open_chips
from glacierjax.datasets.caffe.na_rule import NA_CHOICES, STATED, na_is_unlabelled, valid_mask
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.splits import OFFICIAL_SPLITS, ArchivedScene, plan_splits
from glacierjax.datasets.caffe.summer import CommonGridSummer

CHIPS_FILE = "caffe.zip"
CHIPS_MD5 = "9a92fd6f05af74fbc41602595a55df0d"  # published by torchgeo
log = logging.getLogger("tfds_builders.caffe")  # by name: `tfds build` imports this file as caffe.caffe_dataset_builder
SCENES_PER_LOG_LINE = 100
NOTHING = encode_png(np.zeros((1, 1), np.uint8))  # an image that is not there
TEXTS = ("name", "glacier", "date", "sensor", "orbit", "season", "crs", "priors")
WHERE_TO_GET_IT = (
    "get data_raw.zip (CaFFe, doi 10.1594/PANGAEA.940950, CC-BY 4.0, free, no login) from PANGAEA, or caffe.zip from "
    "the Hugging Face data set torchgeo/caffe, and put it there as it is; any unpacked data_raw folder will do too"
)


@dataclasses.dataclass
class CaffeConfig(tfds.core.BuilderConfig):
    """What to build from. `distribution` "scenes" or "chips"; the other fields: README.md, "Fields of a config"."""

    distribution: str = "scenes"
    na: str = STATED
    test_glaciers: Sequence[str] = ()
    split: str | None = None
    allow_bad: bool = False
    summer: bool = False
    summer_months: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_months(months_from_text(self.summer_months), self.summer)
        choices = (("distribution", ("scenes", "chips")), ("na", NA_CHOICES), ("split", (None, *OFFICIAL_SPLITS)))
        for field, known in choices:
            if getattr(self, field) not in known:
                raise InputError(
                    f"{field}={getattr(self, field)!r}: unknown; expected one of {', '.join(filter(None, known))}"
                )


class Builder(tfds.core.GeneratorBasedBuilder):
    """CaFFe: whole SAR scenes of glaciers with zones and calving fronts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar = [
        CaffeConfig(name="scenes", distribution="scenes", description="Whole scenes of PANGAEA's data_raw.zip."),
        CaffeConfig(name="chips", distribution="chips", description="Scenes put together from torchgeo's caffe.zip."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = WHERE_TO_GET_IT

    def __init__(self, *, file_format: str | None = None, **kwargs: Any):
        # Set here, not by the caller: a pickled builder (--num_processes) forgets the argument and needs TensorFlow.
        super().__init__(file_format=file_format or "array_record", **kwargs)

    @classmethod
    def configs_in(cls, manual_dir: Path) -> list[str]:
        """Names of the configs that can be built from what lies in `manual_dir`. Raises `InputError` if none can."""
        configs = [name for name, find in (("scenes", _find_scenes), ("chips", _find_chips)) if find(manual_dir)]
        if not configs:
            raise InputError(f"--manual_dir {manual_dir}: neither data_raw nor {CHIPS_FILE} in it; {WHERE_TO_GET_IT}")
        return configs

    def _info(self) -> tfds.core.DatasetInfo:
        grey = tfds.features.Image(shape=(None, None, 1), dtype=np.uint8, encoding_format="png")
        features = {
            "image": grey,
            "zones": grey,
            "front": grey,
            # Empty (`NOTHING`) where all is labelled, or nothing is known.
            **dict.fromkeys(("valid", *PRIOR_SUFFIX), grey),
            "bounding_box": tfds.features.Tensor(shape=(4,), dtype=np.float64, encoding="bytes"),
            "map_bounds": tfds.features.Tensor(shape=(4,), dtype=np.float64, encoding="bytes"),
            "pixel_spacing_m": tfds.features.Scalar(np.int32),
            "quality": tfds.features.Scalar(np.int32),
        }
        features |= {key: tfds.features.Text() for key in TEXTS}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            homepage="https://doi.org/10.1594/PANGAEA.940950",
            license="CC-BY-4.0",
            disable_shuffling=True,  # records in the order of scene names
            metadata=tfds.core.MetadataDict(),
        )

    @property
    def _config(self) -> CaffeConfig:
        assert isinstance(self.builder_config, CaffeConfig)
        return self.builder_config

    @property
    def _notes(self) -> tfds.core.MetadataDict:
        """What TFDS keeps in metadata.json."""
        assert isinstance(self.info.metadata, tfds.core.MetadataDict)
        return self.info.metadata

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        try:
            manual_dir = Path(dl_manager.manual_dir)
        except AssertionError:
            raise InputError(f"--manual_dir: missing, or an empty or no folder; {WHERE_TO_GET_IT}") from None
        archive = _open(self._config.distribution, manual_dir)
        unreadable = _find_unreadable(archive) if self._config.allow_bad else {}
        plan = plan_splits(archive, self._config.test_glaciers, unreadable, self._config.split or OFFICIAL_SPLITS[0])
        unlabelled = na_is_unlabelled(self._config.na, archive)
        meaning = NOT_LABELLED if unlabelled else A_ZONE
        log.info("%s", plan.rule)
        log.info("class NA (grey value 0) means: %s", meaning)
        without_labels = [split for split in archive.splits() if not archive.labelled(split)]
        if without_labels:
            log.info("left out, without labels: %s", ", ".join(without_labels))
        self._notes.update(split_rule=plan.rule, na_means=meaning, skipped=list(unreadable.values()))
        return {
            split: self._generate_examples(archive, split, sources, unlabelled)
            for split, sources in plan.splits.items()
        }

    def _generate_examples(
        self, archive: SceneArchive, split: str, sources: list[ArchivedScene], unlabelled: bool
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        log.info("%s, %d scenes ...", split, len(sources))
        summers = (
            CommonGridSummer(archive, months_from_text(self._config.summer_months)) if self._config.summer else None
        )
        without = []
        for written, source in enumerate(sources):
            try:
                scene = archive.read(*source)
            except InputError as error:
                raise InputError(f"{error} (or build with --allow_bad to skip such scenes)") from error
            if unlabelled:
                scene = dataclasses.replace(scene, valid=valid_mask(scene.zones))
            if summers is not None and scene.summer is None:
                scene = dataclasses.replace(scene, summer=summers.for_scene(scene))
                without += [scene.id.name] if scene.summer is None else []
            yield written, _record(scene)
            if (written + 1) % SCENES_PER_LOG_LINE == 0:
                log.info("%s, %d of %d", split, written + 1, len(sources))
        if without:
            log.info("%s, without a summer scene on their grid: %s", split, some_names(without))


def _find_unreadable(archive: SceneArchive) -> dict[ArchivedScene, str]:
    """Labelled scenes that cannot be read, and why."""
    errors = {}
    for split in filter(archive.labelled, archive.splits()):
        for name in archive.names(split):
            try:
                archive.read(split, name)
            except InputError as error:
                errors[ArchivedScene(split, name)] = str(error)
    return errors


def _record(scene: LabelledScene) -> dict[str, Any]:
    priors = {name: plane for name, plane in scene.priors.items() if plane is not None}
    return {
        "image": encode_png(scene.image),
        "zones": encode_png(scene.zones),
        "front": encode_png(scene.front * np.uint8(FRONT_GREY)),
        "bounding_box": np.array(scene.box if scene.box else [math.nan] * 4, np.float64),
        "map_bounds": np.array(scene.bounds[1:] if scene.bounds else [math.nan] * 4, np.float64),
        "crs": scene.bounds.crs if scene.bounds else "",
        "name": scene.id.name,
        "glacier": scene.id.glacier,
        "date": scene.id.date.isoformat(),
        "sensor": scene.id.sensor,
        "pixel_spacing_m": scene.id.pixel_spacing_m,
        "quality": scene.id.quality,
        "orbit": scene.id.orbit,
        "season": scene.id.season() or "unknown",
        "valid": NOTHING if scene.valid is None else encode_png(scene.valid * np.uint8(GREY_MAX)),
        "priors": " ".join(priors),
        **{name: encode_png(priors[name]) if name in priors else NOTHING for name in PRIOR_SUFFIX},
    }


def _find_scenes(manual_dir: Path) -> Path | None:
    """The folder or zip file that holds `data_raw`."""
    if (manual_dir / IMAGES).is_dir():
        return manual_dir
    candidates = (manual_dir / "data_raw", manual_dir / "data_raw.zip")
    return next((path for path in candidates if path.exists()), None)


def _find_chips(manual_dir: Path) -> Path | None:
    path = manual_dir / CHIPS_FILE
    return path if path.exists() else None


def _open(distribution: str, manual_dir: Path) -> SceneArchive:
    if distribution == "scenes":
        path, reader = _find_scenes(manual_dir), open_archive
    else:
        path, reader = _find_chips(manual_dir), open_chips
    if path is None:
        raise InputError(f"--manual_dir {manual_dir}: nothing for the config {distribution}; {WHERE_TO_GET_IT}")
    if distribution == "chips" and path.is_file():
        with path.open("rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        if md5 != CHIPS_MD5:
            log.warning("%s: md5 %s is not that of torchgeo's file (%s)", path, md5, CHIPS_MD5)
    return reader(path)

"""Builds a data set with TFDS: reads a published archive and writes what training reads. Needs no TensorFlow.

  python -m tfds_builders.build tfds_builders/caffe --data_dir=DATA --manual_dir=FOLDER_WITH_data_raw
  python -m tfds_builders.build tfds_builders/ssl4sar --data_dir=DATA --manual_dir=FOLDER_WITH_THE_ARCHIVES

A relative `tfds_builders/NAME` is looked for in the working directory, then in the installed package. Without --config
the configs are built for which --manual_dir holds the data. A data set that exists already is left as it is, unless
--overwrite is given; a data set appears complete or not at all.
"""

import contextlib
import dataclasses
import importlib
import io
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.datasets.caffe.na_rule import NA_CHOICES, NA_IN_WORDS
from glacierjax.datasets.caffe.splits import OFFICIAL_SPLITS

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

PACKAGE = Path(__file__).resolve().parent
FLAGS = flags.FlagValues()  # not absl's global ones: `main` can be called several times in one process

_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder for built data sets. Default: ~/tensorflow_datasets, as in TFDS.", flag_values=FLAGS
)
_MANUAL_DIR = flags.DEFINE_string(
    "manual_dir", None, "Folder with the published archive, packed or unpacked.", flag_values=FLAGS
)
_DOWNLOAD_DIR = flags.DEFINE_string(
    "download_dir", None, "Folder for downloads. Default: DATA_DIR/downloads.", flag_values=FLAGS
)
_CONFIG = flags.DEFINE_string(
    "config", None, "Config of the builder, by name or as JSON. Default: all that can be built.", flag_values=FLAGS
)
_CONFIG_IDX = flags.DEFINE_integer("config_idx", None, "Config of the builder, by number.", flag_values=FLAGS)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Build again what exists already.", flag_values=FLAGS)
_FAIL_IF_EXISTS = flags.DEFINE_bool("fail_if_exists", False, "Stop if the data set exists.", flag_values=FLAGS)
_FILE_FORMAT = flags.DEFINE_enum(
    "file_format", "array_record", ["array_record", "parquet"], "Format of the shards.", flag_values=FLAGS
)
_NUM_SHARDS = flags.DEFINE_integer("num_shards", None, "Number of files per split.", lower_bound=1, flag_values=FLAGS)
_MAX_EXAMPLES = flags.DEFINE_integer(
    "max_examples_per_split", None, "Build only this many scenes per split, for a trial.", 1, flag_values=FLAGS
)
# Options of this project's builders. A data set that is built with any of them gets a config name that contains it.
_ALLOW_BAD = flags.DEFINE_bool(
    "allow_bad", False, "Leave out scenes that cannot be read, and list them.", flag_values=FLAGS
)
_NA = flags.DEFINE_enum(
    "na",
    None,
    NA_CHOICES,
    f"CaFFe's layout: {NA_IN_WORDS}. Default: {NA_CHOICES[0]}.",
    flag_values=FLAGS,
)
_TEST_GLACIERS = flags.DEFINE_list(
    "test_glaciers", [], "Glaciers whose scenes become the test split: NAME,NAME,...", flag_values=FLAGS
)
_SPLIT = flags.DEFINE_enum(
    "split",
    None,
    OFFICIAL_SPLITS,
    "Split of the full CaFFe archive: caffe (official) or series (Dreier et al. 2026).",
    flag_values=FLAGS,
)
_SUMMER = flags.DEFINE_bool(
    "summer",
    False,
    "Store with each scene the nearest one on its grid without sea ice, for networks that see it.",
    flag_values=FLAGS,
)
_SUMMER_MONTHS = flags.DEFINE_list(
    "summer_months", [], "Months without sea ice, 7,8,9. Default: by hemisphere.", flag_values=FLAGS
)
_RESAMPLE = flags.DEFINE_bool(
    "resample", False, "SSL4SAR: bring optical images to the grid of the SAR scenes.", flag_values=FLAGS
)


@dataclasses.dataclass(frozen=True)
class BuildOptions:
    """How to build, whatever the data set; None: as TFDS does."""

    data_dir: str | None = None
    manual_dir: str | None = None
    download_dir: str | None = None
    overwrite: bool = False
    fail_if_exists: bool = False
    file_format: str = "array_record"
    num_shards: int | None = None
    max_examples_per_split: int | None = None


def build(folder: Path, options: BuildOptions, config: str | int | None = None, **fields: Any) -> None:
    """Builds the data set whose builder lies in `folder`: one config, or all that can be built.

    `config`: name, number or JSON; `fields`: of the builder's config, to be changed. Raises `InputError` for wrong
    input; then the data set is as it was before.
    """
    import tensorflow_datasets as tfds

    if options.manual_dir is not None and not Path(options.manual_dir).is_dir():
        raise InputError(f"--manual_dir={options.manual_dir}: no such folder")
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    builder_cls = _import_builder(folder)
    for one in _configs(builder_cls, options, config, fields):
        try:
            builder = builder_cls(config=one, data_dir=options.data_dir, file_format=options.file_format)
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            raise InputError(f"--config={config}: {error}") from error
        try:
            _prepare(builder, options)
        except OSError as error:
            raise InputError(f"{builder_cls.name}: {error}") from error


def _prepare(builder: "tfds.core.DatasetBuilder", options: BuildOptions) -> None:
    import tensorflow_datasets as tfds

    name, target = builder.info.full_name, builder.data_path
    if builder.is_prepared():
        if options.fail_if_exists:
            raise InputError(f"--fail_if_exists: {target} exists")
        if not options.overwrite:
            print(f"{name}: already built in {target} ({_sizes(builder)}); --overwrite rebuilds")
            return
    print(f"{name}: building in {target} ...", flush=True)
    download = tfds.download.DownloadConfig(
        manual_dir=options.manual_dir,
        num_shards=options.num_shards,
        max_examples_per_split=options.max_examples_per_split,
        try_download_gcs=False,
    )
    # TFDS prints "Unknown size" for whatever is not downloaded.
    with _set_aside(Path(target)), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_dir=options.download_dir, download_config=download)
    print(f"{name}: done ({_sizes(builder)})")
    skipped = (builder.info.metadata or {}).get("skipped", [])
    for line in [f"{len(skipped)} skipped:", *skipped] if skipped else []:
        print(f"  {line}")


@contextlib.contextmanager
def _set_aside(folder: Path) -> Iterator[None]:
    """Keeps the old data set in `folder` until the new one is there; restores it if there is no new one."""
    old = folder.with_name(f".{folder.name}.replaced")  # may be left from a run that was killed
    if folder.exists():
        if old.exists():
            shutil.rmtree(old)
        folder.rename(old)
    try:
        yield
    finally:
        if old.exists() and folder.exists():
            shutil.rmtree(old)
        elif old.exists():
            old.rename(folder)


def _configs(builder_cls: Any, options: BuildOptions, config: str | int | None, fields: dict[str, Any]) -> list[Any]:
    """The configs to build, with `fields` changed."""
    from tensorflow_datasets.core import constants

    known = builder_cls.builder_configs  # by name
    if isinstance(config, int):
        if not 0 <= config < len(builder_cls.BUILDER_CONFIGS):
            raise InputError(f"--config_idx={config}: choose 0 to {len(builder_cls.BUILDER_CONFIGS) - 1}")
        names = [builder_cls.BUILDER_CONFIGS[config].name]
    elif config and config.startswith("{"):
        if fields:
            raise InputError(
                f"--config={config}: cannot be combined with --{next(iter(fields))}; write it into the JSON"
            )
        try:
            return [builder_cls.builder_config_cls(**json.loads(config))]
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            raise InputError(f"--config={config}: {error}") from error
    elif config:
        if config not in known:
            raise InputError(f"--config={config}: unknown; choose one of {', '.join(known)}")
        names = [config]
    elif hasattr(builder_cls, "configs_in"):
        downloads = user_path(options.download_dir or Path(options.data_dir or constants.DATA_DIR) / "downloads")
        names = builder_cls.configs_in(Path(options.manual_dir or downloads / "manual"))  # the default is TFDS's
    else:
        names = list(known)
    if not names and fields:
        raise InputError(f"--{next(iter(fields))}: not an option of {builder_cls.name}")
    if not fields:
        return names or [None]
    return [_with_fields(builder_cls.name, known[name], fields) for name in names]


def _with_fields(builder: str, config: Any, fields: dict[str, Any]) -> Any:
    """The config with other values and a name that contains them, since TFDS tells data sets apart by name."""
    known = {field.name for field in dataclasses.fields(config)}
    for field in fields:
        if field not in known:
            raise InputError(f"--{field}: not an option of {builder}")
    parts = [config.name]
    for field, value in fields.items():
        parts.append(field if value is True else f"{field}_{'_'.join([value] if isinstance(value, str) else value)}")
    return dataclasses.replace(config, name="-".join(parts), **fields)


def _import_builder(folder: Path) -> Any:
    """The class `Builder` of the module `NAME_dataset_builder` in a folder `NAME`."""
    module = f"{folder.name}.{folder.name}_dataset_builder"
    if folder.parent == PACKAGE:
        return importlib.import_module(f"{PACKAGE.name}.{module}").Builder
    sys.path.insert(0, str(folder.parent))
    try:
        return importlib.import_module(module).Builder
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{folder}: no TFDS builder {folder.name}_dataset_builder.py that can be read ({error})"
        ) from error
    finally:
        sys.path.remove(str(folder.parent))


def find_builder(dataset: str) -> Path:
    """The folder of a builder: `dataset` itself, else `tfds_builders/NAME` (or NAME) in the installed package."""
    path = Path(dataset).expanduser()
    packaged = PACKAGE / path.name
    if path.is_dir():
        return path.resolve()
    is_short_name = str(path) in (path.name, f"{PACKAGE.name}/{path.name}")
    if is_short_name and (packaged / f"{path.name}_dataset_builder.py").is_file():
        return packaged
    known = sorted(f"{PACKAGE.name}/{file.parent.name}" for file in PACKAGE.glob("*/*_dataset_builder.py"))
    raise InputError(f"{dataset}: no such builder folder, here or in the package; there are: {', '.join(known)}")


def _sizes(builder: "tfds.core.DatasetBuilder") -> str:
    return ", ".join(f"{info.num_examples} {split}" for split, info in builder.info.splits.items())


def _build_all(datasets: list[str]) -> None:
    """Builds the data sets that the command line names."""
    if not datasets:
        raise InputError("no data set named; e.g. tfds_builders/caffe")
    if _CONFIG.value is not None and _CONFIG_IDX.value is not None:
        raise InputError("--config and --config_idx: give one of them")
    folders = [find_builder(dataset) for dataset in datasets]
    values: dict[str, Any] = {field.name: FLAGS[field.name].value for field in dataclasses.fields(BuildOptions)}
    options = BuildOptions(**values)
    given = {
        "na": _NA.value,
        "test_glaciers": [name.strip() for name in _TEST_GLACIERS.value if name.strip()],
        "split": _SPLIT.value,
        "allow_bad": _ALLOW_BAD.value,
        "resample": _RESAMPLE.value,
        "summer": _SUMMER.value,
        "summer_months": _SUMMER_MONTHS.value,
    }
    config = _CONFIG.value if _CONFIG_IDX.value is None else _CONFIG_IDX.value
    for folder in folders:
        build(folder, options, config, **{field: value for field, value in given.items() if value})


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments (default: those of the process); returns the exit code."""
    log = logging.getLogger(PACKAGE.name)
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stdout)]
    log.propagate = False
    arguments = None if argv is None else ["build", *argv]
    return cli.run(_build_all, __doc__, argv=arguments, flag_values=FLAGS, positional=True)


if __name__ == "__main__":
    sys.exit(main())

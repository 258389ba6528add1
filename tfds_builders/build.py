"""Builds a data set with TFDS: reads a published archive and writes what training reads. Needs no TensorFlow.

  python -m tfds_builders.build tfds_builders/caffe --data_dir=DATA --manual_dir=FOLDER_WITH_data_raw
  python -m tfds_builders.build tfds_builders/ssl4sar --data_dir=DATA --manual_dir=FOLDER_WITH_THE_ARCHIVES

A relative `tfds_builders/NAME` is looked for in the working directory, then in the installed package. Without --config
all configs are built for which --manual_dir holds the data. A data set that exists already is left as it is, unless
--overwrite is given; the old one is then replaced when the new one is complete.
"""

import contextlib
import io
import logging
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.na_rule import NA_CHOICES, NA_IN_WORDS
from glacierjax.datasets.caffe.splits import OFFICIAL_SPLITS
from tfds_builders.builders import find_builder, import_builder, pick_configs

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

FORMATS = ("array_record", "parquet")  # those that TFDS writes without TensorFlow
FLAGS = flags.FlagValues()  # not absl's global ones: `main` can be called several times in one process

# As in TFDS.
flags.DEFINE_string("data_dir", None, "Folder for prepared data. Default: ~/tensorflow_datasets.", flag_values=FLAGS)
flags.DEFINE_string("manual_dir", None, "Folder with the published archive, packed or unpacked.", flag_values=FLAGS)
flags.DEFINE_string("download_dir", None, "Folder for downloads. Default: DATA_DIR/downloads.", flag_values=FLAGS)
flags.DEFINE_string("config", None, "Config of the builder. Default: all that can be built.", flag_values=FLAGS)
flags.DEFINE_integer("config_idx", None, "Config of the builder, by number.", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "Build again what exists already.", flag_values=FLAGS)
flags.DEFINE_bool("fail_if_exists", False, "Stop if the data set exists.", flag_values=FLAGS)
flags.DEFINE_enum("file_format", FORMATS[0], FORMATS, "Format of the shards.", flag_values=FLAGS)
flags.DEFINE_integer("num_shards", None, "Number of files per split.", 1, flag_values=FLAGS)
flags.DEFINE_integer(
    "max_examples_per_split", None, "Build only this many scenes per split, for a trial.", 1, flag_values=FLAGS
)
# Fields of this project's configs. A data set that is built with any of them has it in its name.
flags.DEFINE_bool("allow_bad", False, "Leave out scenes that cannot be read, and list them.", flag_values=FLAGS)
flags.DEFINE_enum(
    "na",
    None,
    NA_CHOICES,
    f"CaFFe's layout: {NA_IN_WORDS}. Default: {NA_CHOICES[0]}.",
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "test_glaciers", None, "CaFFe: glaciers whose scenes become the test split: NAME,NAME,...", flag_values=FLAGS
)
flags.DEFINE_enum(
    "split",
    None,
    OFFICIAL_SPLITS,
    "CaFFe: official split of the full archive: caffe, or series (Dreier et al. 2026).",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "summer",
    False,
    "Store with each scene the nearest one on its grid without sea ice, for networks that see it.",
    flag_values=FLAGS,
)
flags.DEFINE_list("summer_months", None, "Months without sea ice, 7,8,9. Default: by hemisphere.", flag_values=FLAGS)
flags.DEFINE_bool("resample", False, "SSL4SAR: bring optical images to the grid of the SAR scenes.", flag_values=FLAGS)
FIELDS = ("na", "test_glaciers", "split", "allow_bad", "resample", "summer", "summer_months")


def build_all(datasets: Sequence[str]) -> None:
    """Builds the data sets of these builders as the flags say; raises `InputError` for wrong input."""
    import tensorflow_datasets as tfds

    if not datasets:
        raise InputError("no data set named; e.g. tfds_builders/caffe")
    if FLAGS.manual_dir is not None and not Path(FLAGS.manual_dir).is_dir():
        raise InputError(f"--manual_dir={FLAGS.manual_dir}: no such folder")
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    fields = {name: FLAGS[name].value for name in FIELDS if FLAGS[name].value}
    for folder in [find_builder(dataset) for dataset in datasets]:
        builder_cls = import_builder(folder)
        where = FLAGS.manual_dir, FLAGS.download_dir, FLAGS.data_dir
        for config in pick_configs(builder_cls, FLAGS.config, FLAGS.config_idx, fields, where):
            try:
                _build(builder_cls(config=config, data_dir=FLAGS.data_dir, file_format=FLAGS.file_format))
            except OSError as error:
                raise InputError(f"{builder_cls.name}: {error}") from error


def _build(builder: "tfds.core.DatasetBuilder") -> None:
    import tensorflow_datasets as tfds

    name, target = builder.info.full_name, builder.data_path
    if builder.is_prepared():
        if FLAGS.fail_if_exists:
            raise InputError(f"--fail_if_exists: {target} exists")
        if not FLAGS.overwrite:
            print(f"{name}: already built in {target} ({_sizes(builder)}); --overwrite rebuilds")
            return
    print(f"{name}: building in {target} ...", flush=True)
    download = tfds.download.DownloadConfig(
        manual_dir=FLAGS.manual_dir,
        num_shards=FLAGS.num_shards,
        max_examples_per_split=FLAGS.max_examples_per_split,
        try_download_gcs=False,
    )
    # TFDS prints "Unknown size" for whatever is not downloaded.
    with _set_aside(Path(target)), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_dir=FLAGS.download_dir, download_config=download)
    print(f"{name}: done ({_sizes(builder)})")
    skipped = (builder.info.metadata or {}).get("skipped", [])
    for line in [f"{len(skipped)} skipped:", *skipped] if skipped else []:
        print(f"  {line}")


def _sizes(builder: "tfds.core.DatasetBuilder") -> str:
    return ", ".join(f"{info.num_examples} {split}" for split, info in builder.info.splits.items())


@contextlib.contextmanager
def _set_aside(folder: Path) -> Iterator[None]:
    """Keeps the old data set in `folder` until the new one is complete; TFDS would delete it first."""
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments (default: those of the process); returns the exit code."""
    log = logging.getLogger("tfds_builders")
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stdout)]
    log.propagate = False
    arguments = None if argv is None else ["build", *argv]
    return cli.run(build_all, __doc__, argv=arguments, flag_values=FLAGS, positional=True)


if __name__ == "__main__":
    sys.exit(main())

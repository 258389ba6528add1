"""Builds a data set with TFDS, without TensorFlow: TFDS's own `build` and its flags, and those of our builders.

Example:
  python -m tfds_builders.build tfds_builders/caffe --data_dir=DATA --manual_dir=FOLDER_WITH_data_raw

A relative `tfds_builders/NAME` is looked for in the working directory, then in the installed package. Without --config
the configs are built for which --manual_dir holds the data. A data set that exists already is left as it is, unless
--overwrite is given. Exit codes: 0 done, 2 wrong usage or input.
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
from typing import Any, NoReturn

import absl.logging
import simple_parsing
import tensorflow_datasets as tfds
from tensorflow_datasets.scripts.cli import build

from glacierjax.core.errors import InputError

PROGRAM = "tfds_builders.build"
PACKAGE = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of this project's builders; a data set built with any of them gets a config name that says so."""

    allow_bad: bool = simple_parsing.flag(default=False)  # skip unreadable scenes
    na: str | None = None  # what class NA means: class, unlabelled, or auto (unlabelled if there is no rock anywhere)
    test_glaciers: str | None = None  # glaciers to hold out as test, separated by commas
    split: str | None = (
        None  # of the full CaFFe archive: caffe (default), or series, as networks for series were published
    )
    resample: bool = simple_parsing.flag(default=False)  # bring optical images to the grid of the SAR scenes

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults, as fields of a builder config."""
        glaciers = [g.strip() for g in (self.test_glaciers or "").split(",") if g.strip()]
        options = {
            "na": self.na, "test_glaciers": glaciers, "split": self.split, "allow_bad": self.allow_bad,
            "resample": self.resample,
        }  # fmt: skip
        return {key: value for key, value in options.items() if value}


class _Parser(simple_parsing.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Builds what the command line says and returns the exit code."""
    _log_plainly()
    try:
        parser = _Parser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
        parser.add_arguments(build.Args, dest="args")
        parser.add_arguments(Options, dest="options")
        parsed = parser.parse_args(_spell_out_switches(sys.argv[1:] if argv is None else argv))
        datasets = parsed.args.positional_datasets + parsed.args.datasets
        if not datasets:
            raise InputError("no data set named; e.g. tfds_builders/caffe")
        for dataset in datasets:
            _build(dataset, parsed.args, parsed.options.given())
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted; nothing half-built is left", file=sys.stderr)
        return 2
    except (InputError, OSError) as error:
        print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _build(dataset: str, args: build.Args, options: dict[str, Any]) -> None:
    manual_dir = args.paths.manual_dir
    if manual_dir is not None and not Path(manual_dir).is_dir():
        raise InputError(f"--manual_dir {manual_dir}: no such folder")
    folder = _find_folder(dataset)
    if folder.parent != PACKAGE:  # somebody else's builder: TFDS as it is
        if options:
            raise InputError(f"--{next(iter(options))}: not an option of {dataset}")
        dataclasses.replace(args, positional_datasets=[str(folder)], datasets=[]).execute()
        return
    module = f"{PACKAGE.name}.{folder.name}.{folder.name}_dataset_builder"
    # Imported under its real name: TFDS would import the file a second time under another, and refuse the twin.
    builder_cls = importlib.import_module(module).Builder
    for config in _configs(builder_cls, args, options):
        generation = dataclasses.replace(args.generation, imports=module, config=config, config_idx=None)
        run = dataclasses.replace(args, positional_datasets=[folder.name], datasets=[], generation=generation)
        _run(builder_cls, run)


def _run(builder_cls: Any, args: build.Args) -> None:
    config = args.generation.config
    try:
        if config and config.startswith("{"):
            config = builder_cls.builder_config_cls(**json.loads(config))
        builder = builder_cls(config=config, data_dir=args.paths.data_dir)
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise InputError(f"--config {args.generation.config}: {error}") from error
    where = builder.data_path
    if args.generation.update_metadata_only:
        args.execute()
        return
    if builder.is_prepared():
        if args.debug.fail_if_exists:
            raise InputError(f"--fail_if_exists: {where} is there")
        if not args.debug.overwrite:
            print(f"{builder.info.full_name}: already built in {where} ({_sizes(builder)}); --overwrite rebuilds")
            return
    print(f"{builder.info.full_name}: building in {where} ...", flush=True)
    # TFDS prints its whole info record, and "Unknown size" for whatever is not downloaded.
    with _set_aside(Path(where)), contextlib.redirect_stdout(io.StringIO()):
        args.execute()
    built = builder_cls(config=config, data_dir=args.paths.data_dir)
    if built.is_prepared():  # not after --download_only
        print(f"{built.info.full_name}: done ({_sizes(built)})")
        skipped = (built.info.metadata or {}).get("skipped", [])
        for line in [f"{len(skipped)} skipped:", *skipped] if skipped else []:
            print(f"  {line}")


@contextlib.contextmanager
def _set_aside(folder: Path) -> Iterator[None]:
    """Keeps what is in `folder` until its successor is there; without one it comes back."""
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


def _configs(builder_cls: Any, args: build.Args, options: dict[str, Any]) -> Sequence[str | None]:
    """Values for TFDS's --config: names, or JSON where our options are given."""
    known = {field.name for field in dataclasses.fields(builder_cls.builder_config_cls or tfds.core.BuilderConfig)}
    for option in options:
        if option not in known:
            raise InputError(f"--{option}: not an option of {builder_cls.name}")
    generation = args.generation
    if generation.config_idx is not None:
        if not 0 <= generation.config_idx < len(builder_cls.BUILDER_CONFIGS):
            raise InputError(
                f"--config_idx {generation.config_idx}: there are {len(builder_cls.BUILDER_CONFIGS)} configs"
            )
        names = [builder_cls.BUILDER_CONFIGS[generation.config_idx].name]
    elif generation.config:
        names = [generation.config]
        if not generation.config.startswith("{") and generation.config not in builder_cls.builder_configs:
            raise InputError(f"--config {generation.config}: there are: {', '.join(builder_cls.builder_configs)}")
    elif hasattr(builder_cls, "configs_in"):
        data_dir, download_dir = args.paths.data_dir, args.paths.download_dir
        default = Path(download_dir or Path(data_dir) / "downloads") / "manual"  # as in TFDS
        names = builder_cls.configs_in(Path(args.paths.manual_dir or default))
    else:
        names = [config.name for config in builder_cls.BUILDER_CONFIGS] or [None]
    return [_with_options(builder_cls, name, options) for name in names] if options else names


def _with_options(builder_cls: Any, name: str | None, options: dict[str, Any]) -> str:
    """A config as JSON: that of `name` with other values. Its name tells them, since TFDS knows data sets by name."""
    if name is None or name not in builder_cls.builder_configs:
        there = ", ".join(builder_cls.builder_configs)
        raise InputError(f"--config {name}: cannot be combined with --{next(iter(options))}; there are: {there}")
    base = builder_cls.builder_configs[name]
    shared = {field.name for field in dataclasses.fields(tfds.core.BuilderConfig)}
    own = {f.name: getattr(base, f.name) for f in dataclasses.fields(base) if f.name not in shared}
    parts = [name]
    for option, value in options.items():
        parts.append(option if value is True else f"{option}_{'_'.join([value] if isinstance(value, str) else value)}")
    return json.dumps({**own, **options, "name": "-".join(parts), "description": base.description})


def _find_folder(dataset: str) -> Path:
    """The builder's folder: as given, else `tfds_builders/NAME` (or NAME) in the installed package."""
    here = Path(dataset).expanduser()
    packaged = PACKAGE / here.name
    if here.is_dir():
        return here.resolve()
    if (
        str(here) in (here.name, f"{PACKAGE.name}/{here.name}")
        and (packaged / f"{here.name}_dataset_builder.py").is_file()
    ):
        return packaged
    there = ", ".join(sorted(f"{PACKAGE.name}/{p.parent.name}" for p in PACKAGE.glob("*/*_dataset_builder.py")))
    raise InputError(f"{dataset}: no such builder folder, here or in the package; there are: {there}")


def _sizes(builder: tfds.core.DatasetBuilder) -> str:
    return ", ".join(f"{info.num_examples} {split}" for split, info in builder.info.splits.items())


def _spell_out_switches(argv: Sequence[str]) -> list[str]:
    """`--overwrite` -> `--overwrite=true`: the parser would take a data set's name behind it for its value."""
    groups = [Options, *(field.type for field in dataclasses.fields(build.Args))]
    fields = [f for group in groups if dataclasses.is_dataclass(group) for f in dataclasses.fields(group)]
    switches = {f"--{field.name}" for field in fields if field.type is bool}
    return [f"{argument}=true" if argument in switches else argument for argument in argv]


def _log_plainly() -> None:
    """Our own lines as they are; of TFDS only warnings; its progress bars only on a terminal."""
    absl.logging.use_absl_handler()
    absl.logging.set_verbosity(absl.logging.ERROR)
    log = logging.getLogger(PACKAGE.name)
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stdout)]
    log.propagate = False
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())

"""Runs an adaptation to a few labelled scenes of a new glacier: trains each fold, chooses the epochs, trains on all labels."""

import dataclasses
import json
import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax

from glacierjax.checkpoints.calibration_file import fingerprint
from glacierjax.checkpoints.hub import shown_checkpoint
from glacierjax.checkpoints.native import CHECKPOINTS, RESUME, Checkpoint, load_checkpoint
from glacierjax.checkpoints.record import network_of, require_task, training_of
from glacierjax.core import choices
from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import user_path, write_text
from glacierjax.core.json_values import Json, read_earlier_json
from glacierjax.core.settings import (
    PRESETS,
    FineTuning,
    InitSettings,
    ModelSettings,
    OptimizerSettings,
    ScheduleSettings,
    ValidationSettings,
)
from glacierjax.data.replay import ReplaySource
from glacierjax.evaluation.run import Scenes
from glacierjax.evaluation.score import aggregate
from glacierjax.model import Tyrion, build
from glacierjax.prediction.ensemble import default_mode
from glacierjax.recipes.adapt_report import OldSites, report_of, text_of
from glacierjax.recipes.adapt_scenes import NewAndOld, OldScenes, SomeScenes, old_scenes, read_labels
from glacierjax.recipes.adaptation import (
    AdaptOptions,
    Costs,
    CrossValidation,
    cross_validation,
    digest_of,
    errors_of,
    folds_of,
    largest_error_m,
)
from glacierjax.recipes.finetune import decoded, fit
from glacierjax.recipes.held_out import HeldOut, NoScores
from glacierjax.recipes.order import sample_order
from glacierjax.recipes.train import run_in_workdir
from glacierjax.recipes.validation import Validation, headline
from glacierjax.recipes.workdir import CACHE
from glacierjax.tasks import Segmentation
from glacierjax.training.logs import EVENTS, val_lines
from glacierjax.training.loop import SharedStep, Summary

log = logging.getLogger(__name__)

OPTIONS, REPORT, TABLE = "options.json", "adaptation.json", "adaptation.md"  # files of the output
FOLDS, ERRORS = "folds", "errors.json"  # folder of the folds, and the file with the errors of one
STEPS_PER_EPOCH = 20
BATCH = 8
PATIENCE_EPOCHS = 8  # a fold whose error has not fallen for so long ends
AVERAGE_DECAY = 0.95  # the mean of the last steps varies less from epoch to epoch
ORIGIN = "adapted_from"  # field of the record


def adapt(output: Path, options: AdaptOptions) -> Json:
    """Adapts a network into the workdir `output`; returns what `output/adaptation.json` holds.

    A run that was stopped goes on where it was and computes the same numbers. Raises `InputError` for wrong input, before
    anything is trained; leaves with the exit code of `Stopped` when a signal ended it.
    """
    output = user_path(output)
    origin = load_checkpoint(options.checkpoint, options.which)
    settings = adapted_settings(origin, options)
    labels = read_labels(options, settings.model.channels)
    old = old_scenes(settings, options.replay, labels.names) if options.replay else None
    recipe = {
        **dataclasses.asdict(options),
        "channels": list(options.channels),
        "network": fingerprint(origin.params),
        "micro_batch_size": settings.micro_batch_size,  # follows the number of devices, and the loss depends on it
    }
    _claim(output, recipe, {scene.id.name: digest_of(scene) for scene in labels})
    if (output / REPORT).exists():
        log.info("%s: adapted already", output)
        return read_earlier_json(output / REPORT, dict, "remove it to have it written again")
    report = _adapt(output, options, origin, settings, labels, old)
    write_text(output / TABLE, text_of(report))
    write_text(output / REPORT, json.dumps(report, indent=1) + "\n")
    log.info("%s", text_of(report))
    return report


def _adapt(
    output: Path,
    options: AdaptOptions,
    origin: Checkpoint,
    settings: FineTuning,
    labels: SomeScenes,
    old: OldScenes | None,
) -> Json:
    model = build(settings.model.network(), Tyrion)
    to_train_on = old.train if old is not None and options.replay_share else None
    as_it_was = dataclasses.replace(
        settings, model=dataclasses.replace(settings.model, channels=network_of(origin).channels)
    )
    before = errors_of(Validation(as_it_was, model, labels).scores(origin.params))
    step = SharedStep()
    compared = _cross_validated(output, settings, options, labels, to_train_on, before, step)
    epochs = options.epochs if compared is None else compared.epochs
    log.info("training on all %d labels, %d epochs of %d steps", len(labels), epochs, STEPS_PER_EPOCH)
    facts = {"checkpoint": shown_checkpoint(origin.path), "labels": labels.names, "epochs": epochs}
    final = dataclasses.replace(settings, num_epochs=epochs)
    train_on(final, output, labels, to_train_on, options, NoScores(), {ORIGIN: facts}, step)
    sites = None
    if old is not None:
        adapted = load_checkpoint(output, choices.LAST)
        before_and_after = (
            headline(aggregate(Validation(how, model, old.val).scores(params)))
            for how, params in ((as_it_was, origin.params), (settings, adapted.params))
        )
        sites = OldSites(len(old.val), *before_and_after)
    return report_of(facts, compared, sites)


def adapted_settings(origin: Checkpoint, options: AdaptOptions) -> FineTuning:
    """The settings of the checkpoint's training, with few steps that start from it.

    Raises `InputError` for a checkpoint that finds no fronts in single scenes.
    """
    require_task(origin, choices.SEGMENTATION)
    training, devices = training_of(origin), jax.device_count()
    if BATCH % devices:
        raise InputError(
            f"{devices} devices: a step has {BATCH} crops, which they cannot share; use 1, 2, 4 or {BATCH}"
        )
    base = training if isinstance(training, FineTuning) else FineTuning()
    if base.model.network() != network_of(origin):  # converted weights, or a training by another version
        base = dataclasses.replace(base, model=_model_of(origin))
    rate = options.learning_rate or base.optimizer.learning_rate
    return dataclasses.replace(
        base,
        seed=options.seed,
        parallel="shard_map",  # its compiled step can be kept
        batch_size=BATCH,
        micro_batch_size=math.gcd(BATCH // devices, base.micro_batch_size or BATCH),
        num_epochs=options.epochs,
        early_stop_epochs=0,  # cross-validation chooses the number of epochs; its own folds may end early
        profile_steps=0,
        log_every=STEPS_PER_EPOCH,
        checkpoint_every=STEPS_PER_EPOCH,
        keep=(),
        model=dataclasses.replace(base.model, channels=options.input_channels(base.model.channels)),
        init=InitSettings(str(origin.path), head=True),
        optimizer=OptimizerSettings(
            base.optimizer.name, rate, base.optimizer.weight_decay, AVERAGE_DECAY, options.trained
        ),
        schedule=ScheduleSettings(),
        data=dataclasses.replace(
            base.data,
            dir=options.replay,
            train_scenes=0,
            samples_per_epoch=STEPS_PER_EPOCH * BATCH,
            workers=0,
            cache="",
            keep_validation_in_memory=False,
        ),
        validation=ValidationSettings(default_mode(base)),
    )


def _model_of(origin: Checkpoint) -> ModelSettings:
    """The settings of a network whose training does not name it."""
    network = network_of(origin)
    for name in PRESETS:
        model = ModelSettings(
            name, **{f.name: getattr(network, f.name) for f in dataclasses.fields(ModelSettings) if f.name != "preset"}
        )
        if model.network() == network:
            return model
    raise InputError(f"{origin.path}: its network has none of the sizes {', '.join(PRESETS)}; adapt another one")


def _claim(output: Path, wanted: Json, labels: Mapping[str, str]) -> None:
    """Writes `options.json` into a new output; an old one must be of the same adaptation.

    `wanted`: the options and what else the numbers depend on; `labels`: digests of the labels by name.
    """
    file = output / OPTIONS
    if not file.exists():
        if output.is_dir() and any(output.iterdir()):
            raise ArgumentError("output", output, "exists already; choose a new folder or remove it")
        write_text(file, json.dumps({**wanted, "labels": dict(labels)}, indent=1) + "\n")
        return
    found = read_earlier_json(file, dict, "choose a new folder for `output`")
    different = [f"{key}: {found.get(key)} -> {value}" for key, value in wanted.items() if found.get(key) != value]
    before = found.get("labels", {})
    changed = [name for name in {**before, **labels} if before.get(name) != labels.get(name)]
    if changed:
        different.append(f"labels that have changed: {some_names(changed)}")
    if different:
        raise ArgumentError("output", output, f"was adapted otherwise ({'; '.join(different)}); choose a new folder")


def _cross_validated(
    output: Path,
    settings: FineTuning,
    options: AdaptOptions,
    labels: SomeScenes,
    old: Scenes | None,
    before: Mapping[str, float | None],
    step: SharedStep,
) -> CrossValidation | None:
    """Trains without each fold in turn; None where there is nothing to compare."""
    folds = folds_of(len(before), options.folds)
    if not folds:
        return None
    names = list(before)
    largest_m = {scene.id.name: largest_error_m(scene) for scene in labels}
    curves = []
    for number, fold in enumerate(folds, 1):
        held_out = [names[i] for i in fold]
        log.info("fold %d of %d: without %s", number, len(folds), ", ".join(held_out))
        curves.append(_fold(output / FOLDS / str(number), settings, options, labels, old, held_out, largest_m, step))
    return cross_validation(before, curves, largest_m)


def _fold(
    folder: Path,
    settings: FineTuning,
    options: AdaptOptions,
    labels: SomeScenes,
    old: Scenes | None,
    held_out: Sequence[str],
    largest_m: Costs,
    step: SharedStep,
) -> list[dict[str, float | None]]:
    """The errors of the held-out labels after each epoch of a training without them, which may end early."""
    file = folder / ERRORS
    if not file.exists():
        seen = SomeScenes(labels, [i for i, name in enumerate(labels.names) if name not in held_out])
        unseen = SomeScenes(labels, [i for i, name in enumerate(labels.names) if name in held_out])
        validation = HeldOut(Validation(settings, build(settings.model.network(), Tyrion), unseen), largest_m)
        ended_early = dataclasses.replace(settings, early_stop_epochs=PATIENCE_EPOCHS)
        train_on(ended_early, folder, seen, old, options, validation, step=step)
        curve = [{name: line[f"{name}/mde_m"] for name in held_out} for line in val_lines(folder)]
        write_text(file, json.dumps(curve, indent=1) + "\n")
    for part in (CHECKPOINTS, RESUME, CACHE, EVENTS):  # large, and of no use any more
        shutil.rmtree(folder / part, ignore_errors=True)
    return read_earlier_json(file, list, "remove it to train without these labels again")


def train_on(
    settings: FineTuning,
    workdir: Path,
    labels: SomeScenes,
    old: Scenes | None,
    options: AdaptOptions,
    validation: Validation | HeldOut | NoScores,
    origin: Json | None = None,
    step: SharedStep | None = None,
) -> None:
    """Trains in a workdir; the share of the old scenes is 0 where there are none. `origin` and `step`: see `fit`."""
    share = options.replay_share if old else 0.0

    def run(sized: FineTuning) -> Summary:
        scenes = decoded(sized, workdir, NewAndOld(labels, old))
        order = sample_order(sized)
        source = ReplaySource(scenes, sized.data, sized.augment, **order, new=len(labels), share=share)
        task = Segmentation(build(sized.model.network(), Tyrion))
        return fit(sized, workdir, scenes, task, source, validation, origin, step)

    run_in_workdir(settings, workdir, run)

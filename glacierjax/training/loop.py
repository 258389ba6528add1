"""The training loop, for every task: steps, validation after each epoch, checkpoints, exact resuming."""

import contextlib
import dataclasses
import itertools
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.json_values import Json, read_earlier_json
from glacierjax.core.progress import Meter
from glacierjax.core.settings import RunSettings
from glacierjax.data.samples import Sample
from glacierjax.training import parallel, processes, start
from glacierjax.training.logs import Pictures, RunLog, best_metrics, finite_or_none, last_metrics
from glacierjax.training.optim import Plateau, cosine_scale, make_optimizer
from glacierjax.training.profile import Profile
from glacierjax.training.resume import EarlyStop, Progress, Saves, Window
from glacierjax.training.step import Batch, Task, TrainState, create_state, make_step
from glacierjax.training.stop import Stopped, StopRequest

log = logging.getLogger(__name__)

NAMED_SCENES = 8  # in the message about a loss that is not finite
SUMMARY = "summary.json"


# (state on all devices, batch, learning rate) -> (state, metrics of the step)
Update = Callable[[TrainState, parallel.Sharded, float], tuple[TrainState, dict[str, jax.Array]]]
# The step on all devices (`parallel.Parallel.parallelize`), and its figures for the table at the start.
CompiledStep = tuple[Callable[..., tuple[TrainState, dict[str, jax.Array]]], Json]
Summary = Json  # contents of `summary.json`


def no_pictures() -> Pictures:
    return {}


class SharedStep:
    """The compiled step of trainings in one process that differ in data, length and seed alone: the first one compiles it."""

    def __init__(self) -> None:
        self._compiled: CompiledStep | None = None

    def compiled(self, compile_step: Callable[[], CompiledStep]) -> CompiledStep:
        if self._compiled is None:
            self._compiled = compile_step()
        return self._compiled


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What the loop needs beyond the settings.

    - `batches(start_step)` opens the stream of training batches; each of several processes gets its own part;
    - `scenes_of(step)` names the scenes of a batch, for error messages;
    - `prepare` converts a micro-batch as read into the batch of the task;
    - `evaluate(params)` returns validation metrics; where processes differ, those of the first one count;
    - `rank_by`: the checkpoints to keep besides the last (keys of `core.choices.BEST`);
    - `record` describes the model in every checkpoint;
    - `initial_params(shapes)` replaces shapes of parameters by the arrays of a checkpoint to start from;
    - `watched`: the figure of the validation that plateau and early stop look at; lower is better;
    - `step`: where the compiled step is kept; one for several trainings spares compilations;
    - `facts`: rows for the table at the start;
    - `pictures()` shows the last validation: (H, W, 3) uint8 by name.
    """

    task: Task
    batches: Callable[[int], AbstractContextManager[Iterator[Sample]]]
    scenes_of: Callable[[int], list[str]]
    prepare: Callable[[Batch], Batch]
    evaluate: Callable[[dict], Mapping[str, float | None]]
    rank_by: tuple[str, ...]
    record: dict
    initial_params: Callable[[dict], dict]
    watched: str = "loss"
    step: SharedStep = dataclasses.field(default_factory=SharedStep)
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    pictures: Callable[[], Pictures] = no_pictures


def train(settings: RunSettings, workdir: Path, experiment: Experiment) -> Summary:
    """Trains up to the configured number of epochs, from the last saved state of `workdir` if there is one; returns the summary.

    After SIGTERM or Ctrl-C the state is saved and `Stopped` is raised. A run that was stopped and resumed computes the same
    numbers as one that was not.
    """
    with StopRequest() as stop, contextlib.closing(Saves(workdir, experiment.rank_by)) as saves:
        return _Run(settings, workdir, experiment, saves, stop).train()


class _Run:
    """A run in this process; `done` counts optimiser steps since the first start of the run."""

    def __init__(self, settings: RunSettings, workdir: Path, experiment: Experiment, saves: Saves, stop: StopRequest):
        self.settings, self.workdir, self.experiment, self.saves, self.stop = settings, workdir, experiment, saves, stop
        self.parallel = parallel.make_parallel(self.settings.parallel)
        optimizer = settings.optimizer
        self.optimizer = make_optimizer(optimizer.name, optimizer.weight_decay, optimizer.trained)
        self.accumulation = parallel.accumulation_steps(settings.batch_size, settings.micro_batch_size)
        self.epoch_steps = settings.steps_per_epoch
        self.total_steps = self.epoch_steps * settings.num_epochs
        self.progress = Progress(
            Plateau(settings.schedule.factor, settings.schedule.patience), EarlyStop(self.settings.early_stop_epochs)
        )
        self.window = Window(self.parallel.fetch)
        self.metrics: Mapping[str, float | None] = {}
        self.done = saves.latest_step() or 0

    def train(self) -> Summary:
        summary_file = self.workdir / SUMMARY
        if self.done and summary_file.exists():
            summary = read_earlier_json(summary_file, dict, "remove it to have it written again")
            ended = self.done >= self.total_steps or summary.get("stopped_early")
            # A run that went on after its end and was killed before it wrote its summary has an earlier one.
            if ended and summary.get("steps") == self.done:
                log.info("%s: training is complete, %d steps", self.workdir, self.done)
                return summary
        # A run whose last step is done still needs one batch, for the shapes.
        with self.experiment.batches(min(self.done, self.total_steps - 1)) as stream:
            first = next(stream)
            state, example = self._state(first)
            first_step = self.done
            with contextlib.closing(
                RunLog(self.workdir, first_step, self.progress.validated, processes.is_first())
            ) as self.log:
                self.replicated = self.parallel.replicate(state)
                self.update, facts = self._compiled(state, first, example)
                started = self.logged_at = time.monotonic()
                images = self.settings.batch_size * self.settings.images_per_sample
                self.meter = Meter(self.total_steps, first_step, "training", images)
                profile = Profile(self.workdir, self.settings.profile_steps if processes.is_first() else 0)
                with contextlib.closing(self.meter), contextlib.closing(profile):
                    self._steps(itertools.chain([first], stream), profile)
        seconds = time.monotonic() - started
        images = (self.done - first_step) * self.settings.batch_size * self.settings.images_per_sample
        summary = {
            "steps": self.done,
            "epochs": self.done // self.epoch_steps,
            "stopped_early": self.progress.early_stop.over,
            "last": dict(self.metrics or last_metrics(self.workdir)),
            "best": best_metrics(self.workdir, self.experiment.rank_by),
            "skipped_steps": self.progress.skipped,
            "seconds": round(seconds, 1),
            "images_per_second": round(images / seconds, 2),
            "peak_memory_mib": round(start.peak_memory_mib()),
            **facts,
        }
        if processes.is_first():
            write_text(summary_file, json.dumps(summary, indent=1) + "\n")
        return summary

    def _state(self, batch: Sample) -> tuple[TrainState, Batch]:
        """The initial or restored state, and a micro-batch of the task."""
        example = jax.tree.map(lambda x: jnp.asarray(x[: self.settings.micro_batch_size]), batch)
        example = self.experiment.prepare(example)
        key = jax.random.fold_in(jax.random.key(self.settings.seed), 0)
        keeps_average = self.settings.optimizer.average_decay > 0

        if self.done == 0:
            state = create_state(self.experiment.task, self.optimizer, key, example, self.experiment.initial_params)
            return state._replace(average=state.params if keeps_average else None), example
        like = jax.eval_shape(lambda: create_state(self.experiment.task, self.optimizer, key, example))
        like = like._replace(average=like.params if keeps_average else None)
        state, self.progress, self.window = self.saves.restore(like, self.progress, self.parallel.fetch)
        log.info("resuming after step %d", self.done)
        return state, example

    def _compiled(self, state: TrainState, batch: Sample, example: Batch) -> tuple[Update, dict]:
        """Compiles the step and logs the table at the start; returns the step and the figures of the table."""
        key = np.asarray(jax.random.key_data(jax.random.fold_in(jax.random.key(self.settings.seed), 1)))

        def compile_step() -> CompiledStep:
            step = make_step(
                self.experiment.task,
                self.optimizer,
                self.experiment.prepare,
                self.settings.optimizer.average_decay,
                self.settings.skip_nonfinite > 0,
                self.settings.optimizer.trained,
            )
            called = self.parallel.parallelize(step)
            sharded = self.parallel.shard(batch, self.settings.micro_batch_size)
            compiled = self.parallel.compile(called, self.replicated, sharded, key, np.float32(0))
            facts = start.figures(self.experiment.task, state, example, compiled, self.settings.images_per_sample)
            return compiled or called, facts

        started = time.monotonic()
        step, facts = self.experiment.step.compiled(compile_step)
        start.log_table(
            {
                "devices": start.devices_text(),
                **start.figures_text(facts, time.monotonic() - started),
                **self.experiment.facts,
                "epochs": f"{self.settings.num_epochs} of {self.epoch_steps} steps",
                "effective batch": f"{self.settings.batch_size} = {self.settings.micro_batch_size} x {jax.device_count()} "
                f"device(s) x {self.accumulation} accumulated",
            }
        )

        def update(state: TrainState, batch: parallel.Sharded, rate: float) -> tuple[TrainState, dict[str, jax.Array]]:
            return step(state, batch, key, np.float32(rate))

        return update, facts

    def _steps(self, stream: Iterator[Sample], profile: Profile) -> None:
        """Runs all remaining steps."""
        if not self.progress.validated:
            self._finish_epoch()
        self._stop_if_asked()
        every = self.settings.checkpoint_every
        while self.done < self.total_steps and not self.progress.early_stop.over:
            profile.before_step()
            batch = self.parallel.shard(self._next(stream), self.settings.micro_batch_size)
            self.replicated, values = self.update(self.replicated, batch, self._rate_at(self.done))
            self.window.add(values)
            self.done += 1
            epoch_ends = self.done % self.epoch_steps == 0
            logs = epoch_ends or self.done % self.settings.log_every == 0
            if logs:
                self._log()
            if epoch_ends:
                self._finish_epoch()
            elif every and self.done % every == 0:
                self._save_position()
            # Several processes must stop at the same step; they exchange flags only at log steps, where they wait anyway.
            if logs or not processes.are_several():
                self._stop_if_asked()

    def _next(self, stream: Iterator[Sample]) -> Sample:
        try:
            return next(stream)
        except InputError:
            if not processes.are_several():  # with several processes, one alone cannot save
                self._save_position()
            raise

    def _stop_if_asked(self) -> None:
        if processes.any_process(self.stop.asked):
            self._save_position()
            self._stop()

    def _stop(self) -> NoReturn:
        log.info("stopped; %s is saved after step %d; the same command goes on from there", self.workdir, self.done)
        raise Stopped(self.stop.number)

    def _log(self) -> None:
        """Writes the means over the steps since the last line of the log."""
        columns = self.window.columns()
        bad = self._bad_steps(columns)
        self.progress.skipped += len(bad)
        kept = columns if not bad else {k: [v for v in c if math.isfinite(v)] for k, c in columns.items()}
        means = {name: float(np.mean(column)) if column else None for name, column in kept.items()}
        values = {**means, "learning_rate": self._rate_at(self.done - 1)}
        if self.settings.skip_nonfinite:
            values["skipped_steps"] = self.progress.skipped
        now = time.monotonic()
        images = len(columns["loss"]) * self.settings.batch_size * self.settings.images_per_sample
        speed = {"images_per_second": images / (now - self.logged_at)}
        self.log.write(self.done, self.done / self.epoch_steps, "train", values, speed)
        self.meter.update(self.done, math.nan if means["loss"] is None else means["loss"])
        self.logged_at = now
        self.window.clear()

    def _bad_steps(self, columns: Mapping[str, list[float]]) -> list[int]:
        """Indices of the steps with a non-finite loss or gradient. Raises `InputError` if the run may not skip so many."""
        bad = np.flatnonzero(~np.isfinite(columns["loss"]) | ~np.isfinite(columns["gradient_norm"])).tolist()
        left = self.settings.skip_nonfinite - self.progress.skipped
        if len(bad) > left:
            step = self.done - len(columns["loss"]) + bad[left]
            what = "gradient" if math.isfinite(columns["loss"][bad[left]]) else "loss"
            names = ", ".join(self.experiment.scenes_of(step)[:NAMED_SCENES])
            allowed = self.settings.skip_nonfinite
            skipped = f"; {allowed} steps were skipped already (`config.skip_nonfinite`={allowed})" if allowed else ""
            raise InputError(
                f"the {what} is not finite at step {step + 1} (learning rate {self._rate_at(step):g}; scenes of its batch: "
                f"{names}){skipped}; lower `config.optimizer.learning_rate` or look at these scenes"
            )
        return bad

    def _finish_epoch(self) -> None:
        """Validates, updates schedule and early stop, and saves a checkpoint."""
        self.progress.validated = False
        state = self.parallel.fetch(self.replicated)
        try:
            with contextlib.nullcontext() if processes.are_several() else self.stop.at_once():
                values = self.experiment.evaluate(state.kept)
        except Stopped:
            self._save_position()
            self._stop()
        own = {key: finite_or_none(value) for key, value in values.items()}
        self.metrics = processes.from_first(lambda: own)
        epoch = self.done // self.epoch_steps
        self.log.write(self.done, epoch, "val", self.metrics)
        self.log.pictures(self.done, self.experiment.pictures())
        self.meter.note(f"epoch {epoch}/{self.settings.num_epochs}: " + _show(self.metrics))
        watched = self.metrics.get(self.experiment.watched)
        watched = math.inf if watched is None else watched
        if self.settings.schedule.name == "plateau":
            self.progress.plateau.update(watched)
        self.progress.early_stop.update(watched)
        self.progress.validated = True
        self.log.flush()
        self.saves.save_validated(self.done, state, self.progress, self.experiment.record, self.metrics)
        self.logged_at = time.monotonic()

    def _save_position(self) -> None:
        """Saves the current state unless it is saved already. Raises `InputError` if the last steps were not finite."""
        if self.saves.latest_step() == self.done or self.done == 0:
            return
        columns = self.window.columns()
        if columns:
            self._bad_steps(columns)
        self.log.flush()
        state = self.parallel.fetch(self.replicated)
        self.saves.save_position(self.done, state, self.progress, self.experiment.record, self.window)

    def _rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        schedule = self.settings.schedule
        if schedule.name == "cosine":
            scale = cosine_scale(step, self.total_steps, int(schedule.warmup_epochs * self.epoch_steps))
        else:  # with a constant rate the plateau is never updated, so its scale stays 1
            scale = self.progress.plateau.scale
        return self.settings.optimizer.learning_rate * scale


def _show(metrics: Mapping) -> str:
    return ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if isinstance(v, (int, float)))

"""The training loop, for every task: steps, validation after each epoch, checkpoints, exact resuming."""

import contextlib
import dataclasses
import json
import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import flax.serialization
import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints.native import Keeper
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.progress import Meter
from glacierjax.training import parallel
from glacierjax.training.logs import RunLog, plain
from glacierjax.training.optim import Plateau, cosine_scale, make_optimizer
from glacierjax.training.step import Task, TrainState, create_state, make_step

log = logging.getLogger(__name__)


def no_pictures() -> dict[str, np.ndarray]:
    return {}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What the loop needs beyond the configuration.

    `batches(start_step)` opens the stream of training batches; `scenes_of(step)` names a batch's scenes for error
    messages; `prepare` turns a micro-batch as read into the task's; `evaluate(params)` gives validation metrics;
    `rank_by` are the checkpoints to keep besides the last (keys of `checkpoints.native.BEST`); `record` describes the
    model in every checkpoint; `initial_params(params)` puts carried-over weights in place of fresh ones; `pictures()` shows
    the last validation, (H, W, 3) uint8 by name.
    """

    task: Task
    batches: Callable[[int], AbstractContextManager[Iterator[dict[str, np.ndarray]]]]
    scenes_of: Callable[[int], list[str]]
    prepare: Callable[[Any], Any]
    evaluate: Callable[[dict], dict[str, float | None]]
    rank_by: tuple[str, ...]
    record: dict
    initial_params: Callable[[dict], dict]
    pictures: Callable[[], Mapping[str, np.ndarray]] = no_pictures


def steps_per_epoch(config: Any) -> int:
    """Optimiser steps of an epoch; a rest smaller than a batch is left out. Raises `InputError` when there is none."""
    steps = config.data.samples_per_epoch // config.batch_size
    if steps == 0:
        raise InputError(
            f"--config.data.samples_per_epoch={config.data.samples_per_epoch} is smaller than --config.batch_size="
            f"{config.batch_size}; an epoch needs at least one batch"
        )
    return steps


def train(config: Any, workdir: Path, experiment: Experiment) -> dict:
    """Trains to the configured number of epochs, going on from the last checkpoint of `workdir`; returns the summary."""
    with contextlib.closing(Keeper(workdir, experiment.rank_by)) as keeper:
        return _train(config, workdir, experiment, keeper)


def _train(config: Any, workdir: Path, experiment: Experiment, keeper: Keeper) -> dict:
    optimizer = make_optimizer(config.optimizer.name, config.optimizer.weight_decay)
    accumulation = parallel.accumulation_steps(config.batch_size, config.micro_batch_size)
    epoch_steps = steps_per_epoch(config)
    if config.schedule.name == "plateau" and "best_loss" not in experiment.rank_by:
        raise InputError(
            "--config.schedule.name=plateau: this task validates without a loss; choose constant or cosine"
        )
    total_steps = epoch_steps * config.num_epochs
    plateau = Plateau(config.schedule.factor, config.schedule.patience)
    key = jax.random.key(config.seed)

    def rate_at(step: int) -> float:
        return config.optimizer.learning_rate * _scale(config, plateau, step, total_steps, epoch_steps)

    rate_at(0)  # refuses an unknown schedule before anything is compiled
    restored = keeper.latest_step()
    summary_file = workdir / "summary.json"
    if restored is not None and restored >= total_steps and summary_file.exists():
        log.info("%s: trained already, %d steps", workdir, restored)
        return json.loads(summary_file.read_text(encoding="utf-8"))
    with experiment.batches(0) as stream:
        example = parallel.shard(next(stream), config.micro_batch_size)
    example = experiment.prepare(jax.tree.map(lambda x: x[0, 0], example))
    state = create_state(experiment.task, optimizer, jax.random.fold_in(key, 0), example)
    decay = config.optimizer.average_decay
    if restored is None:
        state = state._replace(params=experiment.initial_params(state.params))
    state = state._replace(average=state.params if decay else None)
    if restored is not None:
        state, plateau = _restore(keeper, restored, state, plateau)
        log.info("going on after step %d", restored)
    run_log = RunLog(workdir, restored or 0)
    _say_start(config, state, epoch_steps, accumulation)

    update = parallel.parallelize(make_step(experiment.task, optimizer, experiment.prepare, decay))
    replicated = parallel.replicate(state)
    first_step = int(state.step)
    meter = Meter(total_steps, first_step, "training", config.batch_size)
    metrics: dict[str, float | None] = {}
    window: list[dict] = []
    started = time.monotonic()
    try:
        with experiment.batches(first_step) as stream:
            for step in range(first_step, total_steps):
                batch = parallel.shard(next(stream), config.micro_batch_size)
                rate = rate_at(step)
                replicated, values = update(replicated, batch, jax.random.fold_in(key, 1), jnp.float32(rate))
                window.append(values)
                done = step + 1
                epoch_ends = done % epoch_steps == 0
                if epoch_ends or done % config.log_every == 0:
                    columns = _columns(window)
                    bad = np.flatnonzero(~np.isfinite(columns["loss"]))
                    if bad.size:
                        bad_step = done - len(window) + int(bad[0])
                        names = ", ".join(experiment.scenes_of(bad_step)[:8])
                        raise InputError(
                            f"the loss is not finite at step {bad_step + 1} (learning rate {rate_at(bad_step):g}; scenes of "
                            f"its batch: {names}); lower --config.optimizer.learning_rate or look at these scenes"
                        )
                    means = {name: float(np.mean(column)) for name, column in columns.items()}
                    window = []
                    run_log.write(done, done / epoch_steps, "train", {**means, "learning_rate": rate})
                    meter.update(done, means["loss"])
                if epoch_ends:
                    state = parallel.unreplicate(replicated)
                    metrics = experiment.evaluate(state.kept)
                    epoch = done // epoch_steps
                    run_log.write(done, epoch, "val", metrics)
                    run_log.pictures(done, experiment.pictures())
                    meter.note(f"epoch {epoch}/{config.num_epochs}: " + _show(metrics))
                    if config.schedule.name == "plateau":
                        loss = metrics.get("loss")
                        plateau.update(math.inf if loss is None else loss)
                    _save(keeper, done, state, plateau, experiment.record, metrics)
    finally:
        meter.close()
        run_log.close()
    summary = {
        "steps": total_steps,
        "epochs": config.num_epochs,
        "last": {k: plain(v) for k, v in (metrics or _last_metrics(workdir)).items()},
        "seconds": round(time.monotonic() - started, 1),
        "images_per_second": round((total_steps - first_step) * config.batch_size / (time.monotonic() - started), 2),
        "parameters": _size(state.params),
    }
    write_text(summary_file, json.dumps(summary, indent=1) + "\n")
    return summary


def _scale(config: Any, plateau: Plateau, step: int, total_steps: int, epoch_steps: int) -> float:
    """Factor on the learning rate at a step, by the configured schedule."""
    match config.schedule.name:
        case "constant":
            return 1.0
        case "plateau":
            return plateau.scale
        case "cosine":
            return cosine_scale(step, total_steps, int(config.schedule.warmup_epochs * epoch_steps))
    raise InputError(f"--config.schedule.name={config.schedule.name}: choose constant, plateau or cosine")


def _columns(window: list[dict]) -> dict[str, list[float]]:
    """The metrics of several steps by name (every device holds the same values)."""
    columns = defaultdict(list)
    for values in window:
        for name, value in values.items():
            columns[name].append(float(value.addressable_shards[0].data[0]))
    return columns


def _training_tree(state: TrainState, plateau: Plateau) -> dict:
    tree = {
        "step": np.int32(state.step),
        "optimizer": flax.serialization.to_state_dict(state.optimizer),
        "plateau": {k: np.float64(v) for k, v in dataclasses.asdict(plateau).items()},
    }
    # Where an average is kept, it stands under `params` in the checkpoint, and the parameters belong to the training.
    return tree if state.average is None else {**tree, "params": state.params}


def _save(keeper: Keeper, step: int, state: TrainState, plateau: Plateau, record: dict, metrics: Mapping) -> None:
    plain_metrics = {key: plain(value) for key, value in metrics.items()}
    keeper.save(step, state.kept, {**record, "step": step, "metrics": plain_metrics}, _training_tree(state, plateau))


def _restore(keeper: Keeper, step: int, state: TrainState, plateau: Plateau) -> tuple[TrainState, Plateau]:
    kept, training, _ = keeper.restore(step, state.kept, _training_tree(state, plateau))
    optimizer = flax.serialization.from_state_dict(state.optimizer, training["optimizer"])
    fields = {k: type(getattr(plateau, k))(v) for k, v in training["plateau"].items()}
    average = None if state.average is None else kept
    return TrainState(jnp.int32(training["step"]), training.get("params", kept), optimizer, average), Plateau(**fields)


def _last_metrics(workdir: Path) -> dict:
    """The last validation line; a finished run started again has nothing to compute."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    values = [line for line in lines if line["split"] == "val"]
    return {k: v for k, v in values[-1].items() if k not in ("step", "epoch", "split")} if values else {}


def _show(metrics: Mapping) -> str:
    return ", ".join(f"{k} {v:.4g}" for k, v in metrics.items() if isinstance(v, (int, float)))


def _size(params: dict) -> int:
    return sum(x.size for x in jax.tree.leaves(params))


def _say_start(config: Any, state: TrainState, epoch_steps: int, accumulation: int) -> None:
    devices = jax.devices()
    log.info(
        "%d %s device(s), %s parameters, %d epochs of %d steps, effective batch %d = %d x %d device(s) x %d accumulated",
        len(devices), devices[0].platform, f"{_size(state.params):,}", config.num_epochs, epoch_steps,
        config.batch_size, config.micro_batch_size, len(devices), accumulation,
    )  # fmt: skip

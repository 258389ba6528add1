"""The project's own checkpoints: parameters and a JSON record of what they are, with Orbax (all of its calls are here).

A *checkpoint folder* holds the items `params` (the parameter tree), `record` (JSON: task, model fields, config, metrics,
version) and, inside a run, `training` (optimiser state and counters). A *workdir* keeps validated ones as
`workdir/checkpoints/<step>/`, and the position inside an epoch, from which a run that was stopped goes on, as
`workdir/resume/<step>/`.
"""

import asyncio
import contextlib
import dataclasses
import logging
import math
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax.traverse_util import unflatten_dict
from jaxtyping import PyTree
from orbax.checkpoint.checkpoint_managers import AnyPreservationPolicy, BestN, LatestN

from glacierjax.checkpoints.hub import download
from glacierjax.checkpoints.safetensors_file import NAME_SEPARATOR, WEIGHTS, read_safetensors
from glacierjax.core.choices import BEST, LAST
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import is_hub_name, user_path
from glacierjax.core.json_values import read_json
from glacierjax.core.version import version

CHECKPOINTS = "checkpoints"  # folders inside a workdir
RESUME = "resume"
LONGEST_REASON = 200  # characters; TensorStore appends whole specifications
WORST = 1e30  # stands for "no value" in a ranking: NaN would corrupt it, infinity is no JSON


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """`params`: tree of numpy arrays; `record`: what they are; `path`: the folder read."""

    params: dict
    record: dict
    path: Path


def _host(tree: PyTree) -> PyTree:
    """Numpy leaves, so that a checkpoint does not depend on the devices it was made on."""
    return jax.tree.map(np.asarray, jax.device_get(tree))


def _items(params: dict, record: dict, training: dict | None) -> ocp.args.Composite:
    items: dict[str, Any] = {
        "params": ocp.args.StandardSave(_host(params)),
        "record": ocp.args.JsonSave({**record, "version": version()}),
    }
    if training is not None:
        items["training"] = ocp.args.StandardSave(_host(training))
    return ocp.args.Composite(**items)


def save_checkpoint(path: str | Path, params: dict, record: dict) -> None:
    """Writes one checkpoint folder atomically. Raises `InputError` when `path` exists already."""
    path = user_path(path).absolute()
    if path.exists():
        raise InputError(f"{path}: exists already; choose a new folder or remove it")
    try:
        with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
            checkpointer.save(path, args=_items(params, record, None))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error


def ranking_value(value: float | None, larger_is_better: bool) -> float:
    """A metric as a finite number to rank by; a missing one ranks last."""
    if value is None or not math.isfinite(value):
        return -WORST if larger_is_better else WORST
    return float(value)


class Keeper:
    """The checkpoints in a folder of a run: the last one and the best one by each of `metrics` (keys of `BEST`)."""

    def __init__(self, workdir: str | Path, metrics: tuple[str, ...], folder: str = CHECKPOINTS):
        self.metrics = metrics
        ranking: dict[str, Any] = {}
        if metrics:
            metric, larger_is_better = BEST[metrics[0]]
            ranking = {
                "best_fn": _value_of(metric, larger_is_better),
                "best_mode": "max" if larger_is_better else "min",
            }
        path = (user_path(workdir) / folder).absolute()
        try:
            _remove_unfinished(path)
            _check_metrics(path)
            self._manager = ocp.CheckpointManager(
                path,
                item_names=("params", "record", "training"),
                options=ocp.CheckpointManagerOptions(
                    preservation_policy=AnyPreservationPolicy([LatestN(1), *(_best_policy(*BEST[m]) for m in metrics)]),
                    **ranking,
                ),
            )
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another `workdir`") from error

    def save(self, step: int, params: dict, record: dict, training: dict) -> None:
        """Saves one step atomically; `record["metrics"]` ranks it.

        Raises `InputError` when the disk is full or read-only; earlier checkpoints are kept.
        """
        ranks = {
            BEST[name][0]: ranking_value(record["metrics"].get(BEST[name][0]), BEST[name][1]) for name in self.metrics
        }
        try:
            with _without_tracebacks():
                saved = self._manager.save(step, args=_items(params, record, training), metrics=ranks or None)
                self._manager.wait_until_finished()
        except (OSError, ValueError, RuntimeError) as error:  # TensorStore reports a full disk as a ValueError
            reason = textwrap.shorten(str(error), LONGEST_REASON)
            raise InputError(
                f"{self._manager.directory}: the checkpoint of step {step} cannot be written ({reason}); free space on the disk, "
                "then start the run again: it goes on from the checkpoint before"
            ) from error
        if not saved:
            raise InputError(
                f"{self._manager.directory}: step {step} is not newer than the saved ones; use a new workdir"
            )

    def latest_step(self) -> int | None:
        return self._manager.latest_step()

    def restore(self, step: int, params: dict, training: dict) -> tuple[dict, dict, dict]:
        """(params, training, record) of a step, with the names of the given trees (arrays, or only their shapes).

        Raises `InputError` when the checkpoint is damaged or of another network.
        """
        try:
            with _all_reads_ended():
                restored: Any = self._manager.restore(
                    step,
                    args=ocp.args.Composite(
                        params=ocp.args.StandardRestore(_host_like(params)),
                        training=ocp.args.StandardRestore(_host_like(training)),
                        record=ocp.args.JsonRestore(),
                    ),
                )
        except (OSError, ValueError, KeyError) as error:
            folder = Path(str(self._manager.directory)) / str(step)
            reason = textwrap.shorten(str(error), LONGEST_REASON)
            raise InputError(
                f"{folder}: the run cannot go on from it ({reason}); remove this folder to go on from the one before"
            ) from error
        return restored.params, restored.training, restored.record

    def clear(self) -> None:
        """Removes all checkpoints."""
        for step in self._manager.all_steps():
            self._manager.delete(step)

    def close(self) -> None:
        self._manager.close()


def _remove_unfinished(folder: Path) -> None:
    """Removes what a killed run had begun to write.

    The manager's own clean-up runs in a thread that nobody waits for: a traceback where the process ends early.
    """
    if folder.is_dir() and jax.process_index() == 0:
        for path in folder.iterdir():
            if ocp.utils.is_tmp_checkpoint(path):
                shutil.rmtree(path)


def _check_metrics(folder: Path) -> None:
    """Raises `InputError` for a step whose metrics are damaged: the manager, which reads those of all steps, names no file."""
    for file in folder.glob("[0-9]*/metrics/metrics"):
        try:
            read_json(file)
        except ValueError as error:
            raise InputError(
                f"{file}: damaged ({error}); remove the folder {file.parents[1]} to go on without this checkpoint"
            ) from error


class _PatientLoop(asyncio.SelectorEventLoop):
    """An event loop that ends what it has begun before it closes."""

    def close(self) -> None:
        if not self.is_closed():
            self.run_until_complete(self._end_all())
        super().close()

    async def _end_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


class _PatientLoops(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return _PatientLoop()


@contextlib.contextmanager
def _all_reads_ended() -> Iterator[None]:
    """Lets Orbax wait for all of its reads.

    It reads all arrays at once in an event loop of its own, and closes that at the first damaged one. TensorStore then tells the
    closed loop of each of the others, and each time Python prints a traceback.
    """
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(_PatientLoops())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)


@contextlib.contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Orbax logs the traceback of every thread that meets a full disk; the error itself is enough."""
    logger = logging.getLogger("absl")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def _value_of(metric: str, larger_is_better: bool):
    def value(metrics: dict) -> float:
        return ranking_value(metrics.get(metric), larger_is_better)

    return value


def _best_policy(metric: str, larger_is_better: bool) -> BestN:
    return BestN(get_metric_fn=_value_of(metric, larger_is_better), n=1, reverse=not larger_is_better)


def _host_like(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda x: np.empty(x.shape, x.dtype), tree)


def load_checkpoint(path: str | Path, which: str = "best_iou") -> Checkpoint:
    """Reads a checkpoint folder, or of a workdir (or its `checkpoints`) the one named by `which` ("last" or a key of `BEST`).

    `path` may be a name on the hub (`glacierjax.checkpoints.hub`) or a folder of `glacierjax.checkpoints.exported`.

    Raises `InputError` when there is no such checkpoint.
    """
    folder = find_checkpoint(path, which)
    if (folder / WEIGHTS).is_file():
        return _read_exported(folder)
    restored = _restore(folder, params=ocp.args.StandardRestore(), record=ocp.args.JsonRestore())
    return Checkpoint(restored.params, _checked(restored.record, folder), folder)


def _read_exported(folder: Path) -> Checkpoint:
    """The checkpoint in a folder that `glacierjax.checkpoints.exported` wrote."""
    tensors, record = read_safetensors(folder / WEIGHTS)
    if record is None:
        raise InputError(
            f"{folder / WEIGHTS}: no record in it; glacierjax export writes one, glacierjax convert reads others"
        )
    branches = {branch for name in tensors for branch in _branches(name)}
    if twice := sorted(branches & tensors.keys()):
        raise InputError(
            f"{folder / WEIGHTS}: {twice[0]} is a tensor and a group of tensors; download or copy it again"
        )
    return Checkpoint(unflatten_dict(tensors, sep=NAME_SEPARATOR), _checked(record, folder), folder)


def _branches(name: str) -> list[str]:
    """The groups that contain a tensor: a and a/b contain a/b/c."""
    parts = name.split(NAME_SEPARATOR)
    return [NAME_SEPARATOR.join(parts[:count]) for count in range(1, len(parts))]


def _checked(record: object, folder: Path) -> dict:
    """The record, if it is one: fields, among them a task."""
    if not isinstance(record, dict) or not isinstance(record.get("task"), str):
        raise InputError(f"{folder}: its record is damaged (no task in it); copy it again or choose another one")
    return record


def _metrics(step: Path) -> dict[str, float]:
    """The metrics of a checkpoint folder that are numbers."""
    metrics = read_record(step).get("metrics")
    if not isinstance(metrics, dict):
        return {}
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def _restore(folder: Path, **items: Any) -> Any:
    """The named items of a checkpoint folder; raises `InputError` when they are missing or damaged."""
    try:
        with _all_reads_ended(), ocp.Checkpointer(ocp.CompositeCheckpointHandler(*items)) as checkpointer:
            return checkpointer.restore(folder.absolute(), args=ocp.args.Composite(**items))
    except MemoryError:
        raise
    except Exception as error:  # what Orbax raises for damaged files is of any type
        reason = textwrap.shorten(str(error), LONGEST_REASON)
        what = f"not a readable glacierjax checkpoint ({reason})"
        raise InputError(f"{folder}: {what}; copy it again or choose another one") from error


def find_checkpoint(path: str | Path, which: str) -> Path:
    """The checkpoint folder that `path` and `which` mean; see `load_checkpoint`."""
    path = download(path) if is_hub_name(path) else user_path(path)
    if ((path / "params").is_dir() and (path / "record").is_dir()) or (path / WEIGHTS).is_file():
        return path
    root = path / CHECKPOINTS if (path / CHECKPOINTS).is_dir() else path
    steps = sorted((d for d in root.iterdir() if d.name.isdigit()), key=lambda d: int(d.name)) if root.is_dir() else []
    if not steps:
        raise InputError(
            f"{path}: no checkpoint there; expected a workdir of glacierjax.train or a converted checkpoint"
        )
    if which == LAST:
        return steps[-1]
    if which not in BEST:
        raise ArgumentError("which", which, f"choose one of {', '.join([LAST, *BEST])}")
    records = {step: _metrics(step) for step in steps}
    metric, larger_is_better = BEST[which]
    if which == "best_iou" and not any(record.get(metric) is not None for record in records.values()):
        # The default also serves runs that are ranked otherwise: pretraining has a loss and no zones.
        metric, larger_is_better = BEST["best_loss"]
        if not any(record.get(metric) is not None for record in records.values()):
            return steps[-1]
    ranked = {step: record.get(metric) for step, record in records.items()}
    if all(value is None for value in ranked.values()):
        raise ArgumentError("which", which, f"no checkpoint of {path} has the metric {metric}")
    sign = 1 if larger_is_better else -1
    # Of equals the latest, as the run itself keeps it.
    return max(reversed(steps), key=lambda step: sign * ranking_value(ranked[step], larger_is_better))


def read_record(folder: Path) -> dict:
    """The JSON record of a checkpoint folder; raises `InputError` when it is missing or damaged."""
    return _checked(_restore(folder, record=ocp.args.JsonRestore()).record, folder)

"""The state of a run on disk: everything that is needed to resume with the same numbers."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import flax.serialization
import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints.native import RESUME, Keeper
from glacierjax.training.optim import Plateau
from glacierjax.training.step import TrainState


class Window:
    """The metrics of the steps since the last line of the log; they stay on the device until `columns` is called."""

    def __init__(self, fetch: Callable[[dict], dict], columns: Mapping[str, list[float | None]] | None = None):
        self._fetch = fetch
        self._columns = {k: [math.nan if v is None else v for v in column] for k, column in (columns or {}).items()}
        self._on_device: list[dict] = []

    def add(self, values: dict) -> None:
        self._on_device.append(values)

    def columns(self) -> dict[str, list[float]]:
        """The values of each metric, step by step."""
        for values in self._on_device:
            for name, value in self._fetch(values).items():
                self._columns.setdefault(name, []).append(float(value))
        self._on_device = []
        return self._columns

    def clear(self) -> None:
        self._columns, self._on_device = {}, []


@dataclasses.dataclass
class EarlyStop:
    """Stops a run when the validation no longer gets better.

    Counts epochs since the lowest loss or error; `over` is true once the count reaches `epochs` (0: never).
    """

    epochs: int
    best: float = math.inf
    bad_epochs: int = 0

    @property
    def over(self) -> bool:
        return 0 < self.epochs <= self.bad_epochs

    def update(self, loss: float) -> None:
        if loss < self.best:
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1


@dataclasses.dataclass
class Progress:
    """The state of a training on the host, without the metrics since the last line of the log.

    `skipped`: number of steps with a loss or gradient that was not finite; `validated`: whether the last finished epoch was
    validated.
    """

    plateau: Plateau
    early_stop: EarlyStop
    skipped: int = 0
    validated: bool = True


class Saves:
    """Validated checkpoints (`workdir/checkpoints`: the best and the last) and the position since then (`workdir/resume`)."""

    def __init__(self, workdir: Path, rank_by: tuple[str, ...]):
        self._validated = Keeper(workdir, rank_by)
        self._position = Keeper(workdir, (), RESUME)

    def latest_step(self) -> int | None:
        return max((step for step in self._steps() if step is not None), default=None)

    def save_validated(
        self, step: int, state: TrainState, progress: Progress, record: dict, metrics: Mapping[str, float | None]
    ) -> None:
        """Saves the end of an epoch with its validation metrics."""
        record = {**record, "step": step, "metrics": dict(metrics)}
        self._validated.save(step, state.kept, record, _training_tree(state, progress))
        self._position.clear()

    def save_position(self, step: int, state: TrainState, progress: Progress, record: dict, window: Window) -> None:
        """Saves the state between two validations."""
        columns = {k: [v if math.isfinite(v) else None for v in column] for k, column in window.columns().items()}
        record = {**record, "step": step, "metrics": {}, "validated": progress.validated, "window": columns}
        self._position.save(step, state.kept, record, _training_tree(state, progress))

    def restore(
        self, like: TrainState, progress: Progress, fetch: Callable[[dict], dict]
    ) -> tuple[TrainState, Progress, Window]:
        """The latest saved state. `like` gives its shapes; `progress` and `fetch` are those of a fresh run."""
        validated, position = self._steps()
        keeper = self._validated if (validated or 0) >= (position or 0) else self._position
        step = keeper.latest_step()
        assert step is not None  # callers check `latest_step` first
        kept, training, record = keeper.restore(step, like.kept, _training_tree(like, progress))
        state = TrainState(
            jnp.int32(training["step"]),
            training.get("params", kept),
            flax.serialization.from_state_dict(like.optimizer, training["optimizer"]),
            None if like.average is None else kept,
        )
        restored = Progress(
            Plateau(**_typed(progress.plateau, training["plateau"])),
            EarlyStop(**_typed(progress.early_stop, training["early_stop"])),
            int(training["skipped"]),
            record.get("validated", True),
        )
        return state, restored, Window(fetch, record.get("window"))

    def close(self) -> None:
        self._validated.close()
        self._position.close()

    def _steps(self) -> tuple[int | None, int | None]:
        return self._validated.latest_step(), self._position.latest_step()


def _training_tree(state: TrainState, progress: Progress) -> dict:
    tree = {
        "step": state.step,
        "optimizer": flax.serialization.to_state_dict(state.optimizer),
        "plateau": {k: np.float64(v) for k, v in dataclasses.asdict(progress.plateau).items()},
        "early_stop": {k: np.float64(v) for k, v in dataclasses.asdict(progress.early_stop).items()},
        "skipped": np.int64(progress.skipped),
    }
    # With a running average, the checkpoint holds the average as its `params`, and the parameters are part of this tree.
    return tree if state.average is None else {**tree, "params": state.params}


def _typed(like: Plateau | EarlyStop, values: Mapping[str, SupportsFloat]) -> dict[str, Any]:
    """The values, converted to the types of the fields of `like`."""
    return {k: type(getattr(like, k))(v) for k, v in values.items()}

"""Trains any task in a workdir: checks the settings, then starts or resumes the run."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from glacierjax.core.errors import InputError
from glacierjax.core.settings import FineTuning, Pretraining
from glacierjax.recipes.finetune import finetune
from glacierjax.recipes.initial_weights import check_initial_weights
from glacierjax.recipes.pretrain import pretrain
from glacierjax.recipes.workdir import claimed, is_trained, write_or_check_config
from glacierjax.training import processes
from glacierjax.training.loop import Summary
from glacierjax.training.parallel import accumulation_steps, micro_batch
from glacierjax.training.stop import Stopped

S = TypeVar("S", bound=FineTuning | Pretraining)


def train_in_workdir(settings: FineTuning | Pretraining, workdir: Path) -> None:
    """Trains for the configured number of epochs, from the start or from the last saved state of the workdir.

    Everything that can be wrong with the settings is found before data are read or anything is written. Raises
    `InputError`; leaves with the exit code of `Stopped` when a signal ended the run, which is saved then.
    """
    if not settings.data.dir:
        raise InputError("`config.data.dir`: missing; name the folder that `glacierjax build --data_dir` wrote")

    def run(sized: FineTuning | Pretraining) -> Summary:
        return pretrain(sized, workdir) if isinstance(sized, Pretraining) else finetune(sized, workdir)

    run_in_workdir(settings, workdir, run)


def run_in_workdir(settings: S, workdir: Path, run: Callable[[S], object]) -> None:
    """Calls `run` with the settings and the size of their micro-batches, after the checks that `train_in_workdir` promises."""
    if not is_trained(workdir):  # a resumed run no longer needs the initial weights
        check_initial_weights(settings)
    sized = dataclasses.replace(settings, micro_batch_size=micro_batch(settings.batch_size, settings.micro_batch_size))
    accumulation_steps(sized.batch_size, sized.micro_batch_size)
    try:
        with claimed(workdir) if processes.is_first() else contextlib.nullcontext():
            # With the size of the micro-batches, which follows the number of devices: the loss depends on it.
            write_or_check_config(sized, workdir, processes.is_first())
            run(sized)
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except InputError as error:
        if processes.are_several():
            processes.exit_at_once(error)
        raise

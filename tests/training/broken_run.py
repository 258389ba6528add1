"""A training with a disk fault, in a separate process, because Orbax and TensorStore leave threads that end later.

Arguments: workdir, settings of `line_fit.config` as JSON, and the fault: "disk" (no room for parameters from the fifth step
on), "log" (no room for a further line of the log) or "none". Ends like a command: exit code 2 and one line for `InputError`.
"""

import json
import resource
import sys
from pathlib import Path

from line_fit import BALLAST, config, experiment

from glacierjax.core.errors import InputError
from glacierjax.training.logs import METRICS
from glacierjax.training.loop import train

STEP = 4


def main(workdir: Path, settings: dict, fault: str) -> int:
    def before_step(step: int) -> None:
        if step == STEP and fault != "none":
            most = BALLAST if fault == "disk" else (workdir / METRICS).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    try:
        train(config(**settings), workdir, experiment(before_step=before_step))
    except InputError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]))

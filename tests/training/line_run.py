"""Fits the line of `line_fit.py` in this process or as one of two (test_processes.py).

Arguments: workdir, way (`parallel.BACKENDS`), devices of this process, epochs; then of one of several: PORT, its number.
"""

import os
import sys
from pathlib import Path

import jax
from line_fit import config, experiment

from glacierjax.training import processes
from glacierjax.training.loop import train
from glacierjax.training.stop import Stopped


def main(workdir: str, way: str, devices: str, epochs: str, port: str = "", number: str = "") -> None:
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", int(devices))
    if port:
        processes.connect(f"127.0.0.1:{port}", 2, int(number))
    read = experiment(before_step=lambda step: print(f"step {step}", flush=True))
    try:
        train(config(parallel=way, num_epochs=int(epochs), checkpoint_every=2), Path(workdir), read)
    except Stopped:
        print("stopped", flush=True)
    # Each step's points are cut in `line_fit` by the number of the process; who logs shows in the folder's only log.
    print(f"processes {jax.process_count()} devices {jax.device_count()} pid {os.getpid()}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Trains a network: pretraining without labels, or fine-tuning with them.

  python -m glacierjax.train --config=configs/pretrain_opttranslator.py --config.data.dir=DATA --workdir=PRETRAINED
  python -m glacierjax.train --config=configs/finetune_caffe.py --config.data.dir=DATA --workdir=RUN
  python -m glacierjax.train --workdir=RUN                 (resumes a run that was stopped)

Every field of the configuration can be set: --config.optimizer.learning_rate=0.003 --config.batch_size=32
The workdir gets config.json, metrics.jsonl, TensorBoard events, checkpoints/ and at the end summary.json. SIGTERM
and Ctrl-C save the run and end it with exit code 143 or 130. Run the command again to resume; the result is the same as
without the interruption.

On several machines start the same command on each. With Slurm, Open MPI or TPU pods the processes find each other; elsewhere
  --coordinator_address=HOST:PORT --num_processes=2 --process_id=0     (on the other one --process_id=1)
"""

import sys

from absl import flags
from ml_collections import config_flags

from glacierjax.core import cli
from glacierjax.core.files import user_path
from glacierjax.recipes import configs

CONFIG = config_flags.DEFINE_config_file(
    "config", None, "Configuration file, e.g. configs/finetune_caffe.py; --help then lists its fields too."
)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run. All processes must use the same one.", required=True)
COORDINATOR = flags.DEFINE_string("coordinator_address", None, "HOST:PORT of the first of several processes.")
PROCESSES = flags.DEFINE_integer("num_processes", None, "Number of processes that train together.", lower_bound=1)
PROCESS = flags.DEFINE_integer("process_id", None, "Number of this process, from 0.", lower_bound=0)


def main() -> None:
    workdir = user_path(WORKDIR.value)
    settings = configs.settings_of(CONFIG.value) if CONFIG.value is not None else None
    # Imported here: --help and wrong flags must not wait for JAX.
    from glacierjax.recipes.train import train_in_workdir
    from glacierjax.recipes.workdir import read_settings
    from glacierjax.training import processes

    settings = settings or read_settings(workdir)
    processes.connect(COORDINATOR.value, PROCESSES.value, PROCESS.value)
    train_in_workdir(settings, workdir)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__, configs.checked_arguments, more_help=configs.fields_help))

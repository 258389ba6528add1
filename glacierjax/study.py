"""Runs a study of pretraining: simulated archives, pretraining, fine-tuning over seeds, scores, and their comparison.

  python -m glacierjax.study --config=configs/study_pretraining.py --output=STUDY
  python -m glacierjax.study --config=configs/study_pretraining.py --output=STUDY --real=DATA_RAW --jobs=2

Every step is another command of glacierjax, which is printed; what is done already is not done again. With --jobs so many
trainings run at once, each on its share of the processor's cores; leave it at 1 where there is a GPU or TPU. Ends with
STUDY/study.md, a picture for each data set, and STUDY/compare/ with the tests over seeds.
"""

import sys
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import config_flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.recipes import configs

CONFIG = config_flags.DEFINE_config_file("config", None, "Study, e.g. configs/study_pretraining.py.")
OUTPUT = flags.DEFINE_string("output", "", "Folder for everything that the study makes.")
REAL = flags.DEFINE_string("real", "", "A data_raw folder of real imagery to fine-tune on as well.")
JOBS = flags.DEFINE_integer("jobs", 1, "Commands that run at once.", lower_bound=1)


def main() -> None:
    if CONFIG.value is None:
        raise InputError("--config: missing; e.g. --config=configs/study_pretraining.py")
    if not OUTPUT.value:
        raise InputError("--output: missing; name a folder for the study")
    from glacierjax.recipes.study import run_study

    study: Any = CONFIG.value
    real = Path(REAL.value).absolute() if REAL.value else None
    run_study(study, Path(OUTPUT.value).absolute(), real, JOBS.value)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__, configs.resolved))

"""Writes simulated archives: CaFFe (SAR scenes with labels) and SSL4SAR (SAR scenes without, and optical images).

The scenes are invented; names, folders and file formats are those of the published archives:
DIR/data_raw/{sar_images,zones,fronts}/{train,test}/ and DIR/data_raw/bounding_boxes/;
DIR/ssl4sar/{unlabeled_data_raw_train,unlabeled_data_raw_val,data_optical}/. Labels are true by construction. The same
flags give the same files.

Example:
  python -m glacierjax.simulate --output=demo --scenes=48 --ssl_scenes=36 --seed=0
  python -m glacierjax.simulate --output=series --dates=24 --ssl_scenes=0
"""

import logging
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from absl import flags

from glacierjax.core import cli
from glacierjax.simulate.archive import DEFAULT_SCENES, DEFAULT_SIZE_PX, KINDS, ArchiveOptions, write_archive
from glacierjax.simulate.ssl4sar import DEFAULT_SCENES as DEFAULT_SSL_SCENES
from glacierjax.simulate.ssl4sar import Ssl4SarOptions, write_ssl4sar

MAX_PROCESSES = 8  # each holds a scene and its landscape

log = logging.getLogger("glacierjax.simulate")

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the new folders data_raw and ssl4sar.", required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")
_SCENES = flags.DEFINE_integer("scenes", DEFAULT_SCENES, "Number of scenes; a quarter of them is the test split.")
_SSL_SCENES = flags.DEFINE_integer(
    "ssl_scenes", DEFAULT_SSL_SCENES, "Number of SAR scenes without labels; 0: no SSL4SAR archive."
)
_SIZE = flags.DEFINE_integer(
    "size", DEFAULT_SIZE_PX, "Longest side of a scene in pixels. Scenes of coarse sensors are smaller."
)

_DATES = flags.DEFINE_integer(
    "dates",
    0,
    "Above 0: series instead of single scenes, of each of the benchmark's glaciers at so many dates (24 are two years) on one "
    "grid. --scenes does not count then, and --size is of the coarsest sensor.",
)
_GLACIERS = flags.DEFINE_enum(
    "glaciers",
    next(iter(KINDS)),
    list(KINDS),
    "Of data_raw: those of the benchmark, or new ones that differ from them in width, flow lines, rock, sensor and winter's "
    "mélange, to try how a network is adapted; their test scenes are of the same glaciers as the training scenes, and rock/ and "
    "summer/ are there too.",
)


def main() -> None:
    options = ArchiveOptions(_SEED.value, _SCENES.value, _SIZE.value, _GLACIERS.value, _DATES.value)
    ssl_options = Ssl4SarOptions(_SEED.value, _SSL_SCENES.value, _SIZE.value)
    pool = ProcessPoolExecutor(min(MAX_PROCESSES, os.cpu_count() or 1))
    try:
        archives = {"data_raw": write_archive(_OUTPUT.value, options, pool.map)}
        if ssl_options.scenes:
            archives["ssl4sar"] = write_ssl4sar(_OUTPUT.value, ssl_options, pool.map)
    finally:  # after an error no further scene begins
        pool.shutdown(cancel_futures=True)
    for name, split_counts in archives.items():
        counts = ", ".join(f"{number} {split} scenes" for split, number in split_counts.items())
        log.info("%s/%s: %s", _OUTPUT.value, name, counts)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

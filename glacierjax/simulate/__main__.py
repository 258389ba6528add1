"""Writes a simulated CaFFe archive: SAR scenes of glaciers with zones, calving fronts and bounding boxes.

The scenes are made up, their files are exactly as published: DIR/data_raw/{sar_images,zones,fronts}/{train,test}/ and
DIR/data_raw/bounding_boxes/. Labels are true by construction. The same flags give the same files.

Example:
  python -m glacierjax.simulate --output=demo --scenes=48 --seed=0
"""

import logging
import sys

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.simulate.archive import DEFAULT_SCENES, DEFAULT_SIZE_PX, ArchiveOptions, write_archive

log = logging.getLogger("glacierjax.simulate")

_OUTPUT = flags.DEFINE_string("output", None, "Folder in which data_raw is made; it must not have one yet.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.")
_SCENES = flags.DEFINE_integer("scenes", DEFAULT_SCENES, "Number of scenes; a quarter of them is the test split.")
_SIZE = flags.DEFINE_integer("size", DEFAULT_SIZE_PX, "Longest side of a scene in pixels; coarse sensors give less.")


def main() -> None:
    if not _OUTPUT.value:
        raise InputError("--output is missing; give the folder to write to, e.g. --output=demo")
    counts = write_archive(_OUTPUT.value, ArchiveOptions(_SEED.value, _SCENES.value, _SIZE.value))
    log.info("%s/data_raw: %s", _OUTPUT.value, ", ".join(f"{n} {split} scenes" for split, n in counts.items()))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

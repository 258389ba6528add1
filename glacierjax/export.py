"""Writes a network as a folder to hand on: weights, record, calibration and a card; or as a StableHLO program.

  python -m glacierjax.export --checkpoint=RUN --output=DIR
  python -m glacierjax.export --checkpoint=RUN --output=DIR --to=stablehlo        (for other programs; see docs/howto/share.md)

`glacierjax.load("DIR")` and --checkpoint=DIR take the folder as they take RUN. It holds no path of this machine, and
nothing in it runs when it is read.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import choices, cli
from glacierjax.core.errors import ArgumentError

_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Training folder or checkpoint of a network.", required=True)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder; a new one, or for a program any that holds none yet.", required=True
)
_WHICH = flags.DEFINE_enum("which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder.")
_TO = flags.DEFINE_enum("to", choices.SAFETENSORS, choices.EXPORTS, "Weights, or a program with its weights.")
_SIDE = flags.DEFINE_integer("side_px", None, "With --to=stablehlo: side of its images. Default: as in the training.")


def main() -> None:
    # Imported here: --help must not wait for JAX.
    from glacierjax.checkpoints.exported import write_export
    from glacierjax.checkpoints.native import load_checkpoint
    from glacierjax.checkpoints.stablehlo import PROGRAM, write_stablehlo

    if _SIDE.value is not None and _TO.value != choices.STABLEHLO:
        raise ArgumentError("side_px", _SIDE.value, "only a program has images of one side; give `to`=stablehlo too")
    checkpoint, output = load_checkpoint(_CHECKPOINT.value, _WHICH.value), Path(_OUTPUT.value)
    if _TO.value == choices.STABLEHLO:
        print(write_stablehlo(checkpoint, output / PROGRAM, _SIDE.value))
    else:
        print("\n".join(write_export(checkpoint, output)))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

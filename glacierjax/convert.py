"""Converts PyTorch or safetensors weights to a glacierjax checkpoint, and back.

  python -m glacierjax.convert --input=swinv2_tiny_patch4_window16_256.pth --output=imagenet
  python -m glacierjax.convert --input=tyrion.ckpt --output=tyrion
  python -m glacierjax.convert --to=torch --input=WORKDIR --output=tyrion.pth                (for the official code)
  python -m glacierjax.convert --to=safetensors --input=WORKDIR --output=tyrion.safetensors  (for everybody else)

Reads Microsoft's Swin V2 files and the official Tyrion, OptSimMIM and OptTranslator checkpoints without PyTorch, and
runs nothing that they contain. Prints which tensors were imported, skipped or unknown.

A weights file does not contain pixel spacing, window size or number of groups. --to stores them in the file, and
converting back reads them. For files from elsewhere, convert prints the values it assumes; flags change them.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import choices, cli

_INPUT = flags.DEFINE_string(
    "input", None, "PyTorch or safetensors file; with --to a glacierjax checkpoint or workdir.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "New checkpoint folder; with --to=torch or safetensors the new file.", required=True
)
_MODEL = flags.DEFINE_string(
    "model",
    None,
    "tyrion, series_none, series_conv, series_gru, series_ltae, optsimmim, opttranslator or swin (encoder only). Default: by "
    "the names of its tensors.",
)
_TO = flags.DEFINE_enum("to", choices.FORMATS[0], choices.FORMATS, "What to write.")
_PRESET = flags.DEFINE_string("preset", None, "Preset of the network. Default: found from the shapes in the file.")
_SPACING = flags.DEFINE_float(
    "pixel_spacing_m",
    None,
    "Pixel spacing in metres to which scenes are averaged for the network; 0: no averaging. Default: as the file says.",
)
_CONTEXT = flags.DEFINE_integer("context_px", None, "Side of the network's input in pixels. Default: as the file says.")
_WINDOW = flags.DEFINE_integer("window_size", None, "Side of an attention window in tokens. Default: as the file says.")
_GROUPS = flags.DEFINE_integer("num_groups", None, "Groups of the decoder's norms. Default: as the file says.")
_WHICH = flags.DEFINE_enum(
    "which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder to write, with --to."
)


def main() -> None:
    # Imported here: --help must not wait for JAX.
    from glacierjax.checkpoints.conversion import Wanted, convert

    wanted = Wanted(_SPACING.value, _CONTEXT.value, _WINDOW.value, _GROUPS.value)
    source, output = Path(_INPUT.value), Path(_OUTPUT.value)
    print("\n".join(convert(source, output, _TO.value, _MODEL.value, _PRESET.value, _WHICH.value, wanted)))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

"""Uploads a network that `glacierjax export` wrote to the Hugging Face hub.

  python -m glacierjax.push --folder=DIR --name=hf://OWNER/NAME

Complete DIR/README.md first: what the training data were, and the licence. Needs the extra [hub] and a token (hf auth login,
or HF_TOKEN). Prints the name with its commit, which --checkpoint and `glacierjax.load` take.
"""

import sys

from absl import flags

from glacierjax.core import cli

_FOLDER = flags.DEFINE_string("folder", None, "Folder that glacierjax export wrote.", required=True)
_NAME = flags.DEFINE_string("name", None, "hf://OWNER/NAME; a new repository or one of yours.", required=True)
_PRIVATE = flags.DEFINE_bool("private", False, "A new repository is private.")


def main() -> None:
    # Imported here: --help must not wait for JAX.
    from glacierjax.checkpoints.exported import push

    print(push(_FOLDER.value, _NAME.value, _PRIVATE.value))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

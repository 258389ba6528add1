"""Adapts a trained network to a new glacier with a few labelled scenes, and reports the error before and after.

  python -m glacierjax.adapt --checkpoint=RUN --data=DATA_RAW --output=RUN2
  python -m glacierjax.adapt --checkpoint=RUN --data=DATA_RAW --glacier=KAN --scenes=5 --output=RUN2    (5 labels)
  python -m glacierjax.adapt --checkpoint=RUN --data=DATA_RAW --replay=OLD_DATA --output=RUN2    (remembers the old glaciers)

DATA_RAW is a folder in CaFFe's layout, such as `glacierjax label` writes; pixels that are not labelled count nowhere.
Cross-validation trains without each label in turn (of more than --folds, without a part of them), scores that label, and
chooses the number of epochs. The last training takes all labels. RUN2 is a training folder like any other, for predict,
evaluate and adapt. RUN2/adaptation.md has the errors before and after, and says if RUN2 is not better than RUN. If the
command was stopped, start it again: it goes on where it was and computes the same numbers.
"""

import sys

from absl import flags

from glacierjax.core import choices, cli
from glacierjax.core.files import user_path
from glacierjax.recipes.adaptation import AdaptOptions

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Training folder or checkpoint of the network to adapt.", required=True
)
WHICH = flags.DEFINE_enum("which", AdaptOptions.which, choices.WHICH, "Which checkpoint of a training folder.")
DATA = flags.DEFINE_string(
    "data", None, "Labelled scenes in CaFFe's layout data_raw (folder or zip file).", required=True
)
SPLIT = flags.DEFINE_string("split", AdaptOptions.split, "Split of --data whose labels are used.")
GLACIER = flags.DEFINE_string("glacier", "", "Only the scenes of this glacier.")
SCENES = flags.DEFINE_integer(
    "scenes", AdaptOptions.scenes, "Only so many labelled scenes, evenly spread over time; 0: all."
)
OUTPUT = flags.DEFINE_string("output", None, "Folder of the adapted network.", required=True)
CHANNELS = flags.DEFINE_list(
    "channels",
    [],
    "What the three input channels show: grey,rock,grey or grey,grey,summer or grey,rock,summer, where the labels have it. "
    "Default: as for the checkpoint; with --rock the second one is rock.",
)
ROCK = flags.DEFINE_string(
    "rock",
    "",
    "Rock that never moves, as an input channel: polygons (vector file) or a mask (raster), for labels of `label`.",
)
TRAINED = flags.DEFINE_enum("trained", AdaptOptions.trained, choices.TRAINED, "Which parameters change.")
RATE = flags.DEFINE_float(
    "learning_rate", AdaptOptions.learning_rate, "Learning rate. Default: that of the checkpoint's training."
)
EPOCHS = flags.DEFINE_integer(
    "epochs", AdaptOptions.epochs, "Epochs of 20 steps at most; cross-validation chooses how many."
)
FOLDS = flags.DEFINE_integer(
    "folds", AdaptOptions.folds, "Parts of the labels in cross-validation, at most; 0: no cross-validation."
)
REPLAY = flags.DEFINE_string("replay", "", "Prepared data of the old glaciers, to keep and to score.")
REPLAY_SHARE = flags.DEFINE_float(
    "replay_share",
    AdaptOptions.replay_share,
    "Share of the training samples that --replay gives; 0: it is only scored.",
)
SEED = flags.DEFINE_integer("seed", AdaptOptions.seed, "Seed of all random numbers.")


def main() -> None:
    # Imported here: --help and wrong flags must not wait for JAX.
    from glacierjax.recipes.adapt import adapt

    options = AdaptOptions(
        checkpoint=CHECKPOINT.value,
        data=DATA.value,
        which=WHICH.value,
        split=SPLIT.value,
        glacier=GLACIER.value,
        scenes=SCENES.value,
        channels=tuple(CHANNELS.value),
        rock=ROCK.value,
        trained=TRAINED.value,
        learning_rate=RATE.value,
        epochs=EPOCHS.value,
        folds=FOLDS.value,
        replay=REPLAY.value,
        replay_share=REPLAY_SHARE.value,
        seed=SEED.value,
    )
    adapt(user_path(OUTPUT.value), options)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

"""What the study of series runs: archive, variants, seeds, and what a training changes against `configs/demo_series.py`."""

import dataclasses
from collections.abc import Mapping

CONFIG = "configs/demo_series.py"
SAMPLES = 700  # series of eight frames that a training sees
Fields = tuple[str, ...]  # "field=value", as after --config.
# Every arm starts from one whole network of single images, so that few steps are enough. Crops are about as large as a scene:
# crops of 64 px, tried first, show too little ground to tell a fjord from the sea.
SHORT: Fields = (
    "num_epochs=1",
    "init.head=True",
    f"data.samples_per_epoch={SAMPLES}",
    "data.pixel_spacing_m=60",
    "data.context_px=96",
    "model.narrow_decoder=False",
    "optimizer.learning_rate=2e-3",
)


@dataclasses.dataclass(frozen=True)
class Study:
    """`arms`: what the frames exchange; `simulate`: flags of the archive, which is not the one of the start's training."""

    arms: tuple[str, ...] = ("none", "conv", "ltae", "gru")
    seeds: tuple[int, ...] = (1, 2, 3)
    simulate: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"seed": 1, "dates": 24, "ssl_scenes": 0})
    fields: Fields = SHORT
    # Of so few validation scenes the best checkpoint is chance: the last one is scored. Crops hold a whole scene, so scenes are
    # predicted in one piece; on the validation glacier that is better than tiles.
    evaluation: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"which": "last", "mode": "whole"})

"""What the study of series runs: archives, variants, seeds, and what a training changes against `configs/demo_series.py`."""

import dataclasses
from collections.abc import Mapping

from glacierjax.core.choices import TEMPORAL

CONFIG = "configs/demo_series.py"
SAMPLES = 600  # series of eight frames that a training sees
# Scenes are averaged further than in the demo, so that one core trains all runs in the time there is.
SHORT = (
    "num_epochs=1",
    f"data.samples_per_epoch={SAMPLES}",
    "data.pixel_spacing_m=60",
    "data.context_px=64",
)
Fields = tuple[str, ...]  # "field=value", as after --config.


@dataclasses.dataclass(frozen=True)
class Study:
    """Arms are (name, what it changes); `simulate`: flags of the archive."""

    simulate: Mapping[str, int]
    arms: tuple[tuple[str, Fields], ...]
    seeds: tuple[int, ...]
    fields: Fields = SHORT
    # Of so few validation scenes the best checkpoint is chance: the last one is scored.
    evaluation: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"which": "last", "mode": "tiled"})


VARIANTS = tuple((kind, (f"model.temporal={kind}",)) for kind in TEMPORAL)
# Does time help? Every arm sees the same scenes, in the same crops and order. The archive is not the one that the demo's
# settings were chosen on.
STUDIES = {"time": Study({"seed": 1, "dates": 24, "ssl_scenes": 0}, VARIANTS, (1, 2, 3))}

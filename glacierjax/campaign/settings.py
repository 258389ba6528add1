"""Settings of a campaign: how its scenes are predicted, for all glaciers and for one of them."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

from glacierjax.campaign.glaciers import Glacier
from glacierjax.core.channels import priors_of
from glacierjax.core.choices import SUMMER
from glacierjax.core.errors import ArgumentError
from glacierjax.core.json_values import Json, digest_of_json
from glacierjax.geo.areas import read_area
from glacierjax.geo.glacier_ids import LineOptions, read_outlines
from glacierjax.geo.scenes import ReadOptions
from glacierjax.geo.sources import Source
from glacierjax.prediction.ensemble import Predictor, open_predictor
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.priors import open_priors
from glacierjax.prediction.scene import interest_for
from glacierjax.prediction.series_folder import batch_for

GLACIERS = "glaciers"  # folder in an output, with a folder for each glacier as `predict` writes it
# Ensembles that a process holds at once; the tasks of one follow each other (`glacierjax.campaign.plan`).
KEPT_NETWORKS = 2


@dataclasses.dataclass(frozen=True)
class CampaignSettings:
    """`checkpoints`: for glaciers that name none; `vector`: formats of the lines beside GeoJSON; the others as of
    `glacierjax.load` and `ReadOptions`."""

    checkpoints: tuple[str, ...] = ()
    which: str = "best_iou"
    mode: str | None = None
    rotations: bool = False
    vector: tuple[str, ...] = ()
    author: str = "glacierjax"
    reading: ReadOptions = dataclasses.field(default_factory=ReadOptions)

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Json) -> "CampaignSettings":
        lists = {name: tuple(values[name]) for name in ("checkpoints", "vector")}
        return cls(**{**values, **lists, "reading": ReadOptions(**values["reading"])})

    def networks_of(self, glacier: Glacier) -> Predictor:
        """The networks of a glacier, loaded once for all that share them."""
        checkpoints = glacier.checkpoints or self.checkpoints
        if not checkpoints:
            raise ArgumentError("checkpoint", "", f"missing: glacier {glacier.id} names no networks of its own")
        return _load(checkpoints, self.which, self.mode, self.rotations)

    def batch(self, glacier: Glacier, area: Path, output: Path, sources: Sequence[Source]) -> Batch:
        """What predicts the scenes of a glacier, as `predict --aoi=AREA --glaciers=AREA` does.

        `area`: file of its area; `output` of the campaign; `sources`: all of its scenes, among which are summer scenes. Raises
        `InputError` for networks and files that cannot be used.
        """
        predictor = self.networks_of(glacier)
        box = read_area(glacier.box) if glacier.box else None
        interest = interest_for(predictor, read_area(area), box)
        summer = sources if SUMMER in priors_of(predictor.channels) else ()
        priors = open_priors(predictor, summer, glacier.rock, options=self.reading)
        lines = LineOptions(outlines=read_outlines(area), author=self.author)
        folder = output / GLACIERS / glacier.id
        return batch_for(predictor, folder, self.reading, box, self.vector, False, interest, priors, lines)


@functools.lru_cache(maxsize=KEPT_NETWORKS)
def _load(checkpoints: tuple[str, ...], which: str, mode: str | None, rotations: bool) -> Predictor:
    return open_predictor(checkpoints, which, mode, rotations)


def forget_networks() -> None:
    """The next networks are loaded from disk again."""
    _load.cache_clear()


def digest_of(batch: Batch) -> str:
    """Tells what a batch finds from what others find in the same scene: its settings and the parameters of its networks."""
    facts = {**batch.settings(), "checkpoints": list(batch.predictor.fingerprints)}
    return digest_of_json(facts)

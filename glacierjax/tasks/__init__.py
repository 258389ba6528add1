"""Training tasks: each has `init(rng, batch) -> params` and `loss(params, batch, rng, train) -> (loss, terms)`."""

from glacierjax.tasks.optsimmim import OptSimMIM, SimMIM
from glacierjax.tasks.opttranslator import OptTranslator
from glacierjax.tasks.segmentation import Segmentation
from glacierjax.tasks.series import SegmentationSeries

__all__ = ["OptSimMIM", "OptTranslator", "Segmentation", "SegmentationSeries", "SimMIM"]

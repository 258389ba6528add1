"""Training tasks: each has `init(rng, batch) -> params` and `loss(params, batch, rng, train) -> (loss, terms)`."""

from glacierjax.tasks.optsimmim import OptSimMIM, SimMIM
from glacierjax.tasks.opttranslator import OptTranslator
from glacierjax.tasks.segmentation import Segmentation

__all__ = ["OptSimMIM", "OptTranslator", "Segmentation", "SimMIM"]

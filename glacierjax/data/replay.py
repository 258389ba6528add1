"""Training samples of new and old scenes together, so that a network that is adapted to the new ones keeps the old ones."""

import dataclasses

from glacierjax.data.crops import CropSource
from glacierjax.data.samples import epoch_order


@dataclasses.dataclass(frozen=True)
class ReplaySource(CropSource):
    """The first `new` scenes are new, the others old, which are a `share` (0 to 1) of the samples of each epoch.

    New scenes come equally often in each epoch; old ones, of which there may be more than samples, in turn over the epochs.
    """

    new: int
    share: float

    def scene_of(self, number: int) -> int:
        """Scene of a global sample number."""
        samples = self.data.samples_per_epoch
        epoch, position = divmod(number, samples)
        place = int(epoch_order(self.seed, epoch, samples)[position])
        old_samples = round(self.share * samples)
        if place >= old_samples:
            return (place - old_samples) % self.new
        return self.new + (epoch * old_samples + place) % (len(self.scenes) - self.new)

"""Training samples of new and old scenes together, so that a network that is adapted to the new ones keeps the old ones."""

import dataclasses

from glacierjax.data.crops import CropSource
from glacierjax.data.samples import epoch_order, scene_in_turn


@dataclasses.dataclass(frozen=True)
class ReplaySource(CropSource):
    """The first `new` scenes are new, the others old, which are a `share` (0 to 1) of the samples of each epoch.

    Both come in turn, each scene as often as the others of its kind.
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
            return scene_in_turn(epoch, place - old_samples, samples - old_samples, self.new)
        return self.new + scene_in_turn(epoch, place, old_samples, len(self.scenes) - self.new)

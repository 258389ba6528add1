"""Training samples by number: the order in which scenes are shown, whatever is cut from them."""

import abc
import dataclasses
import functools
from collections.abc import Sequence, Sized
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Int, Shaped

from glacierjax.core.settings import DataSettings


@runtime_checkable
class NamedScenes(Sized, Protocol):
    """Scenes by number, and what they are called."""

    @property
    def names(self) -> Sequence[str]: ...


Sample = dict[str, Shaped[np.ndarray, "..."]]  # arrays by name
Scenes = TypeVar("Scenes", bound=NamedScenes)
Data = TypeVar("Data", bound=DataSettings)
Augment = TypeVar("Augment")


@functools.lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, samples: int) -> Int[np.ndarray, " {samples}"]:
    """The order in which an epoch's samples are visited."""
    return np.random.default_rng([seed, 0, epoch]).permutation(samples)


def scene_in_turn(epoch: int, place: int, samples: int, scenes: int) -> int:
    """Which of so many scenes an epoch's sample at `place` (0 to samples - 1) shows; an epoch goes on where the last ended."""
    return (epoch * samples + place) % scenes


@dataclasses.dataclass(frozen=True)
class SampleSource(abc.ABC, Generic[Scenes, Data, Augment]):
    """Samples by number, each a pure function of (seed, number), so that order, workers and resuming change nothing.

    Scenes come in turn (`scene_in_turn`, after shuffling), each equally often whatever its size.
    `first` and `local` say which part of every global batch this process reads.
    """

    scenes: Scenes
    data: Data
    augment: Augment
    seed: int
    batch_size: int
    first: int
    local: int
    steps: int

    @abc.abstractmethod
    def draw(self, scene: int, rng: np.random.Generator) -> Sample:
        """A random sample of a scene."""

    def __len__(self) -> int:
        return self.steps * self.local

    def __getitem__(self, index: int) -> Sample:
        number = self.sample_number(index)
        return self.draw(self.scene_of(number), np.random.default_rng([self.seed, 1, number]))

    def sample_number(self, index: int) -> int:
        """Global sample number of this process's index-th sample."""
        step, offset = divmod(int(index), self.local)
        return step * self.batch_size + self.first + offset

    def scene_of(self, number: int) -> int:
        """Scene of a global sample number."""
        samples = self.data.samples_per_epoch
        epoch, position = divmod(number, samples)
        return scene_in_turn(epoch, int(epoch_order(self.seed, epoch, samples)[position]), samples, len(self.scenes))

    def scenes_of_step(self, step: int) -> list[str]:
        """Names of the scenes that a step's batch shows, in all processes together."""
        numbers = range(step * self.batch_size, (step + 1) * self.batch_size)
        return sorted({self.scenes.names[self.scene_of(number)] for number in numbers})

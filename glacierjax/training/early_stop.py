"""Stops a run when the validation no longer gets better."""

import dataclasses
import math


@dataclasses.dataclass
class EarlyStop:
    """Counts epochs since the lowest loss or error; `over` is true once the count reaches `epochs` (0: never)."""

    epochs: int
    best: float = math.inf
    bad_epochs: int = 0

    @property
    def over(self) -> bool:
        return 0 < self.epochs <= self.bad_epochs

    def update(self, loss: float) -> None:
        if loss < self.best:
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1

"""Validation of an adaptation: scores of the labels that a fold holds out, or none."""

import statistics

from glacierjax.evaluation.score import aggregate
from glacierjax.recipes.adaptation import Costs, costs_of, errors_of
from glacierjax.recipes.validation import Validation, headline
from glacierjax.training.logs import Pictures
from glacierjax.training.loop import no_pictures


class HeldOut:
    """Scores of the labels that a fold's network has not seen: the usual averages, `NAME/mde_m` of each, and their mean cost.

    `largest_m`: what a missing front costs, by name.
    """

    watched = "cost_m"

    def __init__(self, validation: Validation, largest_m: Costs):
        self._validation, self._largest_m = validation, largest_m
        self.pictures = validation.pictures

    def __len__(self) -> int:
        return len(self._validation)

    def __call__(self, params: dict) -> dict[str, float | None]:
        sums = self._validation.scores(params)
        errors = errors_of(sums)
        cost_m = statistics.fmean(costs_of(errors, self._largest_m).values())
        each = {f"{name}/mde_m": error for name, error in errors.items()}
        return {**headline(aggregate(sums)), self.watched: cost_m, **each}


class NoScores:
    """The validation of a network that has seen all labels."""

    watched = HeldOut.watched

    def __len__(self) -> int:
        return 0

    def __call__(self, params: dict) -> dict[str, float | None]:
        return {}

    def pictures(self) -> Pictures:
        return no_pictures()

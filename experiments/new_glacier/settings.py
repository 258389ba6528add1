"""What the study of new glaciers runs: archives, arms, and numbers of labels."""

import dataclasses
from collections.abc import Mapping
from typing import Any

# Seeds of the simulated archives. Each of an archive's three glaciers is a site with a training seed of its own.
CHOSEN_ON, REPORTED_ON = 1, 2
SCENES = 96  # of three glaciers together; a quarter of them is the test split


@dataclasses.dataclass(frozen=True)
class Arm:
    """Fields of `AdaptOptions` and of `ScoreOptions`; `network`: the arm whose network is scored, if not its own."""

    adapt: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    evaluate: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    network: str = ""


LOW_RATE = 1.5e-3  # 0.3 of that of configs/demo.py, which `adapt` takes by default
RULE = {"rock_rule": True}
ALL = ("grey", "rock", "summer")
ARMS = {
    "plain": Arm(),
    "rock as rule": Arm(evaluate=RULE, network="plain"),
    "rock as input": Arm({"channels": ("grey", "rock", "grey")}),
    "summer": Arm({"channels": ("grey", "grey", "summer")}),
    "all": Arm({"channels": ALL}, RULE),
    "all, old scenes too": Arm({"channels": ALL, "replay_share": 0.5}, RULE),
}
SCORED_AT_OLD = (
    "plain",
    "all",
)  # arms whose networks are scored at the old glaciers, too; those with old scenes always are
# (arm, labels). All arms with five labels come first, then what matters most, so that a study that is cut short has them.
FIRST = ("plain", "rock as rule", "all, old scenes too")
CELLS = [(arm, 5) for arm in ARMS] + [
    (arm, labels)
    for arms in (FIRST, [arm for arm in ARMS if arm not in FIRST])
    for arm in arms
    for labels in (1, 3, 10)
]
# Tried on the other archive to choose the defaults of the command, with five labels.
CANDIDATES = {
    "rate 0.3, 8 epochs": Arm({"learning_rate": LOW_RATE, "epochs": 8}),
    "rate 0.3, 24 epochs": Arm({"learning_rate": LOW_RATE, "epochs": 24}),
    "rate 1, 8 epochs": Arm({"epochs": 8}),
    "rate 1, 24 epochs": Arm({"epochs": 24}),
    "rate 1, 8 epochs, all": Arm({"epochs": 8, "channels": ALL}),
    "rate 1, 24 epochs, all": Arm({"epochs": 24, "channels": ALL}),
    "rate 1, 24 epochs, all, replay": Arm({"epochs": 24, "channels": ALL, "replay_share": 0.5}),
    "rate 1, 16 epochs, replay": Arm({"epochs": 16, "replay_share": 0.5}),
    "rate 0.3, 24 epochs, decoder": Arm({"learning_rate": LOW_RATE, "epochs": 24, "trained": "decoder"}),
}

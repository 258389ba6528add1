"""What the study of pretraining runs: techniques, lengths, numbers of labels, seeds, and what each step changes."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

PRETRAINING, FINETUNING = "configs/demo_pretrain.py", "configs/demo.py"
SCRATCH, SCRATCH_LONG = "scratch", "scratch, as many crops"

Fields = tuple[str, ...]  # "field=value", as after --config.

TECHNIQUES: Mapping[str, Fields] = {
    "SimMIM": ("task=simmim", "mask.ratio=0.5", "mask.unit_px=16"),
    "OptSimMIM 4 px": ("task=optsimmim", "mask.unit_px=4"),
    "OptSimMIM 32 px": ("task=optsimmim", "mask.unit_px=32"),
    "OptTranslator": ("task=opttranslator",),
}


@dataclasses.dataclass(frozen=True)
class Arm:
    """A start of the fine-tuning: a technique ("": none) and how many crops its pretraining sees.

    Without a technique, `crops` are added to those of the fine-tuning. `zero_head`: the fresh head starts at zero.
    """

    technique: str = ""
    crops: int = 0
    zero_head: bool = False

    @property
    def name(self) -> str:
        if self.technique:
            return f"{self.technique}, {self.crops:,} crops{', zero head' if self.zero_head else ''}"
        return SCRATCH_LONG if self.is_long else SCRATCH

    @property
    def is_long(self) -> bool:
        """Whether the fine-tuning takes the crops of a pretraining too."""
        return bool(self.crops and not self.technique)

    @property
    def folder(self) -> str:
        return self.name.replace(",", "").replace(" ", "_")


@dataclasses.dataclass(frozen=True)
class Study:
    """All numbers of the study.

    Pretrainings of `fine_tuned` crops are fine-tuned, and the longest one of `best`; those of other lengths are probed alone.
    """

    simulate: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"seed": 0, "scenes": 160, "ssl_scenes": 288}
    )
    lengths: tuple[int, ...] = (3_200, 32_000, 100_000)
    fine_tuned: int = 32_000
    best: str = "OptTranslator"
    labels: tuple[int, ...] = (10, 3, 40)
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    finetuning_crops: int = 10_000
    # The probe: the last 1 x 1 convolution alone learns, from few labels.
    probe_labels: int = 10
    probe_crops: int = 1_600
    # Of so few validation scenes the best checkpoint is chance: the last one is scored.
    evaluation: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"which": "last", "mode": "overlap"})

    def pretrained(self) -> list[Arm]:
        """All pretrainings, the short ones first."""
        return [Arm(technique, crops) for crops in self.lengths for technique in TECHNIQUES]

    def arms(self, labels: int) -> list[Arm]:
        """What is fine-tuned with so many labels, the control first.

        The first number alone has heads that start at zero and the control that takes long.
        """
        tuned = [
            Arm(),
            *(Arm(technique, self.fine_tuned) for technique in TECHNIQUES),
            Arm(self.best, self.lengths[-1]),
        ]
        if labels == self.labels[0]:
            tuned += [Arm(technique, self.fine_tuned, zero_head=True) for technique in TECHNIQUES]
            tuned.append(Arm(crops=self.fine_tuned))
        return tuned


def pretrained_folder(output: Path, arm: Arm) -> Path:
    return output / "pretrained" / Arm(arm.technique, arm.crops).folder


def probe_folder(output: Path, arm: Arm) -> Path:
    return output / "probes" / arm.folder


def workdir_of(output: Path, arm: Arm, labels: int, seed: int) -> Path:
    """The folder of a fine-tuning."""
    return output / f"labels{labels}" / arm.folder / f"seed{seed}"

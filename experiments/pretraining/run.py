"""Runs the study of pretraining: simulated archive, pretraining, linear probes, fine-tuning over seeds and labels, scores.

    python experiments/pretraining/run.py --output=STUDY [--jobs=2]

Every step is a public command of glacierjax, which is printed, so that it can be repeated by hand; what is done already is not
done again. With --jobs so many run at once, each on its share of the processor's cores; leave it at 1 where there is a GPU or
TPU. STUDY/study.md and study.png have what is done so far; they are written after each stage. Run it from the project's root.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from report import METRICS, write_report
from settings import (
    FINETUNING,
    PRETRAINING,
    TECHNIQUES,
    Arm,
    Study,
    pretrained_folder,
    probe_folder,
    workdir_of,
)
from steps import Chain, Share, Step, flags_of, run_stages


def stages(study: Study, output: Path) -> list[list[Chain]]:
    """All commands of the study: each stage needs the ones before it, and its chains do not need one another.

    What matters most comes first, so that a study that is cut short has it.
    """
    archive, data = output / "archive", output / "data"
    simulated = Step("glacierjax.simulate", (f"--output={archive}", *flags_of(study.simulate)), archive / "ssl4sar")
    first = [
        simulated,
        _build("ssl4sar/optical", data, archive / "ssl4sar"),
        _build("caffe/scenes", data, archive / "data_raw"),
    ]
    probed = {arm: [_pretrained(output, arm), *_probed(study, output, arm)] for arm in study.pretrained()}

    def tuned(labels: int, of_kind: Callable[[Arm], bool]) -> list[Chain]:
        """Seed by seed, so that a study that is cut short has all arms."""
        arms = [arm for arm in study.arms(labels) if of_kind(arm)]
        return [_fine_tuned(study, output, arm, labels, seed) for seed in study.seeds for arm in arms]

    def starts_late(arm: Arm) -> bool:
        return arm.crops > study.fine_tuned

    return [
        [first],
        [_probed(study, output, Arm()), *(chain for arm, chain in probed.items() if arm.crops <= study.fine_tuned)],
        *(tuned(labels, lambda arm: not arm.is_long and not starts_late(arm)) for labels in study.labels),
        [chain for labels in study.labels for chain in tuned(labels, lambda arm: arm.is_long)],
        [chain for arm, chain in probed.items() if starts_late(arm)],
        [chain for labels in study.labels for chain in tuned(labels, starts_late)],
    ]


def _build(config: str, data: Path, manual: Path) -> Step:
    # Two configs of ssl4sar are built by one command; of the optical one TFDS writes this file last.
    builder = config.split("/")[0]
    flags = (f"tfds_builders/{builder}", f"--data_dir={data}", f"--manual_dir={manual}")
    return Step("tfds_builders.build", flags, data / config / "1.0.0" / "dataset_info.json")


def _train(config: str, output: Path, workdir: Path, fields: Sequence[str]) -> Step:
    flags = (f"--config.{field}" for field in (*fields, f"data.dir={output / 'data'}"))
    return Step("glacierjax.train", (f"--config={config}", *flags, f"--workdir={workdir}"), workdir / "summary.json")


def _pretrained(output: Path, arm: Arm) -> Step:
    return _train(
        PRETRAINING, output, pretrained_folder(output, arm), (*TECHNIQUES[arm.technique], *_crops(arm.crops, 4))
    )


def _probed(study: Study, output: Path, arm: Arm) -> Chain:
    """A fine-tuning of the head alone, and its scores."""
    workdir = probe_folder(output, arm)
    fields = ("optimizer.trained=head", f"data.train_scenes={study.probe_labels}", *_crops(study.probe_crops, 1))
    return _scored(study, output, arm, workdir, fields, study.seeds[0])


def _fine_tuned(study: Study, output: Path, arm: Arm, labels: int, seed: int) -> Chain:
    crops = study.finetuning_crops + (arm.crops if arm.is_long else 0)
    fields = (f"data.train_scenes={labels}", *_crops(crops, 5))
    return _scored(study, output, arm, workdir_of(output, arm, labels, seed), fields, seed)


def _scored(study: Study, output: Path, arm: Arm, workdir: Path, fields: Sequence[str], seed: int) -> Chain:
    start = (f"init.checkpoint={pretrained_folder(output, arm)}",) if arm.technique else ()
    if arm.zero_head:
        start += ("init.zero_head=True",)
    report = workdir / "report"
    where = (f"--checkpoint={workdir}", f"--output={report}", *flags_of(study.evaluation))
    return [
        _train(FINETUNING, output, workdir, (*fields, *start, f"seed={seed}")),
        Step("glacierjax.evaluate", where, report / METRICS),
    ]


def _crops(count: int, epochs: int) -> tuple[str, str]:
    return f"num_epochs={epochs}", f"data.samples_per_epoch={count // epochs}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for everything that the study makes")
    parser.add_argument("--jobs", type=int, default=1, help="commands that run at once")
    options = parser.parse_args()
    study = Study()

    def report() -> None:
        print(f"report: {write_report(study, options.output)}", flush=True)

    run_stages(stages(study, options.output), Share(options.jobs), report)


if __name__ == "__main__":
    main()

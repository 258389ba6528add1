"""Does SimMIM on real scenes without labels help where few are labelled? Pretraining, fine-tunings, scores on an unseen glacier.

    python experiments/real_imagery/without_labels.py --data=DATA_RAW --work=FOLDER [--jobs=2]

DATA_RAW is the folder of Landsat scenes (`data_raw` layout). SimMIM sees the images of all three glaciers, those of KAN as well,
as a user has the images of a glacier before its labels. The fine-tunings see a few labelled scenes of JAC and SVE; KAN is scored.
FOLDER/without_labels.md has a table of what is done; done steps are not repeated. Run it from the project's root.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from run import MODE, link, prepare
from settings import BASE, FEW_LABELS, LABELS, SEEDS, SIMMIM
from steps import Chain, Share, Step, run_stages

from glacierjax.datasets.ssl4sar.archive import SAR_FOLDERS
from glacierjax.reports.seeds import compare_seeds

VALIDATION_EVERY = 10  # scenes; one of so many without labels validates the pretraining
ARMS = ("scratch", "SimMIM")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data_raw folder of the Landsat scenes")
    parser.add_argument("--work", type=Path, required=True, help="folder for data sets, runs and the table")
    parser.add_argument("--jobs", type=int, default=1, help="commands that run at once")
    args = parser.parse_args()
    prepare(args.data, args.work, ("JAC", "SVE"), ("KAN",))
    link_without_labels(args.data, args.work / "ssl4sar")
    share, data = Share(args.jobs), args.work / "data"
    built = data / "ssl4sar" / "sar" / "1.0.0" / "dataset_info.json"
    flags = ("tfds_builders/ssl4sar", f"--data_dir={data}", f"--manual_dir={args.work / 'ssl4sar'}")
    pretrained = args.work / "pretrained"
    first = [
        Step("tfds_builders.build", flags, built),
        train("configs/demo_pretrain.py", SIMMIM, data, pretrained),
    ]
    by_seed = [[tuned(args.work, arm, labels, seed) for labels in LABELS for arm in ARMS] for seed in SEEDS]
    run_stages([[first], *by_seed], share, lambda: print(write_table(args.work), flush=True))


def link_without_labels(data_raw: Path, folder: Path) -> None:
    """The images of all glaciers in SSL4SAR's layout, whose names begin with the sensor."""
    for number, file in enumerate(sorted((data_raw / "sar_images" / "train").glob("*.png"))):
        glacier, date, sensor, *rest = file.stem.split("_")
        split = "train" if number % VALIDATION_EVERY else "val"
        link(folder / SAR_FOLDERS[split] / ("_".join((sensor, glacier, date, *rest)) + ".png"), file)


def train(config: str, fields: dict[str, Any], data: Path, workdir: Path) -> Step:
    flags = [f"--config.{name}={value}" for name, value in (fields | {"data.dir": data}).items()]
    return Step("glacierjax.train", (f"--config={config}", *flags, f"--workdir={workdir}"), workdir / "summary.json")


def workdir_of(work: Path, arm: str, labels: int, seed: int) -> Path:
    return work / f"labels{labels}" / arm / f"seed{seed}"


def tuned(work: Path, arm: str, labels: int, seed: int) -> Chain:
    """A fine-tuning and its scores."""
    workdir = workdir_of(work, arm, labels, seed)
    fields = BASE | FEW_LABELS | {"data.train_scenes": labels, "seed": seed}
    if arm != ARMS[0]:
        fields["init.checkpoint"] = work / "pretrained"
    report = workdir / "report"
    where = (f"--checkpoint={workdir}", "--which=last", f"--mode={MODE}", f"--output={report}")
    return [
        train("configs/finetune_caffe.py", fields, work / "data", workdir),
        Step("glacierjax.evaluate", where, report / "metrics.json"),
    ]


def write_table(work: Path) -> str:
    """A row for each arm and number of labels, over the seeds that both arms have; also written to `without_labels.md`."""
    lines = [
        "| labelled scenes | start | MDE of each seed, px | mean | missing fronts | mean IoU | p of the MDE |",
        "| ---: | --- | --- | ---: | --- | ---: | ---: |",
    ]
    for labels in LABELS:
        files = {
            arm: [workdir_of(work, arm, labels, seed) / "report" / "metrics.json" for seed in SEEDS] for arm in ARMS
        }
        done = [n for n in range(len(SEEDS)) if all(files[arm][n].exists() for arm in ARMS)]
        scores = {arm: [json.loads(files[arm][n].read_text(encoding="utf-8")) for n in done] for arm in ARMS}
        errors_px = {arm: [s["mde_px"] for s in scores[arm] if s["mde_px"] is not None] for arm in ARMS}
        for arm in ARMS:
            p = ""
            if arm != ARMS[0] and min(map(len, errors_px.values())) > 1:
                p = f"{compare_seeds(errors_px[ARMS[0]], errors_px[arm], larger_is_better=False).better_p:.2g}"
            cells = [
                str(labels),
                arm,
                " ".join(f"{e:.1f}" for e in errors_px[arm]),
                f"{statistics.fmean(errors_px[arm]):.1f}" if errors_px[arm] else "---",
                " ".join(str(s["missing_fronts"]) for s in scores[arm]),
                f"{statistics.fmean(s['zones']['iou']['mean'] for s in scores[arm]):.3f}" if done else "---",
                p,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    (work / "without_labels.md").write_text(table + "\n", encoding="utf-8")
    return table


if __name__ == "__main__":
    main()

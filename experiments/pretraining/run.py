"""Runs a study of pretraining: simulated archives, pretraining, fine-tuning over seeds, scores, and their comparison.

    python experiments/pretraining/run.py --output=STUDY [--study=causes] [--real=DATA_RAW] [--jobs=2]

Every step is a public command of glacierjax, which is printed, so that it can be repeated by hand; what is done already is not
done again. With --jobs so many run at once, each on its share of the processor's cores; leave it at 1 where there is a GPU or
TPU. With --real the same checkpoints are also fine-tuned on ten scenes of a `data_raw` folder of real imagery. Ends with
STUDY/study.md, a picture for each data set, and STUDY/compare/ with the tests over seeds. Run it from the project's root; about
70 minutes on two CPU cores with --jobs=2, a third of it for --real.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from report import METRICS, SCRATCH, write_report
from settings import STUDIES, Study, Training
from steps import Chain, Share, Step, flags_of, run_stages


def stages(study: Study, output: Path, real: Path | None) -> list[list[Chain]]:
    """All commands of a study: each stage needs the ones before it, and its chains do not need one another."""
    archive, data = output / "archive", output / "data"
    first = [
        [
            Step("glacierjax.simulate", (f"--output={archive}", *flags_of(study.simulate)), archive / "ssl4sar"),
            _build("ssl4sar", data, archive / "ssl4sar", {}),
        ]
    ]
    pretrained = [
        [_train(study.pretraining, data, output / "pretrained" / arm, changes)] for arm, changes in study.arms
    ]
    builds, tuned, compared = [], [], []
    for name, part, source in data_sets(study, output, real):
        own_data = data if real is None or name == "simulated" else output / f"data_{name}"
        builds.append([_build("caffe", own_data, source, part.build)])
        for arm in (SCRATCH, *(arm for arm, _ in study.arms)):
            for seed in study.seeds:
                workdir = output / name / arm / f"seed{seed}"
                init = () if arm == SCRATCH else (f"init.checkpoint={output / 'pretrained' / arm}",)
                changes = (f"seed={seed}", f"data.name={_config_name(part.build)}", *init)
                scored = workdir / "report" / METRICS
                where = (f"--checkpoint={workdir}", f"--output={scored.parent}", *flags_of(study.evaluation))
                tuned.append([_train(part, own_data, workdir, changes), Step("glacierjax.evaluate", where, scored)])
        compared += [[_compare(study, output, name, arm)] for arm, _ in study.arms]
    return [first, builds, pretrained, tuned, compared]


def data_sets(study: Study, output: Path, real: Path | None) -> Iterator[tuple[str, Training, Path]]:
    """(name, training, archive) of the data sets to fine-tune on."""
    yield "simulated", study.finetuning, output / "archive" / "data_raw"
    if real is not None:
        yield "real", study.real, real


def _build(builder: str, data: Path, manual: Path, options: Mapping[str, str]) -> Step:
    # Two configs of ssl4sar are built by one command; of the last one TFDS writes this file last.
    config = "optical" if builder == "ssl4sar" else _config_name(options).split("/")[1]
    result = data / builder / config / "1.0.0" / "dataset_info.json"
    where = (f"tfds_builders/{builder}", f"--data_dir={data}", f"--manual_dir={manual}")
    return Step("tfds_builders.build", (*where, *flags_of(options)), result)


def _config_name(options: Mapping[str, str]) -> str:
    """The config that the build command makes of these options."""
    return "/".join(("caffe", "-".join(["scenes", *(f"{key}_{value}" for key, value in options.items())])))


def _train(training: Training, data: Path, workdir: Path, changes: Sequence[str]) -> Step:
    fields = (*training.fields, *changes, f"data.dir={data}")
    flags = (f"--config={training.config}", *(f"--config.{field}" for field in fields))
    return Step("glacierjax.train", (*flags, f"--workdir={workdir}"), workdir / "summary.json")


def _compare(study: Study, output: Path, name: str, arm: str) -> Step:
    sides = (
        f"--{side}=" + ",".join(str(output / name / which / f"seed{seed}" / "report" / METRICS) for seed in study.seeds)
        for side, which in (("baseline", SCRATCH), ("method", arm))
    )
    folder = output / "compare" / f"{name}_{arm}"
    return Step("glacierjax.compare", (*sides, f"--output={folder}"), folder / "compare.md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for everything that the study makes")
    parser.add_argument("--study", choices=STUDIES, default="techniques")
    parser.add_argument("--real", type=Path, help="a data_raw folder of real imagery to fine-tune on as well")
    parser.add_argument("--jobs", type=int, default=1, help="commands that run at once")
    options = parser.parse_args()
    study = STUDIES[options.study]
    run_stages(stages(study, options.output, options.real), Share(options.jobs))
    names = [name for name, *_ in data_sets(study, options.output, options.real)]
    print(f"report: {write_report(study, options.output, names)}")


if __name__ == "__main__":
    main()

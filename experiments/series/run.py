"""Does time help? Trains the four kinds of networks for series on a simulated archive and scores winter and summer apart.

    make demo
    python experiments/series/run.py --start=demo/run --output=STUDY [--jobs=2]

All start from the single-image network of `make demo`. Every step is a public command of glacierjax, which is printed, so that it
can be repeated by hand; what is done already is not done again. With --jobs so many run at once, each on its share of the
processor's cores; leave it at 1 where there is a GPU or TPU. Ends with STUDY/study.md. Run it from the project's root;
RESULTS.md says how long it took.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from report import METRICS, write_report
from settings import CONFIG, Study
from steps import Chain, Share, Step, flags_of, run_stages


def stages(study: Study, start: Path, output: Path) -> list[list[Chain]]:
    """All commands of a study: each stage needs the ones before it, and its chains do not need one another."""
    archive, data = output / "archive", output / "data"
    built = data / "caffe" / "scenes" / "1.0.0" / "dataset_info.json"
    where = ("tfds_builders/caffe", f"--data_dir={data}", f"--manual_dir={archive / 'data_raw'}")
    first = [
        Step("glacierjax.simulate", (f"--output={archive}", *flags_of(study.simulate)), archive / "data_raw"),
        Step("tfds_builders.build", where, built),
    ]
    # Seed by seed, so that a study that is cut short has all arms.
    runs = [_run(study, start, data, output, arm, seed) for seed in study.seeds for arm in study.arms]
    return [[first], runs]


def workdir_of(output: Path, arm: str, seed: int) -> Path:
    return output / "runs" / arm / f"seed{seed}"


def _run(study: Study, start: Path, data: Path, output: Path, arm: str, seed: int) -> Chain:
    """A training, and its scores on the test split."""
    workdir = workdir_of(output, arm, seed)
    own = (f"init.checkpoint={start}", f"model.temporal={arm}", f"seed={seed}", f"data.dir={data}")
    flags = (f"--config={CONFIG}", *(f"--config.{field}" for field in (*study.fields, *own)), f"--workdir={workdir}")
    report = workdir / "report"
    scored = (f"--checkpoint={workdir}", "--split=test", f"--output={report}", *flags_of(study.evaluation))
    return [
        Step("glacierjax.train", flags, workdir / "summary.json"),
        Step("glacierjax.evaluate", scored, report / METRICS),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="the run of configs/demo.py that all arms start from")
    parser.add_argument("--output", type=Path, required=True, help="folder for everything that the study makes")
    parser.add_argument("--jobs", type=int, default=1, help="commands that run at once")
    options = parser.parse_args()
    study = Study()
    run_stages(stages(study, options.start, options.output), Share(options.jobs))
    runs = {arm: [workdir_of(options.output, arm, seed) for seed in study.seeds] for arm in study.arms}
    print(f"report: {write_report(runs, options.output)}")


if __name__ == "__main__":
    main()

"""Runs the study of new glaciers: simulated glaciers unlike the demo's, and the demo's network adapted to them.

    python experiments/new_glacier/run.py --output=STUDY --checkpoint=demo/run --replay=demo/data [--choose]

`make demo` makes the network and its data. What is done already is not done again. Writes STUDY/runsSEED/results.md after each
arm. With --choose the candidates for the defaults of `glacierjax adapt` are compared, on another archive. With --glacier only one
of the new glaciers is worked on, so that several can be at once; without it afterwards the table is made of all. Run it from the
project's root.
"""

import argparse
import dataclasses
import logging
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from report import Run, write_report
from settings import ARMS, CANDIDATES, CELLS, CHOSEN_ON, REPORTED_ON, SCENES, SCORED_AT_OLD, Arm
from sites import link_site

from glacierjax.core.startup import prepare_process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for everything that the study makes")
    parser.add_argument("--checkpoint", required=True, help="the demo's training folder")
    parser.add_argument("--replay", required=True, help="the demo's prepared data")
    parser.add_argument("--glacier", default="", help="one of the new glaciers; all of them if left out")
    parser.add_argument("--choose", action="store_true", help="compare candidates for the defaults, on another archive")
    options = parser.parse_args()
    prepare_process()  # as every command does
    logging.getLogger("glacierjax").setLevel(logging.ERROR)
    seed = CHOSEN_ON if options.choose else REPORTED_ON
    arms = CANDIDATES if options.choose else ARMS
    cells = [(name, 5) for name in arms] if options.choose else CELLS
    study = Study(options.output, options.checkpoint, options.replay, seed)
    glaciers = [(i, name) for i, name in enumerate(study.glaciers()) if options.glacier in ("", name)]
    for _, glacier in glaciers:
        study.score(glacier, Run(glacier, "as it was", 0, study.folder / glacier / "0"), options.checkpoint, Arm())
    for name, labels in cells:
        for number, glacier in glaciers:
            study.adapt(glacier, number, labels, name, arms[name])
        write_report(study.folder, study.runs)
    print(write_report(study.folder, study.runs).read_text())


class Study:
    """The steps of one archive, and the networks that were scored."""

    def __init__(self, output: Path, checkpoint: str, replay: str, seed: int):
        self.archive, self.folder = output / f"archive{seed}", output / f"runs{seed}"
        self.checkpoint, self.replay, self.seed = checkpoint, replay, seed
        self.runs: list[Run] = []

    def glaciers(self) -> tuple[str, ...]:
        """The new glaciers, simulated and each in a folder of its own."""
        from glacierjax.simulate.archive import NEW_GLACIERS, ArchiveOptions, write_archive

        data_raw = self.archive / "data_raw"
        if not data_raw.exists():
            write_archive(self.archive, ArchiveOptions(self.seed, SCENES, glaciers="new"))
        for glacier in NEW_GLACIERS:
            link_site(data_raw, self.site(glacier), glacier)
        return NEW_GLACIERS

    def site(self, glacier: str) -> Path:
        return self.folder / glacier / "data_raw"

    def adapt(self, glacier: str, seed: int, labels: int, name: str, arm: Arm) -> None:
        """Adapts to so many labels; an arm that differs in its scoring alone takes the network of another one."""
        from glacierjax.recipes.adapt import adapt
        from glacierjax.recipes.adaptation import AdaptOptions

        folder = self.folder / glacier / f"{arm.network or name}-{labels}".replace(" ", "_")
        if not (folder / "adaptation.json").exists():
            started = time.monotonic()
            # Only the errors at the test scenes are wanted, so nothing is cross-validated.
            common = {"scenes": labels, "seed": seed, "folds": 0, "replay_share": 0.0}
            if name in SCORED_AT_OLD or "replay_share" in arm.adapt:
                common["replay"] = self.replay
            adapt(folder, AdaptOptions(self.checkpoint, str(self.site(glacier)), **{**common, **arm.adapt}))
            print(f"{glacier}, {labels} labels, {name}: {time.monotonic() - started:.0f} s", flush=True)
        self.score(glacier, Run(glacier, name, labels, folder), str(folder), arm)

    def score(self, glacier: str, run: Run, checkpoint: str, arm: Arm) -> None:
        from glacierjax.evaluation.evaluate import ScoreOptions, evaluate

        run = dataclasses.replace(run, report="rule" if arm.evaluate else "report")
        if not run.metrics_file.exists():
            evaluate(run.metrics_file.parent, ScoreOptions((checkpoint,), data=str(self.site(glacier)), **arm.evaluate))
        self.runs.append(run)


if __name__ == "__main__":
    main()

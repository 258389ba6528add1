"""The table of the study of new glaciers: errors by number of labels and arm, over the glaciers."""

import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from scores import mde_m, missing_fronts

from glacierjax.core.scene_names import parse_name
from glacierjax.simulate.composition import hemisphere_of

CLOSE_M = 250


@dataclasses.dataclass(frozen=True)
class Run:
    """A scored network: at which glacier, in which arm, with how many labels (0: as it was), and its folders."""

    glacier: str
    arm: str
    labels: int
    folder: Path
    report: str = "report"

    @property
    def metrics_file(self) -> Path:
        return self.folder / self.report / "metrics.json"

    def scenes(self, season: str = "") -> list[dict]:
        """The records of its scenes ("winter", "summer": of the season)."""
        records = json.loads(self.metrics_file.read_text())["per_scene"]
        hemispheres = {self.glacier: hemisphere_of(self.glacier)}
        return [record for name, record in records.items() if season in ("", parse_name(name).season(hemispheres))]

    def old_sites(self, when: str) -> float | None:
        """Mean distance error at the old glaciers' validation scenes in metres, "before" or "after"."""
        file = self.folder / "adaptation.json"
        old = json.loads(file.read_text())["old_sites"] if file.exists() else None
        return old and old[when]["mde_m"]


def write_report(output: Path, runs: Sequence[Run]) -> Path:
    """Writes results.md: a row for each arm and number of labels, means over the glaciers."""
    rows = {}
    for run in runs:
        rows.setdefault((run.labels, run.arm), []).append(run)
    glaciers = list(dict.fromkeys(run.glacier for run in runs))
    head = [
        "labels",
        "arm",
        "MDE",
        *glaciers,
        "missing fronts",
        f"within {CLOSE_M} m",
        "winter",
        "summer",
        "old glaciers",
    ]
    lines = ["| " + " | ".join(head) + " |", "| ---: | --- |" + " ---: |" * (len(head) - 2)]
    for (labels, arm), of_row in sorted(rows.items(), key=lambda row: row[0][0]):
        by_glacier = {run.glacier: mde_m(run.scenes()) for run in of_row}
        scenes = [scene for run in of_row for scene in run.scenes()]
        cells = [
            str(labels),
            arm,
            _mean(of_row, lambda run: mde_m(run.scenes())),
            *(_metres(by_glacier.get(glacier)) for glacier in glaciers),
            f"{missing_fronts(scenes)} of {len(scenes)}",
            f"{sum(scene['mde_m'] is not None and scene['mde_m'] < CLOSE_M for scene in scenes)} of {len(scenes)}",
            *(_mean(of_row, lambda run, season=season: mde_m(run.scenes(season))) for season in ("winter", "summer")),
            _mean(of_row if labels else runs, lambda run, when="after" if labels else "before": run.old_sites(when)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    path = output / "results.md"
    path.write_text("\n".join(lines) + "\n")
    return path


def _mean(runs: Sequence[Run], value: Callable[[Run], float | None]) -> str:
    values = [found for run in runs if (found := value(run)) is not None]
    return _metres(statistics.fmean(values) if values else None)


def _metres(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} m"

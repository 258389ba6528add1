"""scores.csv (long format) and report.md from the metrics."""

import csv
import io
from collections.abc import Mapping

from glacierjax.core.zones import ZONE_KEYS
from glacierjax.reports.content import (
    FRONT_COLUMNS,
    NETWORK,
    ZONE_COLUMNS,
    Block,
    Heading,
    Paragraph,
    opening,
    tables,
)
from glacierjax.reports.metrics import Averages, FrontAverages, Metrics, SceneRecord

CSV_COLUMNS = ("method", "subset", "metric", "value", "unit", "scenes")
Row = tuple[str, str, float | None, str, int]
"""Subset, metric, value, unit, number of scenes behind the value."""


def csv_text(metrics: Metrics) -> str:
    """All values in long format, one a row; a value that does not exist is an empty cell."""
    rows = {NETWORK: _average_rows(metrics)}
    for subset, averages in metrics["subsets"].items():
        rows[NETWORK] += _front_rows(subset, averages)
    for scene, record in metrics["per_scene"].items():
        rows[NETWORK] += _scene_rows(scene, record)
    rows |= {method: _average_rows(averages) for method, averages in metrics.get("baselines", {}).items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([method, *row] for method, some in rows.items() for row in some)
    return text.getvalue()


def _average_rows(averages: Averages) -> list[Row]:
    rows = _front_rows("all", averages)
    zones, present = averages["zones"], averages["zones_present"]
    for name, _ in ZONE_COLUMNS:
        for zone in (*ZONE_KEYS, "mean"):
            rows.append(("all", f"{name}/{zone}", zones[name][zone], "", averages["scenes"]))
            rows.append(("all", f"{name}_present/{zone}", present[name][zone], "", present["cases"][zone]))
    return rows


def _front_rows(subset: str, averages: FrontAverages) -> list[Row]:
    rows: list[Row] = [(subset, key, averages[key], unit, averages["scored_fronts"]) for key, _, unit in FRONT_COLUMNS]
    for key in ("missing_fronts", "scenes_without_true_front"):
        rows.append((subset, key, averages[key], "scenes", averages["scenes"]))
    return rows


def _scene_rows(scene: str, record: SceneRecord) -> list[Row]:
    subset = f"scene={scene}"
    return [
        (subset, "mde_m", record["mde_m"], "m", 1),
        (subset, "mde_px", record["mde_px"], "px", 1),
        (subset, "front_pixels", record["front_pixels"], "px", 1),
        (subset, "true_front_pixels", record["true_front_pixels"], "px", 1),
        *((subset, f"{name}/{zone}", record[name][zone], "", 1) for name, _ in ZONE_COLUMNS for zone in ZONE_KEYS),
    ]


def report_text(metrics: Metrics, title: str, source: str, version: str, pictures: Mapping[str, str]) -> str:
    """report.md: pictures first, then tables.

    `source` says in one line what was scored on what; `version` is that of the program; `pictures`: caption -> path
    relative to the report.
    """
    shown = [f"![{caption}]({path})\n\n*{caption}*" for caption, path in pictures.items()]
    texts = [*map(markdown, opening(metrics, source)), *shown, *map(markdown, tables(metrics))]
    return "\n\n".join([f"# {title}", *texts, f"Made by glacierjax {version}."]) + "\n"


def markdown(block: Block) -> str:
    """A block of a report as Markdown."""
    match block:
        case Heading(text):
            return f"## {text}"
        case Paragraph(text):
            return text
    lines = [block.header, ["---"] + ["---:"] * (len(block.header) - 1), *block.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

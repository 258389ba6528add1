"""Reports from metrics: long-format CSV rows and the text of report.md. Input is what metrics.json holds."""

import csv
import io

from glacierjax.core.zones import ZONE_KEYS
from glacierjax.reports.content import (
    FRONT_COLUMNS,
    NETWORK,
    ZONE_COLUMNS,
    Block,
    Figure,
    Heading,
    Paragraph,
    report_blocks,
)

CSV_COLUMNS = ("method", "subset", "metric", "value", "unit", "scenes")


def csv_text(metrics: dict) -> str:
    """All values in long format, one a row; a value that does not exist is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for method, some in [(NETWORK, metrics), *metrics.get("baselines", {}).items()]:
        for row in csv_rows(some):
            writer.writerow([method, *row])
    return text.getvalue()


def csv_rows(metrics: dict) -> list[tuple]:
    """Rows (subset, metric, value or None, unit, number of scenes behind the value)."""
    rows = []
    for subset, averages in [("all", metrics), *metrics.get("subsets", {}).items()]:
        rows += [(subset, key, averages[key], unit, averages["scored_fronts"]) for key, _, unit in FRONT_COLUMNS]
        rows.append((subset, "missing_fronts", averages["missing_fronts"], "scenes", averages["scenes"]))
        rows.append(
            (subset, "scenes_without_true_front", averages["scenes_without_true_front"], "scenes", averages["scenes"])
        )
    for name, _ in ZONE_COLUMNS:
        for zone in (*ZONE_KEYS, "mean"):
            rows.append(("all", f"{name}/{zone}", metrics["zones"][name][zone], "", metrics["scenes"]))
            present = metrics["zones_present"]
            rows.append(("all", f"{name}_present/{zone}", present[name][zone], "", present["cases"][zone]))
    for scene, record in metrics.get("per_scene", {}).items():
        rows += [(f"scene={scene}", key, record[key], unit, 1) for key, unit in (("mde_m", "m"), ("mde_px", "px"))]
        rows += [(f"scene={scene}", key, record[key], "px", 1) for key in ("front_pixels", "true_front_pixels")]
        rows += [
            (f"scene={scene}", f"{name}/{z}", record[name][z], "", 1) for name, _ in ZONE_COLUMNS for z in ZONE_KEYS
        ]
    return rows


def report_text(metrics: dict, title: str, source: str, figures: dict[str, str] | None = None) -> str:
    """report.md. `source` says in one line what was scored on what; `figures` maps captions to paths relative to the report."""
    blocks = report_blocks(metrics, source, [Figure(*figure) for figure in (figures or {}).items()])
    return "\n\n".join([f"# {title}", *map(markdown, blocks)]) + "\n"


def markdown(block: Block) -> str:
    """A block of a report as Markdown."""
    match block:
        case Heading(text):
            return f"## {text}"
        case Paragraph(text):
            return text
        case Figure(caption, path):
            return f"![{caption}]({path})\n\n*{caption}*"
    lines = [block.header, ["---"] + ["---:"] * (len(block.header) - 1), *block.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

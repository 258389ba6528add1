"""Reports from metrics: long-format CSV rows and the text of report.md. Input is what metrics.json holds."""

import csv
import io

from glacierjax.core.zones import ZONE_KEYS, ZONE_TITLES

CSV_COLUMNS = ("method", "subset", "metric", "value", "unit", "scenes")

# Fields of a front average: key, heading, unit.
FRONT_COLUMNS = (
    ("mde_m", "MDE", "m"),
    ("mde_std_m", "standard deviation", "m"),
    ("mde_scene_mean_m", "mean of scene means", "m"),
    ("mde_length_weighted_m", "weighted by front length", "m"),
    ("mde_px", "MDE in pixels", "px"),
)
COUNTS = (
    ("scenes", "Scenes"),
    ("scored_fronts", "With distance"),
    ("missing_fronts", "Missing fronts"),
    ("scenes_without_true_front", "No true front"),
)
COUNT_HEADINGS = tuple(title for _, title in COUNTS)
ZONE_COLUMNS = (("iou", "IoU"), ("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
SUBSET_TITLES = {"season": "Season", "glacier": "Glacier", "sensor": "Sensor", "resolution": "Pixel spacing (m)"}
NETWORK = "prediction"  # name of what is evaluated, beside the baselines


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
    """report.md: what was scored, the headline, tables with counts beside every mean, and the figures.

    `source` says in one line what was scored on what; `figures` maps captions to paths relative to the report.
    """
    parts = [f"# {title}", source, headline(metrics), _protocol_note(metrics)]
    if metrics.get("baselines"):
        parts += ["## Beside two baselines", _baseline_table(metrics)]
    parts += [f"![{caption}]({path})\n\n*{caption}*" for caption, path in (figures or {}).items()]
    parts += ["## Calving fronts", _front_table("Subset", [("all", metrics)])]
    for aspect, heading in SUBSET_TITLES.items():
        parts += [_front_table(heading, _subset_rows(metrics, f"{aspect}="))]
    if metrics["zones"]["iou"]["mean"] is not None:
        parts += ["## Zones", *_zone_tables(metrics)]
    parts += ["## Glaciers in detail", _front_table("Subset", _combined_rows(metrics))]
    parts += ["## Scenes", "From the largest mean distance down; missing fronts first.", _scene_table(metrics)]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(metrics: dict) -> str:
    """One sentence with the mean distance error and the counts behind it."""
    if metrics["mde_m"] is None:
        error = "**No mean distance error**: no scene has both a predicted and a true front"
    else:
        error = (
            f"**Mean distance error {metrics['mde_m']:.1f} m** ({metrics['mde_px']:.2f} px), pooled over "
            f"{metrics['distances']:,} distances in {metrics['scored_fronts']} of {metrics['scenes']} scenes"
        )
    iou = metrics["zones"]["iou"]["mean"]
    zones = "" if iou is None else f" Mean IoU {iou:.3f}."
    return (
        f"{error}; **{metrics['missing_fronts']} missing front(s)**, "
        f"{metrics['scenes_without_true_front']} scene(s) without a true front.{zones}"
    )


def _protocol_note(metrics: dict) -> str:
    note = f"Protocol `{metrics['protocol']}`."
    other = metrics.get("other_protocol")
    if not other:
        return note
    same = all(other[key] == metrics[key] for key in ("mde_m", "missing_fronts"))
    if same:
        return f"{note} The `{other['protocol']}` protocol gives the same mean distance error and missing fronts."
    return (
        f"{note} The `{other['protocol']}` protocol gives {_number(other['mde_m'], 1)} m "
        f"with {other['missing_fronts']} missing front(s)."
    )


def _baseline_table(metrics: dict) -> str:
    rows = []
    for method, some in [(NETWORK, metrics), *metrics["baselines"].items()]:
        iou = some["zones"]["iou"]
        rows.append(
            [
                method,
                *_counts(some),
                *(_number(some[key], digits) for key, digits in (("mde_m", 1), ("mde_px", 2))),
                *(_number(iou[key], 3) for key in ("mean", "ocean")),
            ]
        )
    header = ["Method", *COUNT_HEADINGS, "MDE (m)", "MDE (px)", "mean IoU", "ocean IoU"]
    rules = "; ".join(f"`{method}`: {some['rule']}" for method, some in metrics["baselines"].items())
    return _table(header, rows) + f"\n\n{rules}. Both go through the same post-processing."


def _front_table(heading: str, rows: list[tuple[str, dict]]) -> str:
    if not rows:
        return ""
    header = [heading, *COUNT_HEADINGS, *(f"{title} ({unit})" for _, title, unit in FRONT_COLUMNS)]
    body = [
        [name, *_counts(some), *(_number(some[key], 2 if unit == "px" else 1) for key, _, unit in FRONT_COLUMNS)]
        for name, some in rows
    ]
    return _table(header, body)


def _zone_tables(metrics: dict) -> list[str]:
    present = metrics["zones_present"]
    header = ["Zone", *(title for _, title in ZONE_COLUMNS)]
    titles = dict(zip((*ZONE_KEYS, "mean"), (*ZONE_TITLES, "mean"), strict=True))
    official = [
        [title, *(_number(metrics["zones"][name][zone], 3) for name, _ in ZONE_COLUMNS)]
        for zone, title in titles.items()
    ]
    without = [
        [title, *(_number(present[name][zone], 3) for name, _ in ZONE_COLUMNS), str(present["cases"][zone])]
        for zone, title in titles.items()
    ]
    return [
        f"Means over all {metrics['scenes']} scenes, as published figures are made: a zone absent from a scene's "
        "prediction and truth counts as 0.",
        _table(header, official),
        "Without those cases:",
        _table([*header, "Cases"], without),
    ]


def _scene_table(metrics: dict) -> str:
    def order(item: tuple[str, dict]) -> tuple:
        name, record = item
        missing = record["true_front_pixels"] > 0 and record["front_pixels"] == 0
        return (not missing, record["mde_m"] is None, -(record["mde_m"] or 0), name)

    rows = [
        [
            name,
            *(_number(record[key], digits) for key, digits in (("mde_m", 1), ("mde_px", 2))),
            *(str(record[key]) for key in ("front_pixels", "true_front_pixels")),
            _number(record["iou"]["ocean"], 3),
        ]
        for name, record in sorted(metrics["per_scene"].items(), key=order)
    ]
    header = ["Scene", "MDE (m)", "MDE (px)", "Front pixels", "True front pixels", "ocean IoU"]
    return _table(header, rows)


def _subset_rows(metrics: dict, start: str) -> list[tuple[str, dict]]:
    return [
        (key.removeprefix(start), some)
        for key, some in metrics["subsets"].items()
        if key.startswith(start) and "," not in key and some["scenes"]
    ]


def _combined_rows(metrics: dict) -> list[tuple[str, dict]]:
    return [(key.replace(",", ", "), some) for key, some in metrics["subsets"].items() if "," in key and some["scenes"]]


def _counts(some: dict) -> list[str]:
    return [str(some[key]) for key, _ in COUNTS]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

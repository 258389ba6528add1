"""What a report says, from the metrics: paragraphs, tables and figures, the same for report.md and report.html."""

from collections.abc import Sequence
from typing import NamedTuple

from glacierjax.core.zones import ZONE_KEYS, ZONE_TITLES

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
MISSING = "–"  # a value that does not exist


class Heading(NamedTuple):
    text: str


class Paragraph(NamedTuple):
    """Text with **bold** and `code` marked as in Markdown."""

    text: str


class Table(NamedTuple):
    """`header` and `rows` of cells as shown; numbers in all columns but the first."""

    header: list[str]
    rows: list[list[str]]


class Figure(NamedTuple):
    """`picture`: what shows it, in the words of the format: a path, or an element of the page."""

    caption: str
    picture: str


Block = Heading | Paragraph | Table | Figure


def report_blocks(metrics: dict, source: str, figures: Sequence[Figure]) -> list[Block]:
    """What was scored, the headline, figures, and tables with counts beside every mean.

    `source` says in one line what was scored on what.
    """
    blocks: list[Block] = [Paragraph(source), Paragraph(headline(metrics)), Paragraph(_protocol_note(metrics))]
    if metrics.get("baselines"):
        blocks += [Heading("Beside two baselines"), *_baseline_table(metrics)]
    if metrics.get("annotators"):
        blocks += [Heading("Beside human annotators"), *_annotator_tables(metrics["annotators"])]
    blocks += [*figures, Heading("Calving fronts"), _front_table("Subset", [("all", metrics)])]
    for aspect, heading in SUBSET_TITLES.items():
        if rows := _subset_rows(metrics, f"{aspect}="):
            blocks.append(_front_table(heading, rows))
    if metrics["zones"]["iou"]["mean"] is not None:
        blocks += [Heading("Zones"), *_zone_tables(metrics)]
    blocks += [Heading("Glaciers in detail"), _front_table("Subset", _combined_rows(metrics)), Heading("Scenes")]
    blocks += [Paragraph("From the largest mean distance down; missing fronts first."), _scene_table(metrics)]
    return blocks


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


def _baseline_table(metrics: dict) -> list[Block]:
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
    return [Table(header, rows), Paragraph(f"{rules}. Both go through the same post-processing.")]


def _annotator_tables(study: dict) -> list[Block]:
    kinds = (("prediction to ", study["prediction"]), ("", study["among"]))
    rows = [(f"{before}{name}", averages) for before, some in kinds for name, averages in some.items()]
    text = (
        f"Mean distance error of the prediction to the annotators **{_number(study['mde_m'], 1)} m** "
        f"({study['without_distance']} comparison(s) without a front), of the annotators among themselves "
        f"**{_number(study['among_mde_m'], 1)} m** ({study['among_without_distance']} without)"
    )
    times = "" if study["times"] is None else f"; the first is {study['times']:.2f} times the second"
    return [Paragraph(f"{text}{times}."), _front_table("Fronts", rows)]


def _front_table(heading: str, rows: list[tuple[str, dict]]) -> Table:
    header = [heading, *COUNT_HEADINGS, *(f"{title} ({unit})" for _, title, unit in FRONT_COLUMNS)]
    body = [
        [name, *_counts(some), *(_number(some[key], 2 if unit == "px" else 1) for key, _, unit in FRONT_COLUMNS)]
        for name, some in rows
    ]
    return Table(header, body)


def _zone_tables(metrics: dict) -> list[Block]:
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
        Paragraph(
            f"Means over all {metrics['scenes']} scenes, as published figures are made: a zone absent from a scene's "
            "prediction and truth counts as 0."
        ),
        Table(header, official),
        Paragraph("Without those cases:"),
        Table([*header, "Cases"], without),
    ]


def _scene_table(metrics: dict) -> Table:
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
    return Table(header, rows)


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
    return MISSING if value is None else f"{value:.{digits}f}"

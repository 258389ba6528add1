"""What a report says, from the metrics: sentences and tables, the same for report.md and report.html."""

from collections.abc import Iterable
from typing import NamedTuple

from glacierjax.core.zones import ZONE_KEYS, ZONE_TITLES
from glacierjax.reports.metrics import AnnotatorStudy, Averages, FrontAverages, Metrics, SceneRecord

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
ZONE_ROWS = {**dict(zip(ZONE_KEYS, ZONE_TITLES, strict=True)), "mean": "mean"}
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


Block = Heading | Paragraph | Table


def opening(metrics: Metrics, source: str) -> list[Paragraph]:
    """What was scored (`source`, one line), the headline, and the protocol."""
    return [Paragraph(source), Paragraph(headline(metrics)), Paragraph(_protocol_note(metrics))]


def tables(metrics: Metrics) -> list[Block]:
    """All tables, with counts beside every mean. The last one is `scene_table`."""
    blocks: list[Block] = []
    if "baselines" in metrics:
        blocks += [Heading("Beside two baselines"), *_baseline_table(metrics)]
    if "annotators" in metrics:
        blocks += [Heading("Beside human annotators"), *_annotator_tables(metrics["annotators"])]
    blocks += [Heading("Calving fronts"), _front_table("Subset", [("all", metrics)])]
    for aspect, heading in SUBSET_TITLES.items():
        if rows := _subset_rows(metrics, f"{aspect}="):
            blocks.append(_front_table(heading, rows))
    if metrics["zones"]["iou"]["mean"] is not None:
        blocks += [Heading("Zones"), *_zone_tables(metrics)]
    blocks += [Heading("Glaciers in detail"), _front_table("Subset", _combined_rows(metrics))]
    blocks += [Heading("Scenes"), Paragraph("Missing fronts first, then by mean distance error, the largest first.")]
    return [*blocks, scene_table(metrics)]


def headline(metrics: Metrics) -> str:
    """The mean distance error with the counts behind it, and the mean IoU."""
    if metrics["mde_m"] is None:
        error = "**No mean distance error**: no scene has both a predicted and a true front"
    else:
        error = (
            f"**Mean distance error {metrics['mde_m']:.1f} m** ({_number(metrics['mde_px'], 2)} px), pooled over "
            f"{metrics['distances']:,} distances in {metrics['scored_fronts']} of {metrics['scenes']} scenes"
        )
    missing = counted(metrics["missing_fronts"], "missing front")
    without = counted(metrics["scenes_without_true_front"], "scene")
    return f"{error}; **{missing}**, {without} without a true front. {_zone_sentence(metrics)}".rstrip()


def impossible_zones(metrics: Averages) -> list[str]:
    """Titles of the zones that occur in no scene's truth; all of them where only fronts were scored."""
    true_scenes = metrics["zones_present"]["true_scenes"]
    return [ZONE_ROWS[key] for key in ZONE_KEYS if not true_scenes[key]]


def scene_facts(record: SceneRecord) -> str:
    """One scene's figures as a line of text."""
    if record["mde_m"] is not None:
        front = f"mean distance error {record['mde_m']:.0f} m ({_number(record['mde_px'], 1)} px)"
    else:
        front = "no front predicted" if record["true_front_pixels"] else "no true front drawn"
    present = [key for key in ZONE_KEYS if record["iou"][key] is not None and key not in record["absent_zones"]]
    zones = ", ".join(f"{ZONE_ROWS[key]} {_number(record['iou'][key], 2)}" for key in present)
    return f"{front}; IoU: {zones}" if zones else front


def worst_first(metrics: Metrics) -> list[str]:
    """Names of all scenes: missing fronts first, then by mean distance error, the largest first."""

    def order(name: str) -> tuple[bool, bool, float, str]:
        record = metrics["per_scene"][name]
        missing = record["true_front_pixels"] > 0 and record["front_pixels"] == 0
        return not missing, record["mde_m"] is None, -(record["mde_m"] or 0.0), name

    return sorted(metrics["per_scene"], key=order)


def scene_table(metrics: Metrics) -> Table:
    """One row for each scene, the worst first."""
    rows = []
    for name in worst_first(metrics):
        record = metrics["per_scene"][name]
        errors = [_number(record["mde_m"], 1), _number(record["mde_px"], 2)]
        pixels = [str(record["front_pixels"]), str(record["true_front_pixels"])]
        rows.append([name, *errors, *pixels, _number(record["iou"]["ocean"], 3)])
    return Table(["Scene", "MDE (m)", "MDE (px)", "Front pixels", "True front pixels", "ocean IoU"], rows)


def counted(number: int, noun: str) -> str:
    """ "1 scene", "2 scenes"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _zone_sentence(metrics: Averages) -> str:
    official, present = metrics["zones"]["iou"]["mean"], metrics["zones_present"]["iou"]["mean"]
    if official is None:
        return ""
    impossible = impossible_zones(metrics)
    if not impossible:
        return f"**Mean IoU {official:.3f}**."
    return (
        f"**Mean IoU {_number(present, 3)}** over the zones that a scene has, because {_joined(impossible)} "
        f"{'occurs' if len(impossible) == 1 else 'occur'} in no scene's truth ({official:.3f} if absent zones count as 0)."
    )


def _protocol_note(metrics: Metrics) -> str:
    note = f"Protocol `{metrics['protocol']}`."
    other = metrics.get("other_protocol")
    if not other:
        return note
    same = other["mde_m"] == metrics["mde_m"] and other["missing_fronts"] == metrics["missing_fronts"]
    if same:
        return f"{note} The `{other['protocol']}` protocol gives the same mean distance error and missing fronts."
    missing = counted(other["missing_fronts"], "missing front")
    return f"{note} The `{other['protocol']}` protocol gives {_number(other['mde_m'], 1)} m with {missing}."


def _baseline_table(metrics: Metrics) -> list[Block]:
    baselines = metrics.get("baselines", {})
    shown = "zones_present" if impossible_zones(metrics) else "zones"  # as in the headline
    methods: dict[str, Averages] = {NETWORK: metrics, **baselines}
    rows = []
    for method, averages in methods.items():
        iou = averages[shown]["iou"]
        errors = [_number(averages["mde_m"], 1), _number(averages["mde_px"], 2)]
        rows.append([method, *_counts(averages), *errors, *(_number(iou[key], 3) for key in ("mean", "ocean"))])
    header = ["Method", *COUNT_HEADINGS, "MDE (m)", "MDE (px)", "mean IoU", "ocean IoU"]
    rules = "; ".join(f"`{method}`: {averages['rule']}" for method, averages in baselines.items())
    return [Table(header, rows), Paragraph(f"{rules}. Both go through the same post-processing.")]


def _annotator_tables(study: AnnotatorStudy) -> list[Block]:
    rows = {f"prediction to {name}": averages for name, averages in study["prediction"].items()} | study["among"]
    text = (
        f"Mean distance error of the prediction to the annotators **{_number(study['mde_m'], 1)} m** "
        f"({counted(study['without_distance'], 'comparison')} without a front), of the annotators among themselves "
        f"**{_number(study['among_mde_m'], 1)} m** ({study['among_without_distance']} without)"
    )
    times = "" if study["times"] is None else f"; the first is {study['times']:.2f} times the second"
    return [Paragraph(f"{text}{times}."), _front_table("Fronts", rows.items())]


def _front_table(heading: str, rows: Iterable[tuple[str, FrontAverages]]) -> Table:
    header = [heading, *COUNT_HEADINGS, *(f"{title} ({unit})" for _, title, unit in FRONT_COLUMNS)]
    body = [
        [
            name,
            *_counts(averages),
            *(_number(averages[key], 2 if unit == "px" else 1) for key, _, unit in FRONT_COLUMNS),
        ]
        for name, averages in rows
    ]
    return Table(header, body)


def _zone_tables(metrics: Metrics) -> list[Block]:
    official, present = metrics["zones"], metrics["zones_present"]
    header = ["Zone", *(title for _, title in ZONE_COLUMNS)]
    as_published: list[Block] = [
        Paragraph(
            f"Means over all {metrics['scenes']} scenes, as published figures are made: a zone that is neither in a "
            "scene's prediction nor in its truth counts as 0."
        ),
        Table(
            header,
            [
                [title, *(_number(official[name][zone], 3) for name, _ in ZONE_COLUMNS)]
                for zone, title in ZONE_ROWS.items()
            ],
        ),
    ]
    without_absent: list[Block] = [
        Paragraph("Means without those cases, and the number of cases that are left:"),
        Table(
            [*header, "Cases"],
            [
                [title, *(_number(present[name][zone], 3) for name, _ in ZONE_COLUMNS), str(present["cases"][zone])]
                for zone, title in ZONE_ROWS.items()
            ],
        ),
    ]
    return [*as_published, *without_absent]


def _subset_rows(metrics: Metrics, start: str) -> list[tuple[str, FrontAverages]]:
    return [
        (key.removeprefix(start), averages)
        for key, averages in metrics["subsets"].items()
        if key.startswith(start) and "," not in key and averages["scenes"]
    ]


def _combined_rows(metrics: Metrics) -> list[tuple[str, FrontAverages]]:
    return [
        (key.replace(",", ", "), averages)
        for key, averages in metrics["subsets"].items()
        if "," in key and averages["scenes"]
    ]


def _counts(averages: FrontAverages) -> list[str]:
    return [str(averages[key]) for key, _ in COUNTS]


def _joined(words: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"

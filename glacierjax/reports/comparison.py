"""Reads the evaluations that `compare` is given, checks that they match, and compares them with each other or with the paper."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.json_values import read_json
from glacierjax.reports.metrics import Metrics
from glacierjax.reports.published import PUBLISHED_MDE_M, SERIES_MDE_M, published_blocks
from glacierjax.reports.seeds import comparison_blocks, comparison_record
from glacierjax.reports.tables import markdown

METRICS_FILE = "metrics.json"


@dataclasses.dataclass(frozen=True)
class Compared:
    """`text`: the tables in Markdown; `record`: every figure, for JSON."""

    text: str
    record: dict[str, object]

    def write(self, folder: Path) -> None:
        """Writes compare.md and compare.json."""
        write_text(folder / "compare.json", json.dumps(self.record, indent=1, allow_nan=False) + "\n")
        write_text(folder / "compare.md", self.text)


def compare(baseline: Sequence[str], method: Sequence[str], paper: bool = False) -> Compared:
    """Compares evaluations over seeds; each item is a metrics.json, or the folder of an evaluation that holds one.

    `paper`: beside the published figures, for which no `baseline` is needed. Raises `InputError` where an item is
    missing or something else, occurs twice, or has other scenes or another protocol than the first.
    """
    for name, items in (("baseline", baseline), ("method", method)):
        if not items and not (paper and name == "baseline"):
            raise InputError(f"`{name}`: missing; name one evaluation or more, e.g. OUT1,OUT2")
    baselines, methods = ([read_metrics(item) for item in items] for items in (baseline, method))
    check_comparable([*baselines, *methods], [*baseline, *method])
    record: dict[str, object] = {"baseline": list(baseline), "method": list(method)}
    blocks = []
    if baselines:
        compared = comparison_record(baselines, methods)
        record |= compared
        blocks += comparison_blocks(compared)
    if paper:
        record |= {"published_mde_m": PUBLISHED_MDE_M, "published_series_mde_m": SERIES_MDE_M}
        blocks += published_blocks(methods)
    return Compared("\n\n".join(["# Comparison over seeds", *map(markdown, blocks)]) + "\n", record)


def metrics_path(item: str) -> Path:
    """The file that an item means."""
    return Path(item) / METRICS_FILE if Path(item).is_dir() else Path(item)


def read_metrics(item: str) -> Metrics:
    """Reads a metrics.json, or the one in a folder; raises `InputError` when it is missing or something else."""
    path = metrics_path(item)
    try:
        metrics = read_json(path)
    except OSError as error:
        what = f"expected a {METRICS_FILE} or the folder of an evaluation"
        raise InputError(f"{path}: cannot be read ({error.strerror}); {what}") from error
    except ValueError as error:
        raise InputError(f"{path}: not a JSON file ({error}); evaluate again") from error
    if not isinstance(metrics, dict) or not {"protocol", "mde_m", "zones", "subsets", "per_scene"} <= metrics.keys():
        raise InputError(f"{path}: not what python -m glacierjax.evaluate writes; evaluate again")
    return cast(Metrics, metrics)


def check_comparable(all_metrics: Sequence[Metrics], items: Sequence[str]) -> None:
    """Raises `InputError` unless all have the same scenes and protocol, and no item occurs twice."""
    paths = [metrics_path(item).resolve() for item in items]
    twice = [item for number, item in enumerate(items) if paths[number] in paths[:number]]
    if twice:
        raise InputError(f"{twice[0]}: named twice; each seed counts once")
    first = all_metrics[0]
    for metrics, item in zip(all_metrics, items, strict=True):
        if metrics["per_scene"].keys() != first["per_scene"].keys():
            raise InputError(f"{item}: other scenes than {items[0]}; compare evaluations of one split")
        if metrics["protocol"] != first["protocol"]:
            raise InputError(
                f"{item}: protocol {metrics['protocol']}, but {first['protocol']} in {items[0]}; evaluate one of them again"
            )

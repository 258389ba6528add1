"""Compares two methods over seeds: means, standard deviations, best, and whether the difference is more than chance.

  python -m glacierjax.compare --baseline=OUT_A1,OUT_A2,OUT_A3 --method=OUT_B1,OUT_B2,OUT_B3
  python -m glacierjax.compare --baseline=a/metrics.json,b/metrics.json --method=c,d --output=COMPARISON
  python -m glacierjax.compare --method=OUT1,OUT2 --paper              (with the published numbers)

Each item is a metrics.json, or the folder of an evaluation that holds one. The tables are printed; with --output they are
also written to compare.md, and every number to compare.json. All items must have the same scenes and protocol.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text

if TYPE_CHECKING:
    from glacierjax.reports.metrics import Metrics

BASELINE = flags.DEFINE_list("baseline", [], "Evaluations of the method to compare with, one for each seed.")
METHOD = flags.DEFINE_list("method", [], "Evaluations of the method that may be better, one for each seed.")
PAPER = flags.DEFINE_bool("paper", False, "Compare the method with the published numbers on CaFFe's test split.")
OUTPUT = flags.DEFINE_string("output", "", "Folder for compare.md and compare.json.")

METRICS_FILE = "metrics.json"


def main() -> None:
    sides = {"--baseline": BASELINE.value, "--method": METHOD.value}
    for flag, items in sides.items():
        if not items and not (PAPER.value and flag == "--baseline"):
            raise InputError(f"{flag}: missing; name one evaluation or more: {flag}=OUT1,OUT2")
    baseline, method = ([read_metrics(item) for item in items] for items in sides.values())
    check_comparable([*baseline, *method], [*BASELINE.value, *METHOD.value])

    from glacierjax.reports.published import PUBLISHED_MDE_M, published_blocks  # --help does not wait for scipy
    from glacierjax.reports.seeds import comparison_blocks, comparison_record
    from glacierjax.reports.tables import markdown

    record: dict[str, object] = {"baseline": BASELINE.value, "method": METHOD.value}
    blocks = []
    if baseline:
        compared = comparison_record(baseline, method)
        record |= compared
        blocks += comparison_blocks(compared)
    if PAPER.value:
        record["published_mde_m"] = PUBLISHED_MDE_M
        blocks += published_blocks(method)
    text = "\n\n".join(["# Comparison over seeds", *map(markdown, blocks)]) + "\n"
    print(text, end="")
    if OUTPUT.value:
        write_text(Path(OUTPUT.value) / "compare.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
        write_text(Path(OUTPUT.value) / "compare.md", text)


def metrics_path(item: str) -> Path:
    """The file that an item means."""
    return Path(item) / METRICS_FILE if Path(item).is_dir() else Path(item)


def read_metrics(item: str) -> "Metrics":
    """Reads a metrics.json, or the one in a folder; raises `InputError` when it is missing or something else."""
    path = metrics_path(item)
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"expected a {METRICS_FILE} or the folder of an evaluation"
        raise InputError(f"{path}: cannot be read ({error.strerror}); {what}") from error
    except ValueError as error:
        raise InputError(f"{path}: not a JSON file ({error}); evaluate again") from error
    if not isinstance(metrics, dict) or not {"protocol", "mde_m", "zones", "subsets", "per_scene"} <= metrics.keys():
        raise InputError(f"{path}: not what python -m glacierjax.evaluate writes; evaluate again")
    return cast("Metrics", metrics)


def check_comparable(all_metrics: list["Metrics"], items: list[str]) -> None:
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


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))

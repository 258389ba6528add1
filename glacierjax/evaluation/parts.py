"""Parts of an evaluation: sums.json with the sums of some scenes of a split, and how such parts are merged.

All averages are computed from sums.json. Parts of one split merge to exactly the file that a single pass writes.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from glacierjax.core.choices import PROTOCOLS
from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import user_path, write_text
from glacierjax.core.json_values import read_json
from glacierjax.evaluation.score import aggregate, front_averages
from glacierjax.evaluation.sums import SceneSums, sums_from_record
from glacierjax.reports.metrics import AnnotatorStudy, BaselineAverages, FrontAverages, Metrics

SUMS_FILE = "sums.json"
FORMAT = 1
# Names of series: the same scenes scored in different ways.
PREDICTION, OTHER_PROTOCOL = "prediction", "other protocol"
BASELINE, ANNOTATOR, AMONG = "baseline ", "annotator ", "among "  # prefixes; the name follows


@dataclasses.dataclass(frozen=True)
class PartSettings:
    """What all parts of an evaluation have in common.

    `title`, `source`: of the report; `scenes`: all scene names of the split; `rules`: description of each baseline;
    `annotators`: their names.
    """

    title: str
    source: str
    kind: str
    protocol: str
    scenes: Sequence[str]
    rules: dict[str, str]
    annotators: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Part:
    """`series`: name -> one entry for each scene of the part, in the order of the split."""

    settings: PartSettings
    series: dict[str, list[SceneSums]]

    @property
    def names(self) -> list[str]:
        return [sums.id.name for sums in self.series[PREDICTION]]


def write_part(folder: Path, part: Part) -> None:
    """Writes folder/sums.json."""
    record = {
        "format": FORMAT,
        "settings": dataclasses.asdict(part.settings),
        "series": {name: [sums.record() for sums in series] for name, series in part.series.items()},
    }
    write_text(folder / SUMS_FILE, json.dumps(record, indent=1, allow_nan=False) + "\n")


def read_part(folder: str | Path) -> Part:
    """Reads folder/sums.json. Raises `InputError` when it is missing, damaged or of another format."""
    path = user_path(folder) / SUMS_FILE
    try:
        record = read_json(path)
        if record["format"] != FORMAT:
            raise InputError(f"{path}: format {record['format']}, expected {FORMAT}; score this part again")
        settings = PartSettings(**record["settings"])
        series = {name: [sums_from_record(scene) for scene in scenes] for name, scenes in record["series"].items()}
        part = Part(settings, series)
        if any([sums.id.name for sums in scenes] != part.names for scenes in series.values()):
            raise ValueError("its series are of different scenes")
        expected = {PREDICTION, OTHER_PROTOCOL, *(BASELINE + rule for rule in settings.rules)}
        if settings.protocol not in PROTOCOLS or not expected <= series.keys():
            raise ValueError("its settings are not those of its series")
        if not set(part.names) <= set(settings.scenes):
            raise ValueError("it has scenes that are not of its split")
    except OSError as error:
        what = "not the output of an evaluation or of a part of one (`shard`)"
        raise InputError(f"{path}: cannot be read ({error.strerror}); {what}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); score this part again") from error
    return part


def merge_parts(parts: Sequence[Part], where: Sequence[str]) -> Part:
    """Merges parts to one with all scenes of the split. `where` names the parts in error messages.

    Raises `InputError` when they belong to different evaluations, or a scene of the split is missing or occurs twice.
    """
    settings = parts[0].settings
    for part, place in zip(parts, where, strict=True):
        for field in dataclasses.fields(PartSettings):
            ours, theirs = getattr(settings, field.name), getattr(part.settings, field.name)
            if ours != theirs or set(part.series) != set(parts[0].series):
                raise InputError(
                    f"{place}: another evaluation than {where[0]} (different {field.name}); merge parts of one evaluation"
                )
    owner: dict[str, str] = {}
    for part, place in zip(parts, where, strict=True):
        for name in part.names:
            if name in owner:
                raise InputError(f"{place}: {name} is also in {owner[name]}; name each part once")
            owner[name] = place
    missing = [name for name in settings.scenes if name not in owner]
    if missing:
        raise InputError(
            f"`merge`: {len(missing)} of {len(settings.scenes)} scenes of the split are in no part "
            f"({some_names(missing)}); name all parts"
        )
    order = {name: number for number, name in enumerate(settings.scenes)}
    series = {
        name: sorted((sums for part in parts for sums in part.series[name]), key=lambda sums: order[sums.id.name])
        for name in parts[0].series
    }
    return Part(settings, series)


def metrics_of(part: Part) -> Metrics:
    """The contents of metrics.json for an evaluation of a whole split."""
    settings = part.settings
    (other,) = (p for p in PROTOCOLS if p != settings.protocol)
    metrics = aggregate(part.series[PREDICTION], settings.protocol)
    metrics["other_protocol"] = {"protocol": other, **front_averages(part.series[OTHER_PROTOCOL], other)}
    if settings.rules:
        metrics["baselines"] = {
            name: _baseline_averages(rule, aggregate(part.series[BASELINE + name], settings.protocol))
            for name, rule in settings.rules.items()
        }
    if settings.annotators:
        metrics["annotators"] = annotator_study(part)
    return metrics


def annotator_study(part: Part) -> AnnotatorStudy:
    """Distances of the prediction to each annotator, and of the annotators to each other.

    {"prediction": {annotator: front averages}, "among": {"A, B": front averages}, "mde_m": pooled over all annotators,
    "among_mde_m": pooled over all pairs, "times": the first divided by the second, "without_distance" and
    "among_without_distance": numbers of comparisons in which a front was empty}.
    """
    protocol = part.settings.protocol
    with_prediction, among = (
        {name.removeprefix(prefix): sums for name, sums in part.series.items() if name.startswith(prefix)}
        for prefix in (ANNOTATOR, AMONG)
    )
    pooled, pooled_among = (
        front_averages([scene for scenes in series.values() for scene in scenes], protocol)
        for series in (with_prediction, among)
    )
    error_m, human_m = pooled["mde_m"], pooled_among["mde_m"]
    return {
        "prediction": {name: front_averages(sums, protocol) for name, sums in with_prediction.items()},
        "among": {name: front_averages(sums, protocol) for name, sums in among.items()},
        "mde_m": error_m,
        "among_mde_m": human_m,
        "times": error_m / human_m if error_m is not None and human_m else None,
        "without_distance": pooled["scenes"] - pooled["scored_fronts"],
        "among_without_distance": pooled_among["scenes"] - pooled_among["scored_fronts"],
    }


def _baseline_averages(rule: str, metrics: Metrics) -> BaselineAverages:
    fronts = cast(FrontAverages, {key: metrics[key] for key in FrontAverages.__annotations__})
    return {"rule": rule, **fronts, "zones": metrics["zones"], "zones_present": metrics["zones_present"]}

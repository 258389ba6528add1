"""The report of an adaptation: errors before and after, and whether the adapted network is worth using."""

import statistics
from collections.abc import Mapping
from typing import NamedTuple

from glacierjax.core.json_values import Json
from glacierjax.recipes.adaptation import CrossValidation

HELPS = "By cross-validation the adapted network is better at the new glacier than the one before: use it."
DOES_NOT_HELP = (
    "By cross-validation the adapted network is not better at the new glacier than the one before: keep using the old one, "
    "label more scenes, or try other settings."
)
NOT_COMPARED = (
    "Not compared: cross-validation needs two labels with a front or more. Whether the adapted network is better is not known; "
    "look at its fronts, or label more scenes."
)


class OldSites(NamedTuple):
    """Validation scenes of the old glaciers: their number, and averages (`glacierjax.recipes.validation.headline`)."""

    scenes: int
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]


def report_of(facts: Json, compared: CrossValidation | None, old: OldSites | None) -> Json:
    """The contents of `adaptation.json`; `facts` are those of the checkpoint's record."""
    labels = None
    if compared is not None:
        labels = {
            name: {
                "fold": number,
                "epochs": compared.epochs_of[name],
                "before_m": compared.before[name],
                "after_m": compared.after[name],
            }
            for number, fold in enumerate(compared.folds, 1)
            for name in fold
        }
    return {
        **facts,
        "cross_validation": compared
        and {
            "labels": labels,
            "before": _averages(compared.before, compared.cost_before_m),
            "after": _averages(compared.after, compared.cost_after_m),
        },
        "old_sites": old
        and {
            "scenes": old.scenes,
            **{
                when: {key: values[key] for key in ("mde_m", "missing_fronts")}
                for when, values in (("before", old.before), ("after", old.after))
            },
        },
        "helps": compared and compared.helps,
        "advice": NOT_COMPARED if compared is None else HELPS if compared.helps else DOES_NOT_HELP,
    }


def text_of(report: Json) -> str:
    """The report as a table in Markdown."""
    rows = [("mean distance error", "before", "after"), ("---", "---:", "---:")]
    if compared := report["cross_validation"]:
        rows += [
            (name, _metres(label["before_m"]), _metres(label["after_m"])) for name, label in compared["labels"].items()
        ]
        before, after = compared["before"], compared["after"]
        rows += [
            ("**mean of these labels**", _metres(before["mde_scene_mean_m"]), _metres(after["mde_scene_mean_m"])),
            ("missing fronts", str(before["missing_fronts"]), str(after["missing_fronts"])),
            (
                "mean, a missing front as the largest possible error",
                _metres(before["cost_m"]),
                _metres(after["cost_m"]),
            ),
        ]
    if old := report["old_sites"]:
        rows.append(
            (
                f"**old glaciers**, {old['scenes']} validation scenes",
                _metres(old["before"]["mde_m"]),
                _metres(old["after"]["mde_m"]),
            )
        )
        rows.append(("missing fronts", str(old["before"]["missing_fronts"]), str(old["after"]["missing_fronts"])))
    table = ["| " + " | ".join(row) + " |" for row in rows] if len(rows) > 2 else []
    heading = f"# Adapted to {len(report['labels'])} labelled scenes, {report['epochs']} epochs"
    how = "Each label was scored by a network that was not trained on it." if compared else ""
    return "\n".join(
        [heading, "", *filter(None, [f"From `{report['checkpoint']}`.", how]), "", *table, "", report["advice"], ""]
    )


def _averages(errors_m: Mapping[str, float | None], cost_m: float) -> Json:
    found = [error for error in errors_m.values() if error is not None]
    return {
        "mde_scene_mean_m": statistics.fmean(found) if found else None,
        "missing_fronts": len(errors_m) - len(found),
        "cost_m": cost_m,
    }


def _metres(value: float | None) -> str:
    return "no front" if value is None else f"{value:.0f} m"

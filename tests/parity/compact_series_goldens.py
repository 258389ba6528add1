"""Writes tests/goldens/series.{json,npz}: what the parity tests of series assert, cut from the full reference numbers.

python tests/parity/compact_series_goldens.py
"""

import json
from typing import Any

import golden_rules as rules
import numpy as np
import series_rules
from helpers import GOLDENS

from glacierjax.core.choices import TEMPORAL


def manifests() -> dict[str, Any]:
    """The rows that are not Tyrion's own, each once."""
    rows = {
        kind: [[row["name"], row["shape"], row["kind"]] for row in json.loads(text)]
        for kind in TEMPORAL
        for text in [(series_rules.FULL / f"manifest_{kind}.json").read_text()]
    }
    tyrion = [row for row in rules.manifest("tyrion") if not row[0].startswith("pred_target.")]
    found: dict[str, Any] = {"decoder": [row for row in rows["none"] if row[0].startswith("pred_target.")]}
    found["decoder_temporal"] = [row for row in rows["conv"] if ".temporal_block." in row[0]]
    for kind in ("conv", "gru", "ltae"):
        found[kind] = [row for row in rows[kind] if ".temporal_convolution." in row[0]]
        together = tyrion + found["decoder"] + found["decoder_temporal"] + found[kind]
        if sorted(together) != sorted(rows[kind]):
            raise ValueError(f"the rest of {kind} is not that of the others")
    return found


def gradients(case: dict[str, Any]) -> dict[str, Any]:
    return {name: {"norm_float64": row["norm_float64"]} for name, row in case.items()}


def main() -> None:
    full = series_rules.read_full()
    numbers = {"manifests": manifests()}
    for case in ("mt1", "mt2"):
        numbers[case] = {}
    numbers["mt3"] = {"variants": {}}
    for kind, row in full.numbers["mt3"]["variants"].items():
        kept = ("loss_float64", "components_float64", "global_grad_norm_float64", "gradients_that_are_zero")
        numbers["mt3"]["variants"][kind] = {key: row[key] for key in kept} | {"gradients": gradients(row["gradients"])}
    numbers["mt4"] = {
        key: {name: row[name] for name in ("input_shape", "output_shape", "days")}
        | {"gradients": gradients(row["gradients"])}
        for key, row in full.numbers["mt4"].items()
    }
    for case in ("mt5", "mt6", "mt7", "mt8", "mt9"):
        numbers[case] = full.numbers[case]
    (GOLDENS / "series.json").write_text(json.dumps(numbers, separators=(",", ":")) + "\n")

    arrays = {}
    for key, array in full.arrays.items():
        case, _, rest = key.partition("/")
        if case in ("mt5", "mt7") or rest.startswith("zoom"):
            arrays[key] = array
        elif case in ("mt2", "mt4") or rest.startswith("contrast") or rest.endswith("logits_f64"):
            arrays[key] = series_rules.compact_part(array)
    np.savez_compressed(GOLDENS / "series.npz", **arrays)


if __name__ == "__main__":
    main()

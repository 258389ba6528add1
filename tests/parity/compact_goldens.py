"""Writes tests/goldens/models.{json,npz}: what the parity tests assert, cut from the full set of reference numbers.

python tests/parity/compact_goldens.py
"""

import json

import numpy as np
from golden_rules import FULL
from helpers import GOLDENS


def main() -> None:
    def read(name: str) -> dict:
        return json.loads((FULL / f"{name}.json").read_text())

    def arrays(name: str) -> dict[str, np.ndarray]:
        with np.load(FULL / f"{name}.npz") as file:
            return dict(file)

    rows = {m: read(f"manifest_{m}") for m in ("tyrion", "optsimmim", "opttranslator")}
    tyrion = [[row["name"], row["shape"], row["kind"]] for row in rows["tyrion"]]
    manifests = {"tyrion": tyrion}
    names = {"swin_unet." + name for name, _, _ in tyrion}
    for model in ("optsimmim", "opttranslator"):
        own = [[row["name"], row["shape"], row["kind"]] for row in rows[model] if row["name"] not in names]
        if len(own) + len(names) != len(rows[model]):
            raise ValueError(f"the backbone of {model} is not Tyrion's")
        manifests[model] = own

    case1, case2, case3, case4, case5 = (
        read(name)
        for name in ("case1_forward", "case2_loss", "case3_gradients", "case4_optsimmim", "case5_opttranslator")
    )
    steps = case3["sgd"]["lr=0.0001"]
    after = {
        name: [row["norm_after_2_steps"], row["norm_of_change"]]
        for name, row in steps["parameters_after_2_steps"].items()
    }
    content = {
        "manifests": manifests,
        "case1": {key: case1[key] for key in ("parameter_count", "parameter_count_without_never_used")},
        "case2": {
            key: {k: row[k] for k in ("loss", "components", "grad_norm")} if key in ("a", "b", "c") else row
            for key, row in case2.items()
        },
        "case3": {
            "loss_before_step": steps["loss_before_step"],
            "loss_after_2_steps": steps["loss_after_2_steps"],
            "after_2_steps": after,
            "sgd_units": case3["sgd_units"],
        },
        "case4": {key: case4[key] for key in ("loss", "loss_after_1_sgd_step", "sgd")},
        "case5": {key: case5[key] for key in ("loss", "loss_after_1_sgd_step", "sgd")},
    }
    for key, case in (("case3", case3), ("case4", case4), ("case5", case5)):
        content[key]["global_grad_norm"] = case["global_grad_norm"]
        content[key]["grad_norms"] = {name: row["norm"] for name, row in case["gradients"].items()}
    (GOLDENS / "models.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")

    forward, loss, simmim, translator = (
        arrays(name) for name in ("case1_forward", "case2_loss", "case4_optsimmim", "case5_opttranslator")
    )
    kept = {"logits": forward["logits"][:, :, ::2, ::2], "logits_stats": forward["logits_stats"]}
    kept |= {f"stage{i}_stats": forward[f"stage{i}_skip_stats"] for i in range(4)}
    kept |= {f"decoder{i}_stats": forward[f"decoder{i}_stats"] for i in range(6)}
    out = {f"case1_{key}": value for key, value in kept.items()}
    out |= {f"case2_grad_{key}": loss[f"grad_{key}"][:, :, ::4, ::4] for key in "abc"}
    mask = np.zeros((2, 128 * 128), bool)
    np.put_along_axis(mask, simmim["mask_indices"].astype(int), True, axis=1)
    out |= {"case4_mask": np.packbits(mask), "case4_patchify_probe": simmim["patchify_probe"]}
    out |= {"case5_output": translator["output"][:, :, ::2, ::2]}
    np.savez_compressed(GOLDENS / "models.npz", **out)


if __name__ == "__main__":
    main()

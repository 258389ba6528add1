"""Writes the compact copies of the reference cases 6, 7, 9 and 10 to tests/goldens: parts of the full files, named alike.

python tests/compact_image_goldens.py
"""

import json
import shutil

import numpy as np
from golden_rules import FULL
from helpers import GOLDENS

CASE6_SIZES = {"5x3", "127x400", "257x511", "300x700"}
CASE6_ARRAYS = ("/5x3/", "/257x511/")
CASE7_SIZE = "300x420"
CASE10_ARRAYS = (
    "brightness_lut",
    "gamma_lut",
    "poisson2_",
    "chain0_",
    "chain1_",
    "mix_",
    "zoom2_plain_image",
    "zoom3_plain_mask",
    "full_zoom_mix_brightness_gamma_flips_",
    "pre",
)


def main() -> None:
    def read(name: str):
        return json.loads((FULL / f"{name}.json").read_text())

    def arrays(name: str) -> dict[str, np.ndarray]:
        with np.load(FULL / f"{name}.npz") as file:
            return dict(file)

    def write(name: str, content) -> None:
        (GOLDENS / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")

    def size(row: dict) -> str:
        return f"{row['rows']}x{row['cols']}"

    geometry = read("case6_geometry")
    patches = [row for row in geometry["patches"] if size(row) in CASE6_SIZES]
    write("case6_geometry", {"padding": geometry["padding"], "patches": patches})
    padding = {k: v for k, v in arrays("case6_padding").items() if any(part in k for part in CASE6_ARRAYS)}
    np.savez_compressed(GOLDENS / "case6_padding.npz", **padding)

    write("case7_stitching", [row for row in read("case7_stitching") if size(row) == CASE7_SIZE])
    stitching = arrays("case7_stitching")
    kept = {key: stitching[key] for key in (f"probabilities/{CASE7_SIZE}", "gaussian_importance_256")}
    kept["gaussian_importance_256"] = kept["gaussian_importance_256"][::8, ::8]
    np.savez_compressed(GOLDENS / "case7_stitching.npz", **kept)
    for kind in ("nonoverlap", "overlap_argmax"):
        shutil.copyfile(FULL / f"case7_{kind}_{CASE7_SIZE}.png", GOLDENS / f"case7_{kind}_{CASE7_SIZE}.png")

    write("case9_optical", read("case9_optical"))

    augmentation = read("case10_augmentation")
    augmentation["sizes"] = read("meta")["case10_full_sample_images_name_rows_cols"]
    augmentation.pop("flips")
    write("case10_augmentation", augmentation)
    kept = {k: v for k, v in arrays("case10_augmentation").items() if k.startswith(CASE10_ARRAYS)}
    kept.pop("poisson2_output_f64")
    np.savez_compressed(GOLDENS / "case10_augmentation.npz", **kept)


if __name__ == "__main__":
    main()

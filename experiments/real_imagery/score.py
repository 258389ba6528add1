"""Scores trained networks on the test split of their data in several ways: mode, mirrored too, several as an ensemble.

    python experiments/real_imagery/score.py RUN [RUN ...]

Prints a line a way; all RUNs together are one ensemble.
"""

import sys

import numpy as np

from glacierjax.evaluation.network import prepared_scenes
from glacierjax.evaluation.score import aggregate, score_scene
from glacierjax.prediction.ensemble import open_predictor


def main() -> None:
    for mode in ("whole", "overlap"):
        predictor = open_predictor(sys.argv[1:], "last", mode)
        scenes = list(prepared_scenes(predictor.training, "test"))
        plain = [predictor.probabilities(scene.image, scene.id.pixel_spacing_m) for scene in scenes]
        mirrored = [
            predictor.probabilities(np.ascontiguousarray(scene.image[:, ::-1]), scene.id.pixel_spacing_m)[:, ::-1]
            for scene in scenes
        ]
        for name, found in ((mode, plain), (f"{mode} and mirrored", map(np.add, plain, mirrored))):
            scores = [score_scene(scene, p.argmax(-1).astype(np.uint8)) for scene, p in zip(scenes, found, strict=True)]
            metrics = aggregate(scores)
            errors_px = [scene["mde_px"] for scene in metrics["per_scene"].values() if scene["mde_px"] is not None]
            print(
                f"{name}: {metrics['mde_px']:.2f} px, median {np.median(errors_px):.2f}, worst {max(errors_px):.1f}, "
                f"{metrics['missing_fronts']} missing",
                flush=True,
            )


if __name__ == "__main__":
    main()

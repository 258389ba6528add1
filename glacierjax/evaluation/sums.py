"""Sums and counts of a scene, from which all averages are computed.

A file stores them exactly, so scoring in parts and merging gives the same digits as a single pass.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.core.zones import NUM_ZONES


@dataclasses.dataclass(frozen=True, eq=False)
class SceneSums:
    """The sums and counts of one scene.

    `distances`: number of distances between the two fronts in both directions, 0 if a front is empty;
    `distance_sum_m`: their sum; `squares_m2`: the sum of their squared deviations from the scene's own mean;
    `front_pixels`, `true_front_pixels`: pixels of the fronts; `zone_counts` (4, 4): pixels by true and predicted
    class, None where only a front was predicted.
    """

    id: SceneId
    distances: int
    distance_sum_m: float
    squares_m2: float
    front_pixels: int
    true_front_pixels: int
    zone_counts: np.ndarray | None

    @property
    def mde_m(self) -> float | None:
        return self.distance_sum_m / self.distances if self.distances else None

    @property
    def mde_px(self) -> float | None:
        return None if self.mde_m is None else self.mde_m / self.id.pixel_spacing_m

    def record(self) -> dict[str, Any]:
        """The fields for JSON, which stores every number exactly."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(SceneSums)}
        counts = self.zone_counts
        return fields | {"id": self.id.name, "zone_counts": None if counts is None else counts.tolist()}


def sums_of_distances(distances_m: Float[np.ndarray, " distance"]) -> dict[str, Any]:
    """The first three numbers of `SceneSums` from the distances (n,) of a scene in metres."""
    mean_m = distances_m.mean() if len(distances_m) else 0.0
    return {
        "distances": len(distances_m),
        "distance_sum_m": float(distances_m.sum()),
        "squares_m2": float(((distances_m - mean_m) ** 2).sum()),
    }


def sums_from_record(record: Mapping[str, Any]) -> SceneSums:
    """The inverse of `SceneSums.record`; raises KeyError, TypeError or ValueError for anything else."""
    counts = record["zone_counts"]
    if Path(record["id"]).name != record["id"]:  # files are named after it
        raise ValueError(f"the scene name {record['id']!r} is a path")
    sums = SceneSums(
        id=parse_name(record["id"]),
        distances=int(record["distances"]),
        distance_sum_m=float(record["distance_sum_m"]),
        squares_m2=float(record["squares_m2"]),
        front_pixels=int(record["front_pixels"]),
        true_front_pixels=int(record["true_front_pixels"]),
        zone_counts=None if counts is None else np.array(counts, np.int64).reshape(NUM_ZONES, NUM_ZONES),
    )
    fronts_px = sums.front_pixels, sums.true_front_pixels
    if sums.distances != (sum(fronts_px) if all(fronts_px) else 0) or min(fronts_px) < 0:
        raise ValueError(f"{record['id']}: {sums.distances} distances between fronts of {fronts_px} pixels")
    return sums


def pooled_mean_and_deviation(sums: Sequence[SceneSums]) -> tuple[float, float]:
    """Mean and population standard deviation, in metres, of the distances of all scenes; at least one scene has distances.

    The variance is the sum of the variances within scenes and between their means, which avoids the cancellation in a plain
    sum of squares. Each sum is rounded once (`math.fsum`), so the order of the scenes does not matter.
    """
    count = sum(s.distances for s in sums)
    mean_m = math.fsum(s.distance_sum_m for s in sums) / count
    between = (s.distances * (s.distance_sum_m / s.distances - mean_m) ** 2 for s in sums if s.distances)
    return mean_m, math.sqrt(math.fsum((*(s.squares_m2 for s in sums), *between)) / count)

"""Pooled scores of some scenes of a report's metrics.json, for studies that tell winter and summer apart."""

from collections.abc import Sequence
from typing import Any


def mde_m(scenes: Sequence[dict[str, Any]]) -> float | None:
    """Mean distance error in metres over all distances of the scenes, as metrics.json has it; None without any."""
    found = [scene for scene in scenes if scene["mde_m"] is not None]
    count = sum(scene["distances"] for scene in found)
    return sum(scene["mde_m"] * scene["distances"] for scene in found) / count if count else None


def missing_fronts(scenes: Sequence[dict[str, Any]]) -> int:
    return sum(scene["mde_m"] is None for scene in scenes)

"""Rock masks and summer scenes for a prediction: opened, and applied as input channels or as a rule."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.channels import priors_of, rock_plane
from glacierjax.core.choices import NONE, ROCK, SUMMER
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.seasons import check_months
from glacierjax.geo.covers import Cover, read_cover
from glacierjax.geo.scenes import ReadOptions, Scene
from glacierjax.geo.sources import Source
from glacierjax.geo.summer import SummerScenes, summer_scenes
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.records import states_of

log = logging.getLogger(__name__)

DEFAULT_READING = ReadOptions()


@dataclasses.dataclass(frozen=True, eq=False)
class ScenePriors:
    """On a scene's grid: `rock` bool (H, W), `summer` uint8 (H, W), None: not known; `is_rule`: rock is rock in the result;
    `summer_sources`: as of `glacierjax.geo.summer.SummerScene`."""

    rock: Bool[np.ndarray, "height width"] | None = None
    summer: UInt8[np.ndarray, "height width"] | None = None
    is_rule: bool = False
    summer_sources: tuple[Source, ...] = ()

    @property
    def planes(self) -> dict[str, UInt8[np.ndarray, "height width"] | None]:
        """As input channels, by name."""
        return {ROCK: rock_plane(self.rock), SUMMER: self.summer}


NOTHING_KNOWN = ScenePriors()


@dataclasses.dataclass(frozen=True)
class Priors:
    """Where priors of scenes come from; None: nowhere. `rock_rule`: what `rock` covers is rock, whatever the network says."""

    rock: Cover | None = None
    rock_rule: bool = False
    summer: SummerScenes | None = None

    def of(self, scene: Scene, source: Source) -> ScenePriors:
        """The priors of a scene. Raises `InputError` for a scene without georeference, which they cannot be laid on, and for
        a rock mask of another place."""
        height, width = scene.image.shape
        rock = None if self.rock is None else self.rock.mask((height, width), scene.georeference)
        if self.rock is not None and scene.georeference and not self.rock.meets((height, width), scene.georeference):
            if self.rock.area is None:
                raise InputError(f"{self.rock.where}: shows nothing of {source.where}; give the mask of its glacier")
            log.warning("%s: no rock of %s lies in it", scene.name, self.rock.where)
        found = None
        if self.summer is not None:
            if scene.georeference is None:
                raise InputError(
                    f"{source.where}: not georeferenced, so no summer scene can be laid on it; give `summer`=none"
                )
            found = self.summer.for_scene(source, scene.facts.date, scene.georeference, (height, width))
            if found is None:
                log.warning("%s: no summer scene of its ground, so the channel is 0", source.where)
            else:
                log.info("%s: its summer scene is %s", scene.name, found.name)
        if found is None:
            return ScenePriors(rock, None, self.rock_rule)
        return ScenePriors(rock, found.grey, self.rock_rule, found.tried)

    def settings(self, output: Path) -> dict[str, Any]:
        """What tells results with these priors in the folder `output` from others."""
        summer = self.summer and {
            "named": self.summer.named and [str(state) for state in states_of(self.summer.named, output)],
            "months": list(self.summer.months),
        }
        return {"rock": self.rock and self.rock.digest, "rock_rule": self.rock_rule, "summer": summer}


NO_PRIORS = Priors()


def open_priors(
    predictor: Predictor,
    sources: Sequence[Source],
    rock: str = "",
    rock_rule: bool | None = None,
    summer: str = "",
    summer_months: tuple[int, ...] = (),
    options: ReadOptions = DEFAULT_READING,
) -> Priors:
    """The priors of a prediction of `sources`.

    `rock`: a file, "none", or "": there is none; `rock_rule` None: where the network has no rock channel. `summer`: a file,
    "none", or "nearest" (also ""): the nearest of the sources, if the network expects one; `options`: how it is read. Raises
    `InputError` if the network expects a rock mask and none was given, and for a prior that would have no use.
    """
    expected = priors_of(predictor.channels)
    network = predictor.sources[0] if predictor.sources else "the network"
    if ROCK in expected and not rock:
        raise ArgumentError(
            "rock",
            "",
            f"missing: {network} expects a rock mask as its second channel; give a file, or {NONE} to go without",
        )
    cover = read_cover(rock) if rock and rock != NONE else None
    if rock_rule and cover is None:
        raise ArgumentError("rock_rule", True, "there is no rock to rule; give a file with it (rock)")
    is_rule = cover is not None and (ROCK not in expected if rock_rule is None else rock_rule)
    if cover is not None and ROCK not in expected and not is_rule:
        raise ArgumentError("rock", rock, f"no use: {network} has no rock channel, and rock_rule is off; leave it out")
    if summer not in ("", NONE) and SUMMER not in expected:
        raise ArgumentError("summer", summer, f"no use: {network} has no channel for a summer scene; leave it out")
    scenes = None
    is_summer_used = SUMMER in expected and summer != NONE
    check_months(summer_months, is_summer_used)
    if is_summer_used:
        scenes = summer_scenes(summer, sources, summer_months, options, predictor.grey)
    if cover is not None:
        uses = {"a channel of the input": ROCK in expected, "a rule after the network": is_rule}
        log.info("rock of %s: %s", cover.where, " and ".join(use for use, on in uses.items() if on))
    return Priors(cover, is_rule, scenes)

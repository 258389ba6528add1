"""Plans a campaign: which scene shows which glacier, how much there is to predict, and how long that will take."""

import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from jaxtyping import Float, Int

from glacierjax.campaign.glaciers import Glacier, read_glaciers
from glacierjax.campaign.scenes import PlacedScene, Skipped, find_scenes
from glacierjax.campaign.settings import CampaignSettings, digest_of
from glacierjax.campaign.tasks import (
    NO_PIXELS,
    Task,
    area_file,
    digest_of_task,
    write_areas,
    write_tasks,
)
from glacierjax.core.channels import priors_of
from glacierjax.core.choices import SUMMER
from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import new_folder
from glacierjax.core.json_values import Json
from glacierjax.core.seasons import hemisphere_of, is_ice_free
from glacierjax.core.spacing import looks_for
from glacierjax.geo.georeference import steps_m
from glacierjax.geo.summer import date_of
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor
from glacierjax.prediction.records import name_scenes

log = logging.getLogger(__name__)

MEASURE = "measure"
MEASURED_SIDE_PX = 768
OVER_NONE = "over no glacier's area"


@dataclasses.dataclass(frozen=True, eq=False)
class _Pairs:
    """Which scene shows which glacier: `scenes`, `glaciers` are numbers (n,); `covered`: share of the glacier's area; `sides_m`
    (n, 2): width and height of the rectangle around what the scene shows of it."""

    scenes: Int[np.ndarray, " pair"]
    glaciers: Int[np.ndarray, " pair"]
    covered: Float[np.ndarray, " pair"]
    sides_m: Float[np.ndarray, "pair 2"]


class _Network(NamedTuple):
    """What the tasks of a glacier need to know of its networks."""

    is_of_series: bool
    pixel_spacing_m: float
    context_px: int
    sees_summer: bool


def plan_campaign(
    glaciers: str | Path,
    scenes: Sequence[str],
    output: str | Path,
    settings: CampaignSettings,
    asset: str | None = None,
    glacier_field: str = "",
    least_covered: float = 0.0,
    pixels_per_second: str = "",
) -> Json:
    """Writes the plan of a campaign to the new folder `output`, and returns and logs its summary.

    Args:
      glaciers: their table (`glacierjax.campaign.glaciers.read_glaciers`); `glacier_field`: its column with the ids.
      scenes: what names the scenes (`glacierjax.campaign.scenes.find_scenes`); `asset` of STAC items.
      settings: how scenes are predicted.
      least_covered: a scene that covers a smaller share of a glacier's area gets no task, 0 to 1.
      pixels_per_second: what one process predicts, "measure": found out here on noise, "": no hours are estimated.

    Raises:
      InputError: for a table, a list or networks that cannot be used, and if no scene shows a glacier. A scene that cannot be
        read is skipped.
    """
    if not 0 <= least_covered <= 1:
        raise ArgumentError("least_covered", least_covered, "give a share of the area, 0 to 1")
    speed = _speed(pixels_per_second)
    table = read_glaciers(glaciers, glacier_field)
    with new_folder(output) as folder:
        write_areas(folder, table)
        digests: dict[str, str] = {}
        networks: dict[tuple[str, ...], _Network] = {}  # by their checkpoints
        by_networks = sorted(range(len(table)), key=lambda number: table[number].checkpoints)  # each is opened once
        for glacier in (table[number] for number in by_networks):
            predictor = settings.networks_of(glacier)
            if glacier.checkpoints not in networks:
                networks[glacier.checkpoints] = _network(predictor)
                if pixels_per_second == MEASURE and networks[glacier.checkpoints].is_of_series:
                    raise ArgumentError(
                        "pixels_per_second", MEASURE, "networks of series are not measured; give a number"
                    )
            try:
                digests[glacier.id] = digest_of(settings.batch(glacier, area_file(folder, glacier.id), folder, ()))
            except InputError as error:
                raise InputError(f"{glaciers}: glacier {glacier.id}: {error}") from error
        placed, skipped = find_scenes(scenes, settings.reading, asset)
        pairs = _join(placed, table)
        unseen = sorted(set(range(len(placed))) - set(pairs.scenes.tolist()))
        skipped += [Skipped(placed[number].source.where, OVER_NONE) for number in unseen]
        tasks: list[Task] = []
        for number in by_networks:  # so that a process loads each of them once
            glacier, chosen = table[number], np.flatnonzero(pairs.glaciers == number)
            made, left_out = _tasks_of(
                glacier, networks[glacier.checkpoints], digests[glacier.id], placed, pairs, chosen, least_covered
            )
            tasks += made
            skipped += left_out
        if not tasks:
            reasons = "; ".join(f"{count} {reason}" for reason, count in _reasons(skipped).most_common(3))
            raise ArgumentError("scenes", ", ".join(scenes), f"no scene of a glacier of {glaciers} ({reasons})")
        hours = _hours(settings, [table[number] for number in by_networks], tasks, speed)
        summary = _summary(table, placed, tasks, skipped, hours)
        write_tasks(folder, settings, table, digests, tasks, skipped, summary)
    _log_summary(summary)
    return summary


def _speed(text: str) -> float | None:
    """Pixels per second; None: not to be estimated; 0: to be measured."""
    if text in ("", MEASURE):
        return 0.0 if text else None
    try:
        speed = float(text)
    except ValueError:
        speed = float("nan")
    if not 0 < speed < float("inf"):
        raise ArgumentError("pixels_per_second", text, f"give a number above 0, or {MEASURE}")
    return speed


def _network(predictor: Predictor) -> _Network:
    of_series, sees_summer = isinstance(predictor, SeriesPredictor), SUMMER in priors_of(predictor.channels)
    return _Network(of_series, predictor.pixel_spacing_m, predictor.context_px, sees_summer)


def _join(placed: Sequence[PlacedScene], glaciers: Sequence[Glacier]) -> _Pairs:
    footprints = shapely.make_valid(np.array([scene.polygons for scene in placed], object))
    areas = shapely.make_valid(np.array([glacier.area for glacier in glaciers], object))
    scenes, of_glacier = shapely.STRtree(areas).query(footprints, predicate="intersects")
    common = shapely.intersection(footprints[scenes], areas[of_glacier])
    covered = shapely.area(common) / shapely.area(areas[of_glacier])
    west, south, east, north = shapely.bounds(common).T
    for number in np.flatnonzero(east - west > 180):  # on both sides of 180 degrees
        turned = shapely.transform(common[number], lambda points: np.where([True, False], points % 360, points))
        west[number], _, east[number], _ = turned.bounds
    middle = (south + north) / 2
    width_m, _ = steps_m(np.column_stack([west, middle]), np.column_stack([east, middle]))
    _, height_m = steps_m(np.column_stack([west, south]), np.column_stack([west, north]))
    there = covered > 0
    sides_m = np.column_stack([np.abs(width_m), height_m])
    return _Pairs(scenes[there], of_glacier[there], covered[there], sides_m[there])


def _tasks_of(
    glacier: Glacier,
    network: _Network,
    digest: str,
    placed: Sequence[PlacedScene],
    pairs: _Pairs,
    chosen: Int[np.ndarray, " pair"],
    least_covered: float,
) -> tuple[list[Task], list[Skipped]]:
    """The tasks of one glacier in the order of their dates; `chosen`: its pairs."""
    skipped, pair_of = [], {}
    for pair in chosen.tolist():
        source = placed[int(pairs.scenes[pair])].source
        if pairs.covered[pair] < least_covered:
            what = f"covers {100 * pairs.covered[pair]:.0f} % of {glacier.id}, less than `least_covered`"
            skipped.append(Skipped(source.where, what))
        else:
            pair_of[source] = pair
    ordered = sorted(pair_of, key=lambda source: (str(date_of(source) or "9999"), source.name))
    if not ordered:
        return [], skipped
    pixels = {
        source: _pixels(network, pairs.sides_m[pair], placed[int(pairs.scenes[pair])].pixel_spacing_m)
        for source, pair in pair_of.items()
    }
    covered = {source: float(pairs.covered[pair]) for source, pair in pair_of.items()}
    if network.is_of_series:
        mean = sum(covered.values()) / len(covered)
        total = NO_PIXELS if NO_PIXELS in pixels.values() else sum(pixels.values())
        whole = digest_of_task(digest, "", ordered)
        return [Task(whole, glacier.id, "", None, mean, total, tuple(ordered))], skipped
    names, problems = name_scenes(ordered, {}, Path(glacier.id))
    skipped += [Skipped(source.where, f"glacier {glacier.id}: {problem}") for source, problem in problems.items()]
    dates = {source: date_of(source) for source in ordered}
    if network.sees_summer:
        hemisphere = hemisphere_of(None, glacier.area.centroid.y)
        ice_free = [source for source, date in dates.items() if date and is_ice_free(date, hemisphere)]
        digest = digest_of_task(digest, "", ice_free)  # any of them may be the summer scene of a task
    tasks = [
        Task(
            digest_of_task(digest, names[source], [source]),
            glacier.id,
            names[source],
            dates[source],
            covered[source],
            pixels[source],
            (source,),
        )
        for source in ordered
        if source in names
    ]
    return tasks, skipped


def _pixels(network: _Network, sides_m: Float[np.ndarray, "2"], spacing_m: float | None) -> int:
    """Pixels that the network sees, with its context around what is asked for."""
    if spacing_m is None:
        return NO_PIXELS
    seen_m = spacing_m * looks_for(spacing_m, network.pixel_spacing_m)
    return int(np.prod(np.ceil(sides_m / seen_m) + 2 * network.context_px))


def _summary(
    glaciers: Sequence[Glacier],
    placed: Sequence[PlacedScene],
    tasks: Sequence[Task],
    skipped: Sequence[Skipped],
    hours: float | None,
) -> Json:
    counts = Counter(task.glacier for task in tasks)
    return {
        "glaciers": len(glaciers),
        "glaciers_without_scene": [glacier.id for glacier in glaciers if not counts[glacier.id]],
        "scenes": len(placed),
        "tasks": len(tasks),
        "tasks_without_pixels": sum(task.pixels == NO_PIXELS for task in tasks),
        "pixels": sum(task.pixels for task in tasks),
        "process_hours": hours,
        "skipped": dict(_reasons(skipped).most_common()),
    }


def _hours(
    settings: CampaignSettings, glaciers: Sequence[Glacier], tasks: Sequence[Task], speed: float | None
) -> float | None:
    """Of one process; `speed`: as of `_speed`, None: None."""
    if speed is None:
        return None
    pixels, speeds = Counter[str](), {}
    for task in tasks:
        pixels[task.glacier] += task.pixels
    hours = 0.0
    for glacier in glaciers:
        if not pixels[glacier.id]:
            continue
        if glacier.checkpoints not in speeds:
            speeds[glacier.checkpoints] = speed or measured_speed(settings.networks_of(glacier))
        hours += pixels[glacier.id] / speeds[glacier.checkpoints] / 3600
    return hours


def _reasons(skipped: Sequence[Skipped]) -> Counter[str]:
    """How often each reason is given, without the names of the files in it."""
    return Counter(one.reason.removeprefix(f"{one.what}: ").replace(f"{Path(one.what).name}: ", "") for one in skipped)


def measured_speed(network: Predictor) -> float:
    """Pixels that the networks answer a second in this process, on noise, without the time to compile."""
    noise = np.random.default_rng(0).integers(0, 256, (MEASURED_SIDE_PX, MEASURED_SIDE_PX, 3), np.uint8)
    image = noise if priors_of(network.channels) else noise[..., 0]
    spacing_m = network.pixel_spacing_m or 20.0
    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        for _ in network.strips(image, spacing_m):
            pass
        seconds = time.perf_counter() - started
    return image.shape[0] * image.shape[1] / seconds


def _log_summary(summary: Json) -> None:
    log.info(
        "%d tasks: %d glaciers, %d scenes that can be placed, %.4g megapixels",
        summary["tasks"],
        summary["glaciers"] - len(summary["glaciers_without_scene"]),
        summary["scenes"],
        summary["pixels"] / 1e6,
    )
    if summary["process_hours"] is not None:
        log.info("estimated: %.3g hours of one process", summary["process_hours"])
    if summary["tasks_without_pixels"]:
        log.warning("%d tasks of unknown pixel spacing are not in the estimate", summary["tasks_without_pixels"])
    if summary["glaciers_without_scene"]:
        log.warning("no scene of %s", some_names(summary["glaciers_without_scene"]))
    for reason, count in summary["skipped"].items():
        log.info("skipped: %d x %s", count, reason)

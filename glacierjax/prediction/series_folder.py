"""Predicts a folder of scenes with networks of series: groups them, and makes each group again that has changed."""

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from glacierjax.core.choices import GEOREFERENCE, GROUPS, REFERENCE
from glacierjax.core.errors import InputError, some_names
from glacierjax.core.progress import track
from glacierjax.core.scene_names import facts_of_name
from glacierjax.datasets.series import days_of_dates
from glacierjax.geo.registration import Footprint
from glacierjax.geo.scenes import Scene, outline_of
from glacierjax.geo.sources import Source
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor
from glacierjax.prediction.folder import Batch, log_done, noting
from glacierjax.prediction.grouping import Candidate, Group, group_scenes, without_date
from glacierjax.prediction.priors import ScenePriors
from glacierjax.prediction.records import Record, States, is_done, states_of
from glacierjax.prediction.register import NOT_GEOREFERENCED, check_registration, check_single
from glacierjax.prediction.scene import Prediction
from glacierjax.prediction.series import Series, check_series_mode
from glacierjax.prediction.series_scene import find_fronts, keep_scene
from glacierjax.prediction.spool import Spool

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SeriesBatch(Batch):
    """As `Batch`. `series`: which scenes form a sample (`glacierjax.prediction.series.plan_series`); `registration`: how they
    are laid over each other, None: by map coordinates where scenes have them, else by size.

    A scene is done if its files and those of the other scenes of its sample are as they were.
    """

    series: str = GROUPS
    registration: str | None = None

    def __post_init__(self) -> None:
        check_series_mode(self.series)
        check_registration(self.registration)

    @property
    def _networks(self) -> SeriesPredictor:
        assert isinstance(self.predictor, SeriesPredictor), "chosen by `batch_for`"
        return self.predictor

    def _predict_all(
        self, names: Mapping[Source, str], records: dict[str, Record], problems: dict[Source, str]
    ) -> None:
        candidates = []
        for source, name in names.items():
            with noting([source], problems):
                candidates.append(self._candidate(source, name))
        sources = {name: source for source, name in names.items()}
        groups = group_scenes(candidates, self.registration)
        samples = [sample for group in groups for sample in group.plan(self.series, self._networks.frames)]
        todo = [name for sample in samples for name in self._not_done(sample, sources, records)]
        log_done(len(candidates) - len(todo), len(candidates))
        self._log_groups(groups)
        work = (done for group in groups for done in self._predict_group(group, sources, records, problems))
        for _ in track(work, len(todo), "scenes predicted"):
            pass

    def _candidate(self, source: Source, name: str) -> Candidate:
        outline = outline_of(source, self.options, self.interest)
        facts = source.facts.filled_from(facts_of_name(name))
        if self.registration == GEOREFERENCE and outline.place is None:
            raise InputError(f"{source.where}: {NOT_GEOREFERENCED}")
        if self._networks.frames > 1:
            days_of_dates({source.where: facts.date}, [source.where], self._networks.needs_dates)
        if self.series == REFERENCE and facts.date is None:
            raise without_date(source.where)
        place = outline.place and Footprint(outline.place, outline.shape)
        spacing_m = facts.pixel_spacing_m or round(outline.pixel_spacing_m)
        return Candidate(name, spacing_m, facts.glacier, facts.date, place)

    def _log_groups(self, groups: Sequence[Group]) -> None:
        frames = self._networks.frames
        if frames == 1:
            return
        several = [group for group in groups if len(group.dates) > 1]
        for group in several:
            first, last = group.names[0], group.names[-1]
            log.info("series of %d scenes, by %s: %s to %s", len(group.dates), group.registration, first, last)
            undated = [name for name, date in group.dates.items() if date is None]
            if undated:
                log.warning("no date in the names of %s: last in their series", some_names(undated))
        alone = [name for group in groups if len(group.dates) == 1 for name in group.dates]
        if alone:
            log.warning(
                "no other scene of the same place, so the networks see %d copies of it: %s", frames, some_names(alone)
            )

    def _states(self, name: str, sample: Series, sources: Mapping[str, Source]) -> States:
        """Of the scene's own files, then of those of the other scenes of its sample."""
        others = (frame for frame in dict.fromkeys(sample.frames) if frame != name)
        return tuple(state for frame in (name, *others) for state in states_of(sources[frame], self.output))

    def _not_done(
        self,
        sample: Series,
        sources: Mapping[str, Source],
        records: Mapping[str, Record],
        fresh: Collection[str] = (),
    ) -> dict[str, tuple[int, States]]:
        """The wanted scenes that are not done: position and states. `fresh`: those that this run has made."""
        found = {}
        for position in sample.wanted:
            name = sample.frames[position]
            states = self._states(name, sample, sources)
            if (self.overwrite and name not in fresh) or not is_done(
                records.get(name), states, self.output, self.digest
            ):
                found[name] = position, states
        return found

    def _predict_group(
        self,
        group: Group,
        sources: Mapping[str, Source],
        records: dict[str, Record],
        problems: dict[Source, str],
    ) -> Iterator[str]:
        """The names of the scenes, as they are done or fail. One that cannot be read leaves the group, which is planned anew."""
        fresh: set[str] = set()
        while group.dates:
            for sample in group.plan(self.series, self._networks.frames):
                todo = self._not_done(sample, sources, records, fresh)
                todo = {name: value for name, value in todo.items() if sources[name] not in problems}
                if not todo:
                    continue
                with Spool(self.output) as spool:
                    scenes, priors, failed = self._read_sample(sample, sources, problems, spool, todo)
                    if failed:
                        break
                    positions = [position for position, _ in todo.values()]
                    how = (group.registration, spool, self.area, positions, priors)
                    found: Sequence[Callable[[], Prediction]] = ()
                    with noting([sources[name] for name in todo], problems):
                        found = find_fronts(self._networks, scenes, sample, *how)
                    for name, predicted in zip(todo, found, strict=False):  # none are found where all have failed
                        with noting([sources[name]], problems):
                            records[name] = self._write(predicted(), todo[name][1], records.get(name))
                            fresh.add(name)
                        yield name
            else:
                return
            group = group.without(failed)

    def _read_sample(
        self,
        sample: Series,
        sources: Mapping[str, Source],
        problems: dict[Source, str],
        spool: Spool,
        wanted: Collection[str],
    ) -> tuple[dict[str, Scene], dict[str, ScenePriors], str]:
        """The scenes of a sample and the priors of those that are wanted, by name; the first one that cannot be read, or ""."""
        scenes, priors = {}, {}
        for name in dict.fromkeys(sample.frames):
            with noting([sources[name]], problems):
                scene = keep_scene(self._read(sources[name], name), spool)
                if name in wanted:
                    priors[name] = self.priors.of(scene, sources[name])
                scenes[name] = scene
            if name not in scenes:
                return scenes, priors, name
        return scenes, priors, ""

    def settings(self) -> dict[str, Any]:
        own = {"frames": self._networks.frames, "series": self.series, "registration": self.registration}
        return {**super().settings(), **own}


def batch_for(
    predictor: Predictor, *arguments: Any, series: str | None = None, registration: str | None = None
) -> Batch:
    """The `Batch` or, for networks of series, `SeriesBatch` with these further arguments; None: as it is by default.

    Raises `InputError` for `series` or `registration` with networks of single scenes.
    """
    if isinstance(predictor, SeriesPredictor):
        series = series or GROUPS
        return SeriesBatch(predictor.for_series(series), *arguments, series=series, registration=registration)
    check_single(predictor, series, registration)
    return Batch(predictor, *arguments)

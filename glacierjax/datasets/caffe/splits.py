"""Which scene is for training, validation or test: CaFFe's official rule, and one for any other set of scenes."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.archive import SceneArchive

TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

OFFICIAL_COUNTS = {TRAIN: 559, TEST: 122}  # scenes of the full CaFFe archive
OFFICIAL_VALIDATION_COUNT = 56
SPLIT_SEED = 1  # of CaFFe's authors, who draw with numpy's RandomState
# The other published split of the full archive, of the networks for series (Dreier et al. 2026): the drawn validation scenes
# of these glaciers and the scenes named here; the drawn ones of other glaciers train. No rule is known behind the names.
SERIES_VALIDATION_GLACIERS = ("Crane", "JAC", "Jorum")
SERIES_VALIDATION_ADDED = (
    "Crane_2007-06-09_ENVISAT_20_1_467",
    "Crane_2008-10-13_TSX_7_3_034",
    "Crane_2010-11-16_TSX_7_2_110",
    "Crane_2011-06-02_TSX_7_2_110",
    "Crane_2012-11-06_TSX_7_2_034",
    "JAC_2010-07-22_TSX_6_1_005",
    "JAC_2011-04-12_TSX_6_1_005",
    "JAC_2011-11-18_TSX_6_1_005",
    "JAC_2012-08-20_TSX_6_1_027",
    "JAC_2012-09-21_TSX_6_1_005",
    "JAC_2013-03-17_TSX_6_1_027",
    "JAC_2013-04-07_TSX_6_1_005",
    "JAC_2014-09-18_TSX_6_1_027",
    "JAC_2015-04-25_TSX_6_1_005",
    "JAC_2015-11-09_TSX_6_1_005",
    "Jorum_2009-12-25_PALSAR_17_1_136",
    "Jorum_2011-10-18_TSX_7_3_034",
    "Jorum_2012-06-27_TSX_7_2_034",
    "Jorum_2013-02-24_TSX_7_3_034",
    "Jorum_2014-01-20_TSX_7_2_034",
)
OFFICIAL_SPLITS = ("caffe", "series")
HELD_OUT_FRACTION = 0.1
MIN_GLACIERS_TO_HOLD_ONE_OUT = 3

_VALIDATION_FOLDERS = ("val", "validation")


class ArchivedScene(NamedTuple):
    """Where a scene lies in its archive."""

    split: str
    name: str


class SplitPlan(NamedTuple):
    """`splits`: "train", "val", "test" -> scenes in sorted order, empty splits left out; `rule`: in words."""

    splits: dict[str, list[ArchivedScene]]
    rule: str


def plan_splits(
    archive: SceneArchive,
    test_glaciers: Sequence[str] = (),
    skip: Container[ArchivedScene] = frozenset(),
    official: str = "caffe",
) -> SplitPlan:
    """Assigns every labelled scene of an archive to a split.

    1. The full CaFFe archive (559 train and 122 test scenes): 56 of the sorted train names, drawn with
       `RandomState(1).permutation(559)`, are validation, as CaFFe's authors do. `official` "series" is the split that
       networks for series were published with: 52 scenes of three glaciers are validation, the test scenes are the same.
    2. `test_glaciers` given: their scenes are test. Else a labelled test split is test. Else, of three glaciers or
       more, the one with the fewest scenes (the last in sorted order if several) is test; else 10 % are drawn.
    3. A labelled split `val` is validation, unless `test_glaciers` is given. Else 10 % of the rest.

    Draws (`RandomState(1)`, each glacier in its share) take whole groups of scenes that share one front drawing
    (`front_groups`), as many as fit
    into a tenth of the scenes (at least one group), and leave something for training. Scenes whose name or label cannot
    be read keep their place (reading them tells the error) unless they are in `skip`: those are left out, from the
    official split after its draw, else before. Raises `InputError` for an archive without labels, or without any that
    is not skipped, for a glacier that is not in it, and for `official` "series" with any other archive than CaFFe's.
    """
    if official not in OFFICIAL_SPLITS:
        raise InputError(f"split={official!r}: unknown; expected one of {', '.join(OFFICIAL_SPLITS)}")
    labelled = {split: archive.names(split) for split in archive.splits() if archive.labelled(split)}
    if not labelled:
        raise InputError("no labels in any split (no zones/SPLIT/*.png); a data set to train or score on needs some")
    if not test_glaciers and {split: len(names) for split, names in labelled.items()} == OFFICIAL_COUNTS:
        return _official(labelled, skip, official)
    if official == "series":
        raise InputError(
            "split='series': is a split of the full CaFFe archive (559 train and 122 test scenes), without chosen test "
            "glaciers; leave it out for any other set"
        )

    pool = [ArchivedScene(split, name) for split, names in labelled.items() for name in names]
    pool = [source for source in pool if source not in skip]
    if not pool:
        raise InputError("none of the labelled scenes can be read; mend or replace them")
    if test_glaciers:
        known = {_glacier(source) for source in pool}
        for glacier in test_glaciers:
            if glacier not in known:
                there = ", ".join(sorted(filter(None, known)))
                raise InputError(f"test_glaciers: no labelled scene of {glacier!r}; there are: {there}")
        test, rest = _part(pool, lambda source: _glacier(source) in test_glaciers)
        validation = []
        rule = f"test: {', '.join(test_glaciers)} (chosen)"
    else:
        test, rest = _part(pool, lambda source: source.split == TEST)
        validation, rest = _part(rest, lambda source: source.split in _VALIDATION_FOLDERS)
        rule = "test: the archive's test split"
    groups = front_groups(archive, rest)
    if not test:
        scenes_of = Counter(filter(None, map(_glacier, rest)))
        if len(scenes_of) >= MIN_GLACIERS_TO_HOLD_ONE_OUT:
            held_out = max(scenes_of, key=lambda glacier: (-scenes_of[glacier], glacier))
            test, rest = _part(rest, lambda source: _glacier(source) == held_out)
            rule = f"test: {held_out}, the glacier with the fewest scenes"
        else:
            test, rest = _draw(rest, groups)
            rule = f"test: {len(test)} scenes drawn, too few glaciers to hold one out"
    if validation:
        rule += "; validation: the archive's val split"
    else:
        validation, rest = _draw(rest, groups)
        rule += f"; validation: {len(validation)} scenes drawn"
    return _plan(rest, validation, test, rule)


def front_groups(archive: SceneArchive, sources: Sequence[ArchivedScene]) -> dict[ArchivedScene, str]:
    """A group name for each scene; scenes of one glacier with pixel-identical fronts share it.

    One drawing used for several dates would leak from training into validation. An empty front is no drawing: such
    scenes (and those whose front cannot be read) are groups of their own.
    """
    groups = {}
    for source in sources:
        try:
            front = archive.read_front(*source)
            glacier = parse_name(source.name).glacier
        except InputError:
            groups[source] = source.name
            continue
        digest = hashlib.sha256(repr(front.shape).encode() + np.packbits(front).tobytes()).hexdigest()
        groups[source] = f"{glacier} {digest}" if front.any() else source.name
    return groups


def _official(labelled: dict[str, list[str]], skip: Container[ArchivedScene], official: str) -> SplitPlan:
    names = labelled[TRAIN]
    drawn = np.random.RandomState(SPLIT_SEED).permutation(len(names))[:OFFICIAL_VALIDATION_COUNT]
    chosen = {names[i] for i in drawn}
    rule = "CaFFe's official split"
    if official == "series":
        absent = sorted(set(SERIES_VALIDATION_ADDED) - set(names))
        if absent:
            raise InputError(f"split='series': {absent[0]}, a validation scene of it, is not in this archive")
        chosen = {name for name in chosen if _glacier(ArchivedScene(TRAIN, name)) in SERIES_VALIDATION_GLACIERS}
        chosen.update(SERIES_VALIDATION_ADDED)
        rule = "the split of the published networks for series"
    validation, train = _part([ArchivedScene(TRAIN, name) for name in names], lambda source: source.name in chosen)
    test = [ArchivedScene(TEST, name) for name in labelled[TEST]]
    train, validation, test = ([s for s in part if s not in skip] for part in (train, validation, test))
    return _plan(train, validation, test, rule)


def _draw(
    sources: list[ArchivedScene], group_of: dict[ArchivedScene, str]
) -> tuple[list[ArchivedScene], list[ArchivedScene]]:
    """Splits off a tenth of the scenes in whole groups: (drawn, rest). Nothing is drawn from a single group."""
    if not sources:
        return [], []
    members: dict[str, list[ArchivedScene]] = defaultdict(list)
    for source in sources:
        members[group_of[source]].append(source)
    groups = list(members.values())
    wanted = max(1, round(HELD_OUT_FRACTION * len(sources)))
    shuffled = [groups[i] for i in np.random.RandomState(SPLIT_SEED).permutation(len(groups))]
    order = _interleaved(shuffled)
    drawn: set[ArchivedScene] = set()
    for group in order:
        if len(drawn) + len(group) <= wanted:
            drawn.update(group)
    if not drawn:  # all groups are larger than a tenth
        drawn.update(min(order, key=len))
    return _part(sources, lambda source: source in drawn) if len(drawn) < len(sources) else ([], sources)


def _interleaved(groups: list[list[ArchivedScene]]) -> list[list[ArchivedScene]]:
    """The groups in an order whose every beginning holds each glacier in about its share."""
    total = Counter(_glacier(source) for group in groups for source in group)
    taken: Counter[str | None] = Counter()
    share = []
    for group in groups:
        glacier = _glacier(group[0])
        taken[glacier] += len(group)
        share.append(taken[glacier] / total[glacier])
    return [groups[i] for i in np.argsort(share, kind="stable")]


def _part(
    sources: Sequence[ArchivedScene], chosen: Callable[[ArchivedScene], bool]
) -> tuple[list[ArchivedScene], list[ArchivedScene]]:
    return [s for s in sources if chosen(s)], [s for s in sources if not chosen(s)]


def _plan(
    train: list[ArchivedScene], validation: list[ArchivedScene], test: list[ArchivedScene], rule: str
) -> SplitPlan:
    parts = zip(SPLITS, (train, validation, test), strict=True)
    splits = {split: sorted(sources, key=lambda source: source.name) for split, sources in parts if sources}
    return SplitPlan(splits, rule)


def _glacier(source: ArchivedScene) -> str | None:
    try:
        return parse_name(source.name).glacier
    except InputError:
        return None

"""Who is train, validation, test."""

import csv
import hashlib

import numpy as np
import pytest
import series_rules
from helpers import LANDSAT, needs_landsat

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.splits import (
    SERIES_VALIDATION_ADDED,
    SERIES_VALIDATION_GLACIERS,
    ArchivedScene,
    front_groups,
    plan_splits,
)


class FakeArchive:
    """Scene names by split, every front different unless `fronts` says otherwise."""

    def __init__(self, names: dict[str, list[str]], fronts: dict[str, int] | None = None, unlabelled=()):
        self._names, self._fronts, self._unlabelled = names, fronts or {}, unlabelled

    def splits(self):
        return sorted(self._names)

    def labelled(self, split):
        return split not in self._unlabelled

    def names(self, split):
        return sorted(self._names[split])

    def read_front(self, split, name):
        number = self._fronts.get(name, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
        return np.array([[number >> bit & 1 for bit in range(32)] + [1]], bool)

    def read(self, *_):
        raise AssertionError("splitting must not read whole scenes")

    read_image = read_zones = read


def scenes(glacier: str, count: int, first: int = 0) -> list[str]:
    return [f"{glacier}_2010-01-{1 + i % 28:02}_ERS_20_1_{first + i:03}" for i in range(count)]


def sizes(plan) -> dict[str, int]:
    return {split: len(sources) for split, sources in plan.splits.items()}


def full_archive_with_the_named_scenes() -> FakeArchive:
    named = list(SERIES_VALIDATION_ADDED)
    train = named + scenes("Crane", 300 - len(named)) + scenes("JAC", 200, 300) + scenes("DBE", 59, 500)
    return FakeArchive({"train": train, "test": scenes("COL", 122)})


def test_full_archive_has_the_split_of_series_too():
    """The drawn validation scenes of three glaciers and the named ones."""
    archive = full_archive_with_the_named_scenes()
    usual, series = (plan_splits(archive, official=official).splits for official in ("caffe", "series"))
    assert series["test"] == usual["test"]
    kept = {source for source in usual["val"] if not source.name.startswith("DBE")}
    assert set(series["val"]) == kept | {ArchivedScene("train", name) for name in SERIES_VALIDATION_ADDED}
    assert len(kept) < len(usual["val"])
    assert sorted(series["train"] + series["val"]) == sorted(usual["train"] + usual["val"])


def test_the_names_of_the_split_of_series_are_the_published_ones():
    published = series_rules.read_compact().numbers["mt6"]["splits"]
    assert sorted(published["validation_scenes_added"]) == sorted(SERIES_VALIDATION_ADDED)
    moved = {parse_name(name).glacier for name in published["official_validation_scenes_moved_to_train"]}
    assert not moved & set(SERIES_VALIDATION_GLACIERS)


@pytest.mark.parametrize(
    ("archive", "options", "problem"),
    [
        (FakeArchive({"train": scenes("A", 9), "test": scenes("B", 3)}), {}, "is a split of the full CaFFe archive"),
        (full_archive_with_the_named_scenes(), {"test_glaciers": ["JAC"]}, "is a split of the full CaFFe archive"),
        (FakeArchive({"train": scenes("A", 559), "test": scenes("B", 122)}), {}, "Crane_.* is not in this archive"),
    ],
)
def test_the_split_of_series_is_for_the_full_archive_alone(archive, options, problem):
    with pytest.raises(InputError, match=problem):
        plan_splits(archive, official="series", **options)


def test_full_archive_gets_the_official_split():
    train = scenes("Crane", 300) + scenes("JAC", 259, 300)
    plan = plan_splits(FakeArchive({"train": train, "test": scenes("COL", 122)}))
    assert sizes(plan) == {"train": 503, "val": 56, "test": 122}
    drawn = np.random.RandomState(1).permutation(559)[:56]
    expected = sorted(sorted(train)[i] for i in drawn)
    assert [source.name for source in plan.splits["val"]] == expected
    # the first draws of numpy's frozen legacy generator, so that the rule cannot drift with it
    assert drawn[:5].tolist() == [440, 530, 346, 323, 474]


def test_labelled_test_split_is_test_and_a_tenth_validation():
    plan = plan_splits(FakeArchive({"train": scenes("Crane", 30), "test": scenes("COL", 4)}))
    assert sizes(plan) == {"train": 27, "val": 3, "test": 4}


def test_smallest_of_three_glaciers_is_held_out_if_test_has_no_labels():
    names = scenes("A", 5) + scenes("B", 3) + scenes("C", 4)
    plan = plan_splits(FakeArchive({"train": names, "test": scenes("D", 2)}, unlabelled=("test",)))
    assert {source.name[0] for source in plan.splits["test"]} == {"B"}
    assert sizes(plan) == {"train": 8, "val": 1, "test": 3}


def test_last_of_equally_small_glaciers_is_held_out():
    plan = plan_splits(FakeArchive({"train": [*scenes("A", 2), *scenes("B", 1), *scenes("C", 1)]}))
    assert [source.name[0] for source in plan.splits["test"]] == ["C"]


def test_two_glaciers_give_drawn_test_scenes():
    plan = plan_splits(FakeArchive({"train": scenes("A", 12) + scenes("B", 8)}))
    assert sizes(plan) == {"train": 16, "val": 2, "test": 2}


def test_test_glaciers_can_be_chosen_over_the_given_test_split():
    archive = FakeArchive({"train": scenes("A", 9) + scenes("B", 2), "test": scenes("C", 2)})
    plan = plan_splits(archive, ["B"])
    assert {parse_name(source.name).glacier for source in plan.splits["test"]} == {"B"}
    assert sizes(plan) == {"train": 10, "val": 1, "test": 2}
    with pytest.raises(InputError, match="no labelled scene of 'X'; there are: A, B, C"):
        plan_splits(archive, ["X"])


def test_given_validation_folder_is_kept():
    plan = plan_splits(FakeArchive({"train": scenes("A", 20), "val": scenes("A", 5, 20), "test": scenes("B", 2)}))
    assert sizes(plan) == {"train": 20, "val": 5, "test": 2}
    assert {source.split for source in plan.splits["val"]} == {"val"}


def test_only_test_gives_only_test():
    assert sizes(plan_splits(FakeArchive({"test": scenes("A", 3)}))) == {"test": 3}


def test_single_scene_is_for_training():
    assert sizes(plan_splits(FakeArchive({"train": scenes("A", 1)}))) == {"train": 1}


def test_nothing_labelled_is_refused():
    with pytest.raises(InputError, match="no labels in any split"):
        plan_splits(FakeArchive({"train": scenes("A", 3)}, unlabelled=("train",)))


@pytest.mark.parametrize("seed", range(5))
def test_scenes_with_one_front_drawing_stay_together(seed):
    names = scenes("A", 40)
    rng = np.random.default_rng(seed)
    fronts = {name: int(rng.integers(1, 12)) for name in names}
    plan = plan_splits(FakeArchive({"train": names}, fronts))
    where = {}
    for split, sources in plan.splits.items():
        for source in sources:
            assert where.setdefault(fronts[source.name], split) == split
    assert set(sizes(plan)) == {"train", "val", "test"}


def test_same_drawing_on_two_glaciers_is_coincidence():
    names = [*scenes("A", 1), *scenes("B", 1)]
    archive = FakeArchive({"train": names}, dict.fromkeys(names, 5))
    assert len(set(front_groups(archive, [ArchivedScene("train", name) for name in names]).values())) == 2


def test_splits_neither_lose_nor_double_a_scene_with_an_unparsable_name():
    names = [*scenes("A", 10), "what is this"]
    plan = plan_splits(FakeArchive({"train": names}))
    assert sorted(source.name for sources in plan.splits.values() for source in sources) == sorted(names)


@needs_landsat
def test_landsat_scenes_hold_kan_out_and_keep_shared_drawings_together():
    archive = open_archive(LANDSAT)
    plan = plan_splits(archive)
    assert sizes(plan) == {"train": 90, "val": 10, "test": 23}
    assert {parse_name(source.name).glacier for source in plan.splits["test"]} == {"KAN"}
    split_of = {source.name: split for split, sources in plan.splits.items() for source in sources}
    with (LANDSAT / "index.csv").open() as file:
        pairs = [(row["name"], row["same_front_as"]) for row in csv.DictReader(file) if row["same_front_as"]]
    groups = front_groups(archive, [ArchivedScene("train", name) for name in archive.names("train")])
    assert len(pairs) == 12
    for name, other in pairs:
        assert groups[ArchivedScene("train", name)] == groups[ArchivedScene("train", other)]
        assert split_of[name] == split_of[other]
    assert len(set(groups.values())) == 123 - 12


def test_skipped_scenes_do_not_move_the_others_of_the_official_split():
    archive = FakeArchive({"train": scenes("Crane", 300) + scenes("JAC", 259, 300), "test": scenes("COL", 122)})
    whole = plan_splits(archive).splits
    skip = {whole["train"][7], whole["val"][3]}
    rest = plan_splits(archive, skip=skip).splits
    assert {split: [s for s in sources if s not in skip] for split, sources in whole.items()} == rest


def test_draws_are_made_from_what_is_not_skipped():
    names = scenes("A", 10)
    bad = plan_splits(FakeArchive({"train": names})).splits["val"]
    plan = plan_splits(FakeArchive({"train": names}), skip=set(bad))
    assert sizes(plan) == {"train": 7, "val": 1, "test": 1}

"""Runs of a campaign: the files of predict, only what is left, bounded tries, and every task without a result named."""

import csv
import json
import resource
import shutil
import signal

import pytest
from brightness import make_predictor, make_series_predictor
from small_campaign import (
    files_of,
    make_plan,
    use_stand_in,
    write_scene,
    write_scenes,
)
from stand_ins import be_stopped_at_the_second, fail_at_first, full_disk, note, refuse_the_last, refuse_the_second

from glacierjax.campaign import products
from glacierjax.campaign import settings as settings_module
from glacierjax.campaign.journal import DIED, DONE, FAILED, JOURNAL, STARTED, Journal, read_journals
from glacierjax.campaign.monthly import MonthlyFronts
from glacierjax.campaign.run import in_this_process, run_campaign, shard_from, sigterm_as_interrupt
from glacierjax.campaign.settings import CampaignSettings
from glacierjax.campaign.status import status_of
from glacierjax.campaign.tasks import _read_in_state, read_plan
from glacierjax.campaign.work import _batch, _journal, try_task
from glacierjax.core.errors import InputError
from glacierjax.geo.areas import read_area
from glacierjax.geo.glacier_ids import LineOptions, read_outlines
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction.priors import NO_PRIORS
from glacierjax.prediction.scene import interest_for
from glacierjax.prediction.series_folder import batch_for

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    """As in a process that has done nothing yet, and without monthly fronts, which take longer than all else."""
    use_stand_in(monkeypatch)
    monkeypatch.setattr(products, "make_monthly", lambda *arguments: MonthlyFronts())
    for kept in (_read_in_state, _batch, _journal):
        kept.cache_clear()


@pytest.fixture
def plan(tmp_path):
    """Four tasks of two glaciers."""
    write_scenes(tmp_path / "scenes")
    return make_plan(tmp_path)[0]


def run(plan, output, work=None, **rest):
    given = {} if work is None else {"work": work}
    run_campaign(plan, output, in_this_process, **given, **rest)


def lines_of(output):
    return sorted(line for path in (output / JOURNAL).glob("*.jsonl") for line in path.read_text().splitlines())


def events(output):
    return [json.loads(line)["event"] for line in lines_of(output)]


def predict(plan, glacier, names, output, predictor):
    """What `predict` writes for one glacier of a plan."""
    area = plan / "areas" / f"{glacier}.geojson"
    sources = find_sources([str(plan.parent / "scenes" / f"{name}.tif") for name in names])
    interest = interest_for(predictor, read_area(area))
    options = LineOptions(outlines=read_outlines(area))
    batch_for(predictor, output, ReadOptions(), None, (), False, interest, NO_PRIORS, options).run(sources)


@pytest.mark.parametrize("series", [False, True])
def test_every_file_of_a_glacier_is_that_of_predict(tmp_path, series, monkeypatch):
    predictor = use_stand_in(monkeypatch, make_series_predictor(0.9) if series else None)
    write_scenes(tmp_path / "scenes")
    plan, _ = make_plan(tmp_path)
    run(plan, tmp_path / "out")
    folder = tmp_path / "out" / "glaciers" / "G2"
    predict(plan, "G2", ["S1B_20200101", "S1B_20210301"], tmp_path / "out" / "glaciers" / "alone", predictor)
    alone = tmp_path / "out" / "glaciers" / "alone"
    names = [path.relative_to(alone) for path in alone.rglob("*") if path.is_file()]
    assert len(names) > 10
    for name in names:
        if len(name.parts) > 1 or series:  # tables of all scenes are written at the end of all
            assert (folder / name).read_bytes() == (alone / name).read_bytes(), name
    line = json.loads((folder / "lines" / "S1B_20200101.geojson").read_text())["features"][0]
    assert line["properties"]["GlacierID"] == "G2"


def test_a_second_run_does_what_is_left_and_nothing_else(tmp_path, plan):
    out = tmp_path / "out"
    run(plan, out, note, shard=(1, 2))
    assert sorted(path.name for path in (out / "done").iterdir()) == ["G1_S1A_20200101", "G2_S1B_20200101"]
    run(plan, out, note)
    run(plan, out, note)
    assert {path.read_text() for path in (out / "done").iterdir()} == {"done\n"} and len(events(out)) == 8


def test_new_scenes_in_a_new_plan_are_added_and_changed_ones_done_again(tmp_path, plan):
    out = tmp_path / "out"
    run(plan, out, note)
    write_scene(tmp_path / "scenes", "S1A_20230101")
    write_scene(tmp_path / "scenes", "S1A_20200101", 0, 30)
    run(make_plan(tmp_path, "plan2")[0], out, note)
    done = {path.name: path.read_text().count("done") for path in (out / "done").iterdir()}
    assert done == {
        "G1_S1A_20200101": 2,
        "G1_S1A_20210301": 1,
        "G1_S1A_20230101": 1,
        "G2_S1B_20200101": 1,
        "G2_S1B_20210301": 1,
    }
    other = make_plan(tmp_path, "plan3", settings=CampaignSettings(("run1",), reading=ReadOptions(scale="power")))
    with pytest.raises(InputError, match="holds results of other settings, networks or areas of G1, G2"):
        run(other[0], out, note)


def test_a_scene_that_gets_another_name_in_a_new_plan_is_held_once(tmp_path):
    write_scene(tmp_path / "scenes" / "a", "S1A_20200101")
    out, folders = tmp_path / "out", [tmp_path / "scenes" / "*" / "*.tif"]
    run(make_plan(tmp_path, scenes=folders)[0], out)
    write_scene(tmp_path / "scenes" / "b", "S1A_20200101", 0, 30)
    run(make_plan(tmp_path, "plan2", scenes=folders)[0], out)
    names = ["a__S1A_20200101", "b__S1A_20200101"]
    folder = out / "glaciers" / "G1"
    rows = list(csv.DictReader((folder / "scenes.csv").read_text().splitlines()))
    assert [row["scene"] for row in rows] == names
    for kind in ("records", "zones", "lines"):
        assert {path.name.partition(".")[0] for path in (folder / kind).iterdir()} == set(names)
    run(tmp_path / "plan", out)
    assert [path.stem for path in (folder / "records").iterdir()].count("S1A_20200101") == 1, "as it was lost"


@pytest.mark.parametrize("what", ["gone", "empty"])
def test_results_that_are_removed_or_damaged_are_done_again(tmp_path, plan, what):
    out = tmp_path / "out"
    run(plan, out)
    wanted = files_of(out / "glaciers")
    shutil.rmtree(out / "glaciers" / "G1")
    (out / "glaciers" / "G2" / "records" / "S1B_20200101.json").write_text("{")
    zones = out / "glaciers" / "G2" / "zones" / "S1B_20210301.tif"
    if what == "gone":
        zones.unlink()
    else:
        zones.write_bytes(b"")
    assert status_of(out).startswith("4 of 4 tasks done")
    run(plan, out)
    assert zones.stat().st_size
    assert events(out).count("lost") == 4 and events(out).count("done") == 8
    assert files_of(out / "glaciers").keys() == wanted.keys()
    assert status_of(out).startswith("4 of 4 tasks done")
    shutil.rmtree(out / "glaciers" / "G2")
    with pytest.raises(InputError, match="1 tasks have no result"):
        run(plan, out, refuse_the_last)
    assert status_of(out).startswith("3 of 4 tasks done (75.0 %), 1 without a result"), "it was done once"


def test_scenes_may_be_removed_once_they_are_done(tmp_path, plan):
    run(plan, tmp_path / "out")
    shutil.rmtree(tmp_path / "scenes")
    run(plan, tmp_path / "out")
    assert events(tmp_path / "out").count("started") == 4


def test_the_end_of_a_shard_names_no_task_that_another_one_works_on(tmp_path, plan):
    out = tmp_path / "out"
    Journal(out).write(STARTED, read_plan(plan).task(0).digest)
    run(plan, out, note, shard=(2, 2))
    assert len((out / "without_result.csv").read_text().splitlines()) == 1
    assert "2 of 4 tasks done (50.0 %), 0 without a result, 1 in work or killed, 1 waiting" in status_of(out)
    Journal(out).write(DIED, read_plan(plan).task(0).digest, reason="2 workers died of it")
    assert "2 of 4 tasks done (50.0 %), 1 without a result, 0 in work or killed, 1 waiting" in status_of(out)
    run(plan, out, note, shard=(2, 2))
    assert len((out / "without_result.csv").read_text().splitlines()) == 2


def test_the_shards_of_a_plan_share_no_task_and_leave_none_out(tmp_path, plan):
    for i in (1, 2, 3):
        run(plan, tmp_path / "out", note, shard=(i, 3))
    assert {path.read_text() for path in (tmp_path / "out" / "done").iterdir()} == {"done\n"}
    assert len(list((tmp_path / "out" / "done").iterdir())) == 4
    assert shard_from("3/8") == (3, 8)
    for wrong in ("0/3", "4/3", "3", "a/b", "-1/2", ""):
        with pytest.raises(InputError, match="write i/n"):
            shard_from(wrong)


def test_what_fails_is_tried_again_at_the_end_and_not_for_ever(tmp_path, plan):
    run(plan, tmp_path / "a", fail_at_first, attempts=3)
    assert {path.read_text() for path in (tmp_path / "a" / "tries").iterdir()} == {"xxx"}
    with pytest.raises(InputError, match=r"4 tasks have no result, .*G1/S1A_20200101 \(RuntimeError: not yet\)"):
        run(plan, tmp_path / "b", fail_at_first, attempts=2)
    run(plan, tmp_path / "b", fail_at_first, attempts=2)


def test_one_bad_task_stops_no_other_and_is_named_with_its_reason(tmp_path, plan):
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"^1 tasks have no result, .*: G1/S1A_20210301 \(a.tif: not readable\)$"):
        run(plan, out, refuse_the_second)
    assert len(list((out / "done").iterdir())) == 3 and events(out).count("failed") == 3
    table = (out / "without_result.csv").read_text().splitlines()
    assert table[1].startswith("G1,S1A_20210301,") and table[1].endswith("a.tif: not readable") and len(table) == 2
    run(plan, out, note)
    assert len((out / "without_result.csv").read_text().splitlines()) == 1


def test_a_full_disk_stops_the_run_which_goes_on_later(tmp_path, plan):
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"stopped, as results cannot be written: .*No space left.*; then start again"):
        run(plan, out, full_disk)
    assert events(out).count("failed") == 3
    run(plan, out, note)


def test_a_run_that_was_stopped_again_and_again_holds_nothing_against_its_task(tmp_path, plan):
    out = tmp_path / "out"
    for _ in range(4):
        with sigterm_as_interrupt(), pytest.raises(KeyboardInterrupt, match=str(int(signal.SIGTERM))):
            run(plan, out, be_stopped_at_the_second)
    assert "1 of 4 tasks done (25.0 %), 0 without a result, 0 in work or killed, 3 waiting" in status_of(out)
    run(plan, out, note)
    assert status_of(out).startswith("4 of 4 tasks done")


def test_a_task_whose_process_died_comes_last_and_after_three_times_no_more(tmp_path, plan):
    out = tmp_path / "out"
    first, order = read_plan(plan).task(0), []

    def remember(plan, task, output):
        order.append(task.label)
        note(plan, task, output)

    for _ in range(2):
        Journal(out).write(STARTED, first.digest)
    run(plan, out, remember, shard=(1, 2))
    assert order == ["G2/S1B_20200101", "G1/S1A_20200101"]
    shutil.rmtree(out)
    for _ in range(3):
        Journal(out).write(STARTED, first.digest)
    _journal.cache_clear()
    with pytest.raises(InputError, match=r"its process ended 3 time\(s\) .*; `attempts`=6 tries it again"):
        run(plan, out, remember)
    run(plan, out, remember, attempts=6)
    assert order[2:] == ["G1/S1A_20210301", "G2/S1B_20200101", "G2/S1B_20210301", "G1/S1A_20200101"]


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_lost_results_are_done_again_whatever_the_clock_of_their_machine_says(tmp_path, plan, ahead_s):
    out = tmp_path / "out"
    run(plan, out)
    (journal,) = (out / JOURNAL).glob("*.jsonl")
    told = [json.loads(line) for line in journal.read_text().splitlines()]
    journal.write_text("".join(json.dumps(one | {"t": one["t"] + ahead_s}) + "\n" for one in told))
    zones = out / "glaciers" / "G2" / "zones" / "S1B_20210301.tif"
    for _ in range(2):
        zones.unlink()
        run(plan, out)
        assert zones.is_file() and status_of(out).startswith("4 of 4 tasks done")


def test_an_event_that_a_full_disk_takes_in_part_is_an_error_and_spoils_no_later_one(tmp_path):
    journal = Journal(tmp_path)
    journal.write(STARTED, "first")
    (file,) = (tmp_path / JOURNAL).iterdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, before[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            journal.write(DONE, "first")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not read_journals(tmp_path)["first"].done
    for event in (FAILED, STARTED, DONE):
        journal.write(event, "first")
    history = read_journals(tmp_path)["first"]
    assert (history.done, history.started, history.ended) == (True, 2, 2)


def test_an_incomplete_last_line_and_results_without_their_line_are_no_harm(tmp_path, plan):
    out = tmp_path / "out"
    run(plan, out)
    (journal,) = (out / JOURNAL).glob("*.jsonl")
    journal.write_text(journal.read_text()[:-40])
    marked = out / "glaciers" / "G2" / "zones" / "S1B_20210301.tif"
    marked.write_bytes(b"mark")
    _journal.cache_clear()
    run(plan, out)
    assert marked.read_bytes() == b"mark", "it has a record, so it is not predicted again"
    assert all(history.done for history in read_journals(out).values())


def test_scenes_that_change_or_vanish_after_the_plan_have_no_result(tmp_path, plan):
    write_scene(tmp_path / "scenes", "S1A_20200101", 0, 30)
    (tmp_path / "scenes" / "S1B_20200101.tif").unlink()
    with pytest.raises(InputError, match=r"2 tasks have no result.*has changed or vanished since the plan was made"):
        run(plan, tmp_path / "out", attempts=1)
    assert len(list((tmp_path / "out" / "glaciers").rglob("records/*.json"))) == 2


def test_networks_that_change_after_the_plan_are_noticed(tmp_path, plan, monkeypatch):
    use_stand_in(monkeypatch, make_series_predictor(0.9))
    with pytest.raises(InputError, match="have changed since the plan was made; plan again"):
        run(plan, tmp_path / "out", attempts=1)


def test_a_process_that_lives_on_sees_a_plan_and_networks_that_were_made_anew(tmp_path, plan, monkeypatch):
    run(plan, tmp_path / "a", note)
    shutil.rmtree(plan)
    (tmp_path / "scenes" / "S1A_20200101.tif").unlink()
    use_stand_in(monkeypatch, make_predictor(0.8))
    make_plan(tmp_path)
    settings_module._load.cache_clear()
    use_stand_in(monkeypatch)
    read_plan(plan).settings.networks_of(read_plan(plan).glacier("G1"))  # it has those of before
    monkeypatch.setattr(settings_module, "open_predictor", lambda *arguments: make_predictor(0.8))
    run(plan, tmp_path / "b")
    assert len(list((tmp_path / "b" / "glaciers").rglob("records/*.json"))) == 3


def test_a_task_is_not_done_if_a_process_sees_another_plan(tmp_path, plan):
    outcome = try_task(note, str(plan), str(tmp_path / "out"), 0, "another digest")
    assert "is another plan here" in outcome.reason and not (tmp_path / "out" / "done").exists()


def test_status_tells_what_is_done_left_and_without_a_result(tmp_path, plan):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="no campaign was run here"):
        status_of(out)
    with pytest.raises(InputError):
        run(plan, out, refuse_the_second, shard=(2, 2))
    Journal(out).write(STARTED, read_plan(plan).task(0).digest)
    text = status_of(out)
    assert text.startswith("1 of 4 tasks done (25.0 %), 1 without a result, 1 in work or killed, 1 waiting\n")
    assert "left by glacier: G1 2, G2 1" in text and "1 x a.tif: not readable" in text
    assert "seconds a task" in text and "tasks an hour together" in text

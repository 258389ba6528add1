"""Dask's workers: tasks of which a worker dies are given up, all others are done, and a second run does what is left."""

import contextlib
import os
import threading

import pytest

pytest.importorskip("distributed", reason="the extra [dask] is not installed")

import dask.config
from distributed import LocalCluster
from small_campaign import make_plan, use_stand_in, write_scenes
from stand_ins import die_of_the_second, fail_at_first, full_disk, note, note_slowly

from glacierjax.campaign import cluster as cluster_module
from glacierjax.campaign.cluster import by_workers, local_workers, workers_of
from glacierjax.campaign.journal import read_journals
from glacierjax.campaign.run import engine_for, in_this_process, run_campaign
from glacierjax.campaign.status import status_of
from glacierjax.campaign.tasks import read_plan
from glacierjax.core.errors import InputError
from glacierjax.core.startup import kept_memory_variables

pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Dask leaves sockets to the garbage collector
]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Four tasks of two glaciers."""
    folder = tmp_path_factory.mktemp("campaign")
    write_scenes(folder / "scenes")
    with pytest.MonkeyPatch.context() as patched:
        use_stand_in(patched)
        return make_plan(folder)[0]


@pytest.fixture(scope="module")
def client():
    """Two workers; a task is given up after two of them died of it."""
    with local_workers(2, 2) as client:
        yield client


def done_in(output):
    return {path.name: path.read_text().count("done") for path in (output / "done").glob("*")}


def test_a_task_that_kills_its_workers_is_given_up_and_no_other_is_lost(tmp_path, plan, client):
    with pytest.raises(InputError, match=r"^1 tasks have no result, .*: G1/S1A_20210301 \(its process ended 2 time"):
        run_campaign(plan, tmp_path, by_workers(client), attempts=2, work=die_of_the_second)
    assert set(done_in(tmp_path)) == {"G1_S1A_20200101", "G2_S1B_20200101", "G2_S1B_20210301"}
    reason = read_journals(tmp_path)[read_plan(plan).task(1).digest].reason
    assert reason == "2 workers died of it, out of memory or killed"
    before = done_in(tmp_path)
    run_campaign(plan, tmp_path, by_workers(client), attempts=3, work=note)
    assert done_in(tmp_path) == {**before, "G1_S1A_20210301": 1}
    assert status_of(tmp_path).startswith("4 of 4 tasks done")


def test_a_worker_keeps_the_memory_that_it_frees_and_has_as_many_threads_as_cores(client, monkeypatch):
    for name, value in kept_memory_variables().items():
        assert set(client.run(os.environ.get, name).values()) == {value}
    monkeypatch.setattr(cluster_module, "_cores", lambda: list(range(7)))
    assert [cluster_module._environment(workers)["OMP_NUM_THREADS"] for workers in (2, 9)] == ["3", "1"]


@pytest.mark.slow
def test_what_fails_is_tried_again_by_workers_too(tmp_path, plan, client):
    run_campaign(plan, tmp_path, by_workers(client), attempts=3, work=fail_at_first)
    assert {path.read_text() for path in (tmp_path / "tries").iterdir()} == {"xxx"}


@pytest.mark.slow
def test_a_run_stops_when_no_worker_can_write(tmp_path, plan):
    with local_workers(1, 2) as client:
        with pytest.raises(InputError, match="stopped, as results cannot be written"):
            run_campaign(plan, tmp_path, by_workers(client), attempts=9, work=full_disk)
        assert not client.nthreads(), "the worker was sent home"


@pytest.mark.slow
def test_a_run_whose_scheduler_goes_tells_so_and_the_next_one_does_what_is_left(tmp_path, plan):
    quick = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with (
        quick,
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        workers_of(cluster.scheduler_address) as client,
    ):
        client.submit(len, "").result()  # the worker is there
        threading.Timer(3, lambda: cluster.loop.add_callback(cluster.scheduler.close)).start()
        with pytest.raises(InputError, match="the Dask scheduler has gone; start again"):
            run_campaign(plan, tmp_path, by_workers(client), work=note_slowly)
    assert len(done_in(tmp_path)) < 4
    run_campaign(plan, tmp_path, in_this_process, work=note)
    assert len(done_in(tmp_path)) == 4


def test_the_engine_follows_from_the_arguments():
    with pytest.raises(InputError, match="does not go with `scheduler`"), engine_for("tcp://a:1", 2):
        pass
    with pytest.raises(InputError, match="processes=-1"), engine_for("", -1):
        pass
    quick = dask.config.set({"distributed.comm.timeouts.connect": "200ms"})
    with quick, pytest.raises(InputError, match="no Dask scheduler answers there"), engine_for("tcp://127.0.0.1:9"):
        pass
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(engine_for()).__name__ == "in_this_process"

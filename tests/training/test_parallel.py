"""The distribution of micro-batches over devices does not change the numbers; sizes that do not divide are errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from glacierjax.core import choices
from glacierjax.core.errors import InputError
from glacierjax.training import parallel
from glacierjax.training.parallel import accumulation_steps, micro_batch

WAYS = tuple(parallel.BACKENDS)
ENVIRONMENT = {**os.environ, "XLA_FLAGS": ""}


def results_on(devices: int, network: str, *ways: str) -> dict[str, dict]:
    """The output of `spread_over_devices.py` in a process with this number of forced devices, by implementation."""
    script = Path(__file__).parent / "spread_over_devices.py"
    command = [sys.executable, str(script), str(devices), network, *ways]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_same(results: list[dict]) -> None:
    first = results[0]
    assert len(set(first["losses"])) == len(first["losses"]) == 5
    for other in results:
        np.testing.assert_allclose(other["losses"], first["losses"], rtol=0, atol=1e-5)
        np.testing.assert_allclose(other["parameter_sum"], first["parameter_sum"], rtol=1e-5)
        assert other["compilations"] == 1, "the step is compiled once"


def test_devices_accumulation_and_both_ways_give_the_same_losses():
    results = {devices: results_on(devices, "convolutions", *WAYS) for devices in (1, 2, 4)}
    spread = [(result["devices"], result["accumulation"]) for by_way in results.values() for result in by_way.values()]
    assert spread == [(1, 4), (1, 4), (2, 2), (2, 2), (4, 1), (4, 1)]
    assert_same([result for by_way in results.values() for result in by_way.values()])
    for by_way in results.values():
        assert by_way["pmap"]["losses"] == by_way["shard_map"]["losses"], "bit by bit"


@pytest.mark.slow
def test_the_network_trains_to_the_same_losses_on_one_two_and_four_devices_either_way():
    runs = [results_on(devices, "tiny", *WAYS) for devices in (1, 2, 4)]
    assert_same([result for by_way in runs for result in by_way.values()])


@pytest.mark.slow  # the convolutions above, and series below, are spread in the same way
def test_the_network_trains_to_the_same_losses_on_one_device_and_on_four():
    assert_same([results_on(1, "two_stages", "pmap")["pmap"], results_on(4, "two_stages", "shard_map")["shard_map"]])


def test_series_train_to_the_same_losses_on_one_device_and_on_four():
    assert_same([results_on(1, "over_time", "pmap")["pmap"], results_on(4, "over_time", "pmap")["pmap"]])


@pytest.mark.slow
def test_the_network_of_series_trains_to_the_same_losses_on_one_device_and_on_four_either_way():
    runs = [results_on(devices, "tiny_series", *WAYS) for devices in (1, 4)]
    assert_same([result for by_way in runs for result in by_way.values()])


def test_every_way_that_the_settings_allow_is_there():
    assert WAYS == choices.PARALLEL


def test_sizes_that_do_not_divide_are_refused():
    devices = jax.device_count()
    assert accumulation_steps(12 * devices, 4) == 3
    with pytest.raises(InputError, match=rf"`config.batch_size`={6 * devices} .* choose a multiple of {4 * devices}"):
        accumulation_steps(6 * devices, 4)
    with pytest.raises(InputError, match=r"`config.micro_batch_size`=8"):
        accumulation_steps(4 * devices, 8)


def test_a_micro_batch_of_0_is_each_devices_share_of_the_batch():
    devices = jax.device_count()
    assert micro_batch(12 * devices, 0) == 12 and accumulation_steps(12 * devices, micro_batch(12 * devices, 0)) == 1
    assert micro_batch(12 * devices, 4) == 4


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_is_cut_into_devices_then_micro_batches(way):
    devices = jax.local_device_count()
    cut = np.asarray(parallel.make_parallel(way).shard({"x": np.arange(12 * devices)}, 4)["x"])
    assert cut.shape == (devices, 3, 4)
    np.testing.assert_array_equal(cut.ravel(), np.arange(12 * devices))


@pytest.mark.parametrize("way", WAYS)
def test_a_replicated_tree_comes_back_as_it_was(way):
    tree = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": {"c": np.int32(7)}}
    spread = parallel.make_parallel(way)
    back = spread.fetch(spread.replicate(tree))
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    jax.tree.map(np.testing.assert_array_equal, back, tree)

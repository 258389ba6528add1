"""The same numbers however micro-batches are spread, and what does not divide is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.training.parallel import accumulation_steps, replicate, shard, unreplicate


def losses_on(devices: int) -> dict:
    """What `spread_over_devices.py` finds in a process with that many (forced) devices."""
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
    }
    script = Path(__file__).parent / "spread_over_devices.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_four_devices_and_four_accumulated_micro_batches_give_the_same_losses():
    one, four = losses_on(1), losses_on(4)
    assert (one["devices"], one["accumulation"]) == (1, 4)
    assert (four["devices"], four["accumulation"]) == (4, 1)
    assert len(one["losses"]) == 3 and len(set(one["losses"])) == 3
    np.testing.assert_allclose(four["losses"], one["losses"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(four["parameter_sum"], one["parameter_sum"], rtol=1e-5)
    assert one["compilations"] == four["compilations"] == 1, "the step is compiled once"


def test_sizes_that_do_not_divide_are_refused():
    devices = jax.device_count()
    assert accumulation_steps(12 * devices, 4) == 3
    with pytest.raises(InputError, match=rf"--config.batch_size={6 * devices} .* choose a multiple of {4 * devices}"):
        accumulation_steps(6 * devices, 4)
    with pytest.raises(InputError, match=r"--config.micro_batch_size=8"):
        accumulation_steps(4 * devices, 8)


def test_a_batch_is_cut_into_devices_then_micro_batches():
    devices = jax.local_device_count()
    cut = shard({"x": np.arange(12 * devices)}, 4)["x"]
    assert cut.shape == (devices, 3, 4)
    np.testing.assert_array_equal(cut.ravel(), np.arange(12 * devices))


def test_a_replicated_tree_comes_back_as_it_was():
    tree = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": {"c": np.int32(7)}}
    back = unreplicate(replicate(tree))
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    jax.tree.map(np.testing.assert_array_equal, back, tree)

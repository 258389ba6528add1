"""Inputs and weights of the reference numbers for series, and where those numbers are (rules: `golden_rules`).

`compact_series_goldens.py` writes tests/goldens/series.{json,npz}, which hold a part of the full set under the same keys.
"""

import json
from typing import Any, NamedTuple

import golden_rules as rules
import helpers
import jax
import numpy as np
import pytest

from glacierjax.checkpoints.torch_names import MODELS, Entry, official_name, official_shape

FULL = rules.FULL / "multitemporal"
CASES = {
    "mt1": "mt1_forward",
    "mt2": "mt2_other_lengths",
    "mt3": "mt3_gradients",
    "mt4": "mt4_modules",
    "mt5": "mt5_positions",
    "mt6": "mt6_selection",
    "mt7": "mt7_geometry",
    "mt8": "mt8_samples",
    "mt9": "mt9_series",
}
COMPACT_STEP = 4  # of the pixels and channels that the compact set keeps


class Golden(NamedTuple):
    """`numbers`: case -> content of its json file; `arrays`: "case/key" -> array; `cut`: of an array what they hold."""

    numbers: dict[str, Any]
    arrays: dict[str, np.ndarray]
    is_full: bool

    def cut(self, array: np.ndarray) -> np.ndarray:
        return array if self.is_full else compact_part(array)

    def assert_agrees(self, ours: Any, key: str, relative: float) -> None:
        """Within `relative` of the largest number."""
        expected = self.arrays[key]
        ours = self.cut(np.asarray(ours))
        np.testing.assert_allclose(ours, expected, rtol=0, atol=relative * np.abs(expected).max(), err_msg=key)


def compact_part(array: np.ndarray) -> np.ndarray:
    """All frames; every fourth entry of the longer of the other axes."""
    return array[(slice(None), *(slice(None, None, COMPACT_STEP if size >= 8 else 1) for size in array.shape[1:]))]


def read_full() -> Golden:
    numbers, arrays = {}, {}
    for case, file in CASES.items():
        numbers[case] = json.loads((FULL / f"{file}.json").read_text())
        if (FULL / f"{file}.npz").exists():
            with np.load(FULL / f"{file}.npz") as content:
                arrays |= {f"{case}/{key}": value for key, value in content.items()}
    return Golden(numbers, arrays, True)


def read_compact() -> Golden:
    with np.load(helpers.GOLDENS / "series.npz") as content:
        return Golden(json.loads((helpers.GOLDENS / "series.json").read_text()), dict(content), False)


NEEDS_FULL = pytest.mark.skipif(not FULL.is_dir(), reason=f"no full reference data in {FULL} (GLACIERJAX_SHARED)")
# For a fixture.
SETS = [pytest.param(read_compact, id="compact"), pytest.param(read_full, id="full", marks=NEEDS_FULL)]


def images(tag: str, frames: int, size: int) -> np.ndarray:
    """One sample (1, T, size, size, 1): blocks of 32 pixels, and noise."""
    half = np.float32(0.5)
    coarse = rules.blocks(rules.uniform(f"{tag}.coarse", (frames, 1, size // 32, size // 32)), 32)
    both = half * coarse + half * rules.uniform(f"{tag}.fine", (frames, 1, size, size))
    return both.transpose(0, 2, 3, 1)[None]


def days(tag: str, frames: int) -> np.ndarray:
    return np.sort(rules.integers(f"{tag}.days", 9400, (frames,)))[None]


def normal(tag: str, shape: tuple[int, ...]) -> np.ndarray:
    return rules.gen(tag).standard_normal(shape).astype(np.float32)


def manifest(kind: str) -> list[list]:
    """(name, shape, kind of entry) of each entry of the official state dict."""
    own = read_compact().numbers["manifests"]
    shared = [row for row in rules.manifest("tyrion") if not row[0].startswith("pred_target.")]
    return shared + own["decoder"] + ([] if kind == "none" else own["decoder_temporal"] + own[kind])


def state_dict(kind: str) -> dict[str, np.ndarray]:
    """All weights of the official state dict, without its buffers."""
    return {name: rules.weight(name, shape, of) for name, shape, of in manifest(kind) if of != "buffer"}


def module_entries(places: dict[str, Any]) -> list[tuple[str, Entry]]:
    """Official name and entry of each leaf of modules that stand, in our network, in these places ("decoder/up1")."""
    found = []
    for place, tree in places.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            keys = tuple(part.key for part in path)
            name = official_name("/".join((place, *keys[:-1])), keys[-1], MODELS["series_none"], 6)
            found.append((name, Entry((place, *keys), leaf.shape, name, official_shape(keys[-1], leaf.shape))))
    return found

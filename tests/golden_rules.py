"""Inputs and weights of the reference numbers, rebuilt by rule, and where those numbers are.

The numbers were made with the official PyTorch implementation. Every input and weight is drawn by NumPy from a
generator seeded with the CRC of its name, so that no weight has to be stored. `parity/compact_goldens.py` wrote
`tests/goldens/models.*`, `compact_image_goldens.py` the files of cases 6, 7, 9 and 10 there, which are parts of the full ones.
"""

import json
import math
import zlib
from typing import Any

import helpers
import numpy as np
import pytest

from glacierjax.checkpoints import params_to_torch

PREFIX = "public:"
GRADIENT_NORM = 1e-3  # relative
GRADIENT_FLOOR = 1e-6  # of the global norm: a parameter whose exact gradient nearly vanishes has only rounding
FULL = helpers.SHARED / "goldens"
# For a fixture: the folders with the reference files of images, of which the compact one holds less.
FOLDERS = [
    pytest.param(helpers.GOLDENS, id="compact"),
    pytest.param(
        FULL,
        id="full",
        marks=pytest.mark.skipif(not FULL.is_dir(), reason="the full reference data (../shared/goldens) are not here"),
    ),
]


def gen(tag: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32((PREFIX + tag).encode("utf-8"))))


def uniform(tag: str, shape: tuple[int, ...]) -> np.ndarray:
    """Float32 in [0, 1)."""
    return gen(tag).random(shape, dtype=np.float32)


def integers(tag: str, high: int, shape: tuple[int, ...]) -> np.ndarray:
    return gen(tag).integers(0, high, size=shape, dtype=np.int64)


def blocks(array: np.ndarray, size: int) -> np.ndarray:
    """Each entry as a block of size x size."""
    return array.repeat(size, axis=-2).repeat(size, axis=-1)


def images(tag: str, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform numbers drawn as (B, C, H, W), given as (B, H, W, C)."""
    return uniform(tag, shape).transpose(0, 2, 3, 1)


def compact() -> dict[str, Any]:
    return json.loads((helpers.GOLDENS / "models.json").read_text())


def compact_arrays() -> dict[str, np.ndarray]:
    with np.load(helpers.GOLDENS / "models.npz") as file:
        return dict(file)


def weight(name: str, shape: list[int], kind: str) -> np.ndarray:
    """The rule for one entry of a state dict."""
    z = gen(name).standard_normal(shape).astype(np.float32)
    tenth = np.float32(0.1) * z
    return {
        "weight": lambda: z / np.float32(math.sqrt(math.prod(shape[1:]))),
        "norm": lambda: np.float32(1) + tenth,
        "bias": lambda: tenth,
        "mask_token": lambda: tenth,
        "rezero": lambda: np.float32(0.5) + tenth,
        "logit_scale": lambda: np.float32(math.log(10)) + tenth,
    }[kind]()


def manifest(model: str) -> list[tuple[str, list[int], str]]:
    """(name, shape, kind) of each entry of the official state dict of "tyrion", "optsimmim" or "opttranslator"."""
    manifests = compact()["manifests"]
    if model == "tyrion":
        return manifests["tyrion"]
    backbone = [(f"swin_unet.{name}", shape, kind) for name, shape, kind in manifests["tyrion"]]
    return backbone + manifests[model]


def state_dict(model: str) -> dict[str, np.ndarray]:
    """All weights of the official state dict, without its buffers."""
    return {name: weight(name, shape, kind) for name, shape, kind in manifest(model) if kind != "buffer"}


def finetuning_batch() -> dict[str, np.ndarray]:
    """Case 3."""
    labels = blocks(integers("case3.labels", 4, (1, 32, 32)), 16)
    return {"image": images("case3.input", (1, 1, 512, 512)), "zones": labels.astype(np.int32)}


def pretraining_batch(case: int) -> dict[str, np.ndarray]:
    """Case 4 (with its mask) or 5."""
    batch = {
        "sar": images(f"case{case}.input", (2, 1, 512, 512)),
        "optical": images(f"case{case}.target", (2, 14, 512, 512)),
    }
    if case == 4:
        batch["mask"] = np.unpackbits(compact_arrays()["case4_mask"]).astype(bool).reshape(2, 128, 128)
    return batch


def assert_gradient_norms_agree(gradient: dict, expected: dict, model: str) -> None:
    """The norm of each parameter's gradient, by its official name, and that of all together."""
    named, _ = params_to_torch(gradient, model)
    norms = {name: float(np.linalg.norm(array.astype(np.float64))) for name, array in named.items()}
    assert norms.keys() - {"mask_token"} == expected["grad_norms"].keys()
    total = np.sqrt(sum(norm**2 for norm in norms.values()))
    np.testing.assert_allclose(total, expected["global_grad_norm"], rtol=1e-4)
    for name, norm in expected["grad_norms"].items():
        np.testing.assert_allclose(norms[name], norm, rtol=GRADIENT_NORM, atol=GRADIENT_FLOOR * total, err_msg=name)

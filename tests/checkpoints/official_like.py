"""State dicts with the official names, of small networks with random weights."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints import params_to_torch
from glacierjax.checkpoints.torch_names import MODELS, UNUSED_HEAD, Model
from glacierjax.model import preset

TINY = preset("tiny")


def tiny_params(model: str, seed: int = 0) -> dict:
    """Random parameters of the tiny network of one of `MODELS`."""
    rng = np.random.default_rng(seed)
    params = jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape, np.float32), _shapes(model))
    return {"encoder": params["encoder"]} if model == "swin" else params


@functools.cache
def _shapes(model: str) -> dict:
    spec: Model = MODELS["tyrion" if model == "swin" else model]  # the encoder alone has no forward pass
    images = jnp.zeros((1, 32, 32, 1))
    inputs = {"optsimmim": (images, jnp.zeros((1, 8, 8), bool))}.get(model, (images,))
    if model.startswith("series_"):
        inputs = images[:, None].repeat(2, axis=1), jnp.zeros((1, 2), int)
    return jax.eval_shape(spec.build(TINY).init, jax.random.key(0), *inputs)["params"]


def tiny_state_dict(model: str, seed: int = 0) -> dict[str, np.ndarray]:
    """The parameters with official names, plus the buffers and unused tensors of official files."""
    state_dict, _ = params_to_torch(tiny_params(model, seed), model, TINY)
    prefix = MODELS[model].prefix
    for name in list(state_dict):
        if match := re.fullmatch(r"(.*\.blocks\.\d+\.)attn\.logit_scale", name):
            state_dict[match[1] + "attn.relative_coords_table"] = np.zeros(
                (1, 2 * TINY["window_size"] - 1, 2 * TINY["window_size"] - 1, 2), np.float32
            )
            state_dict[match[1] + "attn.relative_position_index"] = np.zeros((16, 16), np.int64)
            state_dict[match[1] + "attn_mask"] = np.zeros((4, 16, 16), np.float32)
        if match := re.fullmatch(r"(.*pred_target\.\d+\.block\.)conv1\.bias", name):
            state_dict[match[1] + "temb_proj.weight"] = np.zeros((4, 512), np.float32)
    if model == "swin":
        return state_dict | {"norm.weight": np.ones(128, np.float32), "head.bias": np.ones(1000, np.float32)}
    state_dict[prefix + "outputt.weight"] = np.zeros((4, TINY["embed_dim"], 1, 1), np.float32)
    if UNUSED_HEAD in MODELS[model].unused:
        state_dict[prefix + "pred_target.6.weight"] = np.zeros((4, TINY["embed_dim"], 1, 1), np.float32)
    return state_dict

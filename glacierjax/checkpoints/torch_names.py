"""Names and layouts: how the official implementation and this one call the same tensor. Used in both directions."""

import re
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Shaped

from glacierjax.core.choices import SERIES, TEMPORAL
from glacierjax.core.errors import ArgumentError
from glacierjax.core.json_values import Json
from glacierjax.model import Backbone, SeriesTyrion, Tyrion
from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.model.swin_v2 import PATCH_PX

# Modules of the backbone: ours -> official; {stage}, {block} are numbers, the same on both sides. A leaf's name follows, or
# stands for {leaf}.
BLOCK, OFFICIAL_BLOCK = "encoder/stage{stage}_block{block}", "layers.{stage}.blocks.{block}"
DECODER, OFFICIAL_DECODER = "decoder/block{block}", "pred_target.{block}.block"
EXCHANGE, OFFICIAL_EXCHANGE = f"{BLOCK}/temporal", f"{OFFICIAL_BLOCK}.temporal_convolution"
BACKBONE = {
    "encoder/patch_embedding/projection": "patch_embed.proj",
    "encoder/patch_embedding/norm": "patch_embed.norm",
    f"{BLOCK}/norm1": f"{OFFICIAL_BLOCK}.norm1",
    f"{BLOCK}/norm2": f"{OFFICIAL_BLOCK}.norm2",
    f"{BLOCK}/attention": f"{OFFICIAL_BLOCK}.attn",
    f"{BLOCK}/attention/qkv": f"{OFFICIAL_BLOCK}.attn.qkv",
    f"{BLOCK}/attention/projection": f"{OFFICIAL_BLOCK}.attn.proj",
    f"{BLOCK}/attention/position_bias/hidden": f"{OFFICIAL_BLOCK}.attn.cpb_mlp.0",
    f"{BLOCK}/attention/position_bias/out": f"{OFFICIAL_BLOCK}.attn.cpb_mlp.2",
    f"{BLOCK}/mlp_hidden": f"{OFFICIAL_BLOCK}.mlp.fc1",
    f"{BLOCK}/mlp_out": f"{OFFICIAL_BLOCK}.mlp.fc2",
    "encoder/stage{stage}_merging/reduction": "layers.{stage}.downsample.reduction",
    "encoder/stage{stage}_merging/norm": "layers.{stage}.downsample.norm",
    f"{DECODER}/norm1": f"{OFFICIAL_DECODER}.norm1",
    f"{DECODER}/norm2": f"{OFFICIAL_DECODER}.norm2",
    f"{DECODER}/conv1": f"{OFFICIAL_DECODER}.conv1",
    f"{DECODER}/conv2": f"{OFFICIAL_DECODER}.conv2",
    f"{DECODER}/shortcut": f"{OFFICIAL_DECODER}.nin_shortcut",
    "decoder/up{block}": "pred_target.{block}.up.conv",
    # What frames of a series exchange.
    EXCHANGE: OFFICIAL_EXCHANGE,
    f"{EXCHANGE}/compress": f"{OFFICIAL_EXCHANGE}.compress",
    f"{EXCHANGE}/compress_norm": f"{OFFICIAL_EXCHANGE}.compress_norm",
    f"{EXCHANGE}/forward_input": f"{OFFICIAL_EXCHANGE}.gru_layer.{{leaf}}_ih_l0",
    f"{EXCHANGE}/forward/state": f"{OFFICIAL_EXCHANGE}.gru_layer.{{leaf}}_hh_l0",
    f"{EXCHANGE}/backward_input": f"{OFFICIAL_EXCHANGE}.gru_layer.{{leaf}}_ih_l0_reverse",
    f"{EXCHANGE}/backward/state": f"{OFFICIAL_EXCHANGE}.gru_layer.{{leaf}}_hh_l0_reverse",
    f"{EXCHANGE}/query": f"{OFFICIAL_EXCHANGE}.network.attention_heads.fc1_q",
    f"{EXCHANGE}/key": f"{OFFICIAL_EXCHANGE}.network.attention_heads.fc1_k",
    f"{EXCHANGE}/in_norm": f"{OFFICIAL_EXCHANGE}.network.in_norm",
    f"{EXCHANGE}/out_norm": f"{OFFICIAL_EXCHANGE}.network.out_norm",
    f"{EXCHANGE}/attended": f"{OFFICIAL_EXCHANGE}.network.mlp.0",
    f"{EXCHANGE}/combine": f"{OFFICIAL_EXCHANGE}.combine_bi",
    f"{EXCHANGE}/norm": f"{OFFICIAL_EXCHANGE}.norm",
    f"{EXCHANGE}/conv_norm": f"{OFFICIAL_EXCHANGE}.norm1",
    f"{EXCHANGE}/conv": f"{OFFICIAL_EXCHANGE}.conv1",
    "decoder/temporal{block}/conv_norm": "pred_target.{block}.temporal_block.norm1",
    "decoder/temporal{block}/conv": "pred_target.{block}.temporal_block.conv1",
}
# Numbers of a module's leaves: ours -> official. A `kernel` is a matrix or a convolution, by its dimensions.
LEAVES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "q_bias": "q_bias",
    "v_bias": "v_bias",
    "logit_scale": "logit_scale",
    "mask_token": "mask_token",
    "residual_weight": "resweight",
}
# Tensors with no counterpart here (`fnmatch` patterns): buffers that follow from the sizes, and what is never used.
RECOMPUTED = (
    "layers.*.attn.relative_coords_table",
    "layers.*.attn.relative_position_index",
    "layers.*.attn_mask",
)
NEVER_USED = ("pred_target.*.block.temb_proj.*", "outputt.weight")
UNUSED_HEAD = "pred_target.{head}.*"  # the pretraining models carry the segmentation's head


def head_item(num_stages: int) -> int:
    """Number of the decoder's last item: a block without doubling, one per stage, one without skip, then the head."""
    return num_stages + 2


class Model(NamedTuple):
    """One kind of official checkpoint.

    `task` is its name in our records; `network` the module that its parameters fit; `prefix` what the backbone's names
    begin with; `own` the modules beside the backbone ({head} is the number of the decoder's last item); `unused` the
    patterns of backbone tensors, without the prefix, that no output depends on; `fixed` fields that the kind sets.
    """

    task: str
    network: type[Backbone]
    prefix: str
    own: Mapping[str, str]
    unused: tuple[str, ...]
    fixed: Mapping[str, Any] = types.MappingProxyType({})

    def build(self, fields: Json) -> Backbone:
        """The network with these sizes."""
        return self.network(**{**fields, **self.fixed})

    def without_counterpart(self, num_stages: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Patterns of tensors without counterpart here: buffers, and tensors that are never used."""
        recomputed = tuple(self.prefix + pattern for pattern in RECOMPUTED)
        return recomputed, tuple(self.prefix + pattern.format(head=head_item(num_stages)) for pattern in self.unused)


MODELS = {
    "tyrion": Model("segmentation", Tyrion, "", {"head": "pred_target.{head}"}, NEVER_USED),
    "optsimmim": Model(
        "optsimmim",
        OptSimMIMNetwork,
        "swin_unet.",
        {
            "": "",
            "to_image": "last_model_decoder_layer",
            "reconstruction": "decoder",
            "second_embedding/projection": "patch_embed_after_decoder.proj",
            "second_embedding/norm": "patch_embed_after_decoder.norm",
        },
        (*NEVER_USED, UNUSED_HEAD),
    ),
    "opttranslator": Model(
        "opttranslator",
        OptTranslatorNetwork,
        "swin_unet.",
        {"to_bands": "last_model_decoder_layer"},
        (*NEVER_USED, UNUSED_HEAD),
    ),
    **{
        f"series_{kind}": Model(
            SERIES,
            SeriesTyrion,
            "",
            {"head": "pred_target.{head}"},
            NEVER_USED,
            {"temporal": kind, "narrow_decoder": True},
        )
        for kind in TEMPORAL
    },
    # Microsoft's ImageNet files: the encoder alone; its classifier is not used.
    "swin": Model("encoder", Backbone, "", {}, ("norm.*", "head.*")),
}


class Entry(NamedTuple):
    """One tensor: `path` and `shape` in our tree, `name` and `official_shape` in the official state dict."""

    path: tuple[str, ...]
    shape: tuple[int, ...]
    name: str
    official_shape: tuple[int, ...]

    def from_official(self, array: Shaped[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
        """The official array in our layout, float32, a copy."""
        if self.path[-1] == "kernel":  # (out, in, *taps) -> (*taps, in, out)
            array = np.moveaxis(array, (1, 0), (-2, -1))
        return np.array(array, np.float32, order="C").reshape(self.shape)

    def to_official(self, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Our array in the official layout."""
        if self.path[-1] == "kernel":
            array = np.moveaxis(array, (-2, -1), (1, 0))
        return np.ascontiguousarray(array).reshape(self.official_shape)


def official_shape(leaf: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if leaf == "kernel":
        return (shape[-1], shape[-2], *shape[:-2])
    return {"logit_scale": (*shape, 1, 1), "mask_token": (1, 1, *shape)}.get(leaf, shape)


def official_name(module: str, leaf: str, model: Model, head: int) -> str:
    """Official name of a leaf of one of our modules."""
    leaf = LEAVES[leaf]
    if module in model.own:
        return f"{model.own[module].format(head=head)}.{leaf}".removeprefix(".")
    for ours, official in BACKBONE.items():
        pattern = ours.replace("{stage}", r"(?P<stage>\d+)").replace("{block}", r"(?P<block>\d+)")
        if match := re.fullmatch(pattern, module):
            template = official if "{leaf}" in official else official + ".{leaf}"
            return model.prefix + template.format(leaf=leaf, **match.groupdict())
    raise KeyError(module)


def official_entries(model: Model, fields: Json) -> list[Entry]:
    """Every parameter of `model.build(fields)` with its official name; for "swin" those of the encoder."""
    network = model.build(fields)
    images = jnp.zeros((1, network.size_multiple, network.size_multiple, 3))
    if model.network is OptSimMIMNetwork:
        mask = jnp.zeros((1, network.size_multiple // PATCH_PX, network.size_multiple // PATCH_PX), bool)
        shapes = jax.eval_shape(network.init, jax.random.key(0), images, mask)
    elif model.network is Backbone:
        shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), images, method=lambda net, x: net.encoder(x)))
    elif model.network is SeriesTyrion:
        days = jnp.zeros((1, 2), int)
        shapes = jax.eval_shape(network.init, jax.random.key(0), images[:, None].repeat(2, axis=1), days)
    else:
        shapes = jax.eval_shape(network.init, jax.random.key(0), images)
    entries = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(shapes["params"]):
        keys = tuple(part.key for part in path)
        name = official_name("/".join(keys[:-1]), keys[-1], model, head_item(len(network.depths)))
        entries.append(Entry(keys, leaf.shape, name, official_shape(keys[-1], leaf.shape)))
    return entries


def model_named(name: str) -> Model:
    """The entry of `MODELS`; raises `InputError` for another name."""
    if name not in MODELS:
        raise ArgumentError("model", name, f"unknown model; choose one of {', '.join(MODELS)}")
    return MODELS[name]


def model_of_record(record: Json) -> str | None:
    """The key of `MODELS` for what a checkpoint's record describes; None: it has no PyTorch counterpart."""
    fields = record.get("model")
    for name, model in MODELS.items():
        if model.task == record["task"] and all(fields and fields.get(key) == model.fixed[key] for key in model.fixed):
            return name
    return None

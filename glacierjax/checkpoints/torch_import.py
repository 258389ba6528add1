"""Official state dicts -> parameter trees, and back. Every tensor is imported, skipped as unused, or reported."""

import collections
import dataclasses
import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np
from jaxtyping import PyTree, Shaped

from glacierjax.checkpoints.safetensors_file import StateDict
from glacierjax.checkpoints.torch_names import MODELS, Entry, Model, head_item, model_named, official_entries
from glacierjax.core.choices import CONVOLUTION, LTAE, RECURRENCE
from glacierjax.core.errors import InputError
from glacierjax.core.json_values import Json
from glacierjax.model import SeriesTyrion, Tyrion
from glacierjax.model.swin_v2 import PATCH_PX

ANCHOR = "patch_embed.proj.weight"  # the tensor that every official checkpoint has
# Endings of an encoder's tensors that only one kind of temporal module has.
SIGNS_OF_SERIES = {
    CONVOLUTION: ".temporal_convolution.conv1.weight",
    RECURRENCE: ".gru_layer.weight_hh_l0",
    LTAE: ".temporal_convolution.resweight",
}
FLOAT_TYPES = (np.float64, np.float32, np.float16, ml_dtypes.bfloat16)


@dataclasses.dataclass(frozen=True)
class ImportReport:
    """Official names, each in one list.

    `taken`: in the parameters. `recomputed`: buffers that follow from the sizes. `never_used`: tensors that no output
    depends on. `unknown`: in the file, but not of this model. `missing`: of this model, but not in the file; the
    parameters lack them. `prefix`: what was cut off in front of all names.
    """

    taken: tuple[str, ...]
    recomputed: tuple[str, ...]
    never_used: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    prefix: str = ""

    @property
    def unused(self) -> tuple[str, ...]:
        """All names that were in the mapping and not taken."""
        return self.recomputed + self.never_used + self.unknown


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """`given`: official names. Not given, as patterns: `recomputed` buffers and `never_used` tensors."""

    given: tuple[str, ...]
    recomputed: tuple[str, ...]
    never_used: tuple[str, ...]


def _prefix(names: Collection[str], anchor: str) -> str:
    """The common prefix of the official names (Lightning adds `model.` or the like)."""
    prefixes = [name.removesuffix(anchor) for name in names if name == anchor or name.endswith("." + anchor)]
    if not prefixes:
        raise InputError(
            f"the state dict has no tensor {anchor}; it is no official checkpoint of such a network (a folder that `export` "
            "wrote needs no conversion)"
        )
    if len(prefixes) > 1:
        raise InputError(
            f"the state dict holds several networks, below {' and '.join(map(repr, prefixes))}; keep one of them"
        )
    return prefixes[0]


def detect_model(mapping: Mapping[str, Shaped[np.ndarray, "..."]]) -> str:
    """Which of `MODELS` a state dict belongs to, by its names."""
    prefix = _prefix(mapping, ANCHOR)
    outer = prefix.removesuffix(MODELS["optsimmim"].prefix)
    if outer + "patch_embed_after_decoder.proj.weight" in mapping:
        return "optsimmim"
    if outer + "last_model_decoder_layer.weight" in mapping:
        return "opttranslator"
    if not any(name.startswith(prefix + "pred_target.") for name in mapping):
        return "swin"
    for kind, own in SIGNS_OF_SERIES.items():
        if any(name.startswith(prefix + "layers.") and name.endswith(own) for name in mapping):
            return f"series_{kind}"
    return "series_none" if _has_narrow_decoder(mapping, prefix) else "tyrion"


def _has_narrow_decoder(mapping: Mapping[str, Shaped[np.ndarray, "..."]], prefix: str) -> bool:
    """Whether the decoder takes no skip of the last stage; `prefix` of the backbone's names."""
    before, after = (prefix + f"pred_target.{name}.weight" for name in ("0.block.conv2", "1.block.norm1"))
    return before in mapping and after in mapping and mapping[before].shape[:1] == mapping[after].shape


def infer_fields(mapping: Mapping[str, Shaped[np.ndarray, "..."]], model: str) -> Json:
    """Fields of the network, inferred from a state dict's shapes.

    The window comes from a buffer that may be absent; then, and for the number of groups, the paper's values are taken.
    """
    spec = model_named(model)
    prefix = _prefix(mapping, spec.prefix + ANCHOR)
    shapes = {name.removeprefix(prefix): array.shape for name, array in mapping.items() if name.startswith(prefix)}
    scales = [
        re.fullmatch(re.escape(spec.prefix) + r"layers\.(\d+)\.blocks\.\d+\.attn\.logit_scale", n) for n in shapes
    ]
    depth_of_stage = collections.Counter(int(match[1]) for match in scales if match)
    block = spec.prefix + "layers.{}.blocks.0."
    try:
        embed_dim = shapes[spec.prefix + ANCHOR][0]
        fields: dict[str, Any] = {
            "embed_dim": embed_dim,
            "depths": tuple(depth_of_stage[stage] for stage in sorted(depth_of_stage)),
            "num_heads": tuple(shapes[block.format(i) + "attn.logit_scale"][0] for i in range(len(depth_of_stage))),
            "narrow_decoder": _has_narrow_decoder(mapping, prefix + spec.prefix),
            "mlp_ratio": shapes[block.format(0) + "mlp.fc1.weight"][0] // embed_dim,
        }
        if table := shapes.get(block.format(0) + "attn.relative_coords_table"):
            fields["window_size"] = (table[1] + 1) // 2
        if spec.network in (Tyrion, SeriesTyrion):
            fields["num_classes"] = shapes[f"pred_target.{head_item(len(depth_of_stage))}.weight"][0]
        elif model == "opttranslator":
            fields["bands"] = shapes["last_model_decoder_layer.weight"][0]
        elif model == "optsimmim":
            fields["bands"] = shapes["decoder.weight"][0] // PATCH_PX**2
    except KeyError as error:
        raise InputError(f"the state dict lacks the tensor {error.args[0]} of {model}") from None
    except (IndexError, ZeroDivisionError):
        raise InputError(f"the state dict has tensors of impossible shape for {model}") from None
    return fields


def _entries(spec: Model, fields: Json) -> list[Entry]:
    try:
        return official_entries(spec, fields)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"the sizes {dict(fields)} make no network ({reason}); give them with `preset`") from error


def params_from_torch(
    mapping: Mapping[str, Shaped[np.ndarray, "..."]], model: str, fields: Json | None = None
) -> tuple[dict, ImportReport]:
    """Parameters of an official state dict.

    Args:
      mapping: official names -> arrays, e.g. of `glacierjax.checkpoints.read_torch`. A common prefix is cut off.
      model: "tyrion", "optsimmim" or "opttranslator" (the parameters fit `Segmentation`, `OptSimMIM`,
        `OptTranslator`), "series_none", "series_conv", "series_gru" or "series_ltae" (`SeriesTyrion` of that `temporal`),
        or "swin": Microsoft's Swin V2 files, which give {"encoder": ...} only.
      fields: sizes of the network, by the names of `glacierjax.model.Backbone`; None: the paper's.

    Returns:
      The tree of float32 arrays, and a report. A missing tensor is named in the report's `missing`, and the
      tree lacks it.

    Raises:
      InputError: a tensor has the wrong shape or type, or the names are not those of one such model.
    """
    spec = model_named(model)
    prefix = _prefix(mapping, spec.prefix + ANCHOR)
    fields = fields or {}
    entries = {prefix + entry.name: entry for entry in _entries(spec, fields)}
    recomputed, never_used = spec.without_counterpart(len(spec.build(fields).depths))
    lists: dict[str, list[str]] = {"taken": [], "recomputed": [], "never_used": [], "unknown": []}
    params: dict = {}
    for name, array in mapping.items():
        if name in entries:
            lists["taken"].append(name)
            _put(params, entries[name].path, entries[name].from_official(_checked(name, array, entries[name])))
        elif _matches(name, prefix, recomputed):
            lists["recomputed"].append(name)
        else:
            lists["never_used" if _matches(name, prefix, never_used) else "unknown"].append(name)
    missing = tuple(name for name in entries if name not in mapping)
    return params, ImportReport(**{key: tuple(names) for key, names in lists.items()}, missing=missing, prefix=prefix)


def params_to_torch(params: PyTree, model: str, fields: Json | None = None) -> tuple[StateDict, ExportReport]:
    """The official state dict of a parameter tree: the way back from `params_from_torch`, bit for bit.

    Buffers, and the official tensors that no output depends on, are not among them: load it with `strict=False`.
    Raises `InputError` when the tree is not that of the model with these fields.
    """
    spec, fields = model_named(model), fields or {}
    given = {path: np.asarray(leaf) for path, leaf in _leaves(params)}
    state_dict = {}
    for entry in _entries(spec, fields):
        array = given.pop(entry.path, None)
        where = "/".join(entry.path)
        if array is None:
            raise InputError(f"the parameters lack {where} of {model}; check the checkpoint's task and model fields")
        if array.shape != entry.shape:
            raise InputError(f"the parameter {where} has shape {array.shape}, expected {entry.shape}")
        state_dict[entry.name] = entry.to_official(array)
    if given:
        raise InputError(f"the parameter {'/'.join(next(iter(given)))} does not belong to {model}")
    recomputed, never_used = spec.without_counterpart(len(spec.build(fields).depths))
    return state_dict, ExportReport(tuple(state_dict), recomputed, never_used)


def _matches(name: str, prefix: str, patterns: tuple[str, ...]) -> bool:
    return name.startswith(prefix) and any(fnmatch.fnmatchcase(name.removeprefix(prefix), p) for p in patterns)


def _checked(name: str, array: Shaped[np.ndarray, "..."], entry: Entry) -> Shaped[np.ndarray, "..."]:
    array = np.asarray(array)
    if array.shape != entry.official_shape:
        raise InputError(f"the tensor {name} has shape {array.shape}, expected {entry.official_shape}")
    if array.dtype not in FLOAT_TYPES:
        raise InputError(f"the tensor {name} holds {array.dtype}, expected floating point numbers")
    return array


def _put(tree: dict, path: tuple[str, ...], leaf: Shaped[np.ndarray, "..."]) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = leaf


def _leaves(tree: PyTree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Shaped[np.ndarray, "..."]]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value

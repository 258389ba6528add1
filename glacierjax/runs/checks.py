"""Values of a configuration that no run can have, found before anything slow begins or is written."""

from typing import Any

from glacierjax.checkpoints.native import find_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.inference.tiles import MODES
from glacierjax.model import Tyrion
from glacierjax.runs.finetune import crop_options
from glacierjax.runs.initial import model_fields

_AT_LEAST = {
    "batch_size": 1, "micro_batch_size": 1, "num_epochs": 1, "log_every": 1, "seed": 0, "data.samples_per_epoch": 1,
    "data.workers": 0, "data.context_px": 1,
}  # fmt: skip
_CHOICES = {
    "task": ("segmentation",),
    "model.dtype": ("float32", "bfloat16", "float16"),
    "validation.mode": MODES,
}


def check_values(config: Any) -> None:
    """Raises `InputError` naming the first field whose value cannot be."""
    for field, least in _AT_LEAST.items():
        if (value := _value(config, field)) < least:
            raise InputError(f"--config.{field}={value}: choose {least} or more")
    for field, choices in _CHOICES.items():
        if (value := _value(config, field)) not in choices:
            raise InputError(f"--config.{field}={value}: choose one of {', '.join(choices)}")
    multiple = Tyrion(**model_fields(config)).size_multiple
    size = crop_options(config).size
    for field, sizes in (("data.context_px", (config.data.context_px,)), ("data.crop_px", size)):
        if any(pixels % multiple for pixels in sizes):
            raise InputError(f"--config.{field}={_value(config, field)}: choose multiples of {multiple}")
    if config.init.checkpoint:
        find_checkpoint(config.init.checkpoint, config.init.which)


def _value(config: Any, field: str) -> Any:
    for name in field.split("."):
        config = config[name]
    return config

"""Values of a configuration that no run can have, found before anything slow begins or is written."""

from typing import Any

import jax
import jax.numpy as jnp

from glacierjax.checkpoints.native import BEST
from glacierjax.core.errors import InputError
from glacierjax.model import Tyrion
from glacierjax.prediction.tiles import MODES
from glacierjax.recipes.finetune import crop_options
from glacierjax.recipes.initial_weights import carried_weights, model_fields
from glacierjax.recipes.pretrain import PRETRAINING, pair_options, pretraining_task
from glacierjax.training.parallel import BACKENDS

_AT_LEAST = {
    "batch_size": 1, "micro_batch_size": 0, "num_epochs": 1, "log_every": 1, "seed": 0, "data.samples_per_epoch": 1,
    "data.workers": 0, "data.context_px": 1, "checkpoint_every": 0, "skip_nonfinite": 0, "early_stop_epochs": 0,
    "profile_steps": 0, "data.train_scenes": 0, "data.pixel_spacing_m": 0, "data.looks": 1,
}  # fmt: skip
_CHOICES = {
    "task": ("segmentation", *PRETRAINING),
    "model.dtype": ("float32", "bfloat16"),
    "validation.mode": MODES,
    "parallel": tuple(BACKENDS),
}


def check_values(config: Any) -> None:
    """Raises `InputError` naming the first field whose value cannot be."""
    for field, least in _AT_LEAST.items():
        if (value := _value(config, field, least)) < least:
            raise InputError(f"--config.{field}={value}: choose {least} or more")
    for field, choices in _CHOICES.items():
        if field.split(".")[0] not in config:
            continue  # a section that the task does not have
        if (value := _value(config, field, choices[0])) not in choices:
            raise InputError(f"--config.{field}={value}: choose one of {', '.join(choices)}")
    for name in config.keep:
        if name not in BEST:
            raise InputError(f"--config.keep={name}: choose among {', '.join(BEST)}")
    multiple = Tyrion(**model_fields(config)).size_multiple
    if config.data.context_px % multiple:
        raise InputError(f"--config.data.context_px={config.data.context_px}: choose a multiple of {multiple}")
    if config.task in PRETRAINING:
        pair_options(config)
        pretraining_task(config)
    else:
        crop_options(config)


def check_initial_weights(config: Any) -> None:
    """Raises `InputError` unless the weights to start from, if any, are there and fit the network."""
    if config.init.checkpoint:
        size = config.data.context_px
        images = jax.ShapeDtypeStruct((1, size, size, 1), jnp.float32)
        model = Tyrion(**model_fields(config))
        carried_weights(config, jax.eval_shape(model.init, jax.random.key(0), images)["params"])


def _value(config: Any, field: str, absent: Any) -> Any:
    """A field `a.b`; `absent` where a workdir's configuration is older than the field."""
    *parents, name = field.split(".")
    for parent in parents:
        config = config[parent]
    return config.get(name, absent)

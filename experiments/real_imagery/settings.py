"""The settings that were compared: fields of a config that differ from `configs/finetune_caffe.py`."""

from typing import Any

BASE: dict[str, Any] = {
    "batch_size": 8,
    "micro_batch_size": 8,
    "num_epochs": 1,
    "checkpoint_every": 0,
    "log_every": 50,
    "model.preset": "mini",
    "model.zero_init_norms": False,
    "model.dropout": 0.0,
    "data.samples_per_epoch": 6000,
    "data.context_px": 128,
    "data.padding": "clean",
    "data.workers": 0,
    "data.keep_validation_in_memory": True,
    "augment.zoom_probability": 0.9,
    "augment.zoom_range": (0.5, 1.7),
    "augment.mix_probability": 0.0,
    "augment.speckle_probability": 0.0,
    "augment.up_down_probability": 0.0,
    "augment.rotation_probability": 0.0,
    "augment.brightness_probability": 0.6,
    "augment.brightness_range": (0.5, 1.7),
    "augment.gamma_probability": 0.6,
    "augment.gamma_range": (0.4, 2.2),
    "optimizer.name": "muon",
    "optimizer.learning_rate": 5e-3,
    "optimizer.weight_decay": 0.05,
    "optimizer.average_decay": 0.99,
    "schedule.name": "cosine",
    "schedule.warmup_epochs": 0.05,
    "validation.mode": "whole",
}

LONG: dict[str, Any] = {"data.samples_per_epoch": 20000}
# Crops that hold nearly a scene, at the scenes' pixel spacing and at twice that.
LARGE: dict[str, Any] = {"data.context_px": 256, "data.samples_per_epoch": 3000, "augment.zoom_range": (0.7, 1.2)}
COARSE: dict[str, Any] = LARGE | {
    "data.pixel_spacing_m": 98.0,
    "data.context_px": 128,
    "data.samples_per_epoch": 8000,
}

ARMS: dict[str, dict[str, Any]] = {
    "base": {},
    "crop256": LARGE | {"data.samples_per_epoch": 1500},
    "crop256_3000": LARGE,
    "mild": LARGE
    | {
        "data.samples_per_epoch": 1500,
        "augment.brightness_range": (0.75, 1.3),
        "augment.gamma_range": (0.6, 1.6),
    },
    "batch4": LARGE | {"batch_size": 4, "micro_batch_size": 4},
    "base_20000": LONG,
    "base_40000": {"data.samples_per_epoch": 40000},
    "rate2": LONG | {"optimizer.learning_rate": 2e-3},
    "rate10": LONG | {"optimizer.learning_rate": 1e-2},
    "rate20": LONG | {"optimizer.learning_rate": 2e-2},
    # How the data set is built: NA as a zone that is learnt, in place of pixels that are not labelled.
    "na_class": LONG | {"na": "class"},
    "mix": LARGE
    | {"augment.mix_probability": 0.5, "augment.mix_range": (0.2, 1.0), "augment.speckle_probability": 0.2},
    "coarse128": COARSE,
    "coarse": {"data.pixel_spacing_m": 98.0, "data.context_px": 96, "augment.zoom_range": (0.6, 1.4)},
    # The peer: another program, which takes the same settings.
    "unet": {
        "program": "experiments.real_imagery.unet",
        "data.context_px": 192,
        "data.samples_per_epoch": 1000,
        "augment.zoom_range": (0.67, 1.04),
        "optimizer.name": "adamw",
        "optimizer.learning_rate": 1e-3,
    },
}
"""Changes against `BASE`."""

# Scenes without labels (`without_labels.py`).
LABELS = (5, 20)
SEEDS = (1, 2, 3)
SIMMIM: dict[str, Any] = {
    "task": "simmim",
    "mask.ratio": 0.5,
    "mask.unit_px": 16,
    "num_epochs": 4,
    "data.samples_per_epoch": 2000,
    "data.average_px": 2,  # 98 m, as in the fine-tunings
    "data.context_px": 128,
    "augment.up_down_probability": 0.0,
}
"""Fields that differ from `configs/demo_pretrain.py`: 8,000 crops, the ocean above the ice."""
FEW_LABELS = COARSE | {"data.samples_per_epoch": 3000}

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
    "data.padding": "fit",
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

CROP256 = {"data.context_px": 256, "data.samples_per_epoch": 1500, "augment.zoom_range": (0.7, 1.2)}
COARSE = {"data.pixel_spacing_m": 98.0, "data.context_px": 96, "augment.zoom_range": (0.6, 1.4)}

ARMS: dict[str, dict[str, Any]] = {
    "base": {},
    "crop192": {"data.context_px": 192, "data.samples_per_epoch": 2700, "augment.zoom_range": (0.67, 1.04)},
    "crop256": CROP256,
    "crop256_batch4": CROP256 | {"batch_size": 4, "micro_batch_size": 4},
    "crop256_speckle": CROP256 | {"augment.speckle_probability": 0.3},
    "crop256_mix": CROP256 | {"augment.mix_probability": 0.3},
    "crop256_rate1e-2": CROP256 | {"optimizer.learning_rate": 1e-2},
    "crop256_zoom": CROP256 | {"augment.zoom_range": (0.5, 1.4)},
    "crop256_mild": CROP256 | {"augment.brightness_range": (0.7, 1.4), "augment.gamma_range": (0.6, 1.6)},
    "crop256_long": CROP256 | {"data.samples_per_epoch": 4500},
    "coarse": COARSE,
    "coarse_whole": COARSE | {"data.context_px": 128, "augment.zoom_range": (0.7, 1.3)},
    "coarse_mix": COARSE | {"augment.mix_probability": 0.3},
    "unet192": {
        "program": "experiments.real_imagery.unet", "data.context_px": 192, "data.samples_per_epoch": 1000,
        "augment.zoom_range": (0.67, 1.04), "optimizer.name": "adamw", "optimizer.learning_rate": 1e-3,
    },
}  # fmt: skip

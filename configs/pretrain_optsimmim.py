"""Pretraining with OptSimMIM on SSL4SAR, as published (Gourmelon et al. 2025, section III-A).

    python -m glacierjax.train --config=configs/pretrain_optsimmim.py --config.data.dir=DATA \\
        --config.init.checkpoint=IMAGENET --workdir=PRETRAINED

IMAGENET is Microsoft's Swin V2 file, converted (`python -m glacierjax.convert`); without it the network starts from scratch.
Fine-tuned on CaFFe from here, the published mean distance error is 300 m (342 m from ImageNet alone). Up to 1000 epochs of
76,496 crops of 512 x 512 pixels: 76 million crops, by arithmetic about 70 to 140 hours of one accelerator that trains 150 to
300 crops a second (not run here); the rate halves when the validation loss stands still, so that most of it is spent early.

Beyond the published settings: --config.task=simmim predicts the SAR image itself, without optical images, and
--config.mask.unit_px=32 hides larger squares.
"""

from typing import Any

from ml_collections import ConfigDict


def get_config() -> Any:
    config: Any = ConfigDict()
    config.task = "optsimmim"  # or "simmim"
    config.seed = 0
    config.batch_size = 32  # effective: micro_batch_size x devices x accumulated micro-batches
    config.micro_batch_size = 32  # 0: each device's share of the batch
    config.num_epochs = 1000
    config.log_every = 10  # steps
    config.checkpoint_every = 100  # steps; the end of each epoch is saved anyway
    config.keep = ("best_loss",)  # checkpoints to keep besides the last
    config.skip_nonfinite = 0
    config.early_stop_epochs = 0  # without a lower validation loss; 0: never
    config.parallel = "pmap"
    config.profile_steps = 0

    config.model = ConfigDict({
        "preset": "tyrion",
        "dropout": 0.1,
        "dtype": "float32",
        "remat": False,
        "zero_init_norms": True,
    })  # fmt: skip
    config.init = ConfigDict({"checkpoint": "", "which": "best_iou"})
    config.mask = ConfigDict({"ratio": 0.3, "unit_px": 4})

    config.data = ConfigDict({
        "dir": "",  # what `tfds_builders.build --data_dir` was given
        "name": "ssl4sar/sar",
        "optical_name": "ssl4sar/optical",
        "train_split": "train",
        "val_split": "val",
        "samples_per_epoch": 76_496,
        "context_px": 512,  # side of a crop
        "padding": "published",  # or "fit": only to the crop's size
        "looks": 1,  # above 1: the network sees means over so many pixels a side, of both sensors
        "workers": 2,  # processes that cut crops; 0 uses threads of the training process
        "cache": "",  # folder for decoded scenes, read at every step; default: in the workdir
    })  # fmt: skip

    config.augment = ConfigDict({"scale_range": (0.7, 1.0), "up_down_probability": 0.5})

    config.optimizer = ConfigDict({"name": "sgd", "learning_rate": 0.001, "weight_decay": 1e-4, "average_decay": 0.0})
    config.schedule = ConfigDict({"name": "plateau", "warmup_epochs": 0.0, "factor": 0.5, "patience": 5})
    return config

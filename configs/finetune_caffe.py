"""Fine-tuning of Tyrion on CaFFe, as published (Gourmelon et al. 2025, section III; the table of mean distance errors).

    python -m glacierjax.train --config=configs/finetune_caffe.py --config.data.dir=DATA \\
        --config.init.checkpoint=PRETRAINED --workdir=RUN

Published mean distance error on CaFFe's test split, mean of five seeds: 342 m from ImageNet weights, 300 m after OptSimMIM,
293 m after OptTranslator. 150 epochs of 40,000 crops of 512 x 512 pixels; effective batch 128 in micro-batches of 16 (Dice
sums over a micro-batch, so its size belongs to the recipe).
"""

from typing import Any

from ml_collections import ConfigDict


def get_config() -> Any:
    config: Any = ConfigDict()
    config.task = "segmentation"
    config.seed = 0
    config.batch_size = 128  # effective: micro_batch_size x devices x accumulated micro-batches
    config.micro_batch_size = 16  # 0: each device's share of the batch
    config.num_epochs = 150
    config.log_every = 10  # steps
    config.checkpoint_every = 100  # steps; the end of each epoch is saved anyway
    config.keep = ("best_iou", "best_mde")  # checkpoints to keep besides the last; best_loss where a task has a loss
    config.skip_nonfinite = 0  # so many steps with a loss that is not finite are left out; the next one stops the run
    config.early_stop_epochs = 0  # without a lower validation loss; 0: never
    config.parallel = "pmap"  # or "shard_map": the same step through jax.jit and jax.shard_map
    config.profile_steps = 0  # so many steps of each start go into a JAX profile

    config.model = ConfigDict({
        "preset": "tyrion",
        "dropout": 0.1,
        "dtype": "float32",  # "bfloat16": half the memory; parameters, norms, softmax and losses stay float32
        "remat": False,  # True: activations of a block are computed again in the backward pass, which saves memory
        "zero_init_norms": True,
    })  # fmt: skip
    config.init = ConfigDict({"checkpoint": "", "which": "best_iou"})

    config.data = ConfigDict({
        "dir": "",  # what `tfds_builders.build --data_dir` was given
        "name": "caffe",
        "train_split": "train",
        "val_split": "val",
        "train_scenes": 0,  # above 0: only so many training scenes, evenly spread over their names
        "samples_per_epoch": 40_000,
        "context_px": 512,  # the target is its central half
        "padding": "published",  # or "fit": only to the context's size
        # Above 0: scenes are brought close to this spacing by means over squares of pixels; what is found is interpolated
        # back to each scene's own pixels.
        "pixel_spacing_m": 0.0,
        "workers": 4,  # processes that cut crops; 0 uses threads of the training process
        "cache": "",  # folder for decoded scenes, read at every step; default: in the workdir
        "keep_validation_in_memory": False,
    })  # fmt: skip

    config.augment = ConfigDict({
        "zoom_probability": 0.5,
        "zoom_range": (0.33, 2.83),
        "label_resize": "nearest",  # "official" interpolates class ids, as the published code does
        "mix_probability": 0.3,
        "mix_range": (0.15, 0.30),
        "speckle_probability": 0.2,
        "brightness_probability": 0.2,
        "brightness_range": (0.6, 1.4),
        "gamma_probability": 0.2,
        "gamma_range": (0.7, 1.3),
        "left_right_probability": 0.5,
        "up_down_probability": 0.5,
        "rotation_probability": 0.5,
    })  # fmt: skip

    config.optimizer = ConfigDict({
        "name": "sgd",
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "average_decay": 0.0,  # above 0: validate and keep a running mean of the parameters
    })  # fmt: skip
    config.schedule = ConfigDict({"name": "constant", "warmup_epochs": 0.0, "factor": 0.5, "patience": 5})
    config.validation = ConfigDict({"mode": "tiled"})
    return config

"""Configurations of the tests of whole runs."""

from typing import Any

import pytest

from glacierjax.recipes.configs import load_config


@pytest.fixture
def config() -> Any:
    """The published fine-tuning with the smallest network."""
    config: Any = load_config("configs/finetune_caffe.py")
    config.model.preset = "tiny"
    config.data.context_px = 64
    return config

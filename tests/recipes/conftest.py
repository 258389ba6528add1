"""Settings of the tests of whole runs."""

import dataclasses

import pytest

from glacierjax.core.settings import FineTuning, LabelledDataSettings, ModelSettings


@pytest.fixture
def settings() -> FineTuning:
    """The published fine-tuning with the smallest network."""
    published = FineTuning(data=LabelledDataSettings(context_px=64))
    return dataclasses.replace(published, model=ModelSettings(preset="tiny"))

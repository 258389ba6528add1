"""Checkpoints: the project's own (`native`, with Orbax) and PyTorch's. Importing this needs neither of the two."""

from glacierjax.checkpoints.torch_file import read_torch
from glacierjax.checkpoints.torch_import import params_from_torch, params_to_torch
from glacierjax.checkpoints.torch_writer import write_torch

__all__ = ["params_from_torch", "params_to_torch", "read_torch", "write_torch"]

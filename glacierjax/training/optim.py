"""Optimisers and learning-rate schedules.

The host passes the learning rate to every step, so no schedule is part of the compiled step.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import optax
from optax.contrib import MuonDimensionNumbers, muon

from glacierjax.core.choices import ALL, DECODER, HEAD
from glacierjax.core.errors import ArgumentError

MOMENTUM = 0.9
# Root mean square of Muon's updates. With this value they are about as large as Adam's (Liu et al. 2025, arXiv 2502.16982,
# section 2.2), so learning rate and weight decay have about the same effect in both.
MUON_RMS = 0.2
# One row for each Newton-Schulz iteration (Jordan 2024). Given as rows, the iterations are a loop: the same numbers bit for bit,
# and a third less to compile than the five iterations written out.
MUON_COEFFICIENTS = ((3.4445, -4.7750, 2.0315),) * 5


def make_optimizer(name: str, weight_decay: float, trained: str = ALL) -> optax.GradientTransformation:
    """A transformation from gradients to a direction; the step adds -learning_rate times this direction.

    `trained`: which parameters it changes (`choices.TRAINED`). The others keep their values; their gradients are zero
    (`of_trained`), so that they count in no norm.

    - "sgd": momentum 0.9 and coupled L2 on every parameter (added to the gradient before the momentum), as in the
      official code;
    - "adamw": decoupled weight decay on matrices and kernels only, gradients clipped to norm 1;
    - "muon": the same decay and clipping, but the momentum of every matrix and kernel is orthogonalised to singular
      values of about 1 (Jordan 2024); all other parameters use Adam.
    """
    whole = _whole_optimizer(name, weight_decay)
    if trained == ALL:
        return whole
    return optax.chain(whole, optax.masked(optax.set_to_zero(), lambda params: _frozen(params, trained)))


def of_trained(gradient: dict, trained: str) -> dict:
    """A gradient that is zero for parameters that are not trained; compilers leave out what only they need."""
    if trained == ALL:
        return gradient
    return jax.tree.map(lambda g, frozen: jnp.zeros_like(g) if frozen else g, gradient, _frozen(gradient, trained))


def _whole_optimizer(name: str, weight_decay: float) -> optax.GradientTransformation:
    if name == "sgd":
        return optax.chain(optax.add_decayed_weights(weight_decay), optax.trace(MOMENTUM))
    if name == "adamw":
        return optax.chain(
            optax.clip_by_global_norm(1.0),
            optax.scale_by_adam(),
            optax.add_decayed_weights(weight_decay, mask=_matrices),
        )
    if name == "muon":
        return optax.chain(
            optax.clip_by_global_norm(1.0),
            # optax.muon negates its updates; the rate -1 undoes this.
            muon(
                -1.0,
                ns_coeffs=MUON_COEFFICIENTS,
                weight_decay=weight_decay,
                muon_weight_dimension_numbers=_as_matrices,
                consistent_rms=MUON_RMS,
            ),
        )
    raise ArgumentError("config.optimizer.name", name, "choose sgd, adamw or muon")


def _frozen(params: Any, trained: str) -> Any:
    """True at each parameter that is not trained. Norms are known by their names, in all parts of a network."""

    def is_frozen(path: tuple, _: Any) -> bool:
        names = [str(key.key) for key in path]
        if trained in (DECODER, HEAD):
            return names[0] not in (trained, HEAD)
        return not any("norm" in name for name in names)

    return jax.tree_util.tree_map_with_path(is_frozen, params)


def _matrices(params: dict) -> dict:
    return {k: _matrices(v) if isinstance(v, dict) else v.ndim > 1 for k, v in params.items()}


def _as_matrices(params: optax.Params) -> optax.Params:
    """How to read each parameter as a matrix: all axes but the last are rows, the last is columns; None for vectors."""
    return jax.tree.map(
        lambda x: MuonDimensionNumbers(tuple(range(x.ndim - 1)), x.ndim - 1) if x.ndim > 1 else None, params
    )


@dataclasses.dataclass
class Plateau:
    """Multiplies the learning rate by `factor` when the validation stands still, as PyTorch's ReduceLROnPlateau(mode="min").

    `scale` multiplies the configured learning rate. An epoch improves when its loss (or error in metres, of a fine-tuning)
    is below best * (1 - 1e-4); `patience`
    is the number of epochs without improvement that are tolerated.
    """

    factor: float
    patience: int
    scale: float = 1.0
    best: float = math.inf
    bad_epochs: int = 0

    THRESHOLD = 1e-4

    def update(self, loss: float) -> None:
        if loss < self.best * (1 - self.THRESHOLD):
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1
        if self.bad_epochs > self.patience:
            self.scale, self.bad_epochs = self.scale * self.factor, 0


def cosine_scale(step: int, steps: int, warmup_steps: int) -> float:
    """Linear warm-up to 1, then half a cosine to 0 after the last step."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))

"""Named sizes of the network."""

from typing import Any

from glacierjax.core.errors import InputError

PRESETS: dict[str, dict[str, Any]] = {
    # The paper's network: 50.0 million parameters that act (50.9 million tensors in the official state dict).
    "tyrion": {},
    # For CPUs, the demo and first tries: the same structure, narrower and with a smaller window.
    "small": {
        "embed_dim": 32, "depths": (2, 2, 2, 2), "num_heads": (2, 4, 8, 16), "window_size": 8, "mlp_ratio": 2,
        "num_groups": 8, "lecun_init": True,
    },
    # For minutes on a CPU: about four times as many crops a second as `small` (docs/reference/benchmarks.md).
    "mini": {
        "embed_dim": 16, "depths": (2, 2, 2, 2), "num_heads": (1, 2, 4, 8), "window_size": 6, "mlp_ratio": 2,
        "num_groups": 4, "lecun_init": True,
    },
    # For tests of everything but the result.
    "tiny": {
        "embed_dim": 8, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8), "window_size": 4, "mlp_ratio": 2,
        "num_groups": 4, "lecun_init": True,
    },
}  # fmt: skip


def preset(name: str) -> dict[str, Any]:
    """Fields of `Backbone` for a preset name; raises `InputError` for an unknown one."""
    if name not in PRESETS:
        raise InputError(f"--config.model.preset={name}: unknown preset; choose one of {', '.join(PRESETS)}")
    return dict(PRESETS[name])

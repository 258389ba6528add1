"""Settings of the network: every field that its numbers depend on, and named sizes."""

import dataclasses
from typing import ClassVar

from glacierjax.core.channels import GREY_ONLY, check_channels
from glacierjax.core.choices import ALONE, CHANNELS, DTYPES, TEMPORAL
from glacierjax.core.errors import ArgumentError
from glacierjax.core.settings.fields import Settings, setting

PATCH_PX = 4  # pixels a side of an embedded patch


@dataclasses.dataclass(frozen=True)
class NetworkSettings(Settings):
    """A network in full, as the record of a checkpoint holds it; the defaults are the paper's Tyrion."""

    SECTION: ClassVar[str] = "model"

    embed_dim: int = setting(96, at_least=1)
    """Channels of the first stage."""
    depths: tuple[int, ...] = setting((2, 2, 6, 2), at_least=1)
    """Blocks of each stage."""
    num_heads: tuple[int, ...] = setting((3, 6, 12, 24), at_least=1)
    """Attention heads of each stage."""
    window_size: int = setting(16, at_least=1)
    """[tokens] Side of an attention window."""
    mlp_ratio: int = setting(4, at_least=1)
    """Width of the hidden layer of a block, in widths of the block."""
    num_groups: int = setting(32, at_least=1)
    """Groups of the decoder's group norms."""
    dropout: float = setting(0.1, at_least=0, at_most=0.99)
    """Share of the decoder's activations that are dropped in training."""
    zero_init_norms: bool = True
    """The norms of the blocks start at zero, as Swin V2 intends. False: at one, as in the official code."""
    lecun_init: bool = False
    """Linear layers start with the standard deviation 1 / sqrt(inputs) instead of the published 0.02. Narrow networks that
    are trained from scratch learn much faster with it."""
    remat: bool = False
    """The activations of a block are computed again in the backward pass, which saves memory."""
    dtype: str = setting("float32", choices=DTYPES)
    """Type of activations. With bfloat16 parameters, norms, softmax and losses stay float32."""
    narrow_decoder: bool = False
    """The decoder of the networks for series: a third of the width, without the last stage's skip connection."""
    temporal: str = setting(ALONE, choices=TEMPORAL)
    """What the frames of a series exchange; none for single images."""
    channels: tuple[str, str, str] = setting(GREY_ONLY, choices=CHANNELS)
    """What each of the three input channels shows. The second may be a rock mask (rock), the third a summer scene (summer)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_channels(self.channels, self._flag("channels"))

    @property
    def size_multiple(self) -> int:
        """What the sides of an image must be multiples of, in pixels."""
        return 2 ** (len(self.depths) + 1)


_NARROW = {"mlp_ratio": 2, "lecun_init": True}
PRESETS: dict[str, NetworkSettings] = {
    # 50.0 million parameters in use. The official file holds 50.9 million; the rest is never used.
    "tyrion": NetworkSettings(),
    # For CPUs: the same structure, narrower and with a smaller window.
    "small": NetworkSettings(32, (2, 2, 2, 2), (2, 4, 8, 16), window_size=8, num_groups=8, **_NARROW),
    # For minutes on a CPU: narrower still.
    "mini": NetworkSettings(16, (2, 2, 2, 2), (1, 2, 4, 8), window_size=6, num_groups=4, **_NARROW),
    # For tests of everything but the result.
    "tiny": NetworkSettings(8, (1, 1, 2, 1), (1, 2, 4, 8), window_size=4, num_groups=4, **_NARROW),
}


@dataclasses.dataclass(frozen=True)
class ModelSettings(Settings):
    """A named size, and what a run may set beside it."""

    SECTION: ClassVar[str] = "model"
    LIKE = NetworkSettings

    preset: str = setting("tyrion", choices=PRESETS)
    """Size of the network. tyrion: as published; small and mini: narrower, for CPUs; tiny: for tests."""
    dropout: float = setting(NetworkSettings.dropout, at_least=0, at_most=0.99)
    dtype: str = setting(NetworkSettings.dtype, choices=DTYPES)
    remat: bool = NetworkSettings.remat
    zero_init_norms: bool = NetworkSettings.zero_init_norms
    narrow_decoder: bool = NetworkSettings.narrow_decoder
    temporal: str = setting(NetworkSettings.temporal, choices=TEMPORAL)
    channels: tuple[str, str, str] = setting(NetworkSettings.channels, choices=CHANNELS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_channels(self.channels, self._flag("channels"))

    def network(self) -> NetworkSettings:
        """The network in full."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "preset"}
        return dataclasses.replace(preset_network(self.preset), **own)


def preset_network(name: str) -> NetworkSettings:
    """The network of that name. Raises `InputError` for an unknown one."""
    if name not in PRESETS:
        raise ArgumentError("config.model.preset", name, f"unknown preset; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]

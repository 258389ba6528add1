"""Settings of the network: every field that its numbers depend on, and named sizes."""

import dataclasses
from typing import ClassVar

from glacierjax.core.channels import GREY_ONLY, check_channels
from glacierjax.core.choices import CHANNELS, DTYPES, TEMPORAL
from glacierjax.core.errors import InputError
from glacierjax.core.settings.fields import Settings, setting

PATCH_PX = 4  # pixels a side of an embedded patch


@dataclasses.dataclass(frozen=True)
class NetworkSettings(Settings):
    """A network in full, as the record of a checkpoint holds it; the defaults are the paper's Tyrion."""

    SECTION: ClassVar[str] = "model"

    embed_dim: int = setting(96, at_least=1)  # channels of the first stage
    depths: tuple[int, ...] = setting((2, 2, 6, 2), at_least=1)  # blocks of each stage
    num_heads: tuple[int, ...] = setting((3, 6, 12, 24), at_least=1)
    window_size: int = setting(16, at_least=1)  # tokens a side
    mlp_ratio: int = setting(4, at_least=1)
    num_groups: int = setting(32, at_least=1)  # of the decoder's group norms
    dropout: float = setting(0.1, at_least=0, at_most=0.99)  # in the decoder
    zero_init_norms: bool = True  # block norms start at zero, as Swin V2 intends; False: at one, as the official code
    # Linear layers start with the standard deviation 1 / sqrt(fan in) instead of the published 0.02: narrow networks that
    # are trained from scratch learn much faster.
    lecun_init: bool = False
    remat: bool = False  # activations of a block are computed again in the backward pass, which saves memory
    dtype: str = setting("float32", choices=DTYPES)  # bfloat16: parameters, norms, softmax and losses stay float32

    narrow_decoder: bool = (
        False  # the decoder of networks for series: a third of the width, without the last stage's skip
    )
    temporal: str = setting("none", choices=TEMPORAL)  # what the frames of a series exchange
    # What each of the three input channels shows: grey; in the second a rock mask; in the third a summer scene.
    channels: tuple[str, str, str] = setting(GREY_ONLY, choices=CHANNELS)

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
    """A named size, and what a run may set beside it (see `NetworkSettings`)."""

    SECTION: ClassVar[str] = "model"

    preset: str = setting("tyrion", choices=PRESETS)
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
        return dataclasses.replace(preset(self.preset), **own)


def preset(name: str) -> NetworkSettings:
    """The network of that name. Raises `InputError` for an unknown one."""
    if name not in PRESETS:
        raise InputError(f"--config.model.preset={name}: unknown preset; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]

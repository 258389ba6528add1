"""The published network in PyTorch, with the official names of its tensors, so that it takes the same weights.

It is here to be timed against (`gpu.py`), written as is fast in PyTorch: fused attention, no needless copies.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from glacierjax.core.settings import NetworkSettings
from glacierjax.core.settings.network import PATCH_PX
from glacierjax.core.zones import NUM_ZONES
from glacierjax.model.attention import (
    BIAS_RANGE,
    LOGIT_SCALE_INIT,
    LOGIT_SCALE_MAX,
    log_spaced_offsets,
    plan_axis,
    relative_index,
    window_tables,
)
from glacierjax.model.window_softmax import MASKED_REGION

GROUP_EPSILON = 1e-6


class Attention(nn.Module):
    """Scaled cosine attention in windows: (B, H, W, C) -> (B, H, W, C), H and W multiples of the window."""

    def __init__(self, channels: int, heads: int, side: int, window: int, shifted: bool):
        super().__init__()
        self.heads = heads
        self.plan = plan_axis(side, window, shifted)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(channels))
        self.v_bias = nn.Parameter(torch.zeros(channels))
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), LOGIT_SCALE_INIT))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, heads, bias=False))
        self.proj = nn.Linear(channels, channels)
        sides = self.plan.window, self.plan.window
        regions, _ = window_tables(self.plan, self.plan)
        apart = np.where(regions[:, :, None] != regions[:, None, :], np.float32(MASKED_REGION), np.float32(0))
        self.register_buffer("offsets", torch.from_numpy(log_spaced_offsets(sides)), persistent=False)
        self.register_buffer("index", torch.from_numpy(relative_index(sides)), persistent=False)
        self.register_buffer("apart", torch.from_numpy(apart) if self.plan.shift else None, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, height, width, channels = x.shape
        window, shift = self.plan.window, self.plan.shift
        if shift:
            x = torch.roll(x, (-shift, -shift), (1, 2))
        rows, columns, tokens = height // window, width // window, window * window
        x = x.view(batch, rows, window, columns, window, channels).transpose(2, 3).reshape(-1, tokens, channels)
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).view(-1, tokens, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q = F.normalize(q, dim=-1) * self.logit_scale.clamp(max=LOGIT_SCALE_MAX).exp()
        k = F.normalize(k, dim=-1)
        table = BIAS_RANGE * torch.sigmoid(self.cpb_mlp(self.offsets))
        added = table[self.index].permute(2, 0, 1)[None]
        if self.apart is not None:
            added = (added + self.apart[:, None]).repeat(batch, 1, 1, 1)
        x = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, added.to(v.dtype), scale=1.0)
        x = x.transpose(1, 2).reshape(batch, rows, columns, window, window, channels).transpose(2, 3)
        x = x.reshape(batch, height, width, channels)
        return self.proj(torch.roll(x, (shift, shift), (1, 2)) if shift else x)


class Mlp(nn.Module):
    def __init__(self, channels: int, ratio: int):
        super().__init__()
        self.fc1 = nn.Linear(channels, ratio * channels)
        self.fc2 = nn.Linear(ratio * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class SwinBlock(nn.Module):
    def __init__(self, channels: int, heads: int, side: int, window: int, shifted: bool, ratio: int):
        super().__init__()
        self.attn = Attention(channels, heads, side, window, shifted)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.mlp = Mlp(channels, ratio)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.norm1(self.attn(x))
        return x + self.norm2(self.mlp(x))


class Merging(nn.Module):
    """2 x 2 neighbours to one token of twice the width."""

    def __init__(self, channels: int):
        super().__init__()
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(2 * channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        neighbours = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.norm(self.reduction(torch.cat(neighbours, -1)))


class Stage(nn.Module):
    def __init__(self, network: NetworkSettings, stage: int, side: int):
        super().__init__()
        channels = network.embed_dim * 2**stage
        self.blocks = nn.ModuleList(
            SwinBlock(channels, network.num_heads[stage], side, network.window_size, i % 2 == 1, network.mlp_ratio)
            for i in range(network.depths[stage])
        )
        self.downsample = Merging(channels) if stage + 1 < len(network.depths) else None


class Embedding(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.proj = nn.Conv2d(3, channels, PATCH_PX, PATCH_PX)
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(self.proj(images).permute(0, 2, 3, 1))


class Residual(nn.Module):
    """Two 3 x 3 convolutions, each after GroupNorm and swish, plus the input."""

    def __init__(self, inputs: int, channels: int, groups: int, dropout: float):
        super().__init__()
        self.norm1, self.norm2 = (nn.GroupNorm(groups, n, GROUP_EPSILON) for n in (inputs, channels))
        self.conv1 = nn.Conv2d(inputs, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.drop = nn.Dropout(dropout)
        self.nin_shortcut = nn.Conv2d(inputs, channels, 1) if inputs != channels else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv1(F.silu(self.norm1(x)))
        y = self.conv2(self.drop(F.silu(self.norm2(y))))
        return y + (x if self.nin_shortcut is None else self.nin_shortcut(x))


class Doubling(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Item(nn.Module):
    """A block of the decoder, and its doubling."""

    def __init__(self, inputs: int, channels: int, network: NetworkSettings, doubles: bool):
        super().__init__()
        self.block = Residual(inputs, channels, network.num_groups, network.dropout)
        self.up = Doubling(channels) if doubles else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block(x)
        return x if self.up is None else self.up(x)


class Twin(nn.Module):
    """Images (B, 3, side, side) in [0, 1] -> logits (B, 4, side, side). `side` is fixed when it is built."""

    def __init__(self, network: NetworkSettings, side: int):
        super().__init__()
        stages = len(network.depths)
        widths = [network.embed_dim * 2**stage for stage in range(stages)]
        self.patch_embed = Embedding(network.embed_dim)
        self.layers = nn.ModuleList(Stage(network, stage, side // PATCH_PX // 2**stage) for stage in range(stages))
        items: list[nn.Module] = [Item(widths[-1], widths[-1], network, False)]
        inputs = widths[-1]
        for stage in reversed(range(stages)):
            channels = widths[max(stage - 1, 0)]
            items.append(Item(inputs + widths[stage], channels, network, True))
            inputs = channels
        items += [Item(inputs, inputs, network, True), nn.Conv2d(inputs, NUM_ZONES, 1)]
        self.pred_target = nn.ModuleList(items)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(images)
        skips = []
        for layer in self.layers:
            for block in layer.blocks:
                x = block(x)
            skips.append(x.permute(0, 3, 1, 2))
            if layer.downsample is not None:
                x = layer.downsample(x)
        x = self.pred_target[0](skips[-1])
        for item, skip in zip(self.pred_target[1:-2], reversed(skips), strict=True):
            x = item(torch.cat([x, skip], 1))
        return self.pred_target[-1](self.pred_target[-2](x))


def twin(network: NetworkSettings, side: int, state_dict: Mapping[str, np.ndarray]) -> Twin:
    """The network with weights as `glacierjax.checkpoints.params_to_torch` names them."""
    model = Twin(network, side)
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state_dict.items()})
    return model


def loss(logits: torch.Tensor, zones: torch.Tensor) -> torch.Tensor:
    """The loss of the fine-tuning: cross-entropy and Dice, of the context and of its centre."""
    quarter = logits.shape[-1] // 4
    centre = slice(quarter, -quarter)
    both = (logits, zones), (logits[..., centre, centre], zones[..., centre, centre])
    return sum((0.5 * (_cross_entropy(*pair) + _dice(*pair)) for pair in both), torch.zeros(()).to(logits.device))


def _cross_entropy(logits: torch.Tensor, zones: torch.Tensor) -> torch.Tensor:
    share = 0.1 * NUM_ZONES / (NUM_ZONES - 1)  # PyTorch spreads over all classes, the recipe over the others
    return F.cross_entropy(logits, zones, label_smoothing=share)


def _dice(logits: torch.Tensor, zones: torch.Tensor) -> torch.Tensor:
    p = logits.softmax(1)
    t = F.one_hot(zones, NUM_ZONES).permute(0, 3, 1, 2).to(p.dtype)
    sums = [(a * b).sum((0, 2, 3)) for a, b in ((p, t), (p, p), (t, t))]
    return (1 - (2 * sums[0] + 1e-5) / (sums[1] + sums[2] + 1e-5)).mean()


def parameters_in_use(model: nn.Module) -> int:
    return sum(math.prod(p.shape) for p in model.parameters())

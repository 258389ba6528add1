"""Where the numbers come from that tests compare with."""

from pathlib import Path

GOLDENS = Path(__file__).parent / "goldens"  # compact, comes with every clone
SHARED = Path(__file__).parents[2] / "shared"  # full reference data and specifications, where they are laid beside it

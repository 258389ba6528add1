"""Facts and small helpers that every other package may import (no JAX here)."""

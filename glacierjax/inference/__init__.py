"""From whole scenes to class probabilities: tiles, blending, ensembles (no training here)."""

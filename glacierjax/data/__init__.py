"""Training samples: crops, augmentation and batches (no JAX)."""

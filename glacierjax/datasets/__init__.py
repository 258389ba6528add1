"""Data sets: published archives, how they are written and split, and reading what the build command prepared."""

"""TFDS builders of the data sets that glacierjax trains on; `python -m tfds_builders.build --help` builds them."""

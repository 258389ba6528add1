"""Builds a data set with TFDS: reads a published archive and writes what training reads.

  python -m glacierjax.build tfds_builders/caffe --data_dir=DATA --manual_dir=FOLDER_WITH_data_raw

The same command as `python -m tfds_builders.build`.
"""

import sys

from tfds_builders.build import main

if __name__ == "__main__":
    sys.exit(main())

"""Draws the three worst and the three best scenes of an evaluation as one picture, as README.md shows them.

python experiments/real_imagery/picture.py REPORT PICTURE.jpg
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from glacierjax.reports.content import worst_first
from glacierjax.reports.figures import contact_sheet

SHOWN = 3  # of the worst, and as many of the best


def main() -> None:
    report, picture = map(Path, sys.argv[1:])
    names = worst_first(json.loads((report / "metrics.json").read_text(encoding="utf-8")))
    overlays = [np.asarray(Image.open(report / "overlays" / f"{name}.png")) for name in names[:SHOWN] + names[-SHOWN:]]
    Image.fromarray(contact_sheet(overlays, SHOWN)).save(picture, quality=88)


if __name__ == "__main__":
    main()

"""A small archive in CaFFe's layout with straight fronts, predictions for it, and a way to score them."""

import numpy as np
from helpers import run_here

from glacierjax.core.files import write_png
from glacierjax.core.zones import Zone, grey_from_ids
from glacierjax.evaluation.run import score_part
from glacierjax.evaluation.write import write_evaluation

NAMES = {
    "train": ["DBE_2008-03-30_TSX_20_3_049", "XYZ_2008-03-30_TSX_20_3_049"],
    "test": ["COL_2012-11-03_TDX_20_1_092", "COL_2016-01-24_S1_20_3_065", "XYZ_2011-06-05_TSX_20_1_110"],
}
SHAPE = (60, 80)


def zones_with_front_at(column, with_rock=True):
    zones = np.full(SHAPE, Zone.GLACIER, np.uint8)
    zones[:, column:] = Zone.OCEAN_ICE_MELANGE
    if with_rock:
        zones[:5] = Zone.ROCK
    return zones


def write_archive(root, with_rock=True):
    generator = np.random.default_rng(0)
    for split, names in NAMES.items():
        for name in names:
            zones = zones_with_front_at(40, with_rock)
            zones[-5:] = Zone.NA
            ocean = zones == Zone.OCEAN_ICE_MELANGE
            image = (np.where(ocean, 40, 160) + generator.integers(-30, 30, SHAPE)).astype(np.uint8)
            front = np.zeros(SHAPE, np.uint8)
            front[5 if with_rock else 0 : -5, 40] = 255
            write_png(root / "sar_images" / split / f"{name}.png", image)
            write_png(root / "zones" / split / f"{name}_zones.png", grey_from_ids(zones))
            write_png(root / "fronts" / split / f"{name}_front.png", front)
            (root / "bounding_boxes").mkdir(exist_ok=True)
            (root / "bounding_boxes" / f"{name}_bb.txt").write_text("x, y\n10, 60\n10, 0\n75, 0\n75, 60\n")
    return root


def write_predictions(folder):
    """Zones with fronts 3 and 5 pixels off and, for the last scene, none."""
    for name, column in zip(NAMES["test"], (43, 35, 80), strict=True):
        write_png(folder / f"{name}.png", grey_from_ids(zones_with_front_at(column)))
    return folder


def write_fronts(folder, column, names=NAMES["test"]):
    """A front along one column in each scene, one pixel further to the right from scene to scene."""
    for number, name in enumerate(names):
        front = np.zeros(SHAPE, np.uint8)
        front[5:-5, column + number] = 255
        write_png(folder / f"{name}.png", front)
    return folder


def evaluate(scenes, predict, output_dir, **options):
    return write_evaluation(output_dir, score_part(scenes, predict, output_dir, "Title", "source", **options))


def command(*flags):
    return run_here("glacierjax.evaluate", *flags)

"""A small invented SSL4SAR archive for tests: four SAR scenes and two optical images, as file contents by path."""

import numpy as np

from glacierjax.core.files import encode_png
from glacierjax.datasets.ssl4sar.archive import OPTICAL_FOLDER, SAR_FOLDERS
from glacierjax.datasets.ssl4sar.optical import FILE_BANDS, Grid
from glacierjax.datasets.ssl4sar.writer import encode_geotiff

SHAPES = {"COL": (40, 52), "Hubbard": (48, 36)}
SPELLED = {"COL": "Columbia", "Hubbard": "Hubbard"}  # in the names of the optical images
SCENES = {
    "train": [("S1_COL_20190105_000", "COL"), ("S1_COL_20190117_001", "COL"), ("S1_Hubbard_003", "Hubbard")],
    "val": [("S1_Hubbard_20200301_004", "Hubbard")],
}
UTM = "EPSG:32606"
SPACING_M = 10.0


def archive_files(seed: int = 0) -> dict[str, bytes]:
    """File contents by path below the archive's root."""
    rng = np.random.default_rng(seed)
    files = {}
    for split, scenes in SCENES.items():
        for name, glacier in scenes:
            image = rng.integers(0, 256, SHAPES[glacier]).astype(np.uint8)
            files[f"{SAR_FOLDERS[split]}/{name}.png"] = encode_png(image)
    for glacier, shape in SHAPES.items():
        bands = rng.random((len(FILE_BANDS), *shape)).astype(np.float32)
        bands[:, :3, :4] = np.nan
        files[f"{OPTICAL_FOLDER}/{SPELLED[glacier]}_2020.tif"] = geotiff(bands)
    return files


def geotiff(bands: np.ndarray, spacing_m: float = SPACING_M) -> bytes:
    """Bands (N, H, W) as a GeoTIFF without band descriptions; all files share the upper left corner."""
    transform = (spacing_m, 0.0, 500_000.0, 0.0, -spacing_m, 6_700_000.0)
    height, width = bands.shape[1:]
    return encode_geotiff(bands, Grid(height, width, UTM, transform))

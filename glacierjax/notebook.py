"""For notebooks: runs the commands in cells and shows their results.

from glacierjax.notebook import pictures, report, run, workdir
run("glacierjax.evaluate", "--workdir=RUN", "--output=OUT")      # as `python -m glacierjax.evaluate --workdir=RUN --output=OUT`
pictures("OUT/overlays")
"""

import html
import importlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from glacierjax.core.errors import InputError
from glacierjax.core.files import require_folder, user_path, visible_files
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.reports.figures import contact_sheet

COLAB = "google.colab"  # a module that only the kernels of Colab have loaded
DRIVE = Path("/content/drive")
REPORT = "report.html"
REPORT_HEIGHT_PX = 600
UTM, UTM_ORIGIN_M = 32633, (450_000.0, 8_700_000.0)  # Svalbard


def run(module: str, *flags: object) -> None:
    """Runs `python -m MODULE FLAGS` and prints its output and errors line by line under the cell.

    Interrupting the cell ends the command. The command is a separate process, so that the accelerator is free afterwards.
    Raises `InputError` when the command fails.
    """
    arguments = [module, *map(str, flags)]
    print(f"$ python -m {shlex.join(arguments)}", flush=True)
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None  # a pipe was asked for
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
        except KeyboardInterrupt:
            process.terminate()
            print(process.stdout.read(), end="", flush=True)
            process.wait()
            raise
    if process.returncode:
        raise InputError(f"python -m {module}: failed with exit code {process.returncode}; its last lines say why")


def workdir(name: str) -> Path:
    """A folder for files that must not be lost: in Colab on Google Drive (asks for permission), else in the working directory.

    Colab ends its machines after some hours; a run in this folder continues on the next machine.
    """
    base = Path("workdir").absolute()
    if COLAB in sys.modules:
        importlib.import_module(f"{COLAB}.drive").mount(str(DRIVE))
        base = DRIVE / "MyDrive" / "glacierjax"
    folder = base / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pictures(folder: str | Path, at_most: int = 4, columns: int = 2, tile_px: int = 640) -> Image.Image:
    """The first PNGs of a folder, in the order of their names, in one picture; larger ones are reduced to `tile_px`.

    Raises `InputError` when there are none.
    """
    folder = require_folder(folder, "pictures, NAME.png each")
    files = visible_files(folder, (".png",))[:at_most]
    if not files:
        raise InputError(f"{folder}: contains no PNG files; run the cell that writes them")
    shown = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return Image.fromarray(contact_sheet(shown, columns, tile_px))


class Page:
    """An HTML page in a frame, so that its style does not affect the notebook."""

    def __init__(self, text: str):
        self._text = text

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self._text)}" width="100%" height="{REPORT_HEIGHT_PX}"></iframe>'


def report(folder: str | Path) -> Page:
    """The report that `glacierjax.evaluate` wrote to a folder. Raises `InputError` when there is none."""
    path = user_path(folder) / REPORT
    if not path.is_file():
        raise InputError(f"{path}: no such file; run glacierjax evaluate --output={folder} first")
    return Page(path.read_text(encoding="utf-8"))


def as_geotiffs(data_raw: str | Path, split: str, glacier: str, lines: int, folder: str | Path) -> Path:
    """Simulated scenes of a glacier as people have theirs: GeoTIFFs `folder/NAME.tif` in a UTM zone, and front lines.

    Lines are written for so many of the scenes as `lines` says, evenly spread over time. Returns the Shapefile of the lines.
    """
    # Imported here: notebooks that do without it need no rasterio.
    import shapely
    from rasterio.crs import CRS

    from glacierjax.fronts.lines import trace_front
    from glacierjax.geo.georeference import Georeference
    from glacierjax.geo.line_columns import COLUMNS
    from glacierjax.geo.rasters import write_raster
    from glacierjax.geo.vectors import write_layer
    from glacierjax.recipes.adaptation import of_glacier, spread_over_time

    archive, folder = open_archive(data_raw), user_path(folder)
    scenes = [archive.read(split, name) for name in archive.names(split)]
    scenes = [scenes[i] for i in of_glacier([scene.id for scene in scenes], glacier)]
    labelled = spread_over_time([scene.id for scene in scenes], lines)
    drawn, facts, crs = [], [], CRS.from_epsg(UTM)
    for number, scene in enumerate(scenes):
        assert scene.box is not None, "simulated scenes have one"
        spacing = scene.id.pixel_spacing_m
        # A simulated glacier has one box, which therefore tells where on the glacier a scene lies.
        west, north = UTM_ORIGIN_M[0] - scene.box.xmin * spacing, UTM_ORIGIN_M[1] + scene.box.ymin * spacing
        place = Georeference(crs, (spacing, 0.0, west, 0.0, -spacing, north))
        write_raster(folder / f"{scene.id.name}.tif", scene.image, place, "grey")
        if number in labelled:
            found = trace_front(scene.zones, scene.front)
            drawn += [shapely.LineString(np.array([west, north]) + line * [spacing, -spacing]) for line in found]
            facts += [
                dict.fromkeys(COLUMNS) | {"scene": scene.id.name, "line": i, "glacier": glacier}
                for i in range(len(found))
            ]
    return write_layer(folder.with_name("fronts.shp"), drawn, facts, crs)[0]

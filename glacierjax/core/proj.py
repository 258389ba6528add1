"""PROJ, the library of reference systems below rasterio: makes sure that it finds data of its own version."""

import functools
import logging
import os

from rasterio.crs import CRS
from rasterio.env import Env, PROJDataFinder, set_proj_data_search_path
from rasterio.errors import CRSError

from glacierjax.core.errors import InputError

log = logging.getLogger(__name__)

VARIABLES = ("PROJ_DATA", "PROJ_LIB")
EPSG_TO_TRY = 4326


@functools.cache
def make_proj_usable() -> None:
    """Removes `VARIABLES` from the environment of this process if they lead to the data of another PROJ.

    QGIS, PostGIS and conda set them, and rasterio knows no reference system then. Raises `InputError` where its own data
    are not there either.
    """
    try:
        with Env():  # sends PROJ's own words to the log instead of to the terminal
            CRS.from_epsg(EPSG_TO_TRY)
    except CRSError as error:
        names = ", ".join(name for name in VARIABLES if os.environ.pop(name, None)) or "PROJ"
        if own := PROJDataFinder().search():
            set_proj_data_search_path(own)
        try:
            CRS.from_epsg(EPSG_TO_TRY)
        except CRSError:
            raise InputError(f"{names}: no data that rasterio can use ({error}); install rasterio again") from None
        log.info("%s: leads to the data of another PROJ; rasterio's own are used", names)

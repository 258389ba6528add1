"""The ice mask over time as a CF-NetCDF file (cfconventions.org), which models of ice sheets read.

Dimensions time, y, x; the map projection as `grid_mapping` with well-known text; borders of months and cells; latitude and
longitude of the cells. Needs the extra [netcdf].
"""

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside
from glacierjax.core.version import version
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.terminus.composites import Composite
from glacierjax.terminus.ice_mask import ICE, NO_ICE, UNKNOWN, Grid, IceMask

CONVENTIONS = "CF-1.10"
EPOCH = datetime.date(1970, 1, 1)
COMPRESSION: dict[str, Any] = {"zlib": True, "complevel": 4, "shuffle": True}
NO_NUMBER = -9999.0
POLAR = "polar_stereographic"


def require_netcdf_extra(where: str) -> tuple[Any, Any]:
    """netCDF4 and pyproj. Raises `InputError` naming `where`, a flag, with what to install where one of them is missing."""
    try:
        import netCDF4
        import pyproj
    except ImportError:
        raise InputError(f"{where}: needs the extra [netcdf]; pip install 'glacierjax[netcdf]'") from None
    return netCDF4, pyproj


def write_masks(
    path: Path, grid: Grid, months: Sequence[Composite], masks: Iterable[IceMask], title: str, comment: str
) -> None:
    """Writes the mask of each month, one after the other, so that only one of them is in memory."""
    netcdf, _ = require_netcdf_extra("`grid_spacing_m`")
    with write_beside(path) as unused, _as_os_error(), netcdf.Dataset(unused, "w", format="NETCDF4") as file:
        file.setncatts(
            {
                "Conventions": CONVENTIONS,
                "title": title,
                "source": f"monthly composites of calving fronts, glacierjax {version()}",
                "history": f"glacierjax {version()}: composite",
                "comment": comment,
            }
        )
        _define_time(file, months)
        _define_map(file, grid)
        flags, share = _define_masks(file)
        for number, mask in enumerate(masks):
            flags[number] = mask.flags
            share[number] = np.where(np.isfinite(mask.ice_share), mask.ice_share, NO_NUMBER)


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """A disk that is full is a RuntimeError of netCDF4, when it writes and again when it closes the file."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(None, str(error)) from error


def _define_time(file: Any, months: Sequence[Composite]) -> None:
    """Months, and for each its number of scenes and the position of the front."""
    file.createDimension("time", len(months))
    file.createDimension("bound", 2)
    days = np.array([[_day(month.first_day), _day(month.next_day)] for month in months], float)
    facts = {
        "standard_name": "time",
        "long_name": "month",
        "units": f"days since {EPOCH}",
        "calendar": "proleptic_gregorian",
    }
    _add(file, "time", "f8", ("time",), days.mean(1), facts | {"axis": "T", "bounds": "time_bounds"})
    _add(file, "time_bounds", "f8", ("time", "bound"), days, {})
    facts = {"standard_name": "number_of_observations", "long_name": "scenes in the month; 0: between two months"}
    _add(file, "scenes", "i4", ("time",), [month.scenes for month in months], facts | {"units": "1"})
    for name, values, what in (
        ("front_position", [month.position_m for month in months], "position of the front by the box method"),
        ("front_position_error", [month.error_m for month in months], "standard error of the position of the front"),
    ):
        numbers = [NO_NUMBER if value is None else value for value in values]
        _add(file, name, "f8", ("time",), numbers, {"long_name": what, "units": "m"}, NO_NUMBER)


def _define_map(file: Any, grid: Grid) -> None:
    """Coordinates of the cells, in metres of the projection and in degrees."""
    for axis, values in (("y", grid.y_m), ("x", grid.x_m)):
        file.createDimension(axis, len(values))
        name = f"projection_{axis}_coordinate"
        facts = {"standard_name": name, "long_name": f"{axis} of the projection", "units": "m", "axis": axis.upper()}
        _add(file, axis, "f8", (axis,), values, facts | {"bounds": f"{axis}_bounds"})
        half = grid.spacing_m / 2
        _add(file, f"{axis}_bounds", "f8", (axis, "bound"), np.column_stack([values - half, values + half]), {})
    x_m, y_m = np.meshgrid(grid.x_m, grid.y_m)
    lonlat = reproject(np.column_stack([x_m.ravel(), y_m.ravel()]), grid.crs, WGS84)
    for name, values, units in zip(("lon", "lat"), lonlat.T, ("degrees_east", "degrees_north"), strict=True):
        facts = {"standard_name": {"lon": "longitude", "lat": "latitude"}[name], "units": units}
        _add(file, name, "f8", ("y", "x"), values.reshape(x_m.shape), facts)
    _add(file, "crs", "i4", (), 0, _grid_mapping(grid.crs))


def _define_masks(file: Any) -> tuple[Any, Any]:
    on_map = {"grid_mapping": "crs", "coordinates": "lat lon", "ancillary_variables": "scenes"}
    size = {"chunksizes": (1, len(file.dimensions["y"]), len(file.dimensions["x"]))}
    flags = file.createVariable(
        "ice_mask", "i1", ("time", "y", "x"), fill_value=np.int8(UNKNOWN), **size, **COMPRESSION
    )
    flags.setncatts(
        {
            "long_name": "glacier in the middle of the cell",
            "flag_values": np.array([NO_ICE, ICE], np.int8),
            "flag_meanings": "no_glacier glacier",
            "cell_methods": "time: median area: point",
            **on_map,
        }
    )
    share = file.createVariable(
        "land_ice_area_fraction", "f4", ("time", "y", "x"), fill_value=np.float32(NO_NUMBER), **size, **COMPRESSION
    )
    share.setncatts(
        {
            "standard_name": "land_ice_area_fraction",
            "long_name": "share of the cell that is glacier",
            "units": "1",
            "cell_methods": "time: median area: mean",
            **on_map,
        }
    )
    return flags, share


def _add(
    file: Any, name: str, kind: str, dimensions: tuple[str, ...], values: Any, facts: dict[str, Any], fill: Any = None
) -> None:
    variable = file.createVariable(name, kind, dimensions, fill_value=fill)
    variable.setncatts(facts)
    variable[...] = values


def _grid_mapping(crs: CRS) -> dict[str, Any]:
    """Attributes of a CF grid mapping. Raises `InputError` for a projection that CF does not know."""
    _, pyproj = require_netcdf_extra("`grid_spacing_m`")
    facts = pyproj.CRS.from_user_input(crs.to_wkt()).to_cf()
    if "grid_mapping_name" not in facts:
        raise InputError(
            f"`crs`: CF-NetCDF has no name for the projection of {crs.to_string()[:40]}; choose another one"
        )
    if facts["grid_mapping_name"] == POLAR:  # CF asks for the pole, also where a standard parallel tells the scale
        parallel = facts.get("standard_parallel", facts.get("latitude_of_projection_origin"))
        facts["latitude_of_projection_origin"] = float(np.copysign(90, parallel))
    return facts


def _day(date: datetime.date) -> int:
    return date.toordinal() - EPOCH.toordinal()

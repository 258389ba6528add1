"""Where a whole scene lies on the map, as a data set tells it: its outer borders in a reference system."""

from typing import NamedTuple


class MapBounds(NamedTuple):
    """Outer borders in units of the reference system `crs` ("EPSG:3031"); up is up on the map."""

    crs: str
    left: float
    bottom: float
    right: float
    top: float

    def transform(self, shape: tuple[int, int]) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f) of x = a column + b row + c, y = d column + e row + f for a scene of `shape` (rows, columns)."""
        height, width = shape
        return (self.right - self.left) / width, 0.0, self.left, 0.0, (self.bottom - self.top) / height, self.top

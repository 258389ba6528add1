"""What users choose for the lines of fronts beside GeoJSON."""

import dataclasses

from rasterio.crs import CRS

from glacierjax.geo.glacier_ids import GlacierOutlines


@dataclasses.dataclass(frozen=True, eq=False)
class LineOptions:
    """`crs` of the lines in formats other than GeoJSON, None: that of the scene; `outlines`: polygons that tell the glacier's id,
    None: it is not told; `author`: who answers for the lines."""

    crs: CRS | None = None
    outlines: GlacierOutlines | None = None
    author: str = "glacierjax"


PLAIN = LineOptions()

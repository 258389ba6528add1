"""The lines of a whole run as one layer, with the style in which QGIS shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import shapely
from rasterio.crs import CRS
from shapely.geometry import shape

from glacierjax.core.files import write_text
from glacierjax.core.json_values import Json, read_json
from glacierjax.fronts.verdict import DOUBTFUL, GOOD, REJECT
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.geo.line_columns import COLUMNS, Column
from glacierjax.geo.vectors import write_layer

STYLE = ".qml"
COLOUR_RAMP = "Viridis"  # from the first date to the last
WIDTHS_MM = {GOOD: ("0.6", "solid"), DOUBTFUL: ("0.4", "dash"), REJECT: ("0.3", "dot")}


def write_run(collection: Path, vector: Sequence[str], crs: CRS, columns: Mapping[str, Column] = COLUMNS) -> list[Path]:
    """Writes what lies beside a GeoJSON collection of all lines: the same in each format of `vector`, and the style.

    A line may be cut at 180 degrees, so all are MultiLineString.
    """
    lines, properties = read_run(collection)
    shapes = [shapely.transform(line, lambda points: reproject(points, WGS84, crs)) for line in lines]
    written = []
    for kind in vector:
        written += write_layer(collection.with_suffix(f".{kind}"), shapes, properties, crs, "MultiLineString", columns)
    write_text(collection.with_suffix(STYLE), style())
    return [*written, collection.with_suffix(STYLE)]


def read_run(collection: Path) -> tuple[list[shapely.MultiLineString], list[Json]]:
    """The lines of a GeoJSON collection that `predict` wrote, longitude and latitude, and their properties."""
    features = read_json(collection)["features"]
    return [_multi(shape(member["geometry"])) for member in features], [member["properties"] for member in features]


def style() -> str:
    """A QGIS style: colour by date, line by verdict. QGIS takes it for layers of the same name beside it."""
    root = ElementTree.Element("qgis", version="3.28", styleCategories="Symbology")
    renderer = ElementTree.SubElement(root, "renderer-v2", type="categorizedSymbol", attr="quality", enableorderby="0")
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, (quality, (width_mm, pen)) in enumerate(WIDTHS_MM.items()):
        facts = {"symbol": str(number), "value": quality, "label": quality, "render": "true"}
        ElementTree.SubElement(categories, "category", facts)
        symbol = ElementTree.SubElement(symbols, "symbol", type="line", name=str(number), alpha="1")
        layer = ElementTree.SubElement(
            symbol, "layer", {"class": "SimpleLine", "enabled": "1", "pass": "0", "locked": "0"}
        )
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for name, value in {"line_color": "33,145,140,255", "line_style": pen, "line_width": width_mm}.items():
            ElementTree.SubElement(options, "Option", type="QString", name=name, value=value)
        _colour_by_date(layer)
    return (
        '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">\n'
        + ElementTree.tostring(root, encoding="unicode")
        + "\n"
    )


def _colour_by_date(layer: ElementTree.Element) -> None:
    share = 'scale_linear("DecDate", minimum("DecDate"), maximum("DecDate") + 0.001, 0, 1)'
    overridden = ElementTree.SubElement(ElementTree.SubElement(layer, "data_defined_properties"), "Option", type="Map")
    properties = ElementTree.SubElement(overridden, "Option", type="Map", name="properties")
    colour = ElementTree.SubElement(properties, "Option", type="Map", name="outlineColor")
    expression = f"ramp_color('{COLOUR_RAMP}', {share})"
    for name, kind, value in (("active", "bool", "true"), ("expression", "QString", expression), ("type", "int", "3")):
        ElementTree.SubElement(colour, "Option", type=kind, name=name, value=value)
    ElementTree.SubElement(overridden, "Option", type="QString", name="type", value="collection")


def _multi(line: shapely.Geometry) -> shapely.MultiLineString:
    return shapely.MultiLineString(list(shapely.get_parts(line)))

"""report.html: one file that opens from disk and needs no network; its tables can be sorted, all pictures are in it."""

import base64
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

import jinja2
import numpy as np
from jaxtyping import UInt8
from markupsafe import Markup, escape
from PIL import Image

from glacierjax.core.zones import ZONE_COLOURS, ZONE_TITLES
from glacierjax.reports.content import MISSING, opening, scene_facts, tables, worst_first
from glacierjax.reports.figures import length_text, round_down
from glacierjax.reports.maps import FRONT_LEGEND, NEAR_M, Colour
from glacierjax.reports.metrics import Metrics

SHOWN_SCENES = 3  # the worst; the maps of the others are folded
SCALE_BAR_SHARE = 0.3  # of the width of a map, at most
TEMPLATES = "templates"


class Map(NamedTuple):
    """One map of a scene. `layer`: a PNG file that is stretched over the scene; None: the scene alone."""

    caption: str
    layer: bytes | None


class SceneMaps(NamedTuple):
    """The maps of a scene, the most important first, and the scene below them.

    `picture`: the scene as a JPEG file, in the page once for all maps; `size_px`: width and height of the scene;
    `width_m`: width of the scene.
    """

    picture: bytes
    size_px: tuple[int, int]
    width_m: float
    maps: Sequence[Map]


def page_text(
    metrics: Metrics, title: str, source: str, version: str, chart: bytes | None, scenes: dict[str, SceneMaps]
) -> str:
    """The page: what was scored, maps, the chart of errors (a PNG file), tables.

    `source` says in one line what was scored on what; `version` is that of the program; `scenes` holds the maps of every
    scene.
    """
    ranked = worst_first(metrics)
    numbers = {name: number for number, name in enumerate(ranked, 1)}
    return template("report.html").render(
        title=title,
        version=version,
        opening=opening(metrics, source),
        blocks=[(type(block).__name__.lower(), block) for block in tables(metrics)],
        chart=chart,
        numbers=numbers,
        shown=[_card(name, metrics, scenes[name]) for name in ranked[:SHOWN_SCENES]],
        folded=[_card(name, metrics, scenes[name]) for name in ranked[SHOWN_SCENES:]],
        front_legend=FRONT_LEGEND,
        near=length_text(NEAR_M),
        zone_legend=dict(zip(ZONE_TITLES, ZONE_COLOURS, strict=True)),
        missing=MISSING,
    )


def template(name: str) -> jinja2.Template:
    """A template of this package; what is put into it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("glacierjax.reports", TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"inline": _inline, "data_uri": _data_uri, "css": _css_colour}
    return environment.get_template(name)


def jpeg_bytes(picture: UInt8[np.ndarray, "rows columns"], quality: int = 75) -> bytes:
    """A grey picture as a JPEG file: a fifth of a PNG's size, because speckle does not compress without loss."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _card(name: str, metrics: Metrics, scene: SceneMaps) -> dict[str, object]:
    """What the template shows of a scene."""
    bar_m = round_down(SCALE_BAR_SHARE * scene.width_m)
    return {
        "name": name,
        "facts": scene_facts(metrics["per_scene"][name]),
        "picture": scene.picture,
        "aspect": "{} / {}".format(*scene.size_px),
        "maps": scene.maps,
        "bar_percent": round(100 * bar_m / scene.width_m, 2),
        "bar_text": length_text(bar_m),
    }


def _data_uri(file: bytes) -> str:
    kind = "png" if file.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def _css_colour(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _inline(text: str) -> Markup:
    """Text with **bold** and `code` as HTML; everything else is escaped."""
    escaped = str(escape(text))
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escaped)
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", bold))

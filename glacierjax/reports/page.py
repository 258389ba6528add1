"""report.html: one file with tables that can be sorted and all pictures in it; opens from disk, asks nothing of a network."""

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from glacierjax.reports.content import MISSING, Block, Figure, Heading, Paragraph, Table, report_blocks

JPEG_QUALITY = 80

_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #1e1e1e; background: #fff; max-width: 76rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #d8d8d8; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
th { vertical-align: bottom; border-bottom: 2px solid #1e1e1e; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid #0072b2; }
th[aria-sort=ascending] button::after { content: " \\25b2"; }
th[aria-sort=descending] button::after { content: " \\25bc"; }
.wide { overflow-x: auto; }
figure { margin: 1.5rem 0; }
figure img, figure svg { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .9rem; }
code { background: #f0f0f0; padding: 0 .2em; overflow-wrap: anywhere; }
"""

# A second click turns the order round; what does not exist stays at the end.
_SCRIPT = """
function value(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = Number(text.replace(/,/g, ""));
  return text === "MISSING" ? null : Number.isNaN(number) ? text : number;
}
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
    const descending = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const x = value(a, column), y = value(b, column);
      if (x === null || y === null) return (x === null) - (y === null);
      const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return descending ? -order : order;
    });
    table.tBodies[0].append(...rows);
  }));
}
""".replace("MISSING", MISSING)


def page_text(
    metrics: dict, title: str, source: str, figures: Sequence[Figure], scenes: Mapping[str, Sequence[Path]]
) -> str:
    """The page. `figures`: their pictures are elements, see `image_element`; `scenes`: pictures of each, last in the page."""
    blocks = report_blocks(metrics, source, figures)
    known = {name: f"scene-{number}" for number, name in enumerate(scenes)}
    drawn = [
        f'<figure id="{known[name]}">{"".join(image_element(np.asarray(Image.open(p)), name) for p in paths)}</figure>'
        for name, paths in scenes.items()
    ]
    parts = [f"<h1>{html.escape(title)}</h1>", *(_element(block, known) for block in blocks)]
    parts += ["<h2>Pictures</h2>", *drawn] if drawn else []
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
            *parts,
            f"<script>{_SCRIPT}</script></body></html>",
            "",
        ]
    )


def image_element(picture: np.ndarray, text: str) -> str:
    """An <img> that holds the picture (h, w, 3) uint8 itself; `text` for who cannot see it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    data = base64.b64encode(file.getvalue()).decode()
    height, width = picture.shape[:2]
    return (
        f'<img loading="lazy" width="{width}" height="{height}" alt="{html.escape(text)}" '
        f'src="data:image/jpeg;base64,{data}">'
    )


def _element(block: Block, anchors: Mapping[str, str]) -> str:
    """A block as HTML; cells that are keys of `anchors` become links to these."""
    match block:
        case Heading(text):
            return f"<h2>{html.escape(text)}</h2>"
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Figure(caption, element):
            return f"<figure>{element}<figcaption>{html.escape(caption)}</figcaption></figure>"
        case Table(header, rows):
            head = "".join(f"<th><button>{html.escape(title)}</button></th>" for title in header)
            body = "\n".join("<tr>" + "".join(_cell(cell, anchors) for cell in row) + "</tr>" for row in rows)
            table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            return f'<div class="wide">{table}</div>'


def _cell(text: str, anchors: Mapping[str, str]) -> str:
    shown = html.escape(text)
    return f'<td><a href="#{anchors[text]}">{shown}</a></td>' if text in anchors else f"<td>{shown}</td>"


def _inline(text: str) -> str:
    escaped = html.escape(text, quote=False)
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escaped)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escaped)

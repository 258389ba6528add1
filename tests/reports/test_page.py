"""report.html: self-contained, with tables that sort in a real browser; and the chart of errors."""

import base64
import html.parser
import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from test_tables import scored

from glacierjax.core.drawing import picture_of
from glacierjax.evaluation.score import aggregate
from glacierjax.reports.page import SHOWN_SCENES, Map, SceneMaps, jpeg_bytes, page_text
from glacierjax.reports.plots import BAR_COLOUR, DOT_COLOUR, error_plot

NAMES = {
    "COL_2012-11-03_TDX_20_1_092": 33,
    "Mapple_2012-11-03_S1_20_1_001": 60,
    "COL_2012-07-03_S1_20_1_002": 50,
    "COL_2012-08-03_S1_20_1_003": 30,
}
"""Scene -> column of its predicted front; the true one is in column 30. At Mapple none is predicted."""
WORST_FIRST = [list(NAMES)[number] for number in (1, 2, 0, 3)]


def png_bytes(colour):
    file = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def metrics():
    return aggregate([scored(name, column) for name, column in NAMES.items()])


@pytest.fixture(scope="module")
def page(metrics):
    scene, layer = jpeg_bytes(np.full((20, 30), 90, np.uint8)), png_bytes("red")
    maps = [Map("both fronts", layer), Map("scene", None), Map("predicted <zones>", png_bytes("blue"))]
    scenes = {name: SceneMaps(scene, (150, 100), 3000, maps) for name in NAMES}
    return page_text(metrics, "Title <1>", "What & why, `code`.", "1.2.3", png_bytes("green"), scenes)


class Elements(html.parser.HTMLParser):
    """Names, attributes and balance of the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_from_elsewhere(page):
    elements = Elements(page)
    assert elements.open == []
    addresses = [a[key] for _, a in elements.found for key in ("src", "href") if key in a]
    assert addresses and all(address.startswith(("data:image/", "#map-", "#row-")) for address in addresses)
    assert "http" not in page


def test_every_scene_is_linked_with_its_row_both_ways(page):
    elements = Elements(page)
    names = {a["id"]: tag for tag, a in elements.found if "id" in a}
    links = [a["href"].removeprefix("#") for tag, a in elements.found if tag == "a"]
    expected = {f"map-{n}": "article" for n in (1, 2, 3, 4)} | {f"row-{n}": "tr" for n in (1, 2, 3, 4)}
    assert names == expected and sorted(links) == sorted(expected)
    rows = re.findall(r'<tr id="row-(\d)">\s*<td><a href="#map-(\d)">(.+?)</a>', page)
    assert rows == [(str(n), str(n), name) for n, name in enumerate(WORST_FIRST, 1)]


def test_maps_come_first_and_the_worst_scene_leads(page):
    assert page.index("<h2>Maps</h2>") < page.index("<h2>Errors</h2>") < page.index("<h2>Calving fronts</h2>")
    places = [page.index(f"{number}. {name}</h3>") for number, name in enumerate(WORST_FIRST, 1)]
    assert places == sorted(places) and places[-1] < page.index("<h2>Errors</h2>")
    folded = page.index("<details>")
    assert [place < folded for place in places] == [number < SHOWN_SCENES for number in range(len(NAMES))]


def test_captions_are_text_of_the_page(page):
    assert page.count("<figcaption>predicted &lt;zones&gt;</figcaption>") == len(NAMES)
    assert page.count('<div class="bar" style="width: 16.67%"></div>') == len(NAMES), "500 m of 3000 m"
    assert page.count("<figcaption>500 m · both fronts</figcaption>") == len(NAMES)


def test_text_is_escaped_and_marked(page):
    assert "<h1>Title &lt;1&gt;</h1>" in page and "What &amp; why, <code>code</code>." in page
    assert "<strong>1 missing front</strong>" in page


def test_the_page_names_the_version_and_the_zone_that_cannot_occur(page):
    assert "Made by glacierjax 1.2.3." in page
    assert re.search(r"<strong>Mean IoU 0\.\d{3}</strong> over the zones that a scene has", page)


def test_pictures_survive_the_page(page):
    sources = {a["src"] for tag, a in Elements(page).found if tag == "img"}
    backgrounds = re.findall(r"background-image: url\((data:[^)]+)\); aspect-ratio: 150 / 100", page)
    assert len(backgrounds) == len(NAMES), "each scene is in the page once"
    sources |= set(backgrounds)
    shown = [Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) for source in sources]
    assert sorted((image.format, image.size) for image in shown) == [("JPEG", (30, 20)), *[("PNG", (4, 3))] * 3]


def plotted(figure: Figure, colour):
    return [line for line in figure.axes[0].lines if line.get_color() == colour]


def test_the_chart_has_a_dot_for_each_error_and_a_bar_for_each_group(metrics):
    figure = error_plot(metrics)
    assert figure is not None
    dots_m = [x for line in plotted(figure, DOT_COLOUR) for x in np.asarray(line.get_xdata())]
    assert len(dots_m) == 3 * 3, "glacier, season and sensor of three scenes"
    assert sorted(dots_m)[::3] == [1, 60, 400], "a perfect scene stands at one metre"
    bars_m = [float(np.asarray(line.get_xdata())[0]) for line in plotted(figure, BAR_COLOUR)]
    assert len(bars_m) == 1 + 2 + 2, "of Mapple there is no error"
    assert bars_m[0] == metrics["subsets"]["glacier=COL"]["mde_m"]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "0 + 1" in texts and " Glacier" in texts
    assert "Mapple" in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    picture = picture_of(figure)
    assert picture.shape[1] == 1104 and (picture < 128).any()


def test_without_an_error_there_is_no_chart():
    assert error_plot(aggregate([scored("COL_2012-11-03_TDX_20_1_092", 60)])) is None


@pytest.mark.slow
def test_a_click_sorts_a_table_and_a_link_unfolds_a_map_in_a_browser(page, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium here; install Debian's package")
    clicks = """<script>
    const table = [...document.querySelectorAll("table")].at(-1), head = table.tHead.rows[0].cells[1];
    const shown = () => [...table.tBodies[0].rows].map(row => row.cells[1].textContent).join(" ");
    const mark = () => getComputedStyle(head.querySelector("button"), "::after").content.at(-2);
    const orders = [mark()];
    for (let i = 0; i < 2; i++) { head.querySelector("button").click(); orders.push(shown(), mark()); }
    location.hash = "#map-4";
    addEventListener("hashchange", () => {
      document.title = [...orders, document.querySelector("details").open].join(" / ");
    });
    </script></body>"""
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", clicks))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    flags += ["--disable-quic", "--no-first-run", "--disable-background-networking", "--virtual-time-budget=2000"]
    done = subprocess.run([browser, *flags, path.as_uri()], capture_output=True, text=True, timeout=120)
    (title,) = re.findall("<title>(.*)</title>", done.stdout)
    assert title == "⇅ / 0.0 60.0 400.0 – / ▲ / 400.0 60.0 0.0 – / ▼ / true"

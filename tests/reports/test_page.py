"""report.html: whole in itself, its tables sortable in a real browser; and the plot of errors."""

import html.parser
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from test_tables import scored

from glacierjax.evaluation.score import aggregate
from glacierjax.reports.content import Figure
from glacierjax.reports.page import image_element, page_text
from glacierjax.reports.plots import BAR_COLOUR, error_plot

NAMES = {"COL_2012-11-03_TDX_20_1_092": 33, "Mapple_2012-11-03_S1_20_1_001": 60, "COL_2012-07-03_S1_20_1_002": 50}


@pytest.fixture(scope="module")
def metrics():
    """Errors of 60 m and 400 m at Columbia, and no front at Mapple."""
    return aggregate([scored(name, column) for name, column in NAMES.items()])


@pytest.fixture(scope="module")
def page(metrics, tmp_path_factory):
    picture = tmp_path_factory.mktemp("pictures") / "overlay.png"
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(picture)
    scenes = {name: [picture] for name in NAMES}
    return page_text(metrics, "Title <1>", "What & why, `code`.", [Figure("Errors", error_plot(metrics))], scenes)


class Elements(html.parser.HTMLParser):
    """Names, attributes and balance of the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "line", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("line", "rect", "circle"):
            return
        assert self.open.pop() == tag


def test_the_page_asks_for_nothing_from_elsewhere(page):
    elements = Elements(page)
    assert elements.open == []
    addresses = [a[key] for _, a in elements.found for key in ("src", "href") if key in a]
    assert addresses and all(address.startswith(("data:image/", "#scene-")) for address in addresses)
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_every_scene_is_linked_to_its_picture(page):
    elements = Elements(page)
    anchors = {a["id"] for tag, a in elements.found if tag == "figure" and "id" in a}
    links = {a["href"] for tag, a in elements.found if tag == "a"}
    assert len(anchors) == len(NAMES) and links == {f"#{anchor}" for anchor in anchors}


def test_text_is_escaped_and_marked(page):
    assert "<h1>Title &lt;1&gt;</h1>" in page and "What &amp; why, <code>code</code>." in page
    assert "<strong>1 missing front(s)</strong>" in page


def test_pictures_survive_the_page():
    element = image_element(np.full((4, 6, 3), 200, np.uint8), 'a "quoted" text')
    assert 'width="6" height="4"' in element and "&quot;quoted&quot;" in element


def test_the_plot_has_a_dot_for_each_error_and_a_bar_for_each_group(metrics):
    plot = ET.fromstring(error_plot(metrics))
    dots = [e for e in plot.iter() if e.tag.endswith("circle")]
    bars = [e for e in plot.iter() if e.get("fill") == BAR_COLOUR]
    assert len(dots) == 3 * 2, "glacier, season and sensor of two scenes"
    assert len(bars) == 1 + 2 + 2, "of Mapple there is no error"
    texts = [e.text for e in plot.iter() if e.tag.endswith("text")]
    assert "0 + 1" in texts and "Mapple" in texts
    by_x = sorted(float(dot.get("cx", 0)) for dot in dots)
    assert by_x[0] == by_x[2] < by_x[3] == by_x[5]


def test_without_an_error_there_is_no_plot():
    assert error_plot(aggregate([scored("COL_2012-11-03_TDX_20_1_092", 60)])) == ""


def test_perfect_scenes_have_a_place_in_the_plot():
    assert "≤ 1" in error_plot(aggregate([scored("COL_2012-11-03_TDX_20_1_092", 30)]))


@pytest.mark.slow
def test_a_click_sorts_a_table_in_a_browser(page, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium here; install Debian's package")
    clicks = """<script>
    const table = [...document.querySelectorAll("table")].at(-1), head = table.tHead.rows[0].cells[1];
    const shown = () => [...table.tBodies[0].rows].map(row => row.cells[1].textContent).join(" ");
    const orders = [];
    for (let i = 0; i < 2; i++) { head.firstChild.click(); orders.push(shown()); }
    document.title = orders.join(" / ");
    </script></body>"""
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", clicks))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([browser, *flags, path.as_uri()], capture_output=True, text=True, timeout=120)
    (title,) = re.findall("<title>(.*)</title>", done.stdout)
    assert title == "60.0 400.0 – / 400.0 60.0 –"

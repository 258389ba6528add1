"""Fills the page on configuration with the table of all fields; `make docs` calls it (mkdocs.yml)."""

from typing import Any

from glacierjax.core.settings import FineTuning, Pretraining, SeriesFineTuning
from glacierjax.core.settings.table import markdown_tables

MARK = "<!-- all fields -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page with the table in place of the mark."""
    return markdown.replace(MARK, markdown_tables([FineTuning(), SeriesFineTuning(), Pretraining()]))

"""Progress as lines of a log, without a terminal."""

import io
from types import SimpleNamespace

import pytest

from glacierjax.core import progress


@pytest.fixture
def lines(monkeypatch):
    """Collects the lines of the log."""
    found = []
    monkeypatch.setattr(progress.log, "info", lambda message, *values: found.append(message % values))
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=io.StringIO()))
    return found


def test_items_come_through_and_the_end_is_told(lines):
    assert list(progress.track("abc", 3, "letters read")) == ["a", "b", "c"]
    assert lines == ["letters read: 3 of 3 done in 0 s"]


def test_long_work_tells_how_far_it_is(lines, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    list(progress.track(range(3), 3, "scenes scored"))
    assert [line.split(",")[0] for line in lines[:2]] == ["scenes scored: 1 of 3", "scenes scored: 2 of 3"]

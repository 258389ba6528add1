"""Turns a matplotlib figure into pixels or into a file, without a display and from any thread."""

import threading
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glacierjax.core.files import write_beside

PRINT_DPI = 300
# Text stays text, and the same figure is the same file.
_SAVED: dict[Any, Any] = {"svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "glacierjax"}
_NO_DATE = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}

_LOCK = threading.Lock()  # matplotlib's font caches are shared by all figures


def picture_of(figure: Figure) -> UInt8[np.ndarray, "height width 3"]:
    """The figure as drawn at its own resolution, red, green, blue."""
    with _LOCK:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_figure(path: Path, figure: Figure) -> None:
    """Writes the figure in the format that the suffix names, one of `core.choices.FIGURE_FORMATS`, for print."""
    kind = path.suffix[1:]
    with _LOCK, mpl.rc_context(_SAVED), write_beside(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=PRINT_DPI, metadata=_NO_DATE[kind])

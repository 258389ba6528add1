"""Turns a matplotlib figure into pixels, without a display and from any thread."""

import threading

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_LOCK = threading.Lock()  # matplotlib's font caches are shared by all figures


def picture_of(figure: Figure) -> UInt8[np.ndarray, "height width 3"]:
    """The figure as drawn at its own resolution, red, green, blue."""
    with _LOCK:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

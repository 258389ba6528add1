"""Which way fronts are drawn: the glacier lies on the left of a line (y upwards), as `glacierjax.predict` writes it.

Lines that other people drew may run the other way. A front counts as turned round if it runs against most of the fronts,
or, where a point on the glacier is known, if that point lies on its right.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import InputError
from glacierjax.terminus.fronts import Front

# A line says something about the direction if it runs this straight, and is that long a part of its front.
STRAIGHT = 0.5  # distance of its ends by its length
SHARE_OF_FRONT = 0.1
AGAINST = 0.7  # cosine of 45 degrees: it runs against the others, not across
MAJORITY = 0.6  # of the fronts' length must agree, else nobody knows where the glacier is
BESIDE = 0.2  # a point tells a side if the angle between the front and the way to it has at least this sine
FARTHEST_M = 200_000.0  # of a point on the glacier from the front; no glacier is so long behind its front


def one_direction(
    fronts: Sequence[Front],
    on_glacier: Float[np.ndarray, "2"] | None = None,
    within: shapely.Polygon | None = None,
    remedy: str = "add a point on the glacier to the file of `box`",
) -> tuple[list[Front], list[str]]:
    """The fronts with the glacier on the left of all lines, and the names of the scenes whose lines were turned round.

    Args:
      fronts: in a plane in metres.
      on_glacier: a point (2,) there, behind all fronts; None: most of the fronts are right.
      within: lines beside this polygon say nothing and stay as they are.
      remedy: what the user can do without a majority, for the message.

    Raises:
      InputError: there is no such majority, or the point tells no side (`is_on_left`).
    """
    telling = [(line, front) for front in fronts for line in front.lines if _tells(line, front, within)]
    if not telling:
        return list(fronts), []
    chords = [line[-1] - line[0] for line, _ in telling]
    along = _common_direction(np.array(chords))
    if on_glacier is not None:
        middle = np.mean([line.mean(0) for line, _ in telling], axis=0)
        along *= 1.0 if is_on_left(on_glacier, along, middle, "`box`") else -1.0
    found, turned = [], []
    for front in fronts:
        lines = [
            line[::-1] if _tells(line, front, within) and _runs_against(line, along) else line for line in front.lines
        ]
        if any(new is not old for new, old in zip(lines, front.lines, strict=True)):
            turned.append(front.scene)
        found.append(dataclasses.replace(front, lines=lines))
    share = sum(np.hypot(*chord) for chord in chords if chord @ along > 0) / sum(np.hypot(*chord) for chord in chords)
    if on_glacier is None and share < MAJORITY:
        raise InputError(
            f"`fronts`: {share:.0%} of the lines run one way and the rest the other, so nobody knows on which side the "
            f"glacier is; draw them with the glacier on the left, or {remedy}"
        )
    return found, turned


def is_on_left(
    on_glacier: Float[np.ndarray, "2"], along: Float[np.ndarray, "2"], middle: Float[np.ndarray, "2"], where: str
) -> bool:
    """Whether a point on the glacier lies left of a front that runs `along` through `middle`, all (2,) in metres.

    Raises `InputError` naming `where` for a point far from the front, as one with longitude and latitude exchanged is, and
    for one that lies ahead of its end.
    """
    (x, y), way = along, on_glacier - middle
    away_m = float(np.hypot(*way))
    if away_m > FARTHEST_M:
        raise InputError(
            f"{where}: the point on the glacier lies {away_m / 1000:,.0f} km from the front; give one on this glacier, "
            "longitude before latitude"
        )
    sine = float(x * way[1] - y * way[0]) / max(float(np.hypot(x, y)) * away_m, 1e-9)
    if abs(sine) < BESIDE:
        raise InputError(
            f"{where}: the point on the glacier lies beyond the front's end, not behind it; choose one upstream"
        )
    return sine > 0


def _tells(line: Float[np.ndarray, "point 2"], front: Front, within: shapely.Polygon | None) -> bool:
    """Whether a line is so long and straight that its direction must be that of the front."""
    if within is not None and not within.intersects(shapely.LineString(line)):
        return False
    lengths = [float(np.hypot(*np.diff(other, axis=0).T).sum()) for other in front.lines]
    own = float(np.hypot(*np.diff(line, axis=0).T).sum())
    return bool(np.hypot(*(line[-1] - line[0])) > STRAIGHT * own > 0 and own >= SHARE_OF_FRONT * sum(lengths))


def _runs_against(line: Float[np.ndarray, "point 2"], along: Float[np.ndarray, "2"]) -> bool:
    chord = line[-1] - line[0]
    return bool(chord @ along < -AGAINST * np.hypot(*chord))


def _common_direction(chords: Float[np.ndarray, "chord 2"]) -> Float[np.ndarray, "2"]:
    """Unit vector (2,) along most of the chords (n, 2): their main axis, in the direction of most of their length."""
    _, axes = np.linalg.eigh(chords.T @ chords)
    axis = axes[:, -1]
    return axis if (chords @ axis).sum() >= 0 else -axis

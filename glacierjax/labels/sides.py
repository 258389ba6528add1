"""On which side of a front the glacier lies: decided by a point, polygons, the other fronts, or the line's direction.

Lines are turned so that the glacier is on their left (y upwards), as `glacierjax.predict` draws them.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely

from glacierjax.core.errors import InputError
from glacierjax.terminus.box import divide_box
from glacierjax.terminus.direction import is_on_left, one_direction
from glacierjax.terminus.fronts import Front, lay_out

BY_POINT, BY_POLYGONS, BY_OTHERS, BY_DIRECTION = "point", "polygons", "other fronts", "direction of the line"
MORE = 2.0  # polygons tell a side if they cover so many times more of one than of the other


@dataclasses.dataclass(frozen=True, eq=False)
class Sided:
    """Lines (n, 2) in a plane in metres, the glacier on their left; `told_by`: what told it; `turned`: they were turned."""

    lines: list[np.ndarray]
    told_by: str
    turned: bool


def side_by_point(
    polygon: shapely.Polygon | shapely.MultiPolygon, lines: Sequence[np.ndarray], point: np.ndarray, where: str
) -> Sided:
    """The side of a point (2,) on the glacier, in the same plane as the box and the lines.

    In the box it is the piece around the point; a point elsewhere tells it by lying left or right of the front. Raises
    `InputError` naming `where` for a point that tells no side (`glacierjax.terminus.direction.is_on_left`).
    """
    divided = divide_box(polygon, lines)
    mark = shapely.Point(point)
    if divided is not None:
        for pieces, turned in ((divided.glacier, False), (divided.ocean, True)):
            if any(piece.contains(mark) for piece in pieces):
                return _sided(lines, BY_POINT, turned)
    middle = np.concatenate(list(lines)).mean(0)
    return _sided(lines, BY_POINT, not is_on_left(point, _along(lines), middle, where))


def side_by_shares(
    lines: Sequence[np.ndarray], glacier_shares: tuple[float, float], ocean_shares: tuple[float, float]
) -> Sided | None:
    """The side that polygons tell: shares of the box's left and right part that lie in those of glacier and of ocean.

    None if they cover both parts alike.
    """
    left = glacier_shares[0] + ocean_shares[1]
    right = glacier_shares[1] + ocean_shares[0]
    if max(left, right) < 0.01 or max(left, right) < MORE * min(left, right):
        return None
    return _sided(lines, BY_POLYGONS, right > left)


def sides_of_others(fronts: Sequence[Front], known: dict[int, Sided]) -> dict[int, Sided | str]:
    """For each front (longitude and latitude) of one glacier that is not `known` yet, by number: its lines, or a problem.

    By the fronts whose side is known; without any, by the direction in which most of them run.
    """
    found: dict[int, Sided | str] = {}
    open_ones = [i for i in range(len(fronts)) if i not in known]
    if not open_ones:
        return found
    placed, _ = lay_out(fronts)
    if known:
        # How the known ones run in the common plane, turned as they were.
        ways = [_way(placed[i].lines) * (-1 if sided.turned else 1) for i, sided in known.items()]
        along = sum(ways, np.zeros(2))
        for i in open_ones:
            found[i] = _sided(fronts[i].lines, BY_OTHERS, bool(_way(placed[i].lines) @ along < 0))
        return found
    try:
        as_most_run, _ = one_direction(placed, remedy="give `glacier_point`")
    except InputError as error:
        return {i: f"{fronts[i].scene}: {error}" for i in open_ones}
    for i in open_ones:
        turned = [new is not old for new, old in zip(as_most_run[i].lines, placed[i].lines, strict=True)]
        lines = [line[::-1] if turn else line for line, turn in zip(fronts[i].lines, turned, strict=True)]
        found[i] = Sided(lines, BY_OTHERS if any(turned) else BY_DIRECTION, any(turned))
    return found


def by_glacier(fronts: Sequence[Front]) -> list[list[int]]:
    """Numbers of the fronts of each glacier."""
    groups: dict[str | None, list[int]] = defaultdict(list)
    for i, front in enumerate(fronts):
        groups[front.glacier].append(i)
    return list(groups.values())


def _sided(lines: Sequence[np.ndarray], told_by: str, turned: bool) -> Sided:
    return Sided([line[::-1] for line in lines] if turned else list(lines), told_by, turned)


def _along(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Vector (2,) from the beginning to the end of lines."""
    return np.sum([line[-1] - line[0] for line in lines], axis=0)


def _way(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vector (2,) from the beginning to the end of lines."""
    along = _along(lines)
    return along / max(float(np.linalg.norm(along)), 1e-9)

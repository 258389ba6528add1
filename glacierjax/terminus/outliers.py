"""Fronts that do not fit their series: shifted, jumped, drawn in part, or along the edge of ice mélange.

The box is cut into lanes along the flow. In each lane a front has a position; the expected one follows from the dates before,
from those after, from the trend through both, and from the seasonal cycle, if the series shows one. A front that agrees with any
of them is right: a glacier may calve between two dates, but comes back with the seasons only. AutoTerm screens its traces by
the next dates as well (Zhang et al. 2023, doi 10.5194/tc-17-3485-2023). A front that is far longer than the others runs around
something.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import shapely
from jaxtyping import Bool, Float64

from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import GOOD, REJECT, USUAL, Thresholds, Verdict, weigh, worst
from glacierjax.terminus.box import Box, flow_direction
from glacierjax.terminus.curved_box import straightened
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.series import box_corners
from glacierjax.terminus.trend import usual_curve

LANES = 24
PIECES_ACROSS = 200  # fronts in a curved box are looked at in pieces of this part of its width
NEIGHBOURS = 4  # dates before and as many after
ONE_SIDE = 3  # of them alone tell what to expect
LEAST_DATES = 5  # with fewer, nobody knows which of them is wrong
PASSES = 3  # the next one without what was rejected before

Positions = Float64[np.ndarray, "date lane"]


def judge_series(fronts: Sequence[Front], box: Box, thresholds: Thresholds = USUAL) -> list[Verdict]:
    """A verdict on each of the dated fronts of one glacier, in metres (y upwards): its own, and by its neighbours in time."""
    own = [front.verdict or Verdict(GOOD) for front in fronts]
    positions_m = lane_positions_m(fronts, box)
    lengths_m = _lengths_m(fronts, box)
    days = np.array([front.date.toordinal() if front.date else 0 for front in fronts], float)
    measured = np.isfinite(positions_m)
    if measured.any(1).sum() < LEAST_DATES:
        return own
    usual_m = float(np.median(lengths_m[lengths_m > 0])) if (lengths_m > 0).any() else np.inf
    own = [
        worst([verdict, weigh(times, "length_times", f"{times:.1f} times as long as usual", thresholds)])
        for verdict, times in zip(own, (lengths_m / usual_m).tolist(), strict=True)
    ]
    used = np.array([verdict.quality != REJECT for verdict in own])
    lanes = measured[measured.any(1)].mean(0) >= 0.5  # those that most fronts cross
    missing = 1 - measured[:, lanes].mean(1) if lanes.any() else np.ones(len(fronts))
    verdicts = own
    for _ in range(PASSES):
        jumps_m = _jumps_m(positions_m, days, used)
        usual_m = float(np.nanmedian(jumps_m[used])) if np.isfinite(jumps_m[used]).any() else np.nan
        jumps_m = np.fmin(jumps_m, _beside_cycle_m(positions_m, fronts, used))
        verdicts = [
            worst([verdict, *_of_neighbours(jump_m, usual_m, share, bool(front.lines), thresholds)])
            for verdict, jump_m, share, front in zip(own, jumps_m, missing, fronts, strict=True)
        ]
        kept = np.array([verdict.quality != REJECT for verdict in verdicts])
        if (kept == used).all():
            break
        used = kept
    return verdicts


def lane_positions_m(fronts: Sequence[Front], box: Box) -> Positions:
    """Where each front leaves the glacier for the last time in each lane of the box, along the flow; NaN: nowhere in it."""
    place, (low, high), (first, last) = _lanes_of(fronts, box)
    lanes = low + (np.arange(LANES) + 0.5) / LANES * (high - low)
    found = np.full((len(fronts), LANES), np.nan)
    for row, front in zip(found, fronts, strict=True):
        for line in front.lines:
            along, side = place(line).T
            # With the glacier on the left, a step towards larger `side` has the ocean ahead.
            for lane, where in enumerate(lanes):
                leaves = (side[:-1] <= where) & (side[1:] > where)
                before = np.flatnonzero(leaves)
                after = before + 1
                share = (where - side[before]) / (side[after] - side[before])
                places = along[before] + share * (along[after] - along[before])
                places = places[(places >= first) & (places <= last)]
                if len(places):
                    row[lane] = np.nanmax([row[lane], places.max()])
    return found


def _lengths_m(fronts: Sequence[Front], box: Box) -> Float64[np.ndarray, " date"]:
    """Length of each front in the box; closed lines, as around icebergs, count too."""
    lines = [shapely.MultiLineString(front.lines) for front in fronts]
    return np.asarray(shapely.length(shapely.intersection(box.polygon, lines)), float)


def _lanes_of(
    fronts: Sequence[Front], box: Box
) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[float, float], tuple[float, float]]:
    """Gives points (n, 2) their place along the flow and to its left, and from where to where the box reaches: to the left,
    and along the flow."""
    if box.centreline is not None:
        curve, length_m = box.centreline, shapely.LineString(box.centreline).length

        def on_curve(line: np.ndarray) -> np.ndarray:
            dense = shapely.get_coordinates(shapely.segmentize(shapely.LineString(line), box.width_m / PIECES_ACROSS))
            # Beside the box a point may be as near to another part of the curve.
            inside = shapely.contains_xy(box.polygon, dense)
            return np.where(inside[:, None], straightened(curve, dense), np.nan)

        return on_curve, (-box.width_m / 2, box.width_m / 2), (0.0, length_m)
    flow = flow_direction([front.lines for front in fronts])
    axes = np.column_stack([flow, [-flow[1], flow[0]]])
    corners = box_corners(box) @ axes
    (first, low), (last, high) = corners.min(0).tolist(), corners.max(0).tolist()
    return lambda line: line @ axes, (low, high), (first, last)


def _jumps_m(positions_m: Positions, days: np.ndarray, used: Bool[np.ndarray, " date"]) -> np.ndarray:
    """Mean distance (dates,) from what the neighbours in time tell, by the one of them that agrees best; NaN: not known."""
    order = np.argsort(days, kind="stable")
    jumps = np.full(len(days), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of lanes without any position
        for place, i in enumerate(order):
            before = [j for j in order[:place][::-1] if used[j]][:NEIGHBOURS]
            after = [j for j in order[place + 1 :] if used[j]][:NEIGHBOURS]
            expected = [np.nanmedian(positions_m[side[:ONE_SIDE]], axis=0) for side in (before, after) if side]
            if len(before) + len(after) > 2:
                expected.append(_by_trend(positions_m[before + after], days[before + after], float(days[i])))
            distances = [np.nanmean(np.abs(positions_m[i] - one)) for one in expected]
            if np.isfinite(distances).any():
                jumps[i] = np.nanmin(distances)
    return jumps


def _beside_cycle_m(positions_m: Positions, fronts: Sequence[Front], used: Bool[np.ndarray, " date"]) -> np.ndarray:
    """Mean distance (dates,) from the seasonal cycle with its trend; NaN where no cycle shows."""
    years = np.array([decimal_year(front.date) if front.date else np.nan for front in fronts])
    curves = [usual_curve(years, lane, used) for lane in positions_m.T]
    expected = np.column_stack([np.full(len(fronts), np.nan) if curve is None else curve for curve in curves])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of dates without any position
        return np.nanmean(np.abs(positions_m - expected), axis=1)


def _by_trend(positions_m: Positions, days: np.ndarray, day: float) -> np.ndarray:
    """Positions (lanes,) on a day by the median of the slopes between pairs of dates (Theil and Sen)."""
    one, other = np.triu_indices(len(days), 1)
    apart = days[one] != days[other]
    steps = days[other][apart] - days[one][apart]
    slopes = (positions_m[other][apart] - positions_m[one][apart]) / steps[:, None]
    slope = np.nanmedian(slopes, axis=0) if apart.any() else np.zeros(positions_m.shape[1])
    return np.nanmedian(positions_m + slope * (day - days)[:, None], axis=0)


def _of_neighbours(
    jump_m: float, usual_m: float, missing_share: float, has_lines: bool, thresholds: Thresholds
) -> list[Verdict]:
    if not has_lines:
        return []  # nothing to judge
    found = [weigh(missing_share, "missing_share", f"missing on {missing_share:.0%} of the box's width", thresholds)]
    if np.isfinite(jump_m) and usual_m > 0 and jump_m >= thresholds.least_jump_m:
        reason = f"{jump_m:.0f} m from where its neighbours in time are"
        found.append(weigh(jump_m / usual_m, "jump_times", reason, thresholds))
    return found

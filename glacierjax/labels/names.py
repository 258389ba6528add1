"""Names of labelled scenes in CaFFe's grammar, from the scene and its line."""

import logging
import re
from collections.abc import Collection

from glacierjax.core.errors import InputError
from glacierjax.core.glaciers import canonical_glacier
from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.datasets.caffe.meta_data import is_spacing_of
from glacierjax.labels.frames import Frame
from glacierjax.labels.lines import Line

log = logging.getLogger(__name__)

UNKNOWN_SENSOR = "UNKNOWN"
QUALITY = 1  # people say nothing about it
ROUNDING = 0.01  # of the pixel spacing, which names have in whole metres


def name_scene(line: Line, frame: Frame, glacier: str, spacing_m: float, taken: Collection[str]) -> SceneId:
    """`GLACIER_DATE_SENSOR_SPACING_QUALITY_NUMBER`; a scene that is called so already keeps its name
    if its pixels are as large as that says.

    `glacier` "": as the line tells. The number is the relative orbit, or the first from 1 on that is not `taken`. Raises
    `InputError` for a scene without date, and for pixels below half a metre.
    """
    facts = frame.facts
    try:
        own = parse_name(frame.name)
    except InputError:
        own = None
    if own and own.name not in taken and (not glacier or _word(glacier) == own.glacier):
        if is_spacing_of(own.pixel_spacing_m, spacing_m):
            return own
        log.warning("%s: its pixels have %.3g m, not those of its name; it is named anew", frame.where, spacing_m)
    date = frame.date or line.front.date
    if date is None:
        raise InputError(
            f"{frame.where}: neither its name nor {line.where} tells its date; name the file NAME_YYYY-MM-DD"
        )
    spacing = round(spacing_m)
    if spacing < 1:
        raise InputError(f"{frame.where}: pixels of {spacing_m:.2f} m; resample the scene to 1 m or more")
    if abs(spacing / spacing_m - 1) > ROUNDING:
        log.warning(
            "%s: pixels of %.2f m, %d m in the scene's name; distances in metres are off by so much",
            frame.where,
            spacing_m,
            spacing,
        )
    place = _word(canonical_glacier(glacier or facts.glacier or line.front.glacier or ""))
    sensor = _word(facts.sensor or line.front.sensor or UNKNOWN_SENSOR)
    start = f"{place}_{date.isoformat()}_{sensor}_{spacing}_{QUALITY}_"
    numbers = [facts.relative_orbit] if facts.relative_orbit else []
    number = next(n for n in (*numbers, *range(1, len(taken) + 2)) if f"{start}{n:03d}" not in taken)
    return parse_name(f"{start}{number:03d}")


def _word(text: str) -> str:
    """Without what separates the parts of a name, and what no file name may have."""
    return re.sub(r'[_\s/\\:*?"<>|.]+', "-", text.strip()).strip("-") or "unknown"

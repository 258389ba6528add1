"""Which scenes form a sample of a series: training draws, neighbours in time, chunks (Dreier et al. 2026, arXiv 2512.11560).

All on scene names alone. Frames of a sample are always sorted by name, which within a glacier is by date. Neighbours must come
from the same split, so give the names of one split.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Int

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import facts_of_name, parse_name

PUBLISHED_FRAMES = 8
DAY_ZERO = datetime.date(1995, 1, 1)


def groups(names: Sequence[str], frames: int = PUBLISHED_FRAMES) -> list[list[str]]:
    """Chunks of `frames` scenes that cover every scene: those of one glacier and pixel spacing, in the order of dates.

    Returns the chunks in the order of their last scene; see `chunks` for rests and short groups. Raises `InputError` for a
    name without glacier and pixel spacing, for a name that occurs twice, and for less than one frame.
    """
    all_chunks = [chunk for group in _by_glacier_and_spacing(names).values() for chunk in chunks(group, frames)]
    return sorted(all_chunks, key=lambda chunk: chunk[-1])


def chunks(names: Sequence[str], frames: int = PUBLISHED_FRAMES) -> list[list[str]]:
    """Scenes that belong together, in their order, cut into chunks of `frames`.

    A rest is covered by the last `frames` scenes, which overlap the chunk before. Fewer scenes than frames give one
    chunk: all of them, repeated from the first on until one frame is left, and the last scene.
    """
    _check_frames(frames)
    names = list(names)
    if len(names) < frames:
        positions = sorted([*(i % len(names) for i in range(frames - 1)), len(names) - 1])
        return [[names[i] for i in positions]] if names else []
    ends = list(range(frames, len(names) + 1, frames))
    if ends[-1] < len(names):
        ends.append(len(names))
    return [names[end - frames : end] for end in ends]


def nearest(names: Sequence[str], reference: str, frames: int = PUBLISHED_FRAMES) -> list[str]:
    """The reference and the scenes of its glacier and pixel spacing that are nearest in time, before or after, sorted.

    Of scenes at the same distance the first by name is nearer. If they are too few, the farthest is repeated (the
    reference, if it is alone). Raises `InputError` as `groups` does, and for a reference that is not among the names.
    """
    _check_frames(frames)
    if reference not in names:
        raise InputError(f"{reference}: the reference scene is not among the {len(names)} scenes given")
    wanted = parse_name(reference)
    group = _by_glacier_and_spacing(names)[wanted.glacier, wanted.pixel_spacing_m]
    return neighbours({name: parse_name(name).date for name in group}, reference, frames)


def neighbours(dates: Mapping[str, datetime.date], reference: str, frames: int = PUBLISHED_FRAMES) -> list[str]:
    """As `nearest`, of scenes that belong together, in their order, with their dates."""
    _check_frames(frames)
    order = list(dates)
    others = [name for name in order if name != reference]
    others.sort(key=lambda name: abs(dates[name] - dates[reference]))  # stable: equals keep their order
    taken = others[: frames - 1]
    filling = [(taken or [reference])[-1]] * (frames - 1 - len(taken))
    return sorted([reference, *taken, *filling], key=order.index)


def draw(
    names: Sequence[str], reference: str, below: Callable[[int], int], frames: int = PUBLISHED_FRAMES
) -> list[str]:
    """A training sample: the reference and `frames` - 1 drawn scenes of its glacier, of any date, sensor and spacing, sorted.

    They are drawn one after the other from those not taken yet, in the order of `names`; once none is left, from all of the
    glacier with repeats. `below(n)` gives a number in 0 .. n - 1 (`rng.integers` of NumPy). Raises `InputError` as `nearest`.
    """
    _check_frames(frames)
    if reference not in names:
        raise InputError(f"{reference}: the reference scene is not among the {len(names)} scenes given")
    glacier = parse_name(reference).glacier
    everyone = [name for name in names if parse_name(name).glacier == glacier]
    left = [name for name in everyone if name != reference]
    drawn = [reference]
    for _ in range(frames - 1):
        drawn.append(left.pop(int(below(len(left)))) if left else everyone[int(below(len(everyone)))])
    return sorted(drawn)


def short_glaciers(names: Sequence[str], frames: int = PUBLISHED_FRAMES) -> dict[str, int]:
    """The glaciers with fewer scenes than a series has frames, so that scenes are repeated, and how many scenes they have."""
    counts = Counter(parse_name(name).glacier for name in names)
    return {glacier: count for glacier, count in sorted(counts.items()) if count < frames}


def of_one_day(names: Sequence[str]) -> list[str]:
    """The scenes that share glacier and day with another one, sorted; in a series they stand in the order of their names."""
    days: dict[tuple[str, datetime.date], list[str]] = defaultdict(list)
    for name in sorted(names):
        scene = parse_name(name)
        days[scene.glacier, scene.date].append(name)
    return [name for shared in days.values() if len(shared) > 1 for name in shared]


def day_positions(names: Sequence[str]) -> Int[np.ndarray, " frame"]:
    """Days since 1995-01-01 of scenes of any origin, negative before. Raises `InputError` for a name without a date."""
    return days_of_dates({name: facts_of_name(name).date for name in names}, names)


def days_of_dates(
    dates: Mapping[str, datetime.date | None], names: Sequence[str], needed: bool = True
) -> Int[np.ndarray, " frame"]:
    """Days since 1995-01-01 of scenes with these dates. Where they are not `needed` a missing one is 0, else an `InputError`."""
    days = []
    for name in names:
        date = dates[name]
        if date is None and needed:
            raise InputError(
                f"{name}: no date in the scene's name, which temporal='ltae' needs; rename it with YYYY-MM-DD, or use a "
                "network with temporal='conv' or 'gru'"
            )
        days.append((date - DAY_ZERO).days if date else 0)
    return np.array(days, np.int32)


def _by_glacier_and_spacing(names: Sequence[str]) -> dict[tuple[str, int], list[str]]:
    """Sorted names of each group."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{twice[0]}: the scene is given twice; give each scene of a series once")
    groups_of_names: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name in sorted(names):
        scene = parse_name(name)
        groups_of_names[scene.glacier, scene.pixel_spacing_m].append(name)
    return groups_of_names


def _check_frames(frames: int) -> None:
    if frames < 1:
        raise InputError(f"frames={frames}: a series needs one frame or more")

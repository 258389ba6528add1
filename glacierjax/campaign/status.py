"""How far a campaign is, read from the journals in its output; any machine that sees the output can ask."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from glacierjax.campaign.journal import DONE, FAILED, NOTHING, STARTED, read_journals
from glacierjax.campaign.run import WITHOUT_RESULT, read_pointer, reason_of
from glacierjax.campaign.tasks import read_plan
from glacierjax.core.errors import SHOWN_REASONS, InputError, some_names
from glacierjax.core.files import user_path

RECENT_S = 3600.0  # how fast a campaign is, is told from this time before its last event
SHOWN_GLACIERS = 10


def status_of(output: str | Path) -> str:
    """Lines on the tasks of an output: done, in work, without result, how fast, and what is left.

    Raises `InputError` if no campaign was ever run there.
    """
    output = user_path(output)
    pointer = read_pointer(output)
    if not pointer:
        raise InputError(f"{output}: no campaign was run here; give the --output of glacierjax run")
    plan, now = read_plan(pointer["plan"]), time.time()
    read = read_journals(output)
    pixels, glaciers = plan.column("pixels"), plan.column("glacier")
    histories = [read.get(digest, NOTHING) for digest in plan.column("digest")]
    numbers: dict[str, list[int]] = {state: [] for state in ("", STARTED, FAILED, DONE)}
    for number, history in enumerate(histories):
        numbers[history.state].append(number)
    done, broken = numbers[DONE], numbers[FAILED]
    total = len(histories)
    lines = [
        f"{len(done)} of {total} tasks done ({100 * len(done) / max(total, 1):.1f} %), {len(broken)} without a result, "
        f"{len(numbers[STARTED])} in work or killed, {len(numbers[''])} waiting"
    ]
    last = max((history.last for history in histories), default=0.0)
    recent = [number for number in done if histories[number].last > last - RECENT_S]
    if recent:
        lines += _speed_lines([histories[i].seconds for i in recent], [pixels[i] for i in recent])
        first = min(histories[number].last - histories[number].seconds for number in recent)
        rate = len(recent) / max(last - first, 1e-3)
        lines.append(
            f"{rate * 3600:.0f} tasks an hour together; {(total - len(done)) / rate / 3600:.2g} hours for the rest at this rate; "
            f"last event {_ago(now - last)} ago"
        )
    behind = Counter(glaciers[number] for number, history in enumerate(histories) if not history.done)
    if behind and done:
        counts = [f"{name} {count}" for name, count in behind.most_common()]
        lines.append(f"left by glacier: {some_names(counts, SHOWN_GLACIERS)}")
    reasons = Counter(reason_of(histories[number]) for number in broken)
    lines += [f"without a result: {count} x {reason}" for reason, count in reasons.most_common(SHOWN_REASONS)]
    if broken:
        lines.append(f"all of them, as of the last run's end: {output / WITHOUT_RESULT}")
    return "\n".join(lines)


def _speed_lines(seconds: Sequence[float], pixels: Sequence[int]) -> list[str]:
    known = [(s, p) for s, p in zip(seconds, pixels, strict=True) if p]
    text = f"{sum(seconds) / len(seconds):.3g} seconds a task"
    if known and sum(s for s, _ in known) > 0:
        speed = sum(p for _, p in known) / sum(s for s, _ in known)
        text += f", {speed:.4g} pixels per second of one process (--pixels_per_second of glacierjax plan)"
    return [text]


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

"""JSON: values read from texts and files, and short digests that tell settings and records from others."""

import hashlib
import json
from pathlib import Path
from typing import Any

from glacierjax.core.errors import InputError

Json = dict[str, Any]  # an object
DIGEST_LETTERS = 16  # of 64; two things in a million have the same with a probability of 3e-8


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` for anything else, and for one that is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_json(path: Path) -> Any:
    """The value of a JSON file (UTF-8, with or without a byte order mark). Raises `OSError`, or `ValueError` as `parse_json`."""
    return parse_json(path.read_text(encoding="utf-8-sig"))


def read_earlier_json(path: Path, kind: type, advice: str) -> Any:
    """What an earlier run wrote: an object (`kind` dict) or a list. Raises `InputError` with the advice if it is damaged."""
    try:
        value = read_json(path)
        if not isinstance(value, kind):
            raise ValueError(f"no {kind.__name__}")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); {advice}") from None
    return value


def digest_of_json(facts: Any) -> str:
    """The digest of anything that JSON holds; the order of the keys of an object does not count."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:DIGEST_LETTERS]

"""Short digests that tell settings, records and files from others: one length and one rule for the whole project."""

import hashlib
import json
from typing import Any

DIGEST_LETTERS = 16  # of 64; two things in a million have the same with a probability of 3e-8


def digest_of_json(facts: Any) -> str:
    """The digest of anything that JSON holds; the order of the keys of an object does not count."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:DIGEST_LETTERS]

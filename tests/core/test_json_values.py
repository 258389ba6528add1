"""JSON values: what is no JSON is a ValueError, and digests tell values apart."""

import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.json_values import DIGEST_LETTERS, digest_of_json, parse_json, read_earlier_json, read_json


def test_json_of_any_kind_of_damage_is_a_value_error(tmp_path):
    for text in ("", "{", "[" * 100_000, '{"a":' * 100_000):
        with pytest.raises(ValueError):
            parse_json(text)
    file = tmp_path / "a.json"
    file.write_text('\ufeff{"a": 1}', encoding="utf-8")
    assert read_json(file) == {"a": 1}
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError):
        read_json(file)


@pytest.mark.parametrize("content", [b"", b'{"a"', b"[1]", b"\xff", None])
def test_a_damaged_file_of_an_earlier_run_is_named_with_advice(tmp_path, content):
    file = tmp_path / "summary.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"summary\.json: damaged \(.*\); remove it"):
        read_earlier_json(file, dict, "remove it")
    file.write_text("[1]")
    assert read_earlier_json(file, list, "remove it") == [1]


def test_a_digest_depends_on_values_alone():
    assert digest_of_json({"a": 1, "b": [2.5, None]}) == digest_of_json({"b": [2.5, None], "a": 1})
    assert len({digest_of_json(value) for value in ({"a": 1}, {"a": "1"}, ["a", 1], {"a": [1]})}) == 4
    assert len(digest_of_json(None)) == DIGEST_LETTERS

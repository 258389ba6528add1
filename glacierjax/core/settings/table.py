"""Tables of settings for readers: name, unit, value, allowed values and meaning of every field."""

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from glacierjax.core.settings.fields import Settings

_UNIT = re.compile(r"\[([^\]]+)\] (.*)")


class FieldRow(NamedTuple):
    """A field in words; `name` is dotted, as in `--config.data.name`."""

    name: str
    unit: str
    value: str
    allowed: str
    meaning: str


def field_rows(settings: Settings, prefix: str = "") -> list[FieldRow]:
    """All fields with the values that they have, those of sections last."""
    texts = _texts(type(settings))
    rows, sections = [], []
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), prefix + field.name
        if isinstance(value, Settings):
            sections += field_rows(value, f"{name}.")
            continue
        text = texts.get(field.name, "")
        unit, meaning = parts.groups() if (parts := _UNIT.fullmatch(text)) else ("", text)
        rows.append(FieldRow(name, unit, _shown(value), _allowed(value, field.metadata), meaning))
    return rows + sections


def help_lines(settings: Settings) -> list[str]:
    """One line for each field, as `--help` prints them."""
    lines = []
    for row in field_rows(settings):
        remarks = "; ".join(filter(None, (row.unit, row.allowed, f"here: {row.value}")))
        lines.append(f"  --config.{row.name}: {row.meaning} ({remarks})")
    return lines


def markdown_tables(kinds: Sequence[Settings]) -> str:
    """A table for each section, with a column for the values of each kind of settings; "-": it has no such field."""
    rows = [{row.name: row for row in field_rows(kind)} for kind in kinds]
    titles = ["field", "unit", *(f"`{type(kind).__name__}`" for kind in kinds), "allowed", "meaning"]
    tables = []
    for section, names in itertools.groupby(sorted(dict.fromkeys(itertools.chain(*rows)), key=_section), _section):
        lines = [titles, ["---"] * len(titles)]
        for name in names:
            found = [kind[name] for kind in rows if name in kind]
            values = [kind[name].value if name in kind else "-" for kind in rows]
            allowed = " / ".join(dict.fromkeys(row.allowed for row in found))
            lines.append([f"`{name}`", found[0].unit, *values, allowed, found[0].meaning])
        heading = [f"### `{section}`\n"] if section else []
        tables.append("\n".join([*heading, *(f"| {' | '.join(line)} |" for line in lines)]))
    return "\n\n".join(tables)


def _section(name: str) -> str:
    return name.rpartition(".")[0]


@functools.cache
def _texts(kind: type[Settings]) -> dict[str, str]:
    """The text below each field of a class, or of the nearest base that has one."""
    found: dict[str, str] = dict(_texts(kind.LIKE)) if kind.LIKE else {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Settings):
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(definition, ast.ClassDef)
            for field, below in itertools.pairwise(definition.body):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    found[ast.unparse(field.target)] = " ".join(ast.literal_eval(below.value).split())
    return found


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value != "" else "empty"


def _allowed(value: Any, limits: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return "True, False"
    if choices := limits.get("choices"):
        return ", ".join(choices)
    least, most = limits.get("at_least"), limits.get("at_most")
    bounds = "" if least is None else f"{least} or more" if most is None else f"{least} to {most}"
    return f"low, high: {bounds}" if limits.get("ascends") else bounds

"""Reads a compiled program of XLA: which operations it runs, and how many bytes each reads and writes."""

import collections
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

BYTES = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4}
BYTES |= {"s64": 8, "u64": 8, "f64": 8}
# They move nothing by themselves.
FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "partition-id", "replica-id"}
FREE |= {"while", "conditional", "call", "copy-done", "all-reduce-done", "async-done"}
_SHAPE = re.compile(r"\b([a-z]+\d*)\[([\d,]*)\](\{[^{}]*\})?")
_HEAD = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) .*\{$")
_LINE = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = (.*)$")
_CALLED = re.compile(r"(?:calls|to_apply)=%?([\w.\-]+)")
_NAME = re.compile(r'op_name="([^"]*)"')
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')


class Operation(NamedTuple):
    """One operation that the program runs: its kind, where it comes from, bytes read and written, and the cycles that the
    compiler expects (0: it does not say)."""

    kind: str
    origin: str
    bytes: int
    cycles: int


def bytes_of(shapes: str) -> int:
    """Bytes of all arrays in a text such as "(f32[2,3]{1,0}, pred[])" that are in the main memory.

    A layout with S(1) or more is another memory (on a TPU its fast one).
    """
    total = 0
    for kind, sides, layout in _SHAPE.findall(shapes):
        if kind in BYTES and "S(" not in layout.replace("S(0)", ""):
            size = BYTES[kind]
            for side in filter(None, sides.split(",")):
                size *= int(side)
            total += size
    return total


def operations(text: str) -> list[Operation]:
    """The operations of a program, as `jax.stages.Compiled.as_text` prints it; those of a loop's body count once."""
    inner = set(_CALLED.findall(text))
    found = []
    for name, lines in _computations(text.splitlines()):
        if name in inner:
            continue
        shapes: dict[str, str] = {}
        for line in lines:
            if not (match := _LINE.match(line)):
                continue
            own, rest = match.groups()
            shape, kind, arguments = _split(rest)
            shapes[own] = shape
            if kind in FREE:
                continue
            operands = re.findall(r"%([\w.\-]+)", arguments)
            moved = bytes_of(shape) + sum(bytes_of(shapes.get(operand, "")) for operand in operands)
            origin, cycles = _NAME.search(rest), _CYCLES.search(rest)
            found.append(Operation(kind, origin[1] if origin else own, moved, int(cycles[1]) if cycles else 0))
    return found


def _computations(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each computation."""
    name, body = "", []
    for line in lines:
        if not line.startswith((" ", "}")) and (match := _HEAD.match(line)):
            name, body = match[1], []
        elif line.startswith("}") and name:
            yield name, body
            name = ""
        elif name:
            body.append(line)


def _split(text: str) -> tuple[str, str, str]:
    """Shape, kind and arguments of "SHAPE KIND(ARGUMENTS), ..."; the shape may be a tuple."""
    end = _closing(text, 0) + 1 if text.startswith("(") else text.index(" ")
    shape, rest = text[:end], text[end:].lstrip()
    opening = rest.index("(")
    return shape, rest[:opening], rest[opening : _closing(rest, opening) + 1]


def _closing(text: str, opening: int) -> int:
    """Where the bracket that opens there is closed."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text) - 1


def part_of(origin: str) -> str:
    """The part of the network that an operation belongs to: stage or block, and what of it; "backward" for gradients."""
    backward = "backward " if "transpose(" in origin else ""
    for pattern in (
        r"(stage\d+)_block\d+[^/]*/(attention|mlp|norm)",
        r"(stage\d+_merging)",
        r"decoder/(?:checkpoint/)?(block\d+)[^/]*/(norm|conv|shortcut)",
        r"decoder/(up\d+)",
        r"(patch_embedding)",
        r"(decoder)",
    ):
        if match := re.search(pattern, origin):
            return backward + " ".join(match.groups())
    return backward + "other"


def by_part(found: Iterable[Operation]) -> list[tuple[str, int]]:
    """Bytes of each part of the network, the largest first."""
    sums: collections.Counter[str] = collections.Counter()
    for operation in found:
        sums[part_of(operation.origin)] += operation.bytes
    return sums.most_common()


def origins(text: str) -> dict[str, str]:
    """Where each operation of a program comes from, by its name; that of a fusion without one from what is fused."""
    found: dict[str, str] = {}
    inside: dict[str, str] = {}
    for name, lines in _computations(text.splitlines()):
        for line in lines:
            if match := _LINE.match(line):
                origin = _NAME.search(line)
                called = _CALLED.search(line)
                if origin:
                    found[match[1]] = inside[name] = origin[1]
                elif called and called[1] in inside:
                    found[match[1]] = inside[called[1]]
    return found

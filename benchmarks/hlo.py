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
_LOOP = re.compile(r"condition=%?([\w.\-]+), body=%?([\w.\-]+)")
_NUMBER = re.compile(r"[su]32\[\]\S* constant\((\d+)\)")
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
    """The operations of a program, as `jax.stages.Compiled.as_text` prints it.

    Bytes and cycles of a loop's body count as often as the loop runs, where its condition says how often. Of an array of which
    an operation reads or writes a slice, the slice counts.
    """
    computations = {name: _lines(lines) for name, lines in _computations(text.splitlines())}
    inner = set(_CALLED.findall(text))
    runs = _runs(computations)
    found = []
    for name, lines in computations.items():
        if name in inner:
            continue
        shapes = {line.name: line.shape for line in lines}
        for line in lines:
            if line.kind in FREE:
                continue
            moved = _moved(line, shapes, computations)
            origin, cycles = _NAME.search(line.rest), _CYCLES.search(line.rest)
            times = runs.get(name, 1)
            found.append(
                Operation(
                    line.kind,
                    origin[1] if origin else line.name,
                    times * moved,
                    times * int(cycles[1]) if cycles else 0,
                )
            )
    return found


class _Line(NamedTuple):
    """A line of a program: NAME = SHAPE KIND(OPERANDS), and the text of all after the name."""

    name: str
    shape: str
    kind: str
    operands: list[str]
    rest: str


def _lines(lines: Iterable[str]) -> list[_Line]:
    found = []
    for match in filter(None, map(_LINE.match, lines)):
        shape, kind, arguments = _split(match[2])
        found.append(_Line(match[1], shape, kind, re.findall(r"%([\w.\-]+)", arguments), match[2]))
    return found


def _runs(computations: dict[str, list[_Line]]) -> dict[str, int]:
    """How often the body of each loop runs: up to the largest whole number that its condition knows, from 0."""
    loops: dict[str, tuple[str, int]] = {}  # body -> the computation that it is a loop of, and its runs there
    for name, lines in computations.items():
        for line in lines:
            if match := _LOOP.search(line.rest):
                numbers = [int(n) for own in computations.get(match[1], []) for n in _NUMBER.findall(own.rest)]
                loops[match[2]] = name, max(numbers, default=1)

    def total(name: str) -> int:
        outer, times = loops.get(name, ("", 1))
        return times * (total(outer) if outer else 1)

    return {name: total(name) for name in loops}


def _moved(line: _Line, shapes: dict[str, str], computations: dict[str, list[_Line]]) -> int:
    """Bytes that an operation reads and writes."""
    sliced = _sliced_operands(line, computations)
    read = 0
    for number, operand in enumerate(line.operands):
        whole = bytes_of(shapes.get(operand, ""))
        read += min(whole, sliced.get(number, whole))
    written = bytes_of(line.shape)
    fused = _fused(line, computations)
    if (last := (fused or [line])[-1]).kind == "dynamic-update-slice":
        inside = {own.name: own.shape for own in fused} or shapes
        written = min(written, bytes_of(inside.get(last.operands[1], last.shape)))
    return read + written


def _fused(line: _Line, computations: dict[str, list[_Line]]) -> list[_Line]:
    called = _CALLED.search(line.rest)
    return computations.get(called[1], []) if called and line.kind == "fusion" else []


def _sliced_operands(line: _Line, computations: dict[str, list[_Line]]) -> dict[int, int]:
    """Bytes that an operation reads of those operands, by their number, of which it reads slices or which it only writes to."""
    if line.kind == "dynamic-slice":
        return {0: bytes_of(line.shape)}
    if line.kind == "dynamic-update-slice":
        return {0: 0}
    read: dict[str, int] = collections.defaultdict(int)
    whole: set[str] = set()
    fused = _fused(line, computations)
    for own in fused:
        sliced = _sliced_operands(own, computations)
        for number, operand in enumerate(own.operands):
            if number in sliced:
                read[operand] += sliced[number]
            else:
                whole.add(operand)
    numbers = {
        own.name: int(own.rest.partition("parameter(")[2].partition(")")[0]) for own in fused if own.kind == "parameter"
    }
    return {numbers[name]: size for name, size in read.items() if name in numbers and name not in whole}


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

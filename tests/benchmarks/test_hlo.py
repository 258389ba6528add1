"""The benchmark of TPUs reads compiled programs: bytes of arrays, operations, and the part of the network that they are of."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from hlo import Operation, by_part, bytes_of, operations, origins, part_of

ATTENTION = "jit(step)/encoder/stage1_block0/attention/qkv/dot_general"
GRADIENT = "jit(step)/transpose(jvp(step))/decoder/block3/conv1/conv"
CYCLES = 'backend_config={"window_config":{"estimated_cycles":"517"}}'
PROGRAM = f"""HloModule jit_step, is_scheduled=true

FileNames
1 "step.py"

%fused (p0: f32[8,4]) -> f32[8,4] {{
  %p0 = f32[8,4]{{1,0}} parameter(0)
  ROOT %inside = f32[8,4]{{1,0}} add(%p0, %p0)
}}

%body (s: (f32[8,4])) -> (f32[8,4]) {{
  %s = (f32[8,4]{{1,0}}) parameter(0)
  %x = f32[8,4]{{1,0}} get-tuple-element(%s), index=0
  %y = f32[8,4]{{1,0}} fusion(%x), kind=kLoop, calls=%fused, metadata={{op_name="jit(step)/while/body/other"}}
  ROOT %t = (f32[8,4]{{1,0}}) tuple(%y)
}}

ENTRY %main (a: bf16[16,8], b: bf16[8,4]) -> bf16[16,4] {{
  %a = bf16[16,8]{{1,0:T(8,128)(2,1)}} parameter(0), metadata={{op_name="a"}}
  %b = bf16[8,4]{{1,0:T(8,128)(2,1)S(1)}} parameter(1)
  %pair = (bf16[16,4]{{1,0}}, u32[]) custom-call(%a, %b), metadata={{op_name="{ATTENTION}"}}, {CYCLES}
  ROOT %product = bf16[16,4]{{1,0}} convolution(%a, %b), dim_labels=bf_io->bf, metadata={{op_name="{GRADIENT}"}}
}}
"""


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ("f32[2,3]{1,0}", 24),
        ("bf16[128,512]{1,0:T(8,128)(2,1)}", 131072),
        ("pred[]", 1),
        ("(f32[4]{0}, s32[2]{0}, token[])", 24),
        ("f32[4]{0:T(128)S(1)}", 0),  # in the fast memory
        ("f32[4]{0:S(0)}", 16),
        ("", 0),
    ],
)
def test_bytes_are_those_of_all_arrays_in_the_main_memory(shapes, expected):
    assert bytes_of(shapes) == expected


def test_operations_are_those_that_run_and_not_those_inside_of_a_fusion():
    found = operations(PROGRAM)
    assert found == [
        Operation("fusion", "jit(step)/while/body/other", 2 * 8 * 4 * 4, 0),
        Operation(
            "custom-call",
            ATTENTION,
            (16 * 4 + 16 * 8) * 2 + 4,
            517,
        ),
        Operation("convolution", GRADIENT, (16 * 4 + 16 * 8) * 2, 0),
    ]


def test_bytes_are_summed_by_part_of_the_network_the_largest_first():
    assert by_part(operations(PROGRAM)) == [
        ("stage1 attention", 388),
        ("backward block3 conv", 384),
        ("other", 256),
    ]


LOOP = """HloModule jit_step

%sliced (p0: f32[6,4], p1: s32[]) -> f32[1,4] {
  %p0 = f32[6,4]{1,0} parameter(0)
  %p1 = s32[] parameter(1)
  ROOT %slice = f32[1,4]{1,0} dynamic-slice(%p0, %p1, %p1), dynamic_slice_sizes={1,4}
}

%around (q0: s32[], q1: f32[6,4]) -> f32[1,4] {
  %q1 = f32[6,4]{1,0} parameter(1)
  %q0 = s32[] parameter(0)
  ROOT %nested = f32[1,4]{1,0} fusion(%q1, %q0), kind=kLoop, calls=%sliced
}

%updated (r0: f32[6,4], r1: f32[1,4], r2: s32[]) -> f32[6,4] {
  %r0 = f32[6,4]{1,0} parameter(0)
  %r1 = f32[1,4]{1,0} parameter(1)
  %r2 = s32[] parameter(2)
  ROOT %update = f32[6,4]{1,0} dynamic-update-slice(%r0, %r1, %r2, %r2)
}

%body (s: (s32[], f32[6,4], f32[6,4])) -> (s32[], f32[6,4], f32[6,4]) {
  %s = (s32[], f32[6,4]{1,0}, f32[6,4]{1,0}) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %x = f32[6,4]{1,0} get-tuple-element(%s), index=1
  %old = f32[6,4]{1,0} get-tuple-element(%s), index=2
  %row = f32[1,4]{1,0} fusion(%i, %x), kind=kLoop, calls=%around, backend_config={"estimated_cycles":"10"}
  %new = f32[6,4]{1,0} fusion(%old, %row, %i), kind=kLoop, calls=%updated
  ROOT %t = (s32[], f32[6,4]{1,0}, f32[6,4]{1,0}) tuple(%i, %x, %new)
}

%condition (c: (s32[], f32[6,4], f32[6,4])) -> pred[] {
  %c = (s32[], f32[6,4]{1,0}, f32[6,4]{1,0}) parameter(0)
  %number = s32[] get-tuple-element(%c), index=0
  %end = s32[] constant(6)
  ROOT %less = pred[] compare(%number, %end), direction=LT
}

ENTRY %main (a: f32[6,4], b: f32[6,4]) -> (s32[], f32[6,4], f32[6,4]) {
  %a = f32[6,4]{1,0} parameter(0)
  %b = f32[6,4]{1,0} parameter(1)
  %zero = s32[] constant(0)
  %start = (s32[], f32[6,4]{1,0}, f32[6,4]{1,0}) tuple(%zero, %a, %b)
  ROOT %loop = (s32[], f32[6,4]{1,0}, f32[6,4]{1,0}) while(%start), condition=%condition, body=%body
}
"""


def test_a_loop_counts_as_often_as_it_runs_and_a_slice_of_an_array_as_a_slice():
    row, number = 4 * 4, 4
    found = {operation.origin: operation for operation in operations(LOOP) if operation.kind == "fusion"}
    assert found["row"].bytes == 6 * (row + number + row)  # a row read and written, six times
    assert found["row"].cycles == 60
    assert found["new"].bytes == 6 * (row + number + row)  # of the old array nothing is read


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("jit(run)/Tyrion/encoder/stage0_block1/mlp_hidden/dot_general", "stage0 mlp"),
        ("jit(run)/encoder/stage2_merging/reduction/dot_general", "stage2_merging"),
        ("jit(run)/decoder/up3/conv", "up3"),
        ("jit(run)/transpose(jvp(Tyrion))/decoder/checkpoint/block1/norm2/sub", "backward block1 norm"),
        ("jit(run)/encoder/patch_embedding/norm/mul", "patch_embedding"),
        ("copy.3", "other"),
    ],
)
def test_the_part_of_the_network_is_told_by_the_name_of_an_operation(origin, expected):
    assert part_of(origin) == expected


def test_origins_are_told_by_name_and_a_fusion_without_one_has_that_of_what_is_fused():
    assert origins(PROGRAM)["product"] == GRADIENT
    lines = ["%f (p: f32[2]) -> f32[2] {", '  ROOT %in = f32[2] add(%p, %p), metadata={op_name="a/b"}', "}", ""]
    lines += ["ENTRY %main (x: f32[2]) -> f32[2] {", "  ROOT %out = f32[2] fusion(%x), kind=kLoop, calls=%f", "}"]
    assert origins("\n".join(lines)) == {"in": "a/b", "out": "a/b"}

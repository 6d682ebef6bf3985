"""TraceWriter and read(): what is recorded comes back, also through the C++ program."""

import gc
import gzip
import json
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from trnsim_nki import runner
from trnsim_nki.trt import TraceError, TraceWriter, read
from trnsim_nki.trt.gzip_stream import crc32_combine

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "tests/data/trace/tiny_matmul.jsonl"


@pytest.fixture
def trnsim():
    try:
        program = runner.find_trnsim()
    except runner.SimulatorError as error:
        pytest.skip(str(error))
    return lambda *args: subprocess.run([program, *map(str, args)], capture_output=True, text=True)


def record_everything(path):
    """A trace with every table and record kind; returns what read() should say."""
    writer = TraceWriter(kernel="kernel_ä", origin="trnsim-nki 0.1", arguments='{"a": "bf16[4]"}',
                         target="trn2", lnc=2, path=path)
    a = writer.tensor("a", "hbm", "bf16", 1, 1 << 33, role="input")
    tile = writer.tensor("tile", "sbuf", "bfloat16", 128, 512, pinned_bytes=4096, site="k.py:3")
    half = writer.tensor("tile", "sbuf", "bfloat16", 64, 512, pinned_bytes=8192, pinned_partition=64)
    total = writer.tensor("sum", "psum", "float32", 128, 512, site="k.py:4")
    nameless = writer.tensor(None, "sbuf", "float32", 128, 1)
    rows = writer.pattern("bfloat16", ((512, 128), (1, 512)))
    row = writer.pattern("bfloat16", ((1, 512),))
    columns = writer.pattern("bfloat16", ((1, 128),))
    back = writer.pattern("bfloat16", ((-1, 512),))
    sums = writer.pattern("float32", ((1, 512),))
    one = writer.pattern("float32", ())
    walk = writer.pattern("float32", ((0, 2), (3, 16), (-2, 16)))
    plain = writer.attributes()
    exp = writer.attributes(func="exp", scale=0.125, bias_is_tensor=True, has_reduce_result=True,
                            reduce_op="add")
    select = writer.attributes(compare="greater_equal", imm0=float("-inf"), affine_base=-7,
                               affine_channel=1 << 40, affine_pattern=walk)
    first = writer.source("k.py", 10)
    second = writer.source("k.py", 3)
    records = [
        ("loop_begin", None, (), (), writer.attributes(imm0=2), None),
        ("dma_copy", "Sync", ((tile, row, 0, 128, 0),), ((a, rows, 0, 1, 1 << 32),), plain, first),
        ("nc_matmul", "Tensor", ((total, sums, 0, 128, 0),),
         ((tile, columns, 0, 128, 128), (tile, row, 0, 128, 0)), plain, second),
        ("loop_iteration", None, (), (), plain, None),
        ("nc_matmul", "Tensor", ((total, sums, 0, 128, 0),),
         ((tile, columns, 0, 128, 0), (tile, row, 0, 128, 0)),
         writer.attributes(accumulate=True), second),
        ("loop_end", None, (), (), plain, None),
        ("activation", "Scalar", ((tile, row, 0, 128, 0), (nameless, one, 0, 128, 0)),
         ((total, sums, 0, 128, 0), (nameless, one, 0, 128, 0)), exp, second),
        ("tensor_copy", None, ((half, row, 0, 64, 0),), ((tile, back, 64, 64, 511),), plain, None),
        ("affine_select", "GpSimd", ((tile, row, 0, 128, 0),), ((tile, row, 0, 128, 0),), select, None),
    ]
    for record in records:
        writer.instruction(*record)
    writer.model_flops = 1.5e15
    writer.close()
    return records


def test_what_is_recorded_comes_back(tmp_path):
    path = tmp_path / "k.trt"
    records = record_everything(path)
    trace = read(path)
    assert trace.instructions == records
    assert (trace.kernel, trace.origin, trace.arguments, trace.target, trace.lnc,
            trace.model_flops) == ("kernel_ä", "trnsim-nki 0.1", '{"a": "bf16[4]"}', "trn2", 2, 1.5e15)
    assert trace.patterns[0] == ("bfloat16", ((512, 128), (1, 512)))
    assert trace.patterns[5] == ("float32", ())
    assert trace.attributes == [
        {}, {"func": "exp", "scale": 0.125, "bias_is_tensor": True, "has_reduce_result": True,
             "reduce_op": "add"},
        {"compare": "greater_equal", "imm0": float("-inf"), "affine_base": -7,
         "affine_channel": 1 << 40, "affine_pattern": 6}, {"imm0": 2.0}, {"accumulate": True}]
    assert trace.sources == [("k.py", 10), ("k.py", 3)]
    assert trace.tensors[0]["free_elements"] == 1 << 33
    assert trace.tensors[2] == {
        "name": "tile", "region": "sbuf", "dtype": "bfloat16", "partitions": 64,
        "free_elements": 512, "pinned_bytes": 8192, "pinned_partition": 64, "site": None,
        "role": "temporary"}
    assert trace.tensors[4]["name"] is None


def test_the_program_reads_it_and_says_the_same(tmp_path, trnsim):
    path = tmp_path / "k.trt"
    records = record_everything(path)
    info = trnsim("trace", "info", path)
    assert info.returncode == 0, info.stderr
    dumped = trnsim("trace", "dump", path)
    assert dumped.returncode == 0, dumped.stderr
    lines = [json.loads(line) for line in dumped.stdout.splitlines()]
    assert lines[0] == {"trnsim_trace": 1, "kernel": "kernel_ä", "origin": "trnsim-nki 0.1",
                        "arguments": '{"a": "bf16[4]"}', "target": "trn2", "lnc": 2,
                        "model_flops": 1.5e15}
    instructions = [line for line in lines if "opcode" in line]
    assert [line["opcode"] for line in instructions] == [record[0] for record in records]
    assert instructions[1] == {
        "opcode": "dma_copy", "engine": "Sync", "source": "k.py:10",
        "out": [{"tensor": "tile#1", "part": [0, 128], "offset": 0, "ap": [[1, 512]],
                 "dtype": "bfloat16"}],
        "in": [{"tensor": "a", "offset": 1 << 32, "ap": [[512, 128], [1, 512]],
                "dtype": "bfloat16"}]}
    assert instructions[8]["imm0"] == "-inf"
    assert instructions[8]["affine_pattern"] == {"ap": [[0, 2], [3, 16], [-2, 16]],
                                                 "dtype": "float32"}


def test_loading_its_dump_gives_an_equal_trace(tmp_path, trnsim):
    mine, dump, theirs = tmp_path / "k.trt", tmp_path / "k.jsonl", tmp_path / "loaded.trt"
    record_everything(mine)
    assert trnsim("trace", "dump", mine, "-o", dump).returncode == 0
    loaded = trnsim("trace", "load", dump, "-o", theirs)
    assert loaded.returncode == 0, loaded.stderr
    assert read(theirs) == read(mine)


def test_the_hand_written_example_recorded_here_is_the_one_loaded_there(tmp_path, trnsim):
    mine, theirs = tmp_path / "mine.trt", tmp_path / "theirs.trt"
    assert trnsim("trace", "load", EXAMPLE, "-o", theirs).returncode == 0
    w = TraceWriter(kernel="tiny_matmul", origin="by hand", target="trn2", path=mine)
    a = w.tensor("a", "hbm", "bfloat16", 1, 16384, role="input")
    b = w.tensor("b", "hbm", "bfloat16", 1, 65536, role="input")
    c = w.tensor("c", "hbm", "float32", 1, 65536, role="output")
    a_tile = w.tensor("a_tile", "sbuf", "bfloat16", 128, 128)
    b_tile = w.tensor("b_tile", "sbuf", "bfloat16", 128, 512)
    total = w.tensor("sum", "psum", "float32", 128, 512)
    c_tile = w.tensor("c_tile", "sbuf", "float32", 128, 512)

    def operand(tensor, dtype, *dims, partitions=128):
        return ((tensor, w.pattern(dtype, dims), 0, partitions, 0),)

    plain = w.attributes()
    w.instruction("dma_copy", None, operand(a_tile, "bfloat16", (1, 128)),
                  operand(a, "bfloat16", (128, 128), (1, 128), partitions=1), plain, None)
    w.instruction("dma_copy", None, operand(b_tile, "bfloat16", (1, 512)),
                  operand(b, "bfloat16", (512, 128), (1, 512), partitions=1), plain, None)
    w.instruction("nc_matmul", "Tensor", operand(total, "float32", (1, 512)),
                  operand(a_tile, "bfloat16", (1, 128)) + operand(b_tile, "bfloat16", (1, 512)),
                  plain, w.source("tiny.py", 7))
    w.instruction("tensor_copy", "Vector", operand(c_tile, "float32", (1, 512)),
                  operand(total, "float32", (1, 512)), w.attributes(engine_pinned=True), None)
    w.instruction("dma_copy", None,
                  operand(c, "float32", (512, 128), (1, 512), partitions=1),
                  operand(c_tile, "float32", (1, 512)), plain, None)
    w.close()
    assert read(mine) == read(theirs)


def test_the_reader_understands_files_of_the_program(tmp_path, trnsim):
    path = tmp_path / "t.trt"
    assert trnsim("trace", "load", EXAMPLE, "-o", path).returncode == 0
    trace = read(path)
    assert [i[0] for i in trace.instructions] == ["dma_copy", "dma_copy", "nc_matmul", "tensor_copy",
                                                  "dma_copy"]
    assert trace.sources == [("tiny.py", 7)]


def many_blocks(path, count):
    """More instructions than a block holds, of several forms, with random movement."""
    random.seed(1)
    writer = TraceWriter(path=path)
    tiles = [writer.tensor(f"t{i}", "sbuf", "float32", 128, 1 << 20) for i in range(50)]
    patterns = [writer.pattern("float32", ((1, n),)) for n in (1, 7, 128)]
    records = []
    for i in range(count):
        p = random.choice(patterns)
        a, b, c = ((random.choice(tiles), p, 0, 128, random.randrange(1 << 19)) for _ in range(3))
        attributes = writer.attributes(op0=random.choice(("add", "max")))
        source = writer.source("k.py", random.randrange(1, 9))
        records.append(("tensor_tensor", "Vector", (a,), (b, c), attributes, source))
        writer.instruction(*records[-1])
        if i % 5000 == 0:
            tiles.append(writer.tensor("late", "sbuf", "float32", 128, 1 << 20))
    writer.close()
    return records


def test_several_blocks_with_tables_between_come_back(tmp_path, trnsim):
    path = tmp_path / "k.trt"
    records = many_blocks(path, 40_000)
    trace = read(path)
    assert trace.instructions == records
    assert trace.tensors[-1]["name"] == "late"
    info = trnsim("trace", "info", path)
    assert info.returncode == 0, info.stderr


def test_many_table_entries_come_back(tmp_path, trnsim):
    path = tmp_path / "k.trt"
    writer = TraceWriter(path=path)
    for i in range(150_000):
        writer.tensor(f"tile {i}", "sbuf", "float32", 1 + i % 128, 1 + i * 3, pinned_bytes=i * 32)
    writer.close()
    trace = read(path)
    assert len(trace.tensors) == 150_000
    assert trace.tensors[99_999]["name"] == "tile 99999"
    assert trace.tensors[99_999]["pinned_bytes"] == 99_999 * 32
    info = trnsim("trace", "info", path)
    assert info.returncode == 0, info.stderr


def test_long_arguments_do_not_disturb_the_late_header(tmp_path, trnsim):
    path = tmp_path / "k.trt"
    for size in (65_400, 65_535, 200_000):  # a stored deflate block holds 65,535 bytes
        writer = TraceWriter(arguments="x" * size, path=path)
        writer.model_flops = 3.0
        writer.close()
        assert (len(read(path).arguments), read(path).model_flops) == (size, 3.0)
        assert trnsim("trace", "info", path).returncode == 0


def test_equal_recordings_give_equal_bytes(tmp_path):
    first, second = tmp_path / "1.trt", tmp_path / "2.trt"
    record_everything(first)
    record_everything(second)
    assert first.read_bytes() == second.read_bytes()


def test_checksums_of_two_parts_combine():
    first, second = b"header", bytes(range(256)) * 1000
    assert crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)
    assert crc32_combine(zlib.crc32(first), 0, 0) == zlib.crc32(first)


def test_equal_table_entries_share_an_id_and_defaults_are_dropped():
    writer = TraceWriter()
    assert writer.pattern("bf16", ((1, 2),)) == writer.pattern("bfloat16", ((1, 2),)) == 0
    assert writer.attributes() == writer.attributes(op0="none", scale=1, accumulate=False) == 0
    assert writer.attributes(op0="add", op1="max") == writer.attributes(op1="max", op0="add") == 1
    assert writer.source("a.py", 1) == writer.source("a.py", 1) == 0
    assert writer.tensor("a", "sbuf", "bf16", 1, 1) == 0
    assert writer.tensor("a", "sbuf", "bf16", 1, 1) == 1


def test_without_a_path_it_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = TraceWriter()
    tile = writer.tensor("a", "sbuf", "bf16", 1, 1)
    one = (tile, writer.pattern("bf16", ()), 0, 1, 0)
    for _ in range(3):
        writer.instruction("tensor_copy", None, (one,), (one,), writer.attributes(), None)
    writer.close()
    assert (writer.instructions, writer.operands, writer.tensors) == (3, 6, 1)
    assert os.listdir(tmp_path) == []


def test_a_failed_run_leaves_no_file_and_keeps_the_old_one(tmp_path):
    path = tmp_path / "k.trt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        with TraceWriter(path=path) as writer:
            writer.tensor("a", "sbuf", "bf16", 1, 1)
            1 / 0
    assert os.listdir(tmp_path) == ["k.trt"]
    assert path.read_text() == "old"


def test_a_forgotten_writer_leaves_no_file(tmp_path):
    writer = TraceWriter(path=tmp_path / "k.trt")
    assert os.listdir(tmp_path) != []
    del writer
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_wrong_flops_at_the_end_leave_no_file(tmp_path):
    writer = TraceWriter(path=tmp_path / "k.trt")
    writer.model_flops = float("nan")
    with pytest.raises(TraceError, match="model_flops is nan"):
        writer.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("call, says", [
    (lambda w: w.tensor("a", "sram", "bf16", 1, 1), "region 'sram' is unknown"),
    (lambda w: w.tensor("a", "sbuf", "bf17", 1, 1), "dtype 'bf17' is unknown; did you mean 'bf16'?"),
    (lambda w: w.tensor("a", "sbuf", "bf16", 129, 1), "cannot have 129 partitions"),
    (lambda w: w.tensor("a", "sbuf", "bf16", 1, 0), "of 0 elements"),
    (lambda w: w.pattern("bf16", ((1, 2),) * 6), "a pattern of 6 dims"),
    (lambda w: w.pattern("bf16", ((1, 0),)), "a dim of 0 elements"),
    (lambda w: w.attributes(op="add"), "attribute 'op' is unknown"),
    (lambda w: w.attributes(op0="plus"), "op0 'plus' is unknown"),
    (lambda w: w.attributes(imm0=float("nan")), "imm0 is not a number"),
    (lambda w: w.attributes(accumulate=2), "accumulate cannot be 2"),
    (lambda w: w.attributes(priority=256), "priority cannot be 256"),
    (lambda w: w.instruction("memsett", None, (), (), w.attributes(), None), "did you mean 'memset'?"),
    (lambda w: w.instruction("fence", "Tensr", (), (), w.attributes(), None), "'Tensor'"),
    (lambda w: w.instruction("fence", None, (), (), 7, None), "attribute set 7"),
    (lambda w: w.instruction("fence", None, (), (), w.attributes(), 0), "source 0"),
])
def test_what_the_format_cannot_hold_is_refused(tmp_path, call, says):
    with pytest.raises(TraceError, match=says.replace("?", r"\?")):
        with TraceWriter(path=tmp_path / "k.trt") as writer:
            call(writer)


def test_the_reader_refuses_damaged_files(tmp_path):
    path, bad = tmp_path / "k.trt", tmp_path / "bad.trt"
    record_everything(path)
    plain = gzip.decompress(path.read_bytes())
    damaged = bytearray(plain)
    damaged[12] ^= 1  # in the kernel's name
    for data in (plain[:-10], bytes(damaged), plain + b"\0", b""):
        bad.write_bytes(gzip.compress(data))
        with pytest.raises(TraceError, match="bad.trt"):
            read(bad)
    for data in (b"", b"text", path.read_bytes()[:-9]):
        bad.write_bytes(data)
        with pytest.raises(TraceError, match="bad.trt"):
            read(bad)


MILLION = """
import resource, sys, time
from trnsim_nki.trt import TraceWriter

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

w = TraceWriter(kernel="matmul", target="trn2", path=sys.argv[1])
a = w.tensor("a", "sbuf", "bfloat16", 128, 65536)
b = w.tensor("b", "sbuf", "bfloat16", 128, 32768)
sums = [w.tensor("p", "psum", "float32", 128, 512) for _ in range(8)]
pa, pb, ps = w.pattern("bfloat16", ((1, 128),)), w.pattern("bfloat16", ((1, 512),)), w.pattern("float32", ((1, 512),))
new, more, line = w.attributes(), w.attributes(accumulate=True), w.source("k.py", 12)
start = time.process_time()
for i in range(1_000_000):
    if i == 100_000:
        early = peak()
    w.instruction("nc_matmul", "Tensor", ((sums[i >> 4 & 7], ps, 0, 128, 0),),
                  ((a, pa, 0, 128, (i >> 4) % 512 * 128), (b, pb, 0, 128, (i >> 6) % 64 * 512)),
                  more if i & 15 else new, line)
w.close()
print(1_000_000 / (time.process_time() - start), peak() - early)
"""


def test_a_million_instructions_are_fast_and_take_no_memory(tmp_path, trnsim):
    path = tmp_path / "k.trt"
    output = subprocess.run([sys.executable, "-c", MILLION, path], capture_output=True, text=True,
                            check=True, cwd=ROOT / "tools/nki").stdout
    rate, growth_mb = map(float, output.split())
    # About 500,000 a second of processor time on a machine of 2026; the limit leaves room for slow ones.
    assert rate > 100_000
    assert growth_mb < 8
    info = trnsim("trace", "info", path)
    assert info.returncode == 0 and "1000000" in info.stdout, info.stderr

"""Index patterns and selection: iota, affine_select, range_select, select_reduce."""
import numpy as np

from .. import alu as math
from .. import errors, machine, numeric, tokens
from ..tensor import count
from .common import (alu, column, is_tensor, not_both_psum, on_chip, same_shape,
                     sbuf_only, scalar)
from .elementwise import accumulate

FP32_MIN = -3.4028234663852886e38


def _affine(m, opcode, dst, pattern):
    """(pattern id, dims) of [[step, number], ...]."""
    dims = tuple((int(step), int(number)) for step, number in pattern) or ((0, 1),)
    if len(dims) > 4 or count(dims) != dst.n:
        errors.fail(f"{opcode}: pattern {list(pattern)} has {count(dims)} values in {len(dims)} dims, dst "
                    f"'{dst.name}' has {dst.n} per partition and at most 4 dims are possible")
    return m.pattern("int32", dims), dims


def _values(dims, base, channel, partitions):
    row = np.zeros(1, np.int64)
    for step, number in dims:
        row = (row[:, None] + np.arange(number, dtype=np.int64) * step).reshape(-1)
    values = base + channel * np.arange(partitions, dtype=np.int64)[:, None] + row
    return values.astype(np.int32)


def iota(dst, pattern, offset=0, channel_multiplier=0, name=None, **unknown):
    """dst[p, i...] = offset + channel_multiplier * p + sum(step * i)."""
    if unknown:
        errors.unknown_keywords("iota", unknown)
    m = machine.active()
    out = on_chip("iota", "dst", dst)
    sbuf_only("iota", dst)
    identity, dims = _affine(m, "iota", dst, pattern)
    m.emit("iota", "GpSimd", (out,), (), m.attrs(
        affine_base=int(offset), affine_channel=int(channel_multiplier), affine_pattern=identity))
    if m.numeric:
        numeric.write(dst, _values(dims, int(offset), int(channel_multiplier), dst.shape[0]))


def affine_select(dst, pattern, channel_multiplier, on_true_tile, on_false_value,
                  cmp_op=tokens.Token("equal", "nl"), offset=0, name=None, **unknown):
    """dst = on_true_tile where the affine value compares with 0, else on_false_value."""
    if unknown:
        errors.unknown_keywords("affine_select", unknown)
    m = machine.active()
    out = on_chip("affine_select", "dst", dst)
    inp = on_chip("affine_select", "on_true_tile", on_true_tile)
    sbuf_only("affine_select", dst, on_true_tile)
    same_shape("affine_select", dst, "on_true_tile", on_true_tile)
    identity, dims = _affine(m, "affine_select", dst, pattern)
    compare = _comparison("affine_select", cmp_op)
    value = scalar("affine_select", "on_false_value", on_false_value)
    m.emit("affine_select", "GpSimd", (out,), (inp,), m.attrs(
        compare=compare, imm0=value, affine_base=int(offset),
        affine_channel=int(channel_multiplier), affine_pattern=identity))
    if m.numeric:
        values = _values(dims, int(offset), int(channel_multiplier), dst.shape[0])
        keep = math.BINARY[compare](values, 0) != 0
        numeric.write(dst, np.where(keep, numeric.read(on_true_tile), np.float32(value)))


def _comparison(opcode, op):
    found = alu(op)
    if found not in math.COMPARE:
        errors.fail(f"{opcode}: {found} is no comparison")
    return found


def range_select(dst, on_true_tile, comp_op0, comp_op1, bound0, bound1,
                 reduce_cmd=tokens.reduce_cmd.reset_reduce, reduce_res=None, reduce_op=None,
                 range_start=0, on_false_value=FP32_MIN, name=None, **unknown):
    """dst = on_true_tile where the column number compares with both bounds, else on_false_value."""
    if unknown:
        errors.unknown_keywords("range_select", unknown)
    m = machine.active()
    out = on_chip("range_select", "dst", dst)
    inp = on_chip("range_select", "on_true_tile", on_true_tile)
    same_shape("range_select", dst, "on_true_tile", on_true_tile)
    first = column("range_select", dst, "bound0", bound0)
    second = column("range_select", dst, "bound1", bound1)
    compare, compare1 = _comparison("range_select", comp_op0), _comparison("range_select", comp_op1)
    value = scalar("range_select", "on_false_value", on_false_value)
    op = alu(reduce_op or "max")
    outs = (out,)
    if reduce_res is not None:
        outs = (out, column("range_select", dst, "reduce_res", reduce_res))
    m.emit("range_select", "Vector", outs, (inp, first, second), m.attrs(
        compare=compare, compare1=compare1, imm0=value, affine_base=int(range_start),
        has_reduce_result=reduce_res is not None, reduce_op=op if reduce_res is not None else "none"))
    if m.numeric:
        index = np.float32(range_start) + np.arange(dst.n, dtype=np.float32)[None, :]
        keep = (math.BINARY[compare](index, numeric.column(bound0, 0)) != 0) & \
            (math.BINARY[compare1](index, numeric.column(bound1, 0)) != 0)
        block = np.where(keep, numeric.read(on_true_tile), np.float32(value))
        numeric.write(dst, block)
        accumulate(m, "vector", op, block, reduce_cmd, reduce_res)


def select_reduce(dst, predicate, on_true, on_false, reduce_res=None,
                  reduce_cmd=tokens.reduce_cmd.idle, reduce_op=None, reverse_pred=False, name=None,
                  **unknown):
    """dst = on_true where predicate is not 0, else on_false."""
    if unknown:
        errors.unknown_keywords("select_reduce", unknown)
    m = machine.active()
    out = on_chip("select_reduce", "dst", dst)
    pred = on_chip("select_reduce", "predicate", predicate)
    inp = on_chip("select_reduce", "on_true", on_true)
    same_shape("select_reduce", dst, "predicate", predicate)
    same_shape("select_reduce", dst, "on_true", on_true)
    not_both_psum("select_reduce", on_true, predicate)
    ins = [pred, inp]
    if is_tensor(on_false):
        ins.append(column("select_reduce", dst, "on_false", on_false))
    outs = (out,)
    if reduce_res is not None:
        outs = (out, column("select_reduce", dst, "reduce_res", reduce_res))
    op = alu(reduce_op or "max")
    m.emit("select_reduce", "Vector", outs, tuple(ins), m.attrs(
        imm0=0 if is_tensor(on_false) else scalar("select_reduce", "on_false", on_false),
        imm0_is_tensor=is_tensor(on_false), reverse0=bool(reverse_pred),
        has_reduce_result=reduce_res is not None, reduce_op=op if reduce_res is not None else "none"))
    if m.numeric:
        keep = (numeric.read_bits(predicate) != 0) != bool(reverse_pred)
        block = np.where(keep, numeric.read(on_true), numeric.column(on_false, 0))
        numeric.write(dst, block)
        if reduce_res is not None or reduce_cmd != tokens.reduce_cmd.idle:
            command = "reset_reduce" if reduce_cmd == tokens.reduce_cmd.idle else reduce_cmd
            accumulate(m, "vector", op, block, command, reduce_res)



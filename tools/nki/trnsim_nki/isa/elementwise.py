"""Element by element on the Vector engine: tensor_tensor, tensor_scalar and their relatives."""
import numpy as np

from .. import alu as math
from .. import dtypes, errors, machine, numeric, tokens
from .common import (alu, column, engine_of, gpsimd_reaches, indirect_inputs, is_tensor,
                     not_both_psum, on_chip, same_shape, scalar)

_UNKNOWN = tokens.engine.unknown
_WORDS = (dtypes.TABLE["int32"], dtypes.TABLE["uint32"])


def tensor_tensor(dst, data1, data2, op, engine=_UNKNOWN, name=None, **unknown):
    """dst = data1 op data2."""
    if unknown:
        errors.unknown_keywords("tensor_tensor", unknown)
    m = machine.active()
    out = on_chip("tensor_tensor", "dst", dst)
    a = on_chip("tensor_tensor", "data1", data1)
    b = on_chip("tensor_tensor", "data2", data2)
    if data1.shape[0] != dst.shape[0] or data1._n != dst._n:
        same_shape("tensor_tensor", dst, "data1", data1)
    if data2.shape[0] != dst.shape[0] or data2._n != dst._n:
        same_shape("tensor_tensor", dst, "data2", data2)
    not_both_psum("tensor_tensor", data1, data2)
    op = alu(op)
    wanted = None if engine is _UNKNOWN else engine_of(engine, "tensor_tensor")
    on_psum = "psum" in (dst.region, data1.region, data2.region)
    words = data1.dtype in _WORDS and data2.dtype in _WORDS and dst.dtype in _WORDS
    exact = words and not on_psum and wanted != "Vector"
    used = wanted
    if wanted is None and (op == "power" or (exact and op not in math.BITWISE)) and not on_psum:
        used = "GpSimd"
    gpsimd_reaches("tensor_tensor", used, dst, data1, data2)
    if data1.index is None and dst.index is None:
        m.emit("tensor_tensor", used, (out,), (a, b), m.attrs(
            op0=op, engine_pinned=wanted is not None))
    else:
        m.emit("tensor_tensor", used, (out,), (a, b, *indirect_inputs(dst, data1)[0]), m.attrs(
            op0=op, engine_pinned=wanted is not None, indirect=True))
    if m.numeric:
        store(dst, combine(op, data1, data2, exact))


def combine(op, a, b, exact=False):
    """The operator on two tiles: bit patterns, exact words or fp32."""
    if op in math.BITWISE:
        left, right = numeric.read_bits(a), numeric.read_bits(b)
        if left.dtype.kind == "f" or a.dtype.is_float:
            left = left.view(a.dtype.bits)
        if right.dtype.kind == "f" or b.dtype.is_float:
            right = right.view(b.dtype.bits)
        left = _unsigned(left, op)
        return math.wrap(math.binary(op, left, right), a.dtype)
    if exact:
        wide = math.binary(op, numeric.read_bits(a).astype(np.int64), numeric.read_bits(b).astype(np.int64))
        return wide
    return math.binary(op, numeric.read(a), numeric.read(b))


def _unsigned(values, op):
    """Shifts are logical on the width of the element."""
    if op == "shift_right" and values.dtype.kind == "i":
        return values.view(f"u{values.dtype.itemsize}")
    return values


def store(dst, values):
    if values.dtype == np.int64 and not dst.dtype.is_float and dst.dtype.numpy.kind in "iu":
        values = math.wrap(values, dst.dtype)
    numeric.write(dst, values)


def _operand(opcode, dst, what, value):
    """(input records, immediate) of a scalar operand."""
    if is_tensor(value):
        return (column(opcode, dst, what, value),), 0
    return (), scalar(opcode, what, value)


def tensor_scalar(dst, data, op0, operand0, reverse0=False, op1=None, operand1=None, reverse1=False,
                  engine=_UNKNOWN, name=None, **unknown):
    """dst = (data op0 operand0) op1 operand1."""
    if unknown:
        errors.unknown_keywords("tensor_scalar", unknown)
    m = machine.active()
    out = on_chip("tensor_scalar", "dst", dst)
    inp = on_chip("tensor_scalar", "data", data)
    if data.shape[0] != dst.shape[0] or data._n != dst._n:
        same_shape("tensor_scalar", dst, "data", data)
    op0 = alu(op0)
    op1 = alu(op1)
    first, imm0 = _operand("tensor_scalar", dst, "operand0", 0 if operand0 is None else operand0)
    second, imm1 = ((), 0) if op1 == "none" else \
        _operand("tensor_scalar", dst, "operand1", 0 if operand1 is None else operand1)
    if op1 != "none" and (op0 in math.BITWISE) != (op1 in math.BITWISE) and "bypass" not in (op0, op1):
        errors.fail(f"tensor_scalar: {op0} and {op1} mix bit patterns with arithmetic")
    wanted = None if engine is _UNKNOWN else engine_of(engine, "tensor_scalar")
    gpsimd_reaches("tensor_scalar", wanted, dst, data)
    more = indirect_inputs(dst, data)[0] if dst.index or data.index else ()
    m.emit("tensor_scalar", wanted, (out,), (inp, *first, *second, *more), m.attrs(
        op0=op0, op1=op1, imm0=imm0, imm1=imm1, reverse0=bool(reverse0), reverse1=bool(reverse1),
        imm0_is_tensor=bool(first), imm1_is_tensor=bool(second), indirect=bool(more),
        engine_pinned=wanted is not None))
    if m.numeric:
        if op0 in math.BITWISE:
            store(dst, _bit_steps(data, op0, operand0, reverse0, op1, operand1, reverse1))
            return
        block = step(op0, numeric.read(data), numeric.column(0 if operand0 is None else operand0, 0),
                     reverse0)
        if op1 != "none":
            block = step(op1, block, numeric.column(0 if operand1 is None else operand1, 0), reverse1)
        numeric.write(dst, block)


def _bit_steps(data, op0, operand0, reverse0, op1, operand1, reverse1):
    block = numeric.read_bits(data)
    if data.dtype.is_float:
        block = block.view(data.dtype.bits)
    for op, operand, reverse in ((op0, operand0, reverse0), (op1, operand1, reverse1)):
        if op == "none":
            continue
        other = numeric.read_bits(operand)[:, :1] if is_tensor(operand) else np.int64(operand or 0)
        block = _unsigned(block, op)
        pair = (other, block) if reverse and op not in math.UNARY else (block, other)
        block = math.wrap(math.binary(op, *pair), data.dtype)
    return block


def step(op, block, operand, reverse):
    if op == "none":
        return block
    swap = reverse and op not in math.UNARY
    return math.binary(op, operand, block) if swap else math.binary(op, block, operand)


def tensor_scalar_reduce(dst, data, op0, operand0, reduce_op, reduce_res=None, reverse0=False,
                         reduce_cmd=tokens.reduce_cmd.reset_reduce, reduce_init=None,
                         reduce_res_negate=False, name=None, **unknown):
    """dst = data op0 operand0; reduce_res = the reduction of each row."""
    if unknown:
        errors.unknown_keywords("tensor_scalar_reduce", unknown)
    m = machine.active()
    out = on_chip("tensor_scalar_reduce", "dst", dst)
    inp = on_chip("tensor_scalar_reduce", "data", data)
    same_shape("tensor_scalar_reduce", dst, "data", data)
    op0, reduce_op = alu(op0), alu(reduce_op)
    first, imm0 = _operand("tensor_scalar_reduce", dst, "operand0", 0 if operand0 is None else operand0)
    if reduce_res is None:
        m.emit("tensor_scalar", "Vector", (out,), (inp, *first), m.attrs(
            op0=op0, imm0=imm0, reverse0=bool(reverse0), imm0_is_tensor=bool(first),
            reduce_op=reduce_op))
    else:
        total = column("tensor_scalar_reduce", dst, "reduce_res", reduce_res)
        m.emit("tensor_scalar_reduce", "Vector", (out, total), (inp, *first), m.attrs(
            op0=op0, reduce_op=reduce_op, imm0=imm0, reverse0=bool(reverse0),
            imm0_is_tensor=bool(first), negate=bool(reduce_res_negate)))
    if m.numeric:
        block = step(op0, numeric.read(data), numeric.column(0 if operand0 is None else operand0, 0),
                     reverse0)
        numeric.write(dst, block)
        accumulate(m, "vector", reduce_op, block, reduce_cmd, reduce_res, reduce_init, reduce_res_negate)


def accumulate(m, engine, op, block, command, result, start=None, negate=False):
    """The reduction registers of an engine: one fp32 per partition."""
    command = str(getattr(command, "name", command))
    total = math.reduce_rows(op, block)
    if command == "load_reduce":
        total = math.binary(op, numeric.column(start, 0) + np.zeros_like(total), total)
    elif command == "reduce" and m.reduce_registers.get(engine) is not None:
        total = math.binary(op, m.reduce_registers[engine][:len(total)], total)
    m.reduce_registers[engine] = total
    if result is not None:
        numeric.write(result, -total if negate else total)


def scalar_tensor_tensor(dst, data, op0, operand0, op1, operand1, reverse0=False, reverse1=False,
                         engine=_UNKNOWN, name=None, **unknown):
    """dst = (data op0 operand0) op1 operand1, operand0 a scalar, operand1 a tensor."""
    if unknown:
        errors.unknown_keywords("scalar_tensor_tensor", unknown)
    m = machine.active()
    out = on_chip("scalar_tensor_tensor", "dst", dst)
    inp = on_chip("scalar_tensor_tensor", "data", data)
    other = on_chip("scalar_tensor_tensor", "operand1", operand1)
    same_shape("scalar_tensor_tensor", dst, "data", data)
    same_shape("scalar_tensor_tensor", dst, "operand1", operand1)
    not_both_psum("scalar_tensor_tensor", data, operand1)
    op0, op1 = alu(op0), alu(op1)
    first, imm0 = _operand("scalar_tensor_tensor", dst, "operand0", operand0)
    m.emit("scalar_tensor_tensor", "Vector", (out,), (inp, other, *first), m.attrs(
        op0=op0, op1=op1, imm0=imm0, reverse0=bool(reverse0), reverse1=bool(reverse1),
        imm0_is_tensor=bool(first)))
    if m.numeric:
        block = step(op0, numeric.read(data), numeric.column(operand0, 0), reverse0)
        numeric.write(dst, step(op1, block, numeric.read(operand1), reverse1))


def tensor_tensor_scan(dst, data0, data1, initial, op0, op1, reverse0=False, reverse1=False,
                       name=None, **unknown):
    """r[i] = (data0[i] op0 r[i-1]) op1 data1[i], r[-1] = initial."""
    if unknown:
        errors.unknown_keywords("tensor_tensor_scan", unknown)
    m = machine.active()
    out = on_chip("tensor_tensor_scan", "dst", dst)
    a = on_chip("tensor_tensor_scan", "data0", data0)
    b = on_chip("tensor_tensor_scan", "data1", data1)
    same_shape("tensor_tensor_scan", dst, "data0", data0)
    same_shape("tensor_tensor_scan", dst, "data1", data1)
    not_both_psum("tensor_tensor_scan", data0, data1)
    op0, op1 = alu(op0), alu(op1)
    first, imm0 = _operand("tensor_tensor_scan", dst, "initial", initial)
    m.emit("tensor_tensor_scan", "Vector", (out,), (a, b, *first), m.attrs(
        op0=op0, op1=op1, imm0=imm0, reverse0=bool(reverse0), reverse1=bool(reverse1),
        imm0_is_tensor=bool(first)))
    if m.numeric:
        left, right = numeric.read(data0), numeric.read(data1)
        state = np.broadcast_to(numeric.column(initial, 0), (left.shape[0], 1)).astype(np.float32)[:, 0]
        result = np.empty_like(left)
        for i in range(left.shape[1]):
            state = step(op1, step(op0, left[:, i], state, reverse0), right[:, i], reverse1)
            result[:, i] = state
        numeric.write(dst, result)


def tensor_scalar_cumulative(dst, src, op0, op1, imm0, imm1=None,
                             reduce_cmd=tokens.reduce_cmd.reset_reduce, reverse0=False, name=None,
                             **unknown):
    """r[i] = (src[i] op0 imm0) op1 r[i-1]."""
    if unknown:
        errors.unknown_keywords("tensor_scalar_cumulative", unknown)
    m = machine.active()
    out = on_chip("tensor_scalar_cumulative", "dst", dst)
    inp = on_chip("tensor_scalar_cumulative", "src", src)
    same_shape("tensor_scalar_cumulative", dst, "src", src)
    op0, op1 = alu(op0), alu(op1)
    loads = reduce_cmd == tokens.reduce_cmd.load_reduce
    first, number0 = _operand("tensor_scalar_cumulative", dst, "imm0", imm0)
    second, number1 = _operand("tensor_scalar_cumulative", dst, "imm1", imm1) if loads else ((), 0)
    m.emit("tensor_scalar_cumulative", "Vector", (out,), (inp, *first, *second), m.attrs(
        op0=op0, op1=op1, imm0=number0, imm1=number1, accumulate=loads, reverse0=bool(reverse0),
        imm0_is_tensor=bool(first), imm1_is_tensor=bool(second)))
    if m.numeric:
        block = step(op0, numeric.read(src), numeric.column(imm0, 0), reverse0)
        rows = block.shape[0]
        if loads:
            state = np.broadcast_to(numeric.column(imm1, 0), (rows, 1))[:, 0]
        elif reduce_cmd == tokens.reduce_cmd.reduce and "vector" in m.reduce_registers:
            state = m.reduce_registers["vector"][:rows, 0]
        else:
            state = np.full(rows, math.IDENTITY[op1], np.float32)
        for i in range(block.shape[1]):
            state = math.binary(op1, block[:, i], state)
            block[:, i] = state
        m.reduce_registers["vector"] = np.array(state)[:, None]
        numeric.write(dst, block)


def reciprocal(dst, data, name=None, **unknown):
    """dst = 1 / data."""
    if unknown:
        errors.unknown_keywords("reciprocal", unknown)
    m = machine.active()
    out = on_chip("reciprocal", "dst", dst)
    inp = on_chip("reciprocal", "data", data)
    same_shape("reciprocal", dst, "data", data)
    m.emit("reciprocal", "Vector", (out,), (inp,), m.attrs())
    if m.numeric:
        numeric.write(dst, math.binary("divide", np.float32(1), numeric.read(data)))

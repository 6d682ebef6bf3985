"""Tensor engine: nc_matmul, nc_matmul_mx, nc_transpose."""
import numpy as np

from .. import dtypes, errors, machine, numeric, tokens
from ..machine import BANK_BYTES
from .common import (engine_of, indirect_inputs, needs_generation, on_chip, shape_text)

_WIDE = (dtypes.TABLE["float32"], dtypes.TABLE["tfloat32"])
_FP8 = tuple(dtypes.TABLE[n] for n in ("float8_e3m4", "float8_e4m3", "float8_e4m3fn", "float8_e5m2"))
_MOVING_MAX = 512


def nc_matmul(dst, stationary, moving, is_stationary_onezero=False, is_moving_onezero=False,
              is_transpose=False, accumulate=None, tile_position=(), tile_size=(),
              perf_mode=tokens.matmul_perf_mode.none, name=None, **unknown):
    """dst[M, N] (+)= stationary[K, M].T @ moving[K, N]."""
    if unknown:
        errors.unknown_keywords("nc_matmul", unknown)
    m = machine.active()
    out = on_chip("nc_matmul", "dst", dst)
    left = on_chip("nc_matmul", "stationary", stationary)
    right = on_chip("nc_matmul", "moving", moving)
    double_row = False
    if perf_mode is not tokens.matmul_perf_mode.none and perf_mode is not None:
        double_row = str(getattr(perf_mode, "name", perf_mode)).startswith("double_row")
    if accumulate is None:
        accumulate = _continues(dst, out)
    elif not accumulate:
        _begin(dst, out)
    # Everything that decides legality and attributes; equal calls are looked at once.
    indirect = dst.index is not None or stationary.index is not None or moving.index is not None
    key = ("nc_matmul", out[1], out[3], out[4], dst.storage.pinned, left[1], left[3], right[1], right[3],
           dst.region, stationary.region, moving.region, double_row, is_transpose, is_stationary_onezero,
           is_moving_onezero, bool(accumulate), indirect, *(tile_position or ()), "", *(tile_size or ()))
    attributes = m.attributes.get(key)
    if attributes is None:
        _check(m, dst, stationary, moving, double_row, is_transpose)
        _check_bank(m, dst, out)
        row, column = tile_position if tile_position else (0, 0)
        rows, columns = tile_size if tile_size else (0, 0)
        attributes = m.attributes[key] = m.attrs(
            accumulate=bool(accumulate), is_transpose=bool(is_transpose), double_row=double_row,
            onezero=bool((is_stationary_onezero and stationary.dtype in _WIDE) or
                         (is_moving_onezero and moving.dtype in _WIDE)),
            tile_row=int(row), tile_column=int(column), tile_rows=int(rows), tile_columns=int(columns),
            indirect=indirect, engine_pinned=True)
    ins = (left, right, *indirect_inputs(dst, stationary, moving)[0]) if indirect else (left, right)
    m.emit("nc_matmul", "Tensor", (out,), ins, attributes)
    if m.numeric:
        _multiply(dst, stationary, moving, accumulate, is_transpose, double_row)


def _check(m, dst, stationary, moving, double_row, is_transpose):
    for what, t in (("stationary", stationary), ("moving", moving)):
        if t.region != "sbuf":
            errors.fail(f"nc_matmul: {what} operand '{t.name}' is in {t.region}, must be in SBUF")
    if dst.region != "psum":
        errors.fail(f"nc_matmul: dst '{dst.name}' is in {dst.region}, must be in PSUM")
    if stationary.partitions != moving.partitions:
        errors.fail(f"nc_matmul: stationary '{stationary.name}' is {shape_text(stationary)}, moving "
                    f"'{moving.name}' is {shape_text(moving)}: the partitions (K) must be equal")
    rows = 2 if double_row else 1
    if stationary.n % rows or moving.n % rows:
        errors.fail("nc_matmul: double_row needs operands of shape [K, 2, free]")
    free_m, free_n = stationary.n // rows, moving.n // rows
    if free_m > 128:
        errors.fail(f"nc_matmul: stationary '{stationary.name}' has {free_m} free elements, at most 128")
    limit = _MOVING_MAX if m.generation < 4 else 4096 * 4 // dst.dtype.size
    if free_n > limit:
        errors.fail(f"nc_matmul: moving '{moving.name}' has {free_n} free elements, at most {limit}")
    if dst.partitions != free_m or dst.n != free_n:
        errors.fail(f"nc_matmul: stationary has {free_m} and moving {free_n} free elements, dst "
                    f"'{dst.name}' must be [{free_m}, {free_n}] and is {shape_text(dst)}")
    if not is_transpose and (stationary.dtype in _WIDE) != (moving.dtype in _WIDE):
        errors.fail(f"nc_matmul: {stationary.dtype} times {moving.dtype}: 32-bit floats go with 32-bit "
                    "floats only")
    if double_row and not (stationary.dtype in _FP8 and moving.dtype in _FP8):
        errors.fail(f"nc_matmul: double_row multiplies 8-bit floats, not {stationary.dtype} by "
                    f"{moving.dtype}")
    for t in (stationary, moving):
        if not t.dtype.is_float and not is_transpose:
            errors.fail(f"nc_matmul: '{t.name}' is {t.dtype}, the Tensor engine multiplies floats")


def _check_bank(m, dst, operand):
    """Before trn3 a result stays within one bank of 2 KiB."""
    if m.generation >= 4:
        return
    size = dst.dtype.size
    last = (len(dst.shape) > 1) and sum(abs(s) * (e - 1) for s, e in zip(dst.strides[1:], dst.shape[1:]))
    start = operand[4] * size
    pinned = dst.storage.pinned
    if pinned:
        start += pinned[1]
    if start // BANK_BYTES != (start + int(last) * size) // BANK_BYTES:
        errors.fail(f"nc_matmul: dst '{dst.name}' covers bytes {start} to {start + (int(last) + 1) * size}"
                    f" of a partition, a result must fit one PSUM bank of {BANK_BYTES} bytes")


def _box(operand, dst):
    last = sum(abs(s) * (e - 1) for s, e in zip(dst.strides[1:], dst.shape[1:]))
    size = dst.dtype.size
    return (operand[2], operand[2] + operand[3], operand[4] * size, (operand[4] + last + 1) * size)


def _continues(dst, operand):
    """Without `accumulate` the first matmul into a place overwrites, later ones add."""
    s = dst.storage
    if s.matmuls is None:
        s.matmuls = {operand: dst}
        return False
    if operand in s.matmuls:
        return True
    box = _box(operand, dst)
    others = (_box(key, tensor) for key, tensor in s.matmuls.items())
    found = any(box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in others)
    s.matmuls[operand] = dst
    return found


def _begin(dst, operand):
    s = dst.storage
    if s.matmuls is None:
        s.matmuls = {}
    s.matmuls[operand] = dst


def _multiply(dst, stationary, moving, accumulate, is_transpose, double_row):
    if is_transpose:
        a, b = numeric.read_bits(stationary), numeric.read(moving)
        if b.shape[0] == b.shape[1] and np.array_equal(b, np.eye(len(b), dtype=np.float32)):
            numeric.write(dst, a.T)
            return
    a, b = numeric.read(stationary), numeric.read(moving)
    if double_row:
        a = a.reshape(2 * a.shape[0], -1)
        b = b.reshape(2 * b.shape[0], -1)
    with np.errstate(all="ignore"):
        product = a.T @ b
        if accumulate:
            product = product + numeric.read(dst)
    numeric.write(dst, product)


def nc_matmul_mx(dst, stationary, moving, stationary_scale, moving_scale, tile_position=None,
                 tile_size=None, accumulate=None, name=None, **unknown):
    """dst (+)= stationary.T @ moving of packed micro-scaled operands."""
    from . import mx
    if unknown:
        errors.unknown_keywords("nc_matmul_mx", unknown)
    m = needs_generation("nc_matmul_mx", 4)
    out = on_chip("nc_matmul_mx", "dst", dst)
    ins = tuple(on_chip("nc_matmul_mx", what, t) for what, t in (
        ("stationary", stationary), ("moving", moving), ("stationary_scale", stationary_scale),
        ("moving_scale", moving_scale)))
    if not (stationary.dtype.is_packed and moving.dtype.is_packed):
        errors.fail(f"nc_matmul_mx: multiplies packed x4 types, not {stationary.dtype} by {moving.dtype}")
    if stationary.partitions != moving.partitions or dst.partitions != stationary.n or \
            dst.n != moving.n:
        errors.fail(f"nc_matmul_mx: stationary {shape_text(stationary)} and moving {shape_text(moving)} "
                    f"do not give dst {shape_text(dst)}")
    if accumulate is None:
        accumulate = _continues(dst, out)
    elif not accumulate:
        _begin(dst, out)
    row, column = tile_position if tile_position else (0, 0)
    rows, columns = tile_size if tile_size else (0, 0)
    m.emit("nc_matmul_mx", "Tensor", (out,), ins, m.attrs(
        accumulate=bool(accumulate), tile_row=int(row), tile_column=int(column), tile_rows=int(rows),
        tile_columns=int(columns), engine_pinned=True))
    if m.numeric:
        mx.multiply(dst, stationary, moving, stationary_scale, moving_scale, accumulate)


def nc_transpose(dst, data, engine=tokens.engine.unknown, name=None, **unknown):
    """dst[F, P] = data[P, F].T"""
    if unknown:
        errors.unknown_keywords("nc_transpose", unknown)
    m = machine.active()
    out = on_chip("nc_transpose", "dst", dst)
    src = on_chip("nc_transpose", "data", data)
    if dst.shape[0] != data.n or dst.n != data.shape[0]:
        errors.fail(f"nc_transpose: data '{data.name}' is {shape_text(data)}, dst '{dst.name}' must be "
                    f"[{data.n}, {data.shape[0]}] and is {shape_text(dst)}")
    wanted = engine_of(engine, "nc_transpose")
    used = wanted
    if used is None:
        small = data.shape[0] <= 32 and data.n <= 32
        legal_tensor = data.region == "sbuf" and dst.region == "psum"
        used = "Tensor" if legal_tensor else ("Vector" if small else "Tensor")
    if used == "Tensor":
        if data.region != "sbuf" or dst.region != "psum":
            errors.fail(f"nc_transpose: the Tensor engine reads SBUF and writes PSUM, not "
                        f"{data.region} to {dst.region}")
        if data.shape[0] > 128 or data.n > 128:
            errors.fail(f"nc_transpose: data is {shape_text(data)}, at most [128, 128]")
    elif used == "Vector" and (data.shape[0] > 32 or data.n > 32):
        errors.fail(f"nc_transpose: data is {shape_text(data)}, at most [32, 32] on the Vector engine")
    m.emit("nc_transpose", used, (out,), (src,), m.attrs(engine_pinned=wanted is not None))
    if m.numeric:
        numeric.write(dst, numeric.read_bits(data).T)


__all__ = ["nc_matmul", "nc_matmul_mx", "nc_transpose"]

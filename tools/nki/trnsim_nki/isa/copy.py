"""Copies and constants on chip: tensor_copy, tensor_copy_predicated, memset, nc_stream_shuffle."""
import numpy as np

from .. import errors, machine, numeric, tokens
from .common import (engine_of, gpsimd_reaches, indirect_inputs, is_tensor, not_both_psum, on_chip,
                     same_shape, scalar)

_UNKNOWN = tokens.engine.unknown


def tensor_copy(dst, src, engine=_UNKNOWN, name=None, dtype=None, **unknown):
    """dst = src."""
    if unknown:
        errors.unknown_keywords("tensor_copy", unknown)
    m = machine.active()
    out = on_chip("tensor_copy", "dst", dst)
    inp = on_chip("tensor_copy", "src", src)
    if src.shape[0] != dst.shape[0] or src._n != dst._n:
        same_shape("tensor_copy", dst, "src", src)
    wanted = None if engine is _UNKNOWN else engine_of(engine, "tensor_copy")
    if wanted == "GpSimd":
        gpsimd_reaches("tensor_copy", wanted, dst, src)
    if src.index is None and dst.index is None:
        m.emit("tensor_copy", wanted, (out,), (inp,), m.attrs(engine_pinned=wanted is not None))
    else:
        more, _ = indirect_inputs(dst, src)
        m.emit("tensor_copy", wanted, (out,), (inp, *more),
               m.attrs(engine_pinned=wanted is not None, indirect=True))
    if m.numeric:
        block = numeric.bits(src)
        if src.dtype is dst.dtype or not (src.dtype.is_float or dst.dtype.is_float):
            numeric.write(dst, block)
        else:
            numeric.write(dst, numeric.read(src))


def memset(dst, value=0, engine=_UNKNOWN, name=None, **unknown):
    """dst = a constant."""
    if unknown:
        errors.unknown_keywords("memset", unknown)
    m = machine.active()
    out = on_chip("memset", "dst", dst)
    number = scalar("memset", "value", value)
    wanted = None if engine is _UNKNOWN else engine_of(engine, "memset")
    gpsimd_reaches("memset", wanted, dst)
    if dst.dtype.is_packed and number != 0:
        errors.fail(f"memset: packed type {dst.dtype} takes 0 only")
    m.emit("memset", wanted, (out,), (), m.attrs(imm0=number, engine_pinned=wanted is not None))
    if m.numeric:
        kind = np.float32 if dst.dtype.is_float else np.int64
        numeric.write(dst, np.full(dst.shape, value, kind))


def tensor_copy_predicated(dst, src, predicate, reverse_pred=False, name=None, **unknown):
    """dst = src where predicate is not 0 (reverse_pred: is 0)."""
    if unknown:
        errors.unknown_keywords("tensor_copy_predicated", unknown)
    m = machine.active()
    out = on_chip("tensor_copy_predicated", "dst", dst)
    pred = on_chip("tensor_copy_predicated", "predicate", predicate)
    same_shape("tensor_copy_predicated", dst, "predicate", predicate)
    if is_tensor(src):
        inp = on_chip("tensor_copy_predicated", "src", src)
        same_shape("tensor_copy_predicated", dst, "src", src)
        not_both_psum("tensor_copy_predicated", src, predicate)
    else:
        # The trace has no scalar source: the predicate stands in, the value is imm0.
        inp = pred
    m.emit("tensor_copy_predicated", "Vector", (out,), (pred, inp), m.attrs(
        reverse0=bool(reverse_pred), imm0=0 if is_tensor(src) else scalar("", "src", src)))
    if m.numeric:
        chosen = (numeric.read_bits(predicate) != 0) != bool(reverse_pred)
        old = np.ndarray(dst.shape, dst.dtype.numpy, dst.storage.data, dst.offset * dst.dtype.size,
                         tuple(s * dst.dtype.size for s in dst.strides))
        new = numeric.convert(numeric.read(src), dst.dtype) if is_tensor(src) else \
            numeric.convert(np.float32(src), dst.dtype)
        if not chosen.all():
            numeric.read_bits(dst)
        numeric.store(dst, np.where(chosen, new, old.reshape(chosen.shape)))


def nc_stream_shuffle(dst, src, shuffle_mask, name=None, **unknown):
    """Within each quadrant of 32 partitions dst[i] = src[mask[i]]; 255 leaves dst[i]."""
    if unknown:
        errors.unknown_keywords("nc_stream_shuffle", unknown)
    m = machine.active()
    out = on_chip("nc_stream_shuffle", "dst", dst)
    inp = on_chip("nc_stream_shuffle", "src", src)
    mask = [int(entry) for entry in shuffle_mask]
    if len(mask) != 32 or any(not (0 <= entry < 32 or entry == 255) for entry in mask):
        errors.fail("nc_stream_shuffle: shuffle_mask has 32 entries, each 0 to 31 or 255")
    if src.n != dst.n:
        same_shape("nc_stream_shuffle", dst, "src", src)
    m.emit("nc_stream_shuffle", "Vector", (out,), (inp,), m.attrs())
    if m.numeric:
        data = np.ndarray(src.shape, src.dtype.numpy, src.storage.data, src.offset * src.dtype.size,
                          tuple(s * src.dtype.size for s in src.strides)).reshape(src.shape[0], -1)
        used = []
        for p in range(dst.shape[0]):
            source = mask[p % 32]
            row = p // 32 * 32 + source if source != 255 else None
            if row is None or row >= data.shape[0]:
                used.append(None)
                continue
            used.append(row)
        rows = np.array([0 if row is None else row for row in used])
        keep = np.array([row is None for row in used])[:, None]
        new = numeric.convert(data[rows], dst.dtype)
        old = np.ndarray(dst.shape, dst.dtype.numpy, dst.storage.data, dst.offset * dst.dtype.size,
                         tuple(s * dst.dtype.size for s in dst.strides)).reshape(dst.shape[0], -1)
        numeric.store(dst, np.where(keep, old, new))

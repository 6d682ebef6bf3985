"""Data movement by DMA: dma_copy, dma_transpose, dma_compute."""
import numpy as np

from .. import errors, machine, numeric, tokens
from ..tensor import Tensor
from .common import engine_of

_UNKNOWN_DGE = tokens.dge_mode.unknown
_UNKNOWN_ENGINE = tokens.engine.unknown


def _side(opcode, what, t):
    if t.__class__ is not Tensor:
        errors.fail(f"{opcode}: {what} must be a tensor, not {t!r}")
    if t.region == "psum":
        errors.fail(f"{opcode}: {what} '{t.name}' is in PSUM, a DMA reaches HBM and SBUF only")


def _operands(dst, src):
    """Operand records; the HBM side leads with the partitions of the on-chip side."""
    if dst.region == "hbm":
        other = None if src.region == "hbm" else src.shape[0]
        out = _hbm(dst, other)
        return out, (_hbm(src, None) if other is None else src.operand())
    return dst.operand(), (_hbm(src, dst.shape[0]) if src.region == "hbm" else src.operand())


def _hbm(t, partitions):
    if t.index is not None:
        return _indexed(t)
    return t.hbm_operand(partitions)


def _indexed(t):
    """The first dim is what the indices select: its stride is the step of one index."""
    s = t.storage
    dims = ((t.index.stride, t.shape[0]),) + tuple(
        (stride, extent) for stride, extent in zip(t.strides[1:], t.shape[1:]) if extent > 1)
    total = s.free * s.dtype.size // t.dtype.size
    reach = t.offset + sum(stride * (extent - 1) for stride, extent in dims)
    if reach >= total:
        # More indices than rows: the trace cannot say that and stay inside the table.
        dims = ((0, dims[0][1]),) + dims[1:]
    return (s.id, s.machine.pattern(t.dtype, dims), 0, 1, t.offset)






def dma_copy(dst, src, priority=None, oob_mode=tokens.oob_mode.error, dge_mode=_UNKNOWN_DGE,
             engine=_UNKNOWN_ENGINE, name=None, dst_rmw_op=None, unique_indices=True, **unknown):
    """dst = src, converting through fp32 where the types differ."""
    if unknown:
        errors.unknown_keywords("dma_copy", unknown)
    m = machine.active()
    _side("dma_copy", "dst", dst)
    _side("dma_copy", "src", src)
    out, inp = _operands(dst, src)
    if dst.size != src.size:
        errors.fail(f"dma_copy: src '{src.name}' {src.shape} has {src.size} elements, dst '{dst.name}' "
                    f"{dst.shape} has {dst.size}")
    wanted = None if engine is _UNKNOWN_ENGINE else engine_of(engine, "dma_copy")
    ins = (inp,)
    indirect = False
    if dst.index is not None or src.index is not None:
        view = src if src.index is not None else dst
        if view.region == "hbm":
            indirect = True
            ins = (inp, view.index.tile.operand())
    m.emit("dma_copy", wanted, (out,), ins, m.attrs(
        dge=_dge(dge_mode), priority=int(priority or 0), indirect=indirect,
        accumulate=dst_rmw_op is not None, engine_pinned=wanted is not None))
    if m.numeric:
        values = _gather(m, src, oob_mode, dst)
        if dst_rmw_op is not None:
            values = values.astype(np.float32) + numeric.bits(dst).astype(np.float32).reshape(values.shape)
        _store(dst, values, oob_mode)


def _dge(mode):
    try:
        return tokens.DGE[mode]
    except (KeyError, TypeError):
        return tokens.DGE.get(str(mode), "unknown")


def _fail_outside(t):
    if t.index is None:
        errors.fail(f"dma: the access from element {t.outside} leaves '{t.name}'; oob_mode.skip allows that")
    errors.fail(f"dma: an index of '{t.index.tile.name}' is outside '{t.name}' of {t.index.extent} rows")


def _gather(m, src, oob_mode, dst):
    """Values to move; rows that do not exist keep what dst has."""
    if src.index is None and src.outside is None:
        return numeric.bits(src)
    found, valid = numeric.positions(src)
    flat = src.storage.data.view(src.dtype.numpy)
    values = flat[np.where(valid, found, 0)]
    if not valid.all():
        if oob_mode != tokens.oob_mode.skip:
            _fail_outside(src)
        old = np.ndarray(dst.shape, dst.dtype.numpy, dst.storage.data,
                         dst.offset * dst.dtype.size, tuple(s * dst.dtype.size for s in dst.strides))
        values = np.where(valid, values, old.reshape(values.shape).astype(values.dtype))
    return values


def _store(dst, values, oob_mode):
    if dst.index is not None or dst.outside is not None:
        found, valid = numeric.positions(dst)
        if not valid.all() and oob_mode != tokens.oob_mode.skip:
            _fail_outside(dst)
    numeric.write(dst, values)


_AXES = {2: (1, 0), 3: (2, 1, 0), 4: (3, 1, 2, 0)}


def dma_transpose(dst, src, axes=None, priority=None, dge_mode=_UNKNOWN_DGE,
                  oob_mode=tokens.oob_mode.error, engine=_UNKNOWN_ENGINE, name=None, **unknown):
    """dst = src with its dims permuted by [1,0], [2,1,0] or [3,1,2,0]."""
    if unknown:
        errors.unknown_keywords("dma_transpose", unknown)
    m = machine.active()
    _side("dma_transpose", "dst", dst)
    _side("dma_transpose", "src", src)
    order = _AXES.get(len(src.shape))
    if order is None:
        errors.fail(f"dma_transpose: src '{src.name}' has {len(src.shape)} dims, 2 to 4 are possible")
    if axes is not None and tuple(axes) != order:
        errors.fail(f"dma_transpose: axes {tuple(axes)} are not possible, {order} are")
    if dst.size != src.size:
        errors.fail(f"dma_transpose: src '{src.name}' {src.shape} and dst '{dst.name}' {dst.shape} differ "
                    "in elements")
    ins = (_indexed(src) if src.index is not None else src.exact_operand(),)
    if src.index is not None:
        ins += (src.index.tile.operand(),)
    out = dst.hbm_operand(None) if dst.region == "hbm" else dst.operand()
    wanted = engine_of(engine, "dma_transpose")
    m.emit("dma_transpose", wanted, (out,), ins, m.attrs(
        dge=_dge(dge_mode), priority=int(priority or 0), indirect=src.index is not None,
        engine_pinned=wanted is not None))
    if m.numeric:
        values = _columns(src) if src.index is not None else numeric.bits(src)
        numeric.write(dst, values.transpose(order))


def _columns(src):
    """Rows chosen by indices that are read column by column."""
    tile = numeric.bits(src.index.tile).astype(np.int64)
    rows = tile.reshape(tile.shape[0], -1).T.reshape(-1)[:src.shape[0]]
    inner = np.zeros(src.shape[1:], np.int64)
    for axis, (extent, stride) in enumerate(zip(src.shape[1:], src.strides[1:])):
        shape = [1] * len(src.shape[1:])
        shape[axis] = extent
        inner = inner + (np.arange(extent) * stride).reshape(shape)
    found = src.offset + rows.reshape((-1,) + (1,) * inner.ndim) * src.index.stride + inner
    flat = src.storage.data.view(src.dtype.numpy)
    return flat[np.clip(found, 0, len(flat) - 1)]


def dma_compute(dst, srcs, reduce_op=None, scales=None, unique_indices=True,
                oob_mode=tokens.oob_mode.error, name=None, **unknown):
    """dst = sum of srcs, computed in fp32 on the way."""
    if unknown:
        errors.unknown_keywords("dma_compute", unknown)
    m = machine.active()
    # 0.2 had the scales before the operator.
    if isinstance(reduce_op, (list, tuple)):
        reduce_op, scales = scales, reduce_op
    op = tokens.alu(reduce_op or "add")
    srcs = list(srcs)
    if not 1 <= len(srcs) <= 16:
        errors.fail(f"dma_compute: takes 1 to 16 sources, not {len(srcs)}")
    _side("dma_compute", "dst", dst)
    ins = []
    indices = []
    for src in srcs:
        _side("dma_compute", "source", src)
        if src.size != dst.size:
            errors.fail(f"dma_compute: source '{src.name}' {src.shape} and dst '{dst.name}' {dst.shape} "
                        "differ in elements")
        pair = _operands(dst, src)
        ins.append(pair[1])
        if src.index is not None:
            indices.append(src.index.tile.operand())
    if dst.index is not None and not indices:
        indices.append(dst.index.tile.operand())
    out = _operands(dst, srcs[0])[0]
    m.emit("dma_compute", None, (out,), (*ins, *indices[:1]), m.attrs(
        op0=op, indirect=bool(indices)))
    if m.numeric:
        total = None
        for position, src in enumerate(srcs):
            part = numeric.bits(src).astype(np.float32).reshape(dst.shape)
            if scales is not None:
                part = part * np.float32(scales[position])
            total = part if total is None else _combine(op, total, part)
        numeric.write(dst, total)


def _combine(op, a, b):
    from .. import alu
    return alu.binary(op, a, b)

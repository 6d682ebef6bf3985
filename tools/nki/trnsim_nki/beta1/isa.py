"""nki.isa of beta 1: instructions that return their result."""
import numpy as np

from .. import dtypes, errors
from .. import isa as core
from ..isa import get_nc_version  # noqa: F401
from ..tokens import (dge_mode, engine, matmul_perf_mode, nc_version, oob_mode, reduce_cmd)  # noqa: F401
from . import index as ix
from .isa_common import VECTOR_SIDE, WIDE, _ignored, apart, each, in_sbuf, kind, new, prepare, tile_of  # noqa: F401
from .pending import F32, flush, only_where
from .stores import masked, result
from .tile import Tile

tensor_engine = engine.tensor
vector_engine = engine.vector
scalar_engine = engine.scalar
gpsimd_engine = engine.gpsimd
unknown_engine = engine.unknown
_UNKNOWN = engine.unknown


class fp32:
    """Limits of fp32."""

    min = -3.4028234663852886e38
    max = 3.4028234663852886e38


def activation(op, data, *, bias=None, scale=1.0, reduce_op=None, reduce_res=None,
               reduce_cmd=reduce_cmd.idle, mask=None, dtype=None, **unknown):
    if unknown:
        _ignored("activation", unknown)
    return _activation(op, data, bias, scale, reduce_op, reduce_res, reduce_cmd, mask, dtype)


def activation_reduce(op, data, *, reduce_op, reduce_res, bias=None, scale=1.0, mask=None, dtype=None,
                      **unknown):
    _ignored("activation_reduce", unknown)
    return _activation(op, data, bias, scale, reduce_op, reduce_res, reduce_cmd.reset_reduce, mask, dtype)


def _activation(op, data, bias, scale, reduce_op, reduce_res, command, mask, dtype):
    tile_of("activation: data", data)
    dtype = kind(dtype, data.dtype)
    drop, clip, predicate, (x, bias, scale, total) = prepare(mask, data.shape, data, bias, scale, reduce_res,
                                                             psum=True)

    def emit(dst):
        if total is None:
            each(core.activation, dst, op, x, bias, scale, reduce_op, None, command)
            return
        core.activation(dst, op, x, bias, scale, reduce_op, total, command)

    if reduce_res is not None:
        _written(reduce_res)
    same = ("activation", op, x, bias, scale) if reduce_op is None and reduce_res is None else None
    return result(None if drop else emit, data.shape, dtype, None, clip, predicate, same=same)


def _written(tile):
    if tile.block is not None and tile.region == "psum":
        tile.block.mode = "data"


def tensor_scalar(data, op0, operand0, reverse0=False, op1=None, operand1=None, reverse1=False, *,
                  dtype=None, mask=None, engine=_UNKNOWN, **unknown):
    if unknown:
        _ignored("tensor_scalar", unknown)
    tile_of("tensor_scalar: data", data)
    drop, clip, predicate, (x, a, b) = prepare(mask, data.shape, data, operand0, operand1,
                                                psum=engine != gpsimd_engine)

    def emit(dst):
        each(core.tensor_scalar, dst, x, op0, a, reverse0, op1, b, reverse1, engine)

    return result(None if drop else emit, data.shape, kind(dtype, data.dtype), None, clip, predicate,
                  same=("tensor_scalar", x, op0, a, reverse0, op1, b, reverse1, engine))


def wider(a, b):
    if a is b:
        return a
    return sorted((a, b), key=lambda d: (d.is_float, d.size))[-1]


def tensor_tensor(data1, data2, op, *, dtype=None, mask=None, engine=_UNKNOWN, **unknown):
    _ignored("tensor_tensor", unknown)
    tile_of("tensor_tensor: data1", data1)
    tile_of("tensor_tensor: data2", data2)
    shape = data1.shape if data1.size >= data2.size else data2.shape
    flush()
    apart(data1, data2)
    drop, clip, predicate, (a, b) = prepare(mask, shape, data1, data2, psum=engine != gpsimd_engine)
    cut = _cut(shape, clip)
    if not drop:
        a, b = fit(a, cut), fit(b, cut)
        if a.region == "psum" and b.region == "psum":
            b = in_sbuf(b)

    def emit(dst):
        each(core.tensor_tensor, dst, a, b, op, engine)

    return result(None if drop else emit, shape, kind(dtype, wider(data1.dtype, data2.dtype)), None, clip,
                  predicate, same=("tensor_tensor", a, b, op, engine))


def _cut(shape, clip):
    if not clip:
        return shape
    return tuple(clip[a][1] - clip[a][0] if a in clip else e for a, e in enumerate(shape))


def fit(t, shape):
    """A view in a shape it can be broadcast to along free dims."""
    if t.shape == shape or (t.shape[0] == shape[0] and t.size == _product(shape)):
        return t
    if t.shape[0] != shape[0]:
        return t   # the instruction says what is wrong
    return t.broadcast_to(shape)


def _product(shape):
    n = 1
    for extent in shape:
        n *= extent
    return n


def tensor_copy(src, *, mask=None, dtype=None, engine=_UNKNOWN, **unknown):
    if unknown:
        _ignored("tensor_copy", unknown)
    tile_of("tensor_copy: src", src)
    drop, clip, predicate, (x,) = prepare(mask, src.shape, src, psum=engine != gpsimd_engine)

    def emit(dst):
        each(core.tensor_copy, dst, x, engine)

    return result(None if drop else emit, src.shape, kind(dtype, src.dtype), None, clip, predicate,
                  same=("tensor_copy", x, engine))


def memset(shape, value, dtype, *, mask=None, engine=_UNKNOWN, **unknown):
    _ignored("memset", unknown)
    shape = tuple(int(e) for e in shape)
    drop, clip, predicate, _ = prepare(mask, shape)

    def emit(dst):
        core.memset(dst, value, engine)

    return result(None if drop else emit, shape, dtypes.of(dtype), None, clip, predicate)


def nc_matmul(stationary, moving, *, is_stationary_onezero=False, is_moving_onezero=False,
              is_transpose=False, tile_position=(), tile_size=(), mask=None,
              perf_mode=matmul_perf_mode.none, dtype=None, **unknown):
    if unknown:
        _ignored("nc_matmul", unknown)
    if stationary.__class__ is not Tile or moving.__class__ is not Tile:
        tile_of("nc_matmul: stationary", stationary)
        tile_of("nc_matmul: moving", moving)
    free = 1
    if perf_mode is not matmul_perf_mode.none and \
            str(getattr(perf_mode, "name", perf_mode)).startswith("double_row"):
        free = 2
    shape = (_product(stationary.shape[free:]),) + moving.shape[free:]
    clip = predicate = None
    flush()
    drop = False
    a = b = None
    if mask is not None:
        drop, clip, predicate = masked(mask, shape)
    if not drop:
        a = stationary.reading({1: clip[0]} if clip and 0 in clip else None)
        b = moving.reading({1: clip[1]} if clip and 1 in clip else None)
        if a.region == "psum" or b.region == "psum":
            a, b = in_sbuf(a), in_sbuf(b)

    def emit(dst, accumulate):
        core.nc_matmul(dst, a, b, is_stationary_onezero, is_moving_onezero, is_transpose, accumulate,
                       tile_position, tile_size, perf_mode)

    default = stationary.dtype if is_transpose else F32
    return result(None if drop else emit, shape, kind(dtype, default), "psum", clip, predicate, "matmul")


def nc_transpose(data, *, mask=None, dtype=None, engine=_UNKNOWN, **unknown):
    if unknown:
        _ignored("nc_transpose", unknown)
    tile_of("nc_transpose: data", data)
    drop, clip, predicate, (x,) = prepare(mask, data.shape, data)
    on_vector = engine == vector_engine and max(data.shape[0], _product(data.shape[1:])) <= VECTOR_SIDE  # else a wish
    if not drop and not on_vector:
        x = in_sbuf(x)
    if clip:
        clip = {1 - a: r for a, r in clip.items()}

    def emit(dst):
        core.nc_transpose(dst, x, engine if on_vector or engine != vector_engine else _UNKNOWN)

    return result(None if drop else emit, (_product(data.shape[1:]), data.shape[0]), kind(dtype, data.dtype),
                  None if on_vector else "psum", clip, predicate.T if predicate is not None else None,
                  same=("nc_transpose", x, engine))


def reduced_view(t, axes):
    """The view with the reduced dims last, and how many dims stay."""
    order = [d for d in range(len(t.shape)) if d not in axes] + list(axes)
    if order == list(range(len(t.shape))):
        return t
    return t.permute(order)


def axes_of(what, shape, axis):
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    axes = sorted(int(a) + len(shape) if a < 0 else int(a) for a in axes)
    if not axes or axes[0] < 1 or axes[-1] >= len(shape):
        errors.fail(f"{what}: axis {axis} of a tile of shape {shape} must be free dims")
    return axes


def tensor_reduce(op, data, axis, *, mask=None, dtype=None, negate=False, keepdims=False, **unknown):
    if unknown:
        _ignored("tensor_reduce", unknown)
    tile_of("tensor_reduce: data", data)
    axes = axes_of("tensor_reduce", data.shape, axis)
    drop, clip, predicate, (x,) = prepare(mask, data.shape, data, psum=True)
    if predicate is not None:
        errors.fail("tensor_reduce: a mask must cut whole ranges of axes")
    if keepdims or len(data.shape) - len(axes) < 2:
        shape = tuple(1 if a in axes else e for a, e in enumerate(data.shape))
        if not keepdims:
            shape = (data.shape[0], 1)
        left = {a: r for a, r in clip.items() if a not in axes} if clip else None
    else:
        kept = [a for a in range(len(data.shape)) if a not in axes]
        shape = tuple(data.shape[a] for a in kept)
        left = {kept.index(a): r for a, r in clip.items() if a in kept} if clip else None

    def emit(dst):
        view = reduced_view(x, axes)
        core.tensor_reduce(dst, op, view, list(range(len(view.shape) - len(axes), len(view.shape))), negate)

    return result(None if drop else emit, shape, kind(dtype, data.dtype), None, left or None,
                  same=("tensor_reduce", op, x, tuple(axes), negate) if not clip else None)


def tensor_scalar_reduce(*, data, op0, operand0, reduce_op, reduce_res, reverse0=False, dtype=None,
                         mask=None, **unknown):
    if unknown:
        _ignored("tensor_scalar_reduce", unknown)
    tile_of("tensor_scalar_reduce: data", data)
    drop, clip, predicate, (x, a, total) = prepare(mask, data.shape, data, operand0, reduce_res)

    def emit(dst):
        core.tensor_scalar_reduce(dst, x, op0, a, reduce_op, total, reverse0)

    _written(reduce_res)
    return result(None if drop else emit, data.shape, kind(dtype, data.dtype), None, clip, predicate)


def scalar_tensor_tensor(*, data, op0, operand0, op1, operand1, reverse0=False, reverse1=False, dtype=None,
                         mask=None, **unknown):
    _ignored("scalar_tensor_tensor", unknown)
    tile_of("scalar_tensor_tensor: data", data)
    flush()
    apart(data, operand1)
    drop, clip, predicate, (x, a, b) = prepare(mask, data.shape, data, operand0, operand1, psum=True)
    if not drop and x.region == "psum" and b.region == "psum":
        b = in_sbuf(b)

    def emit(dst):
        core.scalar_tensor_tensor(dst, x, op0, a, op1, b, reverse0, reverse1)

    return result(None if drop else emit, data.shape, kind(dtype, wider(data.dtype, operand1.dtype)), None,
                  clip, predicate)


def tensor_tensor_scan(data0, data1, initial, op0, op1, reverse0=False, reverse1=False, *, dtype=None,
                       mask=None, **unknown):
    _ignored("tensor_tensor_scan", unknown)
    flush()
    apart(data0, data1)
    drop, clip, predicate, (a, b, start) = prepare(mask, data0.shape, data0, data1, initial, psum=True)

    def emit(dst):
        core.tensor_tensor_scan(dst, a, b, start, op0, op1, reverse0, reverse1)

    return result(None if drop else emit, data0.shape, kind(dtype, wider(data0.dtype, data1.dtype)), None,
                  clip, predicate)


def reciprocal(data, *, dtype=None, mask=None, **unknown):
    _ignored("reciprocal", unknown)
    tile_of("reciprocal: data", data)
    drop, clip, predicate, (x,) = prepare(mask, data.shape, data)

    def emit(dst):
        core.reciprocal(dst, x) if x.n < WIDE else core.activation(dst, "reciprocal", x)

    return result(None if drop else emit, data.shape, kind(dtype, data.dtype), None, clip, predicate,
                  same=("reciprocal", x))


def bn_stats(data, *, mask=None, dtype=None, **unknown):
    _ignored("bn_stats", unknown)
    return _statistics("bn_stats", data, mask, dtype, 6)


def bn_aggr(data, *, mask=None, dtype=None, **unknown):
    _ignored("bn_aggr", unknown)
    return _statistics("bn_aggr", data, mask, dtype, 2)


def _statistics(name, data, mask, dtype, width):
    tile_of(f"{name}: data", data)
    drop, clip, predicate, (x,) = prepare(mask, data.shape, data)
    if predicate is not None:
        errors.fail(f"{name}: a mask must cut whole ranges of axes")

    def emit(dst):
        getattr(core, name)(dst, x)

    return result(None if drop else emit, (data.shape[0], width), kind(dtype, data.dtype), "sbuf",
                  {0: clip[0]} if clip and 0 in clip else None)


def tensor_partition_reduce(op, data, *, mask=None, dtype=None, **unknown):
    _ignored("tensor_partition_reduce", unknown)
    drop, clip, predicate, (x,) = prepare(mask, data.shape, data)
    if not drop:
        x = in_sbuf(x)

    def emit(dst):
        core.tensor_partition_reduce(dst, op, x)

    return result(None if drop else emit, (1,) + data.shape[1:], kind(dtype, data.dtype), "sbuf",
                  {a: r for a, r in clip.items() if a} if clip else None)


def _pattern(expression, shape):
    """(pattern, offset, channel multiplier) of an index expression over a tile."""
    expression = ix._fitted(expression, len(shape))
    pattern = [[c, e] for c, e in zip(expression.coef[1:], shape[1:])]
    return pattern, expression.const, expression.coef[0]


def iota(expr, dtype, *, mask=None, **unknown):
    _ignored("iota", unknown)
    if not isinstance(expr, ix.Affine):
        errors.fail(f"iota: {expr!r} is no index expression")
    shape = expr.shape if len(expr.shape) > 1 else expr.shape + (1,)
    expr = expr if len(expr.shape) > 1 else expr[:, None]
    drop, clip, predicate, _ = prepare(mask, shape)
    if clip:
        errors.fail("iota: masks are not implemented")
    pattern, offset, channel = _pattern(expr, shape)

    def emit(dst):
        core.iota(dst, pattern, offset, channel)

    return result(None if drop else emit, shape, dtypes.of(dtype), "sbuf", clip, predicate)


def affine_select(pred, on_true_tile, on_false_value, *, mask=None, dtype=None, **unknown):
    _ignored("affine_select", unknown)
    tile = tile_of("affine_select: on_true_tile", on_true_tile)
    if isinstance(pred, (bool, np.bool_)):
        flush()
        return tensor_copy(tile, mask=mask, dtype=dtype) if pred else \
            memset(tile.shape, on_false_value, kind(dtype, tile.dtype), mask=mask)
    if not isinstance(pred, ix.Mask) or len(pred.conditions) != 1:
        errors.fail("affine_select: pred must be one comparison of index expressions")
    expression, op = pred.conditions[0]
    drop, clip, predicate, (x,) = prepare(mask, tile.shape, tile)
    if clip:
        expression = ix._fitted(expression, len(tile.shape))
        for axis, (low, _) in clip.items():
            expression = expression + low * expression.coef[axis]
    pattern, offset, channel = _pattern(expression, _cut(tile.shape, clip))
    if not drop:
        x = in_sbuf(x)

    def emit(dst):
        core.affine_select(dst, pattern, channel, x, on_false_value, op, offset)

    return result(None if drop else emit, tile.shape, kind(dtype, tile.dtype), "sbuf", clip, predicate)


def range_select(*, on_true_tile, comp_op0, comp_op1, bound0, bound1, reduce_cmd=reduce_cmd.idle,
                 reduce_res=None, reduce_op=None, range_start=0, on_false_value=fp32.min, mask=None,
                 dtype=None, **unknown):
    _ignored("range_select", unknown)
    data = tile_of("range_select: on_true_tile", on_true_tile)
    drop, clip, predicate, (x, a, b, total) = prepare(mask, data.shape, data, bound0, bound1, reduce_res)

    def emit(dst):
        core.range_select(dst, x, comp_op0, comp_op1, a, b, reduce_cmd, total, reduce_op, range_start,
                          on_false_value)

    return result(None if drop else emit, data.shape, kind(dtype, data.dtype), None, clip, predicate)


def max8(*, src, mask=None, dtype=None, **unknown):
    _ignored("max8", unknown)
    drop, clip, _, (x,) = prepare(mask, src.shape, src)
    return result(None if drop else lambda dst: core.max8(dst, x), (src.shape[0], 8),
                  kind(dtype, src.dtype), None, {0: clip[0]} if clip and 0 in clip else None)


def nc_find_index8(*, data, vals, mask=None, dtype=None, **unknown):
    _ignored("nc_find_index8", unknown)
    drop, clip, _, (x, v) = prepare(mask, data.shape, data, vals)
    return result(None if drop else lambda dst: core.nc_find_index8(dst, x, v), (data.shape[0], 8),
                  kind(dtype, dtypes.TABLE["uint32"]), None, {0: clip[0]} if clip and 0 in clip else None)


def nc_match_replace8(*, data, vals, imm, dst_idx=None, mask=None, dtype=None, **unknown):
    _ignored("nc_match_replace8", unknown)
    drop, clip, predicate, (x, v, i) = prepare(mask, data.shape, data, vals, dst_idx)
    return result(None if drop else lambda dst: core.nc_match_replace8(dst, x, v, imm, i), data.shape,
                  kind(dtype, data.dtype), None, clip, predicate)


def local_gather(src_buffer, index, num_elem_per_idx=1, num_valid_indices=None, *, mask=None, **unknown):
    _ignored("local_gather", unknown)
    number = int(num_valid_indices or _product(index.shape[1:]) * 16)
    width = int(num_elem_per_idx)
    drop, _, _, (x, i) = prepare(mask, src_buffer.shape, src_buffer, index)
    return result(None if drop else lambda dst: core.local_gather(dst, x, i, width, number),
                  (src_buffer.shape[0], number * width), src_buffer.dtype, "sbuf")


def dropout(data, prob, *, mask=None, dtype=None, **unknown):
    _ignored("dropout", unknown)
    drop, clip, predicate, (x, p) = prepare(mask, data.shape, data, prob)
    return result(None if drop else lambda dst: core.dropout(dst, x, p), data.shape,
                  kind(dtype, data.dtype), None, clip, predicate)


def dma_transpose(src, *, axes=None, mask=None, dtype=None, **unknown):
    _ignored("dma_transpose", unknown)
    drop, clip, _, (x,) = prepare(mask, src.shape, src)
    if clip:
        errors.fail("dma_transpose: masks are not implemented")
    shape = tuple(src.shape[a] for a in (axes or tuple(reversed(range(len(src.shape))))))
    if not drop:
        x = in_sbuf(x)
    return result(None if drop else lambda dst: core.dma_transpose(dst, x, axes), shape,
                  kind(dtype, src.dtype), "sbuf")


def _into(dst, mask, *operands):
    """Operands of an instruction whose destination is given."""
    dst.own()
    drop, _, predicate, views = prepare(mask, dst.shape, dst, *operands)
    if predicate is not None:
        errors.fail("the mask of this instruction must cut whole ranges of axes")
    return drop, views


def dma_copy(*, dst, src, mask=None, dst_rmw_op=None, oob_mode=oob_mode.error, dge_mode=dge_mode.unknown,
             **unknown):
    _ignored("dma_copy", unknown)
    drop, _, predicate, (d, s) = prepare(mask, dst.shape, dst, src)
    if not drop:
        with only_where(d, predicate):
            core.dma_copy(d, in_sbuf(s), oob_mode=oob_mode, dge_mode=dge_mode, dst_rmw_op=dst_rmw_op)


def nc_stream_shuffle(src, dst, shuffle_mask, *, dtype=None, mask=None, **unknown):
    _ignored("nc_stream_shuffle", unknown)
    drop, (d, s) = _into(dst, mask, src)
    if not drop:
        core.nc_stream_shuffle(d, s, shuffle_mask)
    return dst


def tensor_copy_predicated(*, src, dst, predicate, reverse_pred=False, mask=None, dtype=None, **unknown):
    _ignored("tensor_copy_predicated", unknown)
    drop, (d, s, p) = _into(dst, mask, src, predicate)
    if not drop:
        core.tensor_copy_predicated(d, s, p, reverse_pred)


def select_reduce(*, dst, predicate, on_true, on_false, reduce_res=None, reduce_cmd=reduce_cmd.idle,
                  reduce_op=None, reverse_pred=False, mask=None, dtype=None, **unknown):
    _ignored("select_reduce", unknown)
    drop, (d, p, a, b, total) = _into(dst, mask, predicate, on_true, on_false, reduce_res)
    if not drop:
        core.select_reduce(d, p, a, b, total, reduce_cmd, reduce_op, reverse_pred)


def sequence_bounds(*, segment_ids, dtype=None, **unknown):
    _ignored("sequence_bounds", unknown)
    _, _, _, (x,) = prepare(None, segment_ids.shape, segment_ids)
    return result(lambda dst: core.sequence_bounds(dst, x), (1, 2, _product(segment_ids.shape)),
                  kind(dtype, segment_ids.dtype), "sbuf")


UNIMPLEMENTED = ("builtin_custom_op", "tensor_copy_dynamic_dst", "tensor_copy_dynamic_src")

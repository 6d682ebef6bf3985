"""Reductions and statistics: tensor_reduce, tensor_partition_reduce, bn_stats, bn_aggr."""
import numpy as np

from .. import alu as math
from .. import errors, machine, numeric
from ..tensor import coalesce, count
from .common import alu, on_chip, sbuf_only, shape_text


def tensor_reduce(dst, op, data, axis=None, negate=False, keepdims=False, name=None, dtype=None,
                  **unknown):
    """dst = data reduced over its last free dims."""
    if unknown:
        errors.unknown_keywords("tensor_reduce", unknown)
    m = machine.active()
    out = on_chip("tensor_reduce", "dst", dst)
    inp = on_chip("tensor_reduce", "data", data)
    op = alu(op)
    ndim = len(data.shape)
    axes = [axis] if isinstance(axis, int) else list(axis if axis is not None else range(1, ndim))
    axes = sorted(a + ndim if a < 0 else a for a in axes)
    if axes and axes[-1] == 4 and ndim < 5:  # counted as the instruction has them: [P, W, Z, Y, X]
        axes = [a - 5 + ndim for a in axes]
    if not axes or axes[0] < 1 or axes[-1] >= ndim or len(set(axes)) != len(axes):
        errors.fail(f"tensor_reduce: axis {axis} of data '{data.name}' {data.shape} must be free dims")
    if axes != list(range(ndim - len(axes), ndim)):
        # NKI 0.2 counts from the innermost dim: axis=1 of [P, A, B] leaves [P, A].
        inner = list(range(ndim - len(axes), ndim))
        if inner[0] >= 1 and dst.n * _product(data.shape[d] for d in inner) == data.n:
            axes = inner
    # The access pattern puts the reduced dims last, wherever they are.
    order = [d for d in range(1, ndim) if d not in axes]
    kept = coalesce([data.shape[d] for d in order], [data.strides[d] for d in order])
    reduced = coalesce([data.shape[d] for d in axes], [data.strides[d] for d in axes])
    kept = kept if count(kept) > 1 else ()
    if dst.shape[0] != data.shape[0] or dst.n != (count(kept) if kept else 1):
        errors.fail(f"tensor_reduce: data '{data.name}' {data.shape} over {axes} leaves "
                    f"[{data.shape[0]}, {count(kept) if kept else 1}], dst '{dst.name}' is "
                    f"{shape_text(dst)}")
    dims = kept + reduced
    if data.index is None:
        inp = (inp[0], m.pattern(data.dtype, dims)) + inp[2:]
    m.emit("tensor_reduce", "Vector", (out,), (inp,), m.attrs(
        op0=op, reduce_dims=len(reduced), negate=bool(negate)))
    if m.numeric:
        block = numeric.bits(data).transpose([0, *order, *axes]).reshape(data.shape[0], dst.n, -1)
        rows = block.shape[0] * block.shape[1]
        if op in math.BITWISE:
            function = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
                        "bitwise_xor": np.bitwise_xor}[op]
            numeric.write(dst, function.reduce(block, axis=2))
            return
        total = math.reduce_rows(op, block.astype(np.float32).reshape(rows, -1))
        numeric.write(dst, -total if negate else total)


def _product(extents):
    n = 1
    for extent in extents:
        n *= extent
    return n


def tensor_partition_reduce(dst, op, data, name=None, **unknown):
    """dst[1, N] = data[P, N] reduced over the partitions."""
    if unknown:
        errors.unknown_keywords("tensor_partition_reduce", unknown)
    m = machine.active()
    out = on_chip("tensor_partition_reduce", "dst", dst)
    inp = on_chip("tensor_partition_reduce", "data", data)
    sbuf_only("tensor_partition_reduce", dst, data)
    if dst.shape[0] != 1 or dst.n != data.n:
        errors.fail(f"tensor_partition_reduce: data is {shape_text(data)}, dst '{dst.name}' must be "
                    f"[1, {data.n}] and is {shape_text(dst)}")
    op = alu(op)
    m.emit("tensor_partition_reduce", "GpSimd", (out,), (inp,), m.attrs(op0=op))
    if m.numeric:
        if op in math.BITWISE:
            block = numeric.read_bits(data)
            numeric.write(dst, (np.bitwise_or if op == "bitwise_or" else np.bitwise_and).reduce(block))
        else:
            numeric.write(dst, math.reduce_rows(op, numeric.read(data).T))


def bn_stats(dst, data, name=None, **unknown):
    """count, mean, variance * count of the even elements, then of the odd ones."""
    if unknown:
        errors.unknown_keywords("bn_stats", unknown)
    m = machine.active()
    out = on_chip("bn_stats", "dst", dst)
    inp = on_chip("bn_stats", "data", data)
    if data.n > 512 or dst.n != 6 or dst.shape[0] != data.shape[0]:
        errors.fail(f"bn_stats: data is {shape_text(data)} with at most 512 free elements, dst must be "
                    f"[{data.shape[0]}, 6] and is {shape_text(dst)}")
    m.emit("bn_stats", "Vector", (out,), (inp,), m.attrs())
    if m.numeric:
        block = numeric.read(data).astype(np.float64)
        result = np.zeros((block.shape[0], 6))
        for start in range(2):
            part = block[:, start::2]
            if part.shape[1]:
                mean = part.mean(axis=1)
                result[:, 3 * start] = part.shape[1]
                result[:, 3 * start + 1] = mean
                result[:, 3 * start + 2] = ((part - mean[:, None]) ** 2).sum(axis=1)
        numeric.write(dst, result.astype(np.float32))


def bn_aggr(dst, data, name=None, **unknown):
    """mean and variance out of (count, mean, variance * count) triples."""
    if unknown:
        errors.unknown_keywords("bn_aggr", unknown)
    m = machine.active()
    out = on_chip("bn_aggr", "dst", dst)
    inp = on_chip("bn_aggr", "data", data)
    if data.n % 3 or dst.n != 2 or dst.shape[0] != data.shape[0]:
        errors.fail(f"bn_aggr: data is {shape_text(data)} and must hold triples, dst must be "
                    f"[{data.shape[0]}, 2] and is {shape_text(dst)}")
    m.emit("bn_aggr", "Vector", (out,), (inp,), m.attrs())
    if m.numeric:
        block = numeric.read(data).astype(np.float64).reshape(data.shape[0], -1, 3)
        counts, means, spread = block[:, :, 0], block[:, :, 1], block[:, :, 2]
        total = counts.sum(axis=1)
        mean = (counts * means).sum(axis=1) / total
        variance = (spread.sum(axis=1) + (counts * (means - mean[:, None]) ** 2).sum(axis=1)) / total
        numeric.write(dst, np.stack([mean, variance], axis=1).astype(np.float32))



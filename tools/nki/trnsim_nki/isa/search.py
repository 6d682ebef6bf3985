"""Searching along the free elements: max8, nc_find_index8, nc_match_replace8, topk and their kin."""
import numpy as np

from .. import errors, machine, numeric
from .common import on_chip, same_shape, sbuf_only, scalar, shape_text


def max8(dst, src, name=None, **unknown):
    """The 8 largest of each partition, descending."""
    if unknown:
        errors.unknown_keywords("max8", unknown)
    m = machine.active()
    out = on_chip("max8", "dst", dst)
    inp = on_chip("max8", "src", src)
    if dst.n != 8 or dst.shape[0] != src.shape[0] or not 8 <= src.n <= 16384:
        errors.fail(f"max8: src is {shape_text(src)} with 8 to 16384 elements, dst must be "
                    f"[{src.shape[0]}, 8] and is {shape_text(dst)}")
    m.emit("max8", "Vector", (out,), (inp,), m.attrs())
    if m.numeric:
        numeric.write(dst, -np.sort(-numeric.read(src), axis=1)[:, :8])


def _matches(data, values, reverse):
    """Position of each value, -1 = none; equal values name successive occurrences."""
    out = np.full(values.shape, -1, np.int64)
    order = range(7, -1, -1) if reverse else range(8)
    for p in range(values.shape[0]):
        used = {}
        for v in order:
            value = float(values[p, v])
            if value not in used:
                used[value] = iter(np.nonzero(data[p] == value)[0])
            out[p, v] = next(used[value], -1)
    return out


def _eight(opcode, data, vals):
    if vals.n != 8 or vals.shape[0] != data.shape[0]:
        errors.fail(f"{opcode}: data is {shape_text(data)}, vals must be [{data.shape[0]}, 8] and is "
                    f"{shape_text(vals)}")


def nc_find_index8(dst, data, vals, name=None, **unknown):
    """Positions of 8 values in each partition."""
    if unknown:
        errors.unknown_keywords("nc_find_index8", unknown)
    m = machine.active()
    out = on_chip("nc_find_index8", "dst", dst)
    inp = on_chip("nc_find_index8", "data", data)
    eight = on_chip("nc_find_index8", "vals", vals)
    _eight("nc_find_index8", data, vals)
    m.emit("nc_find_index8", "Vector", (out,), (inp, eight), m.attrs())
    if m.numeric:
        found = _matches(numeric.read(data), numeric.read(vals), reverse=False)
        _store_index(dst, found)


def _store_index(dst, found):
    limit = np.iinfo(dst.dtype.numpy).max if dst.dtype.numpy.kind in "iu" else 2 ** 32 - 1
    numeric.write(dst, np.where(found < 0, limit, found))


def nc_match_replace8(dst, data, vals, imm, dst_idx=None, name=None, **unknown):
    """data with the first occurrence of each of 8 values replaced."""
    if unknown:
        errors.unknown_keywords("nc_match_replace8", unknown)
    m = machine.active()
    out = on_chip("nc_match_replace8", "dst", dst)
    inp = on_chip("nc_match_replace8", "data", data)
    eight = on_chip("nc_match_replace8", "vals", vals)
    same_shape("nc_match_replace8", dst, "data", data)
    _eight("nc_match_replace8", data, vals)
    outs = (out,) if dst_idx is None else (out, on_chip("nc_match_replace8", "dst_idx", dst_idx))
    m.emit("nc_match_replace8", "Vector", outs, (inp, eight), m.attrs(
        imm0=scalar("nc_match_replace8", "imm", imm)))
    if m.numeric:
        block = numeric.read(data)
        found = _matches(block, numeric.read(vals), reverse=True)
        for p in range(block.shape[0]):
            block[p, found[p][found[p] >= 0]] = np.float32(imm)
        numeric.write(dst, block)
        if dst_idx is not None:
            _store_index(dst_idx, found)


def nonzero_with_count(dst, src, index_offset=0, padding_val=-1, name=None, **unknown):
    """Positions of non-zero elements, padding and their count, on partitions 0, 16, 32, ..."""
    if unknown:
        errors.unknown_keywords("nonzero_with_count", unknown)
    m = machine.active()
    out = on_chip("nonzero_with_count", "dst", dst)
    inp = on_chip("nonzero_with_count", "src", src)
    sbuf_only("nonzero_with_count", dst, src)
    if dst.n != src.n + 1 or dst.shape[0] != src.shape[0]:
        errors.fail(f"nonzero_with_count: src is {shape_text(src)}, dst must have one element more and is "
                    f"{shape_text(dst)}")
    m.emit("nonzero_with_count", "GpSimd", (out,), (inp,), m.attrs(
        affine_base=int(index_offset), imm0=int(padding_val)))
    if m.numeric:
        for p in range(0, src.shape[0], 16):
            row = numeric.read_bits(src[p:p + 1])
            found = np.nonzero(row[0])[0]
            result = np.full(dst.n, int(padding_val), np.int64)
            result[:len(found)] = found + int(index_offset)
            result[-1] = len(found)
            numeric.write(dst[p:p + 1], result)


def sequence_bounds(dst, segment_ids, name=None, **unknown):
    """Start and end of the run of equal ids around each element; id 0 is padding."""
    if unknown:
        errors.unknown_keywords("sequence_bounds", unknown)
    m = machine.active()
    out = on_chip("sequence_bounds", "dst", dst)
    inp = on_chip("sequence_bounds", "segment_ids", segment_ids)
    sbuf_only("sequence_bounds", dst, segment_ids)
    if segment_ids.shape[0] != 1 or dst.n != 2 * segment_ids.n:
        errors.fail(f"sequence_bounds: segment_ids is {shape_text(segment_ids)} and must be [1, n], dst "
                    f"must be [1, 2, n] and is {dst.shape}")
    m.emit("sequence_bounds", "GpSimd", (out,), (inp,), m.attrs())
    if m.numeric:
        ids = numeric.read(segment_ids)[0]
        n = len(ids)
        result = np.empty((2, n), np.int64)
        edges = np.concatenate(([0], np.nonzero(np.diff(ids))[0] + 1, [n]))
        for start, end in zip(edges[:-1], edges[1:]):
            padding = ids[start] == 0
            result[0, start:end] = n if padding else start
            result[1, start:end] = -1 if padding else end
        numeric.write(dst, result)


def topk(val_dst, idx_dst, src, n, name=None, **unknown):
    """The K largest of n elements laid along 16 partitions, ascending, and their positions."""
    if unknown:
        errors.unknown_keywords("topk", unknown)
    m = machine.active()
    outs = (on_chip("topk", "val_dst", val_dst), on_chip("topk", "idx_dst", idx_dst))
    inp = on_chip("topk", "src", src)
    sbuf_only("topk", val_dst, idx_dst, src)
    if src.shape[0] % 16 or not 8 <= n < 65536 or n > 16 * src.n or val_dst.n > n or \
            idx_dst.n != val_dst.n:
        errors.fail(f"topk: src is {shape_text(src)}, {n} elements and {val_dst.n} results do not fit it")
    m.emit("topk", "GpSimd", outs, (inp,), m.attrs(imm0=int(n)))
    if m.numeric:
        block = numeric.read(src)
        k = val_dst.n
        values = np.empty((src.shape[0], k), np.float32)
        index = np.empty((src.shape[0], k), np.int64)
        for start in range(0, src.shape[0], 16):
            snake = block[start:start + 16].T.reshape(-1)[:int(n)]
            best = np.argsort(-snake, kind="stable")[:k][::-1]
            values[start:start + 16] = snake[best]
            index[start:start + 16] = best
        numeric.write(val_dst, values)
        numeric.write(idx_dst, index)

"""Gathers on chip: local_gather, nc_n_gather."""
import numpy as np

from .. import errors, machine, numeric
from .common import on_chip, sbuf_only, shape_text


def local_gather(dst, src_buffer, index, num_elem_per_idx=1, num_valid_indices=None, name=None,
                 **unknown):
    """Each group of 16 partitions has one list of positions that all its partitions gather from."""
    if unknown:
        errors.unknown_keywords("local_gather", unknown)
    m = machine.active()
    out = on_chip("local_gather", "dst", dst)
    inp = on_chip("local_gather", "src_buffer", src_buffer)
    idx = on_chip("local_gather", "index", index)
    sbuf_only("local_gather", dst, src_buffer, index)
    if src_buffer.shape[0] != index.shape[0] or src_buffer.shape[0] % 16:
        errors.fail(f"local_gather: src_buffer is {shape_text(src_buffer)}, index {shape_text(index)}; "
                    "their partitions must be equal and a multiple of 16")
    width = int(num_elem_per_idx)
    number = int(num_valid_indices or index.n * 16)
    m.emit("local_gather", "GpSimd", (out,), (inp, idx), m.attrs(imm0=width if width != 1 else 0))
    if m.numeric:
        data, table = numeric.read_bits(src_buffer), numeric.read_bits(index).astype(np.int64)
        result = np.empty((data.shape[0], number * width), data.dtype)
        for start in range(0, data.shape[0], 16):
            rows = table[start:start + 16].T.reshape(-1)[:number]
            at = (rows[:, None] + np.arange(width)).reshape(-1)
            if at.max(initial=0) >= data.shape[1]:
                errors.fail(f"local_gather: index {at.max()} is outside the {data.shape[1]} elements")
            result[start:start + 16] = data[start:start + 16][:, at]
        numeric.write(dst, result)


def nc_n_gather(dst, data, indices, name=None, **unknown):
    """dst[p, i] = data[p, indices[p, i]]."""
    if unknown:
        errors.unknown_keywords("nc_n_gather", unknown)
    m = machine.active()
    out = on_chip("nc_n_gather", "dst", dst)
    inp = on_chip("nc_n_gather", "data", data)
    idx = on_chip("nc_n_gather", "indices", indices)
    sbuf_only("nc_n_gather", dst, data, indices)
    if dst.n != indices.n or not dst.shape[0] == data.shape[0] == indices.shape[0]:
        errors.fail(f"nc_n_gather: indices is {shape_text(indices)}, dst {shape_text(dst)}, data "
                    f"{shape_text(data)}: dst takes one element for each index")
    m.emit("nc_n_gather", "GpSimd", (out,), (inp, idx), m.attrs())
    if m.numeric:
        block, table = numeric.read_bits(data), numeric.read_bits(indices).astype(np.int64)
        if table.min() < 0 or table.max() >= block.shape[1]:
            errors.fail(f"nc_n_gather: an index is outside the {block.shape[1]} elements")
        numeric.write(dst, np.take_along_axis(block, table, axis=1))

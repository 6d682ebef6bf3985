"""Moves between memories as nl functions: load, store, copy, assignment to a view."""
from .. import dtypes, errors
from ..isa import copy as isa_copy
from ..isa import dma
from ..isa import matmul as isa_matmul
from ..tensor import Tensor
from . import create


def load(src, dtype=None, **unknown):
    """A new SBUF tile with the elements of an HBM view."""
    if unknown:
        errors.unknown_keywords("load", unknown)
    shape = src.shape if len(src.shape) > 1 else (src.shape[0], 1)
    tile = create.ndarray(shape, dtype or src.dtype)
    dma.dma_copy(tile, src)
    return tile


def load_transpose2d(src, dtype=None, **unknown):
    if unknown:
        errors.unknown_keywords("load_transpose2d", unknown)
    if len(src.shape) != 2:
        errors.fail(f"load_transpose2d: src '{src.name}' has shape {src.shape}, needs 2 dims")
    tile = create.ndarray(src.shape[::-1], dtype or src.dtype)
    dma.dma_transpose(tile, src)
    return tile


def store(dst, value=None, **unknown):
    """An SBUF tile to an HBM view; a PSUM tile passes through SBUF."""
    if unknown:
        errors.unknown_keywords("store", unknown)
    if not isinstance(value, Tensor):
        errors.fail(f"store: value must be a tile, not {value!r}")
    if value.region == "psum":
        value = copy(value, dtype=dst.dtype)
    dma.dma_copy(dst, value)


def copy(x, dtype=None, **unknown):
    """A new SBUF tile with the same elements."""
    if x.region == "hbm":
        return load(x, dtype)
    tile = create.ndarray(x.shape, dtype or x.dtype)
    isa_copy.tensor_copy(tile, x)
    return tile


def fill(tensor, value):
    """Sets all elements; HBM is filled from a constant in SBUF."""
    if tensor.region != "hbm":
        isa_copy.memset(tensor, value)
        return
    total = tensor.size
    partitions = next(p for p in range(min(128, total), 0, -1) if total % p == 0)
    width = total // partitions
    piece = next(w for w in range(min(8192, width), 0, -1) if width % w == 0)
    tile = create.ndarray((partitions, piece), tensor.dtype)
    isa_copy.memset(tile, value)
    flat = tensor.reshape((partitions, width))
    for start in range(0, width, piece):
        dma.dma_copy(flat[:, start:start + piece], tile)


def assign(view, value):
    """view[...] = value of a kernel."""
    if not isinstance(value, Tensor):
        fill(view, value)
    elif view.region == "hbm" or value.region == "hbm":
        store(view, value)
    else:
        isa_copy.tensor_copy(view, value)


def transpose(x, dtype=None):
    """Partitions and free elements exchanged, in PSUM."""
    from .. import tokens
    tile = create.ndarray((x.n, x.shape[0]), dtype or x.dtype, tokens.MemoryRegion.psum)
    isa_matmul.nc_transpose(tile, x)
    return tile


def matmul(x, y, transpose_x=False):
    """x @ y in PSUM; x is transposed first unless it already is."""
    from .. import tokens
    if not transpose_x:
        x = copy(transpose(x))
    tile = create.ndarray((x.n, y.n), dtypes.TABLE["float32"], tokens.MemoryRegion.psum)
    isa_matmul.nc_matmul(tile, x, y)
    return tile


def expand_dims(x, axis):
    axes = [axis] if isinstance(axis, int) else sorted(axis)
    for a in axes:
        x = x.expand_dim(a)
    return x


def broadcast_to(x, shape, dtype=None):
    view = x.broadcast_to(shape)
    if dtype is not None and dtypes.of(dtype) is not x.dtype:
        return copy(view, dtype)
    return view


def gather_flattened(data, indices, axis=0, dtype=None):
    from ..isa import gather
    tile = create.ndarray(indices.shape, data.dtype)
    gather.nc_n_gather(tile, data, indices)
    return tile if dtype is None else copy(tile, dtype)


def device_print(print_prefix, tensor=None, **unknown):
    """Prints in numeric mode; nothing is recorded."""
    from .. import machine, numeric
    if machine.active().numeric and isinstance(tensor, Tensor):
        print(print_prefix, numeric.raw(tensor))

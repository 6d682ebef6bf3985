"""Data of tensors in numeric mode: reads as fp32, writes with one rounding, and what was never written."""
import numpy as np

from . import dtypes

_ALL = {1: np.uint8(255), 2: np.uint16(65535), 4: np.uint32(0xFFFFFFFF), 8: np.uint64(2**64 - 1)}
_F32 = np.dtype(np.float32)


def _flat(t, data, dtype):
    """A numpy view of the elements a tensor view walks."""
    size = t.dtype.size
    return np.ndarray(t.shape, dtype, data, t.offset * size, tuple(s * size for s in t.strides))


def bits(t):
    """The elements unchanged; reports those nobody wrote."""
    t = t if t.index is None else gathered(t)
    if isinstance(t, np.ndarray):
        return t
    storage = t.storage
    if storage.written is not None:
        mask = _flat(t, storage.written, t.dtype.bits)
        full = _ALL[t.dtype.size]
        if not (mask == full).all():
            storage.machine.read_uninitialised(t, int((mask != full).sum()))
    return _flat(t, storage.data, t.dtype.numpy)


def gathered(t):
    """Elements of an indirect view."""
    index = t.index
    size = t.dtype.size
    tile = bits(index.tile).astype(np.int64)
    flat = t.storage.data.view(t.dtype.numpy)
    if index.kind == "columns":
        return flat[column_positions(t)]
    rows = tile.reshape(-1)[:t.shape[0]]
    inner = np.zeros(t.shape[1:], np.int64)
    for axis, (extent, stride) in enumerate(zip(t.shape[1:], t.strides[1:])):
        shape = [1] * len(t.shape[1:])
        shape[axis] = extent
        inner = inner + (np.arange(extent) * stride).reshape(shape)
    positions = t.offset + rows.reshape((-1,) + (1,) * inner.ndim) * index.stride + inner
    valid = (positions >= 0) & (positions < len(flat))
    valid &= (rows >= 0).reshape((-1,) + (1,) * inner.ndim)
    out = flat[np.where(valid, positions, 0)]
    del size
    return out


def positions(t):
    """Flat element numbers of an indirect view or one that leaves its tensor, and which of them exist."""
    size = t.storage.free * t.storage.partitions * t.storage.dtype.size // t.dtype.size
    if t.index is None:
        found = t.outside + sum(np.ogrid[tuple(slice(0, extent * stride, stride) if stride else slice(0, 1)
                                               for extent, stride in zip(t.shape, t.strides))])
        found = np.broadcast_to(found, t.shape)
        return found, (found >= 0) & (found < size)
    if t.index.kind == "columns":
        found = column_positions(t)
        return found, np.ones(found.shape, bool)
    index = t.index
    rows = bits(index.tile).astype(np.int64).reshape(-1)[:t.shape[0]]
    inner = np.zeros(t.shape[1:], np.int64)
    for axis, (extent, stride) in enumerate(zip(t.shape[1:], t.strides[1:])):
        shape = [1] * len(t.shape[1:])
        shape[axis] = extent
        inner = inner + (np.arange(extent) * stride).reshape(shape)
    lead = (-1,) + (1,) * inner.ndim
    found = t.offset + rows.reshape(lead) * index.stride + inner
    return found, (found >= 0) & (found < size) & ((rows >= 0) & (rows < index.extent)).reshape(lead)


def column_positions(t):
    """trn3 indirection: index i of a group of partitions is at [i % group, i // group]."""
    tile = bits(t.index.tile).astype(np.int64).reshape(t.index.tile.shape[0], -1)
    partitions, wanted = t.shape
    group = 16
    row = t.row()
    out = np.empty((partitions, wanted), np.int64)
    for start in range(0, partitions, group):
        height = min(group, partitions - start)
        snake = tile[start:start + height].T.reshape(-1)[:wanted]
        for p in range(start, start + height):
            out[p] = t.offset + p * row + snake
    return out


def read(t):
    """[partitions, elements] in fp32."""
    block = bits(t)
    if t.dtype.is_packed:
        block = block.view(t.dtype.bits)
    block = block.astype(np.float32)
    if t.dtype is dtypes.TABLE["tfloat32"]:
        block = round_tf32(block)
    return block.reshape(block.shape[0], -1) if block.ndim else block.reshape(1, 1)


def read_bits(t):
    block = bits(t)
    return block.reshape(block.shape[0], -1)


def round_tf32(block):
    raw = block.view(np.uint32)
    rounded = (raw + np.uint32(0xFFF) + ((raw >> np.uint32(13)) & np.uint32(1))) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(block), rounded.view(np.float32), block)


def convert(values, dtype):
    """Values in an element type: floats to nearest even, integers to nearest and saturating."""
    target = dtype.numpy
    if values.dtype == target:
        return values
    if dtype.is_packed or dtype.name == "float8_e8m0fnu":
        return values.astype(target)
    if dtype.is_float:
        with np.errstate(over="ignore", invalid="ignore"):
            if values.dtype.kind in "iub":
                return values.astype(np.float64).astype(np.float32).astype(target)
            return values.astype(target)
    if target.kind == "b":
        return values != 0
    if values.dtype.kind in "iub":
        limits = np.iinfo(target)
        return np.clip(values.astype(np.int64), limits.min, limits.max).astype(target)
    limits = np.iinfo(target)
    with np.errstate(invalid="ignore"):
        wide = np.rint(values.astype(np.float64))
        wide = np.where(np.isnan(wide), 0, np.clip(wide, limits.min, limits.max))
        return wide.astype(target)


def write(t, values):
    """Stores values of any shape with the right number of elements, converting to the view's type."""
    values = convert(np.asarray(values), t.dtype)
    store(t, values)


def store(t, values):
    """Stores elements that already have the view's type."""
    if t.index is not None or t.outside is not None:
        found, valid = positions(t)
        values = np.broadcast_to(np.asarray(values).reshape(found.shape), found.shape)
        t.storage.data.view(t.dtype.numpy)[found[valid]] = values[valid]
        t.storage.written.view(t.dtype.bits)[found[valid]] = _ALL[t.dtype.size]
        return
    values = np.asarray(values)
    _flat(t, t.storage.data, t.dtype.numpy)[...] = \
        values.reshape(t.shape) if values.ndim else values
    _flat(t, t.storage.written, t.dtype.bits)[...] = _ALL[t.dtype.size]


def column(value, rows):
    """A scalar operand or [P, 1] tile as an fp32 column."""
    if hasattr(value, "storage"):
        block = read(value)
        return block.reshape(block.shape[0], -1)[:, :1]
    return np.float32(value)


def raw(t):
    """All of a view as a numpy array that owns its data."""
    return np.array(bits(t))

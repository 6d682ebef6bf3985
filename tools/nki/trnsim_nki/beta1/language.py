"""nki.language of beta 1: tensors with block dims, functions that return tiles, loops."""
import builtins
import sys

import numpy as np

from .. import dtypes, errors, machine, tokens
from .. import isa as core
from .. import language as nl
from ..errors import PACKAGE
from ..language import memory
from ..storage import Storage
from ..tensor import Tensor, row_major
from ..tokens import MemoryRegion
from . import broadcast, isa, live
from .elementwise import FUNCTIONS
from .index import Affine, LoopIndex, Mask, ParDim, arange, mgrid  # noqa: F401
from .isa import kind, prepare, tile_of
from .pending import Block, Blocks, F32, Loop, flush, only_where, state
from .stores import assign, fill, result, zero
from .tile import Tile, of_blocks

sbuf, psum, hbm = MemoryRegion.sbuf, MemoryRegion.psum, MemoryRegion.hbm
private_hbm, shared_hbm = MemoryRegion.private_hbm, MemoryRegion.shared_hbm
fp32 = isa.fp32


def par_dim(extent):
    return ParDim(extent)


def ds(start, size):
    if isinstance(start, Affine):
        start = start.const
    start = int(start)
    return slice(start, start + int(size))


# --- tensors ------------------------------------------------------------------------------------

class Allocator:
    """Places of the blocks of a tile: sbuf.alloc, psum.mod_alloc and so on."""

    def __init__(self, region, place):
        self.region = region
        self.place = place
        self.name = region

    def address(self, index, partitions, width):
        found = self.place(index, partitions, width)
        if self.region == "psum":
            bank, partition, byte = found
            return int(partition), int(bank) * machine.BANK_BYTES + int(byte)
        partition, byte = found
        return int(partition), int(byte)


def _modulo(index, numbers):
    """(linear number of a physical tile, how many there are)."""
    numbers = tuple(numbers) or (1,) * len(index)
    if len(index) != len(numbers) and index:
        errors.fail(f"an allocation has numbers of tiles {numbers}, the tensor {len(index)} block dims")
    linear = 0
    for i, n in zip(index, numbers):
        linear = linear * n + i % n
    return linear


def sbuf_mod_alloc(*, base_addr, base_partition=0, num_par_tiles=(), num_free_tiles=()):
    def place(index, partitions, width):
        return (base_partition + _modulo(index, num_par_tiles) * partitions,
                base_addr + _modulo(index, num_free_tiles) * width)
    return Allocator("sbuf", place)


def psum_mod_alloc(*, base_bank, base_addr=0, base_partition=0, num_bank_tiles=(), num_par_tiles=(),
                   num_free_tiles=()):
    def place(index, partitions, width):
        return (base_bank + _modulo(index, num_bank_tiles),
                base_partition + _modulo(index, num_par_tiles) * partitions,
                base_addr + _modulo(index, num_free_tiles) * width)
    return Allocator("psum", place)


def sbuf_alloc(func):
    return Allocator("sbuf", _by_name(func))


def psum_alloc(func):
    return Allocator("psum", _by_name(func))


def _by_name(func):
    return lambda index, partitions, width: func(idx=index, pdim_size=partitions, fdim_size=width)


def _once(allocator):
    """Beta 1 traced the body of a loop once: a place in it has the address of the first iteration,
    whatever the kernel computes in later ones. Static loops are unrolled."""
    if all(loop.static for loop in state.loops):
        return allocator
    frame = sys._getframe(2)
    lines = []
    while frame is not None and not frame.f_code.co_filename.endswith("beta1/launch.py"):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            lines.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    key = (tuple(lines), tuple(loop.value for loop in state.loops if loop.static))
    return state.pinned.setdefault(key, allocator)


def ndarray(shape, dtype=F32, *, buffer=None, name="", **unknown):
    for ignored in ("lazy_initialization",):
        unknown.pop(ignored, None)
    if unknown:
        errors.unknown_keywords("ndarray", unknown)
    m = machine.active()
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    dims = next((d for d, e in enumerate(shape) if e.__class__ is ParDim), 0)
    shape = tuple([int(e) for e in shape])
    dtype = dtypes.of(dtype)
    allocator = None
    if buffer is None:
        buffer = MemoryRegion.sbuf
    elif buffer.__class__ is Allocator:
        allocator = _once(buffer)
        buffer = MemoryRegion[buffer.region]
    region = tokens.region_of(buffer)
    if region is None:
        errors.fail(f"buffer {buffer!r} is no memory of this hardware")
    label = name or f"{region}_{'x'.join(map(str, shape))}"
    if region == "hbm":
        return Tile(_hbm(m, shape, dtype, buffer, label))
    if dims or allocator is not None:
        frame = errors.kernel_frame()
        blocks = Blocks(shape, dims, dtype, buffer, region, allocator,
                        f"{frame.f_code.co_filename}:{frame.f_lineno}", label)
        if not dims:
            return blocks.tile(())
        return of_blocks(blocks)
    storage = Storage(m, m.unique_name(label), region, buffer, dtype, shape)
    block = Block(storage)
    live.track(block)
    return Tile(Tensor(storage, dtype, shape, row_major(shape)), block)


def _hbm(m, shape, dtype, buffer, label):
    shared = buffer == MemoryRegion.shared_hbm
    if shared:
        at = state.shared_count
        state.shared_count += 1
        if at < len(state.shared) and state.shared[at].shape == shape and state.shared[at].dtype is dtype:
            return state.shared[at]
    storage = Storage(m, m.unique_name(label), "hbm", buffer, dtype, shape,
                      role="output" if shared else "temporary")
    t = Tensor(storage, dtype, shape, row_major(shape))
    if shared:
        state.shared.append(t)
    return t


def full(shape, fill_value, dtype=F32, *, buffer=None, name="", **unknown):
    flush()
    tile = ndarray(shape, dtype, buffer=buffer, name=name, **unknown)
    if tile.region == "psum" and fill_value == 0:
        if tile.blocks is None:
            zero(tile.block)
        else:
            for index in tile.blocks.indices():
                zero(tile.blocks.block(tuple(index)))
    else:
        assign(tile, fill_value)
    return tile


def zeros(shape, dtype=F32, *, buffer=None, name="", **unknown):
    return full(shape, 0, dtype, buffer=buffer, name=name, **unknown)


def ones(shape, dtype=F32, *, buffer=None, name="", **unknown):
    return full(shape, 1, dtype, buffer=buffer, name=name, **unknown)


def _like(a):
    if a.blocks is None:
        return a.shape
    d = a.blocks.dims
    return a.shape[:d] + (ParDim(a.shape[d]),) + a.shape[d + 1:]


def empty_like(a, dtype=None, *, buffer=None, name="", **unknown):
    return ndarray(_like(a), kind(dtype, a.dtype), buffer=buffer or a.buffer, name=name, **unknown)


def zeros_like(a, dtype=None, *, buffer=None, name="", **unknown):
    return zeros(_like(a), kind(dtype, a.dtype), buffer=buffer or a.buffer, name=name, **unknown)


def rand(shape, dtype=F32, **unknown):
    flush()
    return Tile(nl.rand(tuple(int(e) for e in shape), dtypes.of(dtype)))


def random_seed(seed, *, mask=None, **unknown):
    drop, _, _, (s,) = prepare(mask if not isinstance(mask, Mask) else None, (1, 1), seed)
    if drop:
        return
    if not isinstance(s, Tensor):
        value, s = s, isa.new(machine.active(), (1, 1), dtypes.TABLE["int32"])
        core.memset(s, int(value))
    core.set_rng_seed(s)


def shared_constant(constant, dtype=None, **unknown):
    return Tile(nl.shared_constant(constant, dtype))


def shared_identity_matrix(n, dtype=np.uint8, **unknown):
    flush()
    return Tile(nl.shared_identity_matrix(n, dtypes.of(dtype)))


# --- moves --------------------------------------------------------------------------------------

def load(src, *, mask=None, dtype=None, **unknown):
    tile_of("load: src", src)
    shape = src.shape if len(src.shape) > 1 else (src.shape[0] if src.shape else 1, 1)
    if len(src.shape) != len(shape):
        src = src.reshape(shape)
    drop, clip, predicate, (x,) = prepare(mask, shape, src)

    def emit(dst):
        isa.each(core.dma_copy, dst, x)

    return result(None if drop else emit, shape, kind(dtype, src.dtype), "sbuf", clip, predicate, same=("load", x))


def load_transpose2d(src, *, mask=None, dtype=None, **unknown):
    tile_of("load_transpose2d: src", src)
    if len(src.shape) != 2:
        errors.fail(f"load_transpose2d: src has shape {src.shape}, needs 2 dims")
    drop, clip, predicate, (x,) = prepare(mask, src.shape, src)

    def emit(dst):
        core.dma_transpose(dst, x)

    return result(None if drop else emit, src.shape[::-1], kind(dtype, src.dtype), "sbuf",
                  {1 - a: r for a, r in clip.items()} if clip else None, predicate)


def store(dst, value, *, mask=None, **unknown):
    tile_of("store: dst", dst)
    if value.__class__ is not Tile:
        flush()
        if mask is not None:
            errors.fail("store: a constant cannot be masked")
        fill(dst, value)
        return
    flush()
    if value.blocks is not None and value.t is None:
        value.real()
    if len(dst.shape) != len(value.shape):
        both = [t for t in (dst, value)]
        if mask is not None and not isinstance(mask, Mask):
            if not mask:
                return
            mask = None
        if mask is None:
            memory.store(both[0].access(), _sized(both[1].reading(), dst.shape))
            return
    drop, clip, predicate, (d, v) = prepare(mask, dst.shape, dst, value)
    if drop:
        return
    with only_where(d, predicate):
        isa.each(memory.store, d, _sized(v, d.shape))


def _sized(v, shape):
    n = 1
    for extent in shape:
        n *= extent
    return v if v.size == n else v.broadcast_to(shape)


def copy(src, *, mask=None, dtype=None, **unknown):
    """On any engine that copies: in the profiles the compiler spreads copies over Vector and Scalar."""
    tile_of("copy: src", src)
    if src.region == "hbm":
        return load(src, mask=mask, dtype=dtype)
    return isa.tensor_copy(src, mask=mask, dtype=dtype)


FUNCTIONS["copy"] = copy


def broadcast_to(src, shape, **unknown):
    """Free dims by an access pattern, partitions by products with ones."""
    flush()
    t = src.reading(psum=True)
    shape = tuple(int(e) for e in shape)
    if t.region == "hbm" or t.shape[0] == shape[0] or len(shape) > len(t.shape):
        return Tile(t.broadcast_to(shape), src.block)
    if t.shape[0] != 1:
        errors.fail(f"broadcast_to: a tile of {t.shape} cannot be broadcast to {shape}")
    t, block = broadcast.partitions(t, shape[0])
    return Tile(t if t.shape == shape else t.broadcast_to(shape), block)


def expand_dims(data, axis):
    flush()
    t = data.real()
    for a in sorted([axis] if isinstance(axis, int) else axis):
        t = t.expand_dim(a)
    return Tile(t, data.block)


def static_cast(input_data, dtype):
    """A tile of another type; host code converts its arrays by it too."""
    if isinstance(input_data, np.ndarray):
        return input_data.astype(dtypes.of(dtype).numpy)
    return copy(input_data, dtype=dtype)


def transpose(x, *, dtype=None, mask=None, **unknown):
    """Partitions and free elements exchanged; the result is in SBUF."""
    moved = isa.nc_transpose(x, mask=mask)
    return isa.tensor_copy(moved, dtype=dtype) if mask is None else moved


def matmul(x, y, *, transpose_x=False, mask=None, **unknown):
    """x @ y; x is transposed first unless it already is."""
    if not transpose_x:
        x = isa.tensor_copy(isa.nc_transpose(x))
    return isa.nc_matmul(x, y, mask=mask)


def loop_reduce(x, op, loop_indices, *, dtype=None, mask=None, **unknown):
    """The first iteration writes, later ones combine."""
    tile_of("loop_reduce: x", x)
    drop, clip, predicate, _ = prepare(mask, x.shape)
    if clip or predicate is not None:
        errors.fail("loop_reduce: a mask must be the same for the whole tile")
    first = all(not i for i in loop_indices) if not any(
        isinstance(i, LoopIndex) for i in loop_indices) else all(
        getattr(i, "first", not i) for i in loop_indices)

    def emit(view):
        source = x.reading()
        dst = view.access()
        if first:
            core.tensor_copy(dst, source)
        else:
            core.tensor_tensor(dst, dst, source, op)

    return result(None if drop else emit, x.shape, kind(dtype, x.dtype), None, kind="loop_reduce")


def gather_flattened(data, indices, *, mask=None, dtype=None, **unknown):
    drop, _, _, (d, i) = prepare(mask, data.shape, data, indices)
    return result(None if drop else lambda dst: core.nc_n_gather(dst, d, i), indices.shape,
                  kind(dtype, data.dtype), "sbuf")


def device_print(prefix, x=None, *, mask=None, **unknown):
    flush()
    nl.device_print(prefix, x.reading() if x.__class__ is Tile else x)


# --- arithmetic ---------------------------------------------------------------------------------


class finfo:
    """Limits of an element type."""

    def __init__(self, dtype):
        import ml_dtypes
        self.dtype = dtypes.of(dtype)
        limits = ml_dtypes.finfo(self.dtype.numpy)
        self.min, self.max = float(limits.min), float(limits.max)
        self.eps, self.tiny = float(limits.eps), float(limits.tiny)
        self.bits = 8 * self.dtype.size


# --- loops and programs -------------------------------------------------------------------------

def _loop(static, affine=False):
    def loop(*bounds, **directives):
        numbers = builtins.range(*[int(b) for b in bounds])
        ordered = isinstance(directives.get("directives"), nl.no_reorder)
        if ordered:
            flush()
            directives["directives"].__enter__()
        entry = Loop(static, affine and not state.as_written)
        state.loops.append(entry)
        sink = state.sink if len(numbers) > 1 else None
        if sink is not None:
            sink.begin(affine and not ordered)
        try:
            first = True
            for i in numbers:
                entry.begin(i)
                if sink is not None:
                    sink.step()
                number = LoopIndex(i)
                if first:
                    number.first, first = True, False
                yield number
        finally:
            at = next((at for at, other in enumerate(state.loops) if other is entry), None)
            if at is not None:
                del state.loops[at:]
        if sink is not None:
            sink.end()
        if ordered:
            flush()
            directives["directives"].__exit__(None)
    return loop


affine_range = _loop(False, affine=True)
sequential_range = _loop(False)
static_range = _loop(True)
affine_range.__name__ = "affine_range"
sequential_range.__name__ = "sequential_range"
static_range.__name__ = "static_range"


class Cores:
    """nl.nc(n): n physical cores."""

    def __init__(self, number):
        self.number = int(number)


def nc(number):
    return Cores(number)


class Spread:
    """nl.spmd_dim(extent, nl.nc(n)): a grid dim whose programs alternate between cores."""

    def __init__(self, extent, cores):
        self.extent = int(extent)
        self.cores = cores.number


def spmd_dim(extent, cores):
    return Spread(extent, cores)


def program_id(axis=0):
    m = machine.current
    return m.program_id[axis] if m is not None and axis < len(m.program_id) else 0


def num_programs(axes=None):
    return nl.num_programs(axes)


program_ndim = nl.program_ndim
tile_size = nl.tile_size
UNIMPLEMENTED = ("all_reduce", "atomic_rmw", "gemm_grid", "gemm_stationary_grid", "bfp16")

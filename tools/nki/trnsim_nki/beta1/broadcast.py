"""One partition broadcast to many, in NKI beta 1: products with ones, read in PSUM where they fit.

The compiler leaves the product where the Tensor engine put it when the engines that use it can read PSUM, so it
costs no copy. It moves to SBUF, once, when an instruction cannot read it there, when it is written to, or when
something else needs the bank.
"""
import builtins
import weakref

from .. import isa as core
from .. import machine
from ..storage import Storage
from ..tensor import Tensor, row_major
from ..tokens import MemoryRegion
from . import isa_common
from .pending import Block, state

_COLUMNS = 512  # what one product writes


class Broadcast(Block):
    """`mode` is "broadcast" in PSUM, "moved" once `copy` in SBUF holds it."""

    __slots__ = ("copy",)

    def __init__(self, storage):
        super().__init__(storage, "broadcast")
        self.copy = None
        state.broadcasts.append(weakref.ref(self))

    def move(self):
        s = self.storage
        shape = (s.partitions, s.free)
        tile = isa_common.new(machine.active(), shape, s.dtype)
        core.tensor_copy(tile, Tensor(s, s.dtype, shape, (s.free, 1)))
        self.copy = tile.storage
        self.mode = "moved"


def _banks(storage):
    return -(-storage.bytes_per_partition // machine.BANK_BYTES)


def _used():
    """Banks of the PSUM tiles that the kernel can still name."""
    state.psum = [ref for ref in state.psum if ref() is not None]
    storages = {b.storage.id: b.storage for b in (ref() for ref in state.psum)
                if b is not None and b.mode != "moved"}
    return sum(_banks(s) for s in storages.values())


def psum_taken(block, pinned=False):
    """A new block of PSUM: broadcasts make room for it, oldest first. One the kernel places itself may lie
    anywhere: no broadcast stays."""
    if pinned:
        state.psum_placed = True
    state.psum.append(weakref.ref(block))
    if not state.broadcasts:
        if len(state.psum) >= state.psum_limit:
            _used()
            state.psum_limit = 64 + 2 * len(state.psum)
        return
    waiting = [b for b in (ref() for ref in state.broadcasts) if b is not None and b.mode == "broadcast"]
    over = _used() - machine.PSUM_BYTES // machine.BANK_BYTES
    while waiting and (state.psum_placed or over > 0):
        over -= _banks(waiting[0].storage)
        waiting.pop(0).move()
    state.broadcasts = [weakref.ref(b) for b in waiting]


def partitions(t, number):
    """(the core's view, its block) of one partition given to `number`."""
    m = machine.active()
    shape = (number,) + t.shape[1:]
    whole = t.n * t.dtype.size <= machine.BANK_BYTES and t.n <= _COLUMNS
    if t.dtype.is_float and whole and not state.psum_placed and \
            _used() < machine.PSUM_BYTES // machine.BANK_BYTES:
        storage = Storage(m, m.unique_name("broadcast"), "psum", MemoryRegion.psum, t.dtype, shape)
        block = Broadcast(storage)
        state.psum.append(weakref.ref(block))
        view = Tensor(storage, t.dtype, shape, row_major(shape))
        _product(m, view.reshape((number, t.n)), isa_common.in_sbuf(t).reshape((1, t.n)))
        return view, block
    tile = isa_common.new(m, shape, t.dtype)
    _through_psum(m, tile, t)
    return tile, Block(tile.storage)


def _product(m, dst, row):
    key = (dst.shape[0], row.dtype)
    ones = state.ones.get(key)
    if ones is None:
        ones = state.ones[key] = isa_common.new(m, (1, dst.shape[0]), row.dtype)
        core.memset(ones, 1.0)
    core.nc_matmul(dst, ones, row, is_stationary_onezero=True)


def _through_psum(m, dst, src):
    flat_dst = dst.reshape((dst.shape[0], dst.n))
    if not src.dtype.is_float:
        src = src.reshape((1, src.n))
        for start in builtins.range(0, dst.shape[0], 32):
            core.nc_stream_shuffle(flat_dst[start:min(start + 32, dst.shape[0])], src, [0] * 32)
        return
    src = isa_common.in_sbuf(src).reshape((1, src.n))
    for start in builtins.range(0, dst.n, _COLUMNS):
        end = min(start + _COLUMNS, dst.n)
        product = isa_common.new(m, (dst.shape[0], end - start), isa_common.F32, "psum")
        _product(m, product, src[:, start:end])
        core.tensor_copy(flat_dst[:, start:end], product)

"""One partition broadcast to many, in NKI beta 1: products with ones, read in PSUM where they fit.

The compiler leaves the product where the Tensor engine put it when the engines that use it can read PSUM, so it
costs no copy. It moves to SBUF, once, when an instruction cannot read it there, when it is written to, or when
something else needs the bank (live.py).
"""
import builtins
import weakref

from .. import isa as core
from .. import machine
from ..storage import Storage
from ..tensor import Tensor, row_major
from ..tokens import MemoryRegion
from . import isa_common, live
from .pending import F32, Block, state

_COLUMNS = 512  # what one product writes


def partitions(t, number):
    """(the core's view, its block) of one partition given to `number`."""
    m = machine.active()
    shape = (number,) + t.shape[1:]
    one_bank = t.n <= _COLUMNS and t.n * t.dtype.size <= machine.BANK_BYTES
    if t.dtype.is_float and one_bank and not state.psum_placed and \
            live.used("psum") + machine.BANK_BYTES <= machine.PSUM_BYTES:
        storage = Storage(m, m.unique_name("broadcast"), "psum", MemoryRegion.psum, t.dtype, shape)
        view = Tensor(storage, t.dtype, shape, row_major(shape))
        _product(m, view.reshape((number, t.n)), isa_common.in_sbuf(t).reshape((1, t.n)))
        block = Block(storage, "broadcast")
        live.track(block)
        state.broadcasts.append(weakref.ref(block))
        return view, block
    tile = isa_common.new(m, shape, t.dtype)
    _through_psum(m, tile, t)
    return tile, Block(tile.storage)


def again(block):
    """The same product under another name, which moves by itself."""
    other = Block(block.storage, "broadcast")
    live.track(other)
    state.broadcasts.append(weakref.ref(other))
    return other


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
        product = isa_common.new(m, (dst.shape[0], end - start), F32, "psum")
        _product(m, product, src[:, start:end])
        core.tensor_copy(flat_dst[:, start:end], product)

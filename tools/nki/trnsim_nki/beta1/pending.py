"""What waits in NKI beta 1: results without a place yet, and the memory of blocks.

A result is not recorded when its instruction is called but at the next step: an assignment
(dst[...] = op(), psum += op()) then gives the instruction its destination, anything else a tile of its own.
At most one result waits, and every instruction first lets it go, so the order of the trace is the kernel's.
"""
import contextlib
import copy
import sys

import numpy as np

from .. import dtypes, errors, machine, numeric
from ..errors import PACKAGE, KernelError
from ..storage import Storage
from ..tensor import Tensor, row_major


F32 = dtypes.TABLE["float32"]
_WHOLE = slice(None)


class State:
    """What a run of beta 1 code remembers between instructions."""

    def __init__(self):
        self.pending = None
        self.line = None       # source id of the instruction being recorded late
        self.loops = []        # active loops, outermost first
        self.pinned = {}       # allocations of loop bodies, by place in the program
        self.shared = []       # HBM tensors all programs of a grid share
        self.shared_count = 0
        self.ones = {}
        self.broadcasts = []   # references to the broadcasts that may be in PSUM, oldest first
        self.blocks = []       # references to the blocks of SBUF and PSUM
        self.blocks_limit = 0  # how many before dead ones are looked for
        self.writes = {}       # tensor -> instructions that wrote to it
        self.numbers = {}      # what was computed -> its number: equal work has equal numbers
        self.values = {}       # tensor -> (number of what it holds, writes to it then)
        self.newest = -1       # tensor made last
        self.as_written = False  # the compiler leaves the loops alone
        self.sink = None       # where instructions go (merge.py)
        self.kinds = {}        # tensor -> what merge.py has to know of it
        self.sites = {}        # tensor -> where it was made
        self.psum_placed = False  # the kernel chooses places in PSUM itself


state = State()


class Loop:
    """A loop being run. static: unrolled; affine: its iterations may share work (hoist.py)."""

    __slots__ = ("static", "affine", "value", "places", "counts", "seen", "oldest", "carried", "held")

    def __init__(self, static, affine):
        self.static = static
        self.affine = affine
        self.value = 0
        self.places = {}   # instruction of the body -> what it computed in the last iteration
        self.counts = {}   # instruction -> how many places it has
        self.seen = {}     # how often an instruction ran in this iteration
        self.oldest = 0    # tensors from here on are of this iteration
        self.carried = False  # an iteration changes what is older
        self.held = []     # memory that iterations share

    def begin(self, value):
        self.value = value
        self.oldest = state.newest + 1
        self.seen.clear()


class Block:
    """Memory of one block of a tile, and the view of all of it. `mode`: "zero" while zeros of PSUM are not
    recorded yet; "broadcast" in PSUM and "hoisted", used by several iterations, until a copy of its own in SBUF
    takes over, "moved"."""

    __slots__ = ("storage", "mode", "view", "copy", "__weakref__")

    def __init__(self, storage, mode=None):
        self.storage = storage
        self.mode = mode
        self.view = None
        self.copy = None

    def move(self):
        s = self.storage
        shape = (s.partitions, s.free)
        tile = isa_common.new(machine.active(), shape, s.dtype)
        core.tensor_copy(tile, Tensor(s, s.dtype, shape, (s.free, 1)))
        self.copy = tile.storage
        self.mode = "moved"


class Blocks:
    """A tile with block dims: one memory per block, made when first used."""

    def __init__(self, shape, dims, dtype, buffer, region, allocator, site, name):
        self.shape = shape
        self.dims = dims
        self.inner = shape[dims:]
        self.strides = row_major(self.inner)
        self.dtype = dtype
        self.buffer = buffer
        self.region = region
        self.allocator = allocator
        self.site = site
        self.name = name
        self.found = {}
        self.first = None     # memory of the first block, without data: others are like it
        self.storages = {}    # address -> storage: blocks of one address are one memory
        self.prefix = ()

    def within(self, prefix):
        """The blocks whose index begins so."""
        part = copy.copy(self)
        part.prefix = self.prefix + prefix
        part.shape = self.shape[len(prefix):]
        part.dims = self.dims - len(prefix)
        return part

    def block(self, index):
        index = self.prefix + index
        found = self.found.get(index)
        if found is None:
            m = machine.active()
            address = None
            if self.allocator is not None:
                width = self.dtype.size
                for extent in self.inner[1:]:
                    width *= extent
                address = self.allocator.address(index, self.inner[0], width)
            storage = self.storages.get(address) if address is not None else None
            if storage is None:
                storage = self._memory(m, index, address)
                if address is not None:
                    self.storages[address] = storage
            else:
                storage.matmuls = None
            found = self.found[index] = Block(storage)
            live.track(found, pinned=address is not None)
        return found

    def _memory(self, m, index, address):
        name = m.unique_name("_".join((self.name, *map(str, index))))
        if self.first is not None:
            return self.first.again(name, address, self.site)
        storage = Storage(m, name, self.region, self.buffer, self.dtype, self.inner, address, site=self.site)
        if not m.numeric:
            self.first = storage
        return storage

    def tile(self, index):
        block = self.block(index)
        return tile.Tile(self._view(block), block)

    def _view(self, block):
        if block.view is None:
            block.view = Tensor(block.storage, self.dtype, self.inner, self.strides)
        return block.view

    def place(self, key):
        """The tile of the usual index, the numbers of a block and maybe what Tensor.part() takes; None for
        any other index."""
        dims = self.dims
        if type(key) is not tuple:
            key = (key,)
        if len(key) < dims:
            return None
        index = key[:dims]
        try:
            block = self.found.get(self.prefix + index)
        except TypeError:  # a slice or an index expression
            return None
        if block is None:
            for k, extent in zip(index, self.shape):
                if not isinstance(k, int) or not 0 <= k < extent:
                    return None
            block = self.block(index)
        view = self._view(block)
        if len(key) > dims:
            view = view.part(key[dims:])
            if view is None:
                return None
        return tile.Tile(view, block)

    def indices(self):
        return np.ndindex(*self.shape[:self.dims])


class Pending:
    """An instruction without a destination, and the code position that asked for it."""

    __slots__ = ("emit", "shape", "dtype", "region", "clip", "predicate", "kind", "code", "instruction",
                 "place")

    def __init__(self, emit, shape, dtype, region, clip, predicate, kind):
        frame = sys._getframe(3)  # beyond result() and the instruction
        while frame.f_code.co_filename.startswith(PACKAGE):
            frame = frame.f_back
        self.code = frame.f_code
        self.instruction = frame.f_lasti
        self.emit = emit          # None: the mask leaves nothing to do
        self.shape = shape
        self.dtype = dtype
        self.region = region
        self.clip = clip
        self.predicate = predicate
        self.kind = kind
        self.place = None         # where hoist.py keeps what it computes

    def fits(self, tile):
        """Whether the instruction can write to a tile, or a copy has to."""
        if tile.t is None or tile.region == "hbm" or self.kind == "loop_reduce":
            return self.kind == "loop_reduce"
        if self.region == "psum":
            if tile.region != "psum":
                return False
        elif self.region == "sbuf" and tile.region != "sbuf":
            return False
        if tile.dtype is not self.dtype and not (tile.dtype.is_float and self.dtype.is_float):
            return False
        shape = tile.shape
        if shape == self.shape:
            return True
        if shape[0] != self.shape[0]:
            return False
        if any(axis for axis in self.clip or ()) or self.predicate is not None:
            return False
        return tile.t.size == _size(self.shape)

    def write(self, tile, accumulate=False):
        """Records the instruction with its destination."""
        if self.emit is None:
            return
        m = machine.current
        before = m.line
        m.line = m.source_at(self.code, self.instruction)
        try:
            dst = tile.t
            if dst is None or self.clip or tile.loose is not None:
                dst = tile.access(self.clip)
            block = tile.block
            if block is not None:
                if self.kind == "matmul":
                    if accumulate and block.mode == "data":
                        accumulate = True
                    elif accumulate:
                        accumulate = None   # the first into a place overwrites
                    if block.mode == "zero" and not accumulate:
                        block.mode = None
                else:
                    if block.mode == "zero":
                        tile.settle()
                    if block.storage.region == "psum":
                        block.mode = "data"
            if self.predicate is not None:
                with only_where(dst, self.predicate):
                    self.emit(dst, accumulate) if self.kind == "matmul" else self.emit(dst)
            elif self.kind == "matmul":
                self.emit(dst, accumulate)
            else:
                self.emit(dst)
        except KernelError as error:
            text = str(error)
            here = errors.where() + ": "
            if text.startswith(here):
                raise type(error)(f"{m.site_at(self.code, self.instruction)}: {text[len(here):]}") from None
            raise
        finally:
            m.line = before


def _size(shape):
    n = 1
    for extent in shape:
        n *= extent
    return n


@contextlib.contextmanager
def only_where(t, predicate):
    """What the block writes to a view stays where the predicate holds; the record does not tell."""
    blocks = (t.storage.data, t.storage.written) if predicate is not None else (None,)
    if blocks[0] is None:
        yield
        return
    views = [numeric._flat(t, block, t.dtype.bits) for block in blocks]
    before = [np.array(view) for view in views]
    yield
    predicate = np.broadcast_to(predicate, t.shape)
    for view, old in zip(views, before):
        view[...] = np.where(predicate, view, old)


def flush():
    """Gives a waiting result a tile of its own."""
    pending = state.pending
    if pending is not None:
        pending.realise()


# Last: these modules need what stands above.
from .. import isa as core  # noqa: E402
from . import isa_common, live, tile  # noqa: E402

"""Tiles of NKI beta 1: tensors, views, blocks of tiles and results, with their indexing and operators."""
import numpy as np

from .. import errors, machine, tokens
from ..isa import copy as isa_copy
from ..storage import Storage
from ..tensor import Tensor, row_major
from .index import Affine, LoopIndex, Mask, arange, common_shape, resolve
from .pending import Block, _WHOLE, _size, flush, state


class Tile:
    """A tensor or tile, a view of one, a block of tiles, or a result that waits for its place."""

    __slots__ = ("t", "block", "blocks", "pend", "loose", "shape", "dtype", "region", "__weakref__")
    __array_ufunc__ = None

    def __init__(self, t, block=None, loose=None):
        self.t = t
        self.block = block
        self.blocks = None
        self.pend = None
        self.loose = loose
        self.shape = t.shape
        self.dtype = t.dtype
        self.region = t.region

    # --- what kernels ask -------------------------------------------------------------------

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return _size(self.shape)

    @property
    def itemsize(self):
        return self.dtype.size

    @property
    def name(self):
        return self.t.storage.name if self.t is not None else "result"

    @property
    def buffer(self):
        if self.blocks is not None:
            return self.blocks.buffer
        return self.real().storage.buffer

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        errors.fail(f"tile '{self.name}' cannot be iterated over")

    def __bool__(self):
        errors.fail(f"the values of tile '{self.name}' are no condition of Python")

    def __repr__(self):
        return f"<{self.dtype} {self.shape} in {self.region}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    # --- places -----------------------------------------------------------------------------

    def realise(self):
        """A waiting result is recorded into a tile of its own."""
        pending = self.pend
        if pending is None:
            return
        if state.pending is self:
            state.pending = None
        self.pend = None
        m = machine.active()
        self.region = region = "psum" if pending.region == "psum" else "sbuf"
        shape, dtype = pending.shape, pending.dtype
        site = m.site_at(pending.code, pending.instruction)
        key = ("tile", shape, dtype, region)
        kind = None if m.numeric else m.kinds.get(key)
        if kind is None:
            storage = Storage(m, m.unique_name("tile"), region, tokens.MemoryRegion[region], dtype, shape,
                              site=site)
            self.t = m.kinds[key] = Tensor(storage, dtype, shape, row_major(shape))
        else:
            self.t = kind.again(m.unique_name("tile"), site=site)
        self.block = Block(self.t.storage)
        live.track(self.block)
        if m.numeric and pending.emit is not None and (pending.clip or pending.predicate is not None):
            # What the mask leaves out stays a NaN, and reading it is no news.
            self.t.storage.written[:] = 255
        pending.write(self)
        if pending.place is not None:
            hoist.remember(self, pending.place)

    def real(self):
        """The core's view of a tile with a place."""
        if self.pend is not None:
            self.realise()
        if self.t is None:
            if self.blocks is not None and all(e == 1 for e in self.blocks.shape[:self.blocks.dims]):
                return self.blocks.tile((0,) * self.blocks.dims).t
            errors.fail(f"a tile of {self.shape} with block dims must be indexed down to one block")
        return self.t

    def access(self, clip=None):
        """The core's view, cut by a mask, with all of it inside the tensor."""
        t = self.t
        if t is None or self.pend is not None:
            t = self.real()
        if self.loose is not None:
            self._inside(clip)
        if clip:
            shape, strides = list(t.shape), t.strides
            offset = t.offset
            for axis, (low, high) in clip.items():
                if axis == 0 and low and t.index is not None:
                    errors.fail("a mask cannot leave out the first of the indices of an indirect access")
                offset += low * strides[axis]
                shape[axis] = high - low
            return Tensor(t.storage, t.dtype, tuple(shape), strides, offset, t.index)
        return t

    def _inside(self, clip):
        for what, extent, const, coef in self.loose:
            low = high = const
            for axis, c in coef:
                first, end = (clip or {}).get(axis, (0, self.shape[axis]))
                values = (c * first, c * (end - 1))
                low += min(values)
                high += max(values)
            if low < 0 or high >= extent:
                errors.fail(f"tensor '{self.name}': index {low} to {high} leaves dim {what} of {extent} "
                            "elements; a mask can cut it")

    def reading(self, clip=None, psum=False):
        """access() of an operand: zeros that were left out so far are recorded first, and a broadcast is in
        SBUF unless the reader takes it in PSUM."""
        if self.pend is None:
            block = self.block
            if block is not None and block.mode is not None and block.mode != "data":
                if block.mode == "zero":
                    self.settle()
                elif block.mode != "hoisted" and not (psum and block.mode == "broadcast"):
                    self.own()
            if clip is None and self.loose is None and self.t is not None:
                return self.t
        return self.access(clip)

    def own(self):
        """A broadcast in PSUM or a tile several iterations use becomes one of its own in SBUF."""
        block = self.block
        if block is None or block.mode not in ("broadcast", "hoisted", "moved"):
            return
        if block.mode != "moved":
            block.move()
        t = self.t
        self.t = Tensor(block.copy, t.dtype, t.shape, t.strides, t.offset, t.index)
        self.block, self.region = Block(block.copy), "sbuf"

    @property
    def broadcasts(self):
        """Whether it is a broadcast that is in PSUM."""
        return self.block is not None and self.block.mode == "broadcast"

    def settle(self):
        block = self.block
        block.mode = "data"
        s = block.storage
        if s.matmuls is None:
            isa_copy.memset(Tensor(s, s.dtype, (s.partitions, s.free), (s.free, 1)), 0)

    # --- indexing ---------------------------------------------------------------------------

    def __getitem__(self, key):
        if self.pend is None and self.t is not None:
            part = self.t.part(key)
            if part is not None:
                return Tile(part, self.block)
        elif self.blocks is not None:
            found = self.blocks.place(key)
            if found is not None:
                return found
        if self.pend is not None:
            if key is Ellipsis or (type(key) is tuple and len(key) <= len(self.shape) and
                                   all(k is Ellipsis or k == _WHOLE for k in key
                                       if not isinstance(k, (Affine, Tile)))
                                   and not any(isinstance(k, (Affine, Tile)) for k in key)):
                return self
            self.realise()
        if key is Ellipsis:
            return self
        if type(key) is not tuple:
            if key.__class__ is Mask:
                return self._masked(key)
            key = (key,)
        if self.blocks is not None:
            return self._in_block(key)
        t = self.t
        beyond = False
        for k, extent in zip(key, t.shape):
            kind = k.__class__
            if kind is Affine:
                for other in key:
                    if other.__class__ is Tile:
                        return self._indirect(key)
                return self._affine(key)
            if kind is Tile:
                return self._indirect(key)
            if kind is slice and k.stop is not None and k.stop > extent:
                beyond = True
        if beyond:
            return self._affine(_sliced(self._expanded(key, len(t.shape)), t.shape))
        return Tile(t[tuple([int(k) if k.__class__ is LoopIndex else k for k in key])], self.block)

    def _masked(self, mask):
        """tile[index][mask]: the part of a view a mask leaves."""
        found = resolve(mask, self.shape)
        if found is None:
            return self
        if found is False or found[1] is not None:
            errors.fail("a mask as an index must leave whole ranges of axes")
        return Tile(self.access(found[0]), self.block)

    def _in_block(self, key):
        b = self.blocks
        if Ellipsis in [k for k in key if k is Ellipsis]:
            key = self._expanded(key, len(self.shape))
            if all(k.__class__ is slice and k == _WHOLE for k in key):
                return self
        index = []
        for dim, k in enumerate(key[:b.dims]):
            if k.__class__ is Affine and not any(k.coef):
                k = k.const
            if k.__class__ is slice and b.shape[dim] == 1:
                k = 0
            if not isinstance(k, (int, np.integer)):
                errors.fail(f"block dim {dim} of a tile takes an integer, not {k!r}")
            k = int(k)
            if not -b.shape[dim] <= k < b.shape[dim]:
                errors.fail(f"index {k} is outside block dim {dim} of {b.shape[dim]}")
            index.append(k % b.shape[dim])
        if len(index) < b.dims:
            return of_blocks(b.within(tuple(index)))
        tile = b.tile(tuple(index))
        rest = key[b.dims:]
        return tile[rest] if rest else tile

    def _expanded(self, key, ndim):
        taken = sum(1 for k in key if k is not None and k is not Ellipsis)
        out = []
        for k in key:
            if k is Ellipsis:
                out.extend([_WHOLE] * (ndim - taken))
            else:
                out.append(k)
        if Ellipsis not in [k for k in key if k is Ellipsis]:
            out.extend([_WHOLE] * (ndim - taken))
        return tuple(out)

    def _affine(self, key):
        """Indexing by index expressions, integers and slices."""
        t = self.t
        if len(key) != len(t.shape):
            key = self._expanded(key, len(t.shape))
            if len(key) != len(t.shape):
                errors.fail(f"tensor '{self.name}' has {len(t.shape)} dims, {len(key)} are indexed")
        shape = None
        for k in key:
            if k.__class__ is Affine:
                if shape is None or shape == k.shape:
                    shape = k.shape
                else:
                    ndim = max(len(shape), len(k.shape))
                    shape = common_shape((1,) * (ndim - len(shape)) + shape,
                                         (1,) * (ndim - len(k.shape)) + k.shape)
        ndim = len(shape)
        strides = [0] * ndim
        offset = t.offset
        front_shape, front_strides, back_shape, back_strides = [], [], [], []
        seen = False
        loose = None
        for dim, k in enumerate(key):
            stride = t.strides[dim]
            extent = t.shape[dim]
            if k.__class__ is Affine:
                seen = True
                offset += k.const * stride
                lead = ndim - len(k.shape)
                low = high = k.const
                for axis, c in enumerate(k.coef):
                    if c:
                        strides[lead + axis] += c * stride
                        reach = c * (k.shape[axis] - 1)
                        if reach < 0:
                            low += reach
                        else:
                            high += reach
                if low < 0 or high >= extent:
                    loose = loose or []
                    loose.append((dim, extent, k.const,
                                  [(lead + a, c) for a, c in enumerate(k.coef) if c]))
            elif k.__class__ is slice:
                start, stop, step = k.indices(extent) if k.stop is None or k.stop <= extent else \
                    (int(k.start or 0), extent + 1, 1)
                length = len(range(start, stop, step))
                if length < 1 or stop > extent:
                    errors.fail(f"tensor '{self.name}': slice {k.start}:{k.stop} is empty or outside dim "
                                f"{dim} of {extent}")
                offset += start * stride
                (back_shape if seen else front_shape).append(length)
                (back_strides if seen else front_strides).append(step * stride)
            else:
                index = int(k)
                if not -extent <= index < extent:
                    errors.fail(f"tensor '{self.name}': index {index} is outside dim {dim} of {extent}")
                offset += index % extent * stride
        if front_shape and loose:
            lead = len(front_shape)
            loose = [(d, e, c, [(a + lead, k) for a, k in terms]) for d, e, c, terms in loose]
        shape = (*front_shape, *shape, *back_shape)
        strides = (*front_strides, *strides, *back_strides)
        if self.region != "hbm":
            row = t.strides[0]
            first = key[0]
            if first.__class__ is not Affine and first.__class__ is not slice:
                shape, strides = (1, *shape), (row, *strides)
            elif shape[0] == 1 and strides[0] == 0:
                strides = (row, *strides[1:])
        if len(shape) == 1:
            shape, strides = (*shape, 1), (*strides, 1)
        return Tile(Tensor(t.storage, t.dtype, tuple(shape), tuple(strides), offset, t.index),
                    self.block, loose)

    def _indirect(self, key):
        """An index that is a tile: rows of dim 0 of an HBM tensor, one per partition."""
        if self.region == "hbm" and key[0].__class__ is not Tile and isinstance(key[0], (int, np.integer)):
            return Tile(self.t.select(0, int(key[0])))[key[1:]]
        if self.region != "hbm" or key[0].__class__ is not Tile or any(
                k.__class__ is Tile for k in key[1:]):
            errors.fail(f"tensor '{self.name}': an index that is a tile can choose rows of dim 0 of an HBM "
                        "tensor only")
        tile = key[0].reading()
        t = self.t
        rest = self._expanded(key, len(t.shape))[1:]
        view = Tile(Tensor(t.storage, t.dtype, t.shape[1:] or (1,), t.strides[1:] or (1,), t.offset))
        if any(k.__class__ is Affine for k in rest):
            # The first axis of the other index expressions is that of the indices.
            rest = tuple(k[0] if k.__class__ is Affine and k.ndim > 1 else k for k in rest)
        inner = view[rest].access() if rest else view.access()
        indirect = t.vector_select(0, tile)
        dims = 1 if len(t.shape) <= 2 else len(inner.shape)  # one dim of HBM has got a second
        return Tile(Tensor(t.storage, t.dtype, (tile.shape[0],) + inner.shape[:dims],
                           (t.strides[0],) + inner.strides[:dims], inner.offset, indirect.index))

    def _takes(self, value):
        """Whether the first assignment to all of a tile makes it the broadcast itself."""
        t = self.t
        if not value.broadcasts or t is None or self.pend is not None or self.blocks is not None or \
                self.loose is not None or self.block is None or self.block.mode is not None:
            return False
        storage = t.storage
        return storage.region == "sbuf" and storage.pinned is None and t.dtype is value.dtype and \
            t.shape == value.shape and t.size == storage.partitions * storage.free and not t._parts and \
            storage.id not in state.writes

    def __setitem__(self, key, value):
        if key is Ellipsis and value.__class__ is Tile and self._takes(value):
            flush()
            self.t, self.region = value.t, value.region
            self.block = broadcast.again(value.block)
            return
        view = self[key] if self.pend is None and key is not Ellipsis else self
        if value.__class__ is Tile:
            if value is view:
                return
            if value.pend is None and value.t is not None and view.t is not None:
                a, b = value.t, view.t
                if a.storage is b.storage and a.offset == b.offset and a.shape == b.shape and \
                        a.strides == b.strides and value.block is view.block:
                    return   # the end of dst[...] += value
        stores.assign(view, value)

    # --- views ------------------------------------------------------------------------------

    def _view(self, t):
        return Tile(t, self.block)

    def reshape(self, *shape, **unknown):
        flush()
        return self._view(self.real().reshape(*[tuple(int(e) for e in s) if isinstance(s, (list, tuple))
                                                else int(s) for s in shape], **unknown))

    def view(self, dtype):
        flush()
        return self._view(self.real().view(dtype))

    def astype(self, dtype):
        from . import language
        return language.copy(self, dtype=dtype)

    def broadcast_to(self, *shape, **unknown):
        from . import language
        return language.broadcast_to(self, unknown.get("shape") or (
            shape[0] if isinstance(shape[0], (list, tuple)) else shape))

    def expand_dims(self, axis):
        from . import language
        return language.expand_dims(self, axis)

    def permute(self, *dims):
        flush()
        return self._view(self.real().permute(dims[0] if isinstance(dims[0], (list, tuple)) else dims))

    def partition_broadcast(self, extent):
        return self.broadcast_to((extent,) + self.shape[1:])

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise errors.NotImplementedInTrnsim(
            f"{errors.where()}: method '{name}' of tiles is not implemented")

    # --- operators --------------------------------------------------------------------------

    def __iadd__(self, other):
        self.own()
        if other.__class__ is Tile and other.pend is not None and other.pend.kind == "matmul" and \
                self.region == "psum" and self.pend is None:
            stores.accumulate(self, other)
            return self
        from . import language
        stores.assign(self, language.FUNCTIONS["add"](self, other, dtype=self.dtype))
        return self


def of_blocks(blocks):
    """The tile of all blocks."""
    tile = Tile.__new__(Tile)
    tile.t = tile.block = tile.pend = tile.loose = None
    tile.blocks = blocks
    tile.shape, tile.dtype, tile.region = blocks.shape, blocks.dtype, blocks.region
    return tile


def _operator(name, reverse=False):
    def method(self, other):
        from . import language
        if not (other.__class__ is Tile or isinstance(other, (int, float, np.number))):
            return NotImplemented
        function = language.FUNCTIONS[name]
        return function(other, self) if reverse else function(self, other)
    return method


def _in_place(name):
    def method(self, other):
        from . import language
        stores.assign(self, language.FUNCTIONS[name](self, other, dtype=self.dtype))
        return self
    return method


for _dunder, _name in (("add", "add"), ("sub", "subtract"), ("mul", "multiply"),
                       ("truediv", "divide"), ("pow", "power"), ("mod", "mod"), ("and", "bitwise_and"),
                       ("or", "bitwise_or"), ("xor", "bitwise_xor"), ("lshift", "left_shift"),
                       ("rshift", "right_shift")):
    setattr(Tile, f"__{_dunder}__", _operator(_name))
    setattr(Tile, f"__r{_dunder}__", _operator(_name, reverse=True))
    if _dunder != "add":
        setattr(Tile, f"__i{_dunder}__", _in_place(_name))
for _dunder, _name in (("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"),
                       ("eq", "equal"), ("ne", "not_equal")):
    setattr(Tile, f"__{_dunder}__", _operator(_name))
Tile.__hash__ = object.__hash__
Tile.__neg__ = lambda self: self * -1


def _sliced(key, shape):
    """Slices as index expressions, so that a mask can cut what leaves the tensor."""
    number = sum(1 for k in key if k.__class__ is slice)
    axis = 0
    out = []
    for k, extent in zip(key, shape):
        if k.__class__ is slice:
            along = arange(k.start or 0, extent if k.stop is None else k.stop, k.step or 1)
            k = along[(None,) * axis + (_WHOLE,) + (None,) * (number - axis - 1)]
            axis += 1
        out.append(k)
    return tuple(out)


# Last: these modules need what stands above.
from . import broadcast, hoist, live, stores  # noqa: E402

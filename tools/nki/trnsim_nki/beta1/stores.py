"""Results of NKI beta 1 and how they find their place: assignment, accumulation, masks."""
import numpy as np

from .. import errors
from ..isa import copy as isa_copy
from . import hoist
from .index import Mask, resolve
from .pending import Pending, _size, flush, only_where, state
from .tile import Tile


def result(emit, shape, dtype, region=None, clip=None, predicate=None, kind=None, same=None):
    """The tile an instruction returns; region None: SBUF, or PSUM where it is assigned to. same: its name and
    operands, if their values alone say what it computes."""
    pending = Pending(emit, shape, dtype, region, clip, predicate, kind)
    if same is not None and emit is not None and not clip and predicate is None and state.loops:
        found = hoist.earlier(pending, same)
        if found is not None:
            return found
    tile = Tile.__new__(Tile)
    tile.t = tile.block = tile.blocks = tile.loose = None
    tile.pend = pending
    tile.shape = shape
    tile.dtype = dtype
    tile.region = region or "sbuf"
    state.pending = tile
    return tile


def place_in(value, view, accumulate=False):
    """Records a waiting result into a view and makes the result that view."""
    pending = value.pend
    value.pend = None
    if state.pending is value:
        state.pending = None
    pending.write(view, accumulate)
    value.t, value.block, value.loose = view.t, view.block, view.loose
    value.shape, value.dtype, value.region = view.shape, view.dtype, view.region


def accumulate(view, value):
    """psum += matmul"""
    if view.shape != value.shape and view.size != _size(value.pend.shape):
        errors.fail(f"a product of {value.shape} cannot be added to a tile of {view.shape}")
    if view.block is None or view.t is None:
        view.real()
    place_in(value, view, True)


def assign(view, value):
    """view[...] = value"""
    view.own()
    if view.blocks is not None:
        flush()
        for index in view.blocks.indices():
            assign(view.blocks.tile(tuple(index)), value[tuple(index)]
                   if value.__class__ is Tile and value.blocks is not None else value)
        return
    if value.__class__ is not Tile:
        if isinstance(value, Mask) or value is None:
            errors.fail(f"{value!r} cannot be assigned to a tile")
        flush()
        fill(view, value)
        return
    pending = value.pend
    if pending is not None:
        if pending.kind == "loop_reduce":
            value.pend = None
            state.pending = None
            if pending.emit is not None:
                pending.emit(view)
            value.t, value.block, value.region = view.t, view.block, view.region
            return
        if pending.fits(view):
            place_in(value, view)
            return
        if pending.emit is None:
            flush()
            return
        clip, predicate = pending.clip, pending.predicate
        value.realise()
    else:
        flush()
        clip = predicate = None
    copy_into(view, value, clip, predicate)


def copy_into(view, value, clip=None, predicate=None):
    from ..language import memory
    src = value.reading(clip)
    dst = view.access(clip if clip and len(view.shape) == len(value.shape) else None)
    if "hbm" in (dst.region, src.region):
        memory.store(dst, src)
        return
    if view.block is not None and view.region == "psum":
        if view.block.mode == "zero":
            view.settle()
        view.block.mode = "data"
    if src.shape != dst.shape and (src.shape[0] != dst.shape[0] or src.size != dst.size):
        src = fitted(src, dst.shape)
    with only_where(dst, predicate):
        isa_copy.tensor_copy(dst, src)


def fitted(t, shape):
    """A view of a tile in a shape it can be broadcast to without crossing partitions."""
    if t.shape[0] != shape[0]:
        errors.fail(f"'{t.name}' of shape {t.shape} does not fit {tuple(shape)}")
    return t.broadcast_to(shape)


def fill(view, value):
    from ..language import memory
    value = float(value) if isinstance(value, (float, np.floating)) else int(value)
    t = view.access()
    if view.block is not None and t.region == "psum":
        s = view.block.storage
        if value == 0 and t.size == s.partitions * s.free:
            zero(view.block)
            return
        if view.block.mode == "zero":
            view.settle()
        view.block.mode = "data"
    memory.fill(t, value)


def zero(block):
    """Zeros of a whole PSUM tile: the first product overwrites them, so they are recorded only if
    something else reads them."""
    block.mode = "zero"
    s = block.storage
    s.matmuls = None
    if s.data is not None:
        s.data[:] = 0
        s.written[:] = 255


def masked(mask, shape):
    """(drop, clip, predicate) of a mask over a tile of a shape."""
    found = resolve(mask, shape)
    if found is None:
        return False, None, None
    if found is False:
        return True, None, None
    return False, found[0], found[1]

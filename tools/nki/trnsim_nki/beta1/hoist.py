"""Work that every iteration of an affine_range repeats, in NKI beta 1.

affine_range allows the compiler loop-level optimisations: what an iteration computes from tiles that no iteration
changes is computed before the loop. Here the first iteration computes it and later ones get the same tile, for
instructions of the engines whose result gets a tile of its own, out of the innermost loop, while SBUF has room.
"""
import weakref

from ..tensor import Tensor
from . import live
from .pending import Block, state
from .tile import Tile


class Place:
    """What an instruction of a loop body computed in the last iteration."""

    __slots__ = ("what", "tile", "block", "writes", "shared")

    def __init__(self, what, tile):
        self.what = what
        self.tile = tile.t
        self.block = weakref.ref(tile.block)
        self.writes = state.writes.get(tile.t.storage.id)
        self.shared = False


def counted(record):
    """Records an instruction and counts the writes to each tensor."""
    def count(opcode, engine, outs, ins, attributes, source):
        writes = state.writes
        for out in outs:
            writes[out[0]] = writes.get(out[0], 0) + 1
        record(opcode, engine, outs, ins, attributes, source)
    return count


def _loop():
    for loop in reversed(state.loops):
        if not loop.static:
            return loop if loop.affine else None
    return None


def _version(value):
    if value.__class__ is Tensor:
        if value.index is not None:
            raise TypeError
        return value.operand(), state.writes.get(value.storage.id)
    hash(value)
    return value


def earlier(pending, same):
    """The tile of an earlier iteration, or None; then the result may serve later ones."""
    loop = _loop()
    if loop is None:
        return None
    try:
        what = (*[_version(v) for v in same], pending.shape, pending.dtype)
    except TypeError:  # an operand whose value says nothing about what it is
        return None
    site = (id(pending.code), pending.instruction)
    number = loop.seen[site] = loop.seen.get(site, 0) + 1
    key = (site, number)
    found = loop.places.get(key)
    if found is None or found.what != what or found.writes != state.writes.get(found.tile.storage.id):
        pending.place = (loop, key, what)
        return None
    if not found.shared:
        if live.used("sbuf") + found.tile.storage.bytes_per_partition > live.capacity("sbuf"):
            return None
        found.shared = True
        first = found.block()
        if first is not None:
            first.mode = "hoisted"
    block = Block(found.tile.storage, "hoisted")
    live.track(block)
    return Tile(found.tile, block)


def remember(tile, place):
    loop, key, what = place
    loop.places[key] = Place(what, tile)

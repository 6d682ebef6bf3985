"""Work that iterations of an affine_range repeat, in NKI beta 1.

affine_range allows the compiler loop-level optimisations: what an iteration computes or loads from what no iteration
changes is computed before the loop. Here the first iteration computes it and later ones get the same tile, for
instructions of the engines and loads whose result gets a tile of its own, while SBUF has room. Out of a loop around
others go only results that all fit a quarter of SBUF together, and only if its iterations do not build on each other:
the search steps of autocomp and the fused kernels of trainium-kernel-fusion, on one hand, AWS's mamba_v1, on the other,
have times that show it.
"""
import weakref

from .. import machine
from ..errors import KernelError
from ..tensor import Tensor
from . import live
from .pending import Block, state
from .tile import Tile

_SHARE = 4  # part of SBUF for what one instruction computes in all iterations of the loops inside


class Place:
    """What an instruction of a loop body computed in the last iteration."""

    __slots__ = ("what", "tile", "block", "writes", "shared")

    def __init__(self, what, tile, block):
        self.what = what
        self.tile = tile
        self.block = weakref.ref(block)
        self.writes = state.writes.get(tile.storage.id)
        self.shared = False


def counted(record):
    """Records an instruction, counts the writes to each tensor and notes loops whose iterations build on each
    other: they change what is older than the iteration."""
    def count(opcode, engine, outs, ins, attributes, source):
        writes = state.writes
        for out in outs:
            t = out[0]
            writes[t] = writes.get(t, 0) + 1
            for operand in ins:
                if operand[0] == t:
                    for loop in state.loops:
                        if t < loop.oldest:
                            loop.carried = True
        record(opcode, engine, outs, ins, attributes, source)
    return count


def _loops():
    """The affine loops work may leave, innermost first."""
    found = []
    for loop in reversed(state.loops):
        if loop.static:
            continue
        if not loop.affine:
            break
        found.append(loop)
    return found


def _version(value):
    if value.__class__ is Tensor:
        if value.index is not None:
            raise TypeError
        operand = value.operand()
        known = state.values.get(operand[0])
        if known is not None and known[1] == state.writes.get(operand[0]):
            return known[0], operand[1:]
        return operand, state.writes.get(operand[0])
    return value


def earlier(pending, same):
    """The tile of an earlier iteration, or None; then the result may serve later ones."""
    loops = _loops()
    if not loops or (same[0] == "load" and machine.active().target == "trn1"):
        return None
    numbers = state.numbers
    try:
        what = (*[_version(v) for v in same], pending.shape, pending.dtype)
        what = numbers.setdefault(what, len(numbers))
    except (TypeError, KernelError):  # an operand whose value says nothing about what it is, or of too many dims
        return None
    site = (id(pending.code), pending.instruction)
    keys = []
    for loop in loops:
        number = loop.seen[site] = loop.seen.get(site, 0) + 1
        keys.append((site, number))
    pending.place = (list(zip(loops, keys)), what)
    if pending.region == "psum":
        return None
    for loop, key in zip(loops, keys):
        found = loop.places.get(key)
        if found is None or found.what != what or found.writes != state.writes.get(found.tile.storage.id):
            continue
        if not found.shared and not _room(loop, loop is loops[0], site, found):
            continue
        found.shared = True
        first = found.block()
        if first is not None:
            first.mode = "hoisted"
        block = Block(found.tile.storage, "hoisted")
        live.track(block)
        loop.held.append(block)
        for other, own in zip(loops, keys):
            if other is not loop:
                _remember(other, own, what, found.tile, block)
        return Tile(found.tile, block)
    return None


def _room(loop, innermost, site, found):
    bytes_each = found.tile.storage.bytes_per_partition
    capacity = live.capacity("sbuf")
    if innermost:
        return live.used("sbuf") + bytes_each <= capacity
    if loop.carried:
        return False
    all_bytes = loop.counts[site] * bytes_each
    return all_bytes * _SHARE <= capacity and live.used("sbuf") + all_bytes <= capacity


def _remember(loop, key, what, tile, block):
    if key not in loop.places:
        site = key[0]
        loop.counts[site] = loop.counts.get(site, 0) + 1
    loop.places[key] = Place(what, tile, block)


def remember(tile, place):
    """A result has got a tile of its own."""
    places, what = place
    state.values[tile.t.storage.id] = what, state.writes.get(tile.t.storage.id)
    for loop, key in places:
        _remember(loop, key, what, tile.t, tile.block)

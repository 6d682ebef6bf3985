"""Which memory of SBUF and PSUM a NKI beta 1 kernel can still name, and what makes room."""
import weakref

from .. import machine
from .pending import state

_FEWEST = 64  # references that are kept before dead ones are looked for


def capacity(region):
    """Bytes per partition."""
    return machine.PSUM_BYTES if region == "psum" else machine.SBUF_BYTES[machine.active().target]


def used(region):
    """Bytes per partition of the tiles of a region, in whole banks for PSUM."""
    _forget()
    unit = machine.BANK_BYTES if region == "psum" else 1
    storages = {b.storage.id: b.storage for b in (ref() for ref in state.blocks)
                if b is not None and b.storage.region == region and b.mode != "moved"}
    return sum(-(-s.bytes_per_partition // unit) * unit for s in storages.values())


def _forget():
    state.blocks = [ref for ref in state.blocks if ref() is not None]
    state.blocks_limit = _FEWEST + 2 * len(state.blocks)


def track(block, pinned=False):
    """A new block. In PSUM broadcasts make room for it, oldest first; where the kernel chooses places itself
    none stays."""
    state.blocks.append(weakref.ref(block))
    if len(state.blocks) > state.blocks_limit:
        _forget()
    if block.storage.region != "psum":
        return
    state.psum_placed = state.psum_placed or pinned
    if not state.broadcasts:
        return
    waiting = [b for b in (ref() for ref in state.broadcasts) if b is not None and b.mode == "broadcast"]
    while waiting and (state.psum_placed or used("psum") > machine.PSUM_BYTES):
        waiting.pop(0).move()
    state.broadcasts = [weakref.ref(b) for b in waiting]

"""nki.collectives: recorded as transfers of this core's part; data of the other ranks is not known."""
import numpy as np

from . import errors, machine, numeric
from .isa.registers import VirtualRegister


class ReplicaGroup:
    """Ranks that take part, as lists of lists."""

    def __init__(self, groups=None, *args, **kwargs):
        self.groups = groups
        self.args = args
        self.kwargs = kwargs

    @property
    def size(self):
        try:
            return len(self.groups[0])
        except TypeError:
            return 1


def _operand(t):
    return t.hbm_operand(None) if t.region == "hbm" else t.operand()


def _record(name, srcs, dsts, group=None, priority=None):
    """One dma_copy per pair stands for the collective: the trace has no opcode for it."""
    m = machine.active()
    errors.warn(f"{name} is recorded as one DMA copy per tensor: links and other ranks are not part of a "
                "kernel's trace", key=("collective", name))
    m.approximated[name] = "dma_copy"
    for src, dst in zip(srcs, dsts):
        if m.numeric:
            values = numeric.raw(src).reshape(-1)
            repeat = max(1, dst.size // max(1, src.size))
            numeric.write(dst, np.resize(values, dst.size) if repeat else values)
        smaller = min(src, dst, key=lambda t: t.size)
        view = _first(dst, smaller.size) if dst is not smaller else dst
        source = _first(src, smaller.size) if src is not smaller else src
        m.emit("dma_copy", None, (_operand(view),), (_operand(source),), m.attrs(
            priority=int(priority or 0)))


def _first(t, elements):
    """A part of a tensor with as many elements."""
    if t.size == elements:
        return t
    shape, strides = list(t.shape), list(t.strides)
    for axis in range(len(shape)):
        factor = t.size // elements
        if factor > 1 and shape[axis] % factor == 0 and not (axis == 0 and t.region != "hbm"):
            shape[axis] //= factor
            return t._with(shape, strides)
    return t._with((1,) * (len(shape) - 1) + (elements,), strides[:-1] + [1])


def all_reduce(srcs, dsts, replica_group=None, op=None, priority=None, name=None, **unknown):
    _record("all_reduce", srcs, dsts, replica_group, priority)


def all_gather(srcs, dsts, replica_group=None, collective_dim=0, priority=None, name=None, **unknown):
    _record("all_gather", srcs, dsts, replica_group, priority)


def reduce_scatter(srcs, dsts, replica_group=None, collective_dim=0, op=None, priority=None, name=None,
                   **unknown):
    _record("reduce_scatter", srcs, dsts, replica_group, priority)


def all_to_all(srcs, dsts, replica_group=None, collective_dim=0, priority=None, name=None, **unknown):
    _record("all_to_all", srcs, dsts, replica_group, priority)


def collective_permute(srcs, dsts, source_target_pairs=None, priority=None, name=None, **unknown):
    _record("collective_permute", srcs, dsts, None, priority)


def collective_permute_implicit(srcs_by_channel, dsts_by_channel, replica_group=None, channel_ids=(0,),
                                priority=None, name=None, **unknown):
    for srcs, dsts in zip(srcs_by_channel, dsts_by_channel):
        _record("collective_permute_implicit", srcs, dsts, replica_group, priority)


def collective_permute_implicit_reduce(srcs0_by_channel, srcs1_by_channel, dsts_by_channel,
                                       replica_group=None, op=None, channel_ids=(0,), priority=None,
                                       name=None, **unknown):
    for srcs, dsts in zip(srcs0_by_channel, dsts_by_channel):
        _record("collective_permute_implicit_reduce", srcs, dsts, replica_group, priority)


def collective_permute_implicit_current_processing_rank_id(iteration_id=0, replica_group=None,
                                                           channel_id=0, name=None, **unknown):
    return VirtualRegister(0)


def rank_id(name=None, **unknown):
    return VirtualRegister(0)



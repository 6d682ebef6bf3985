"""nki.collectives: one instruction each; data of the other ranks is not known."""
import numpy as np

from . import alu as math
from . import errors, machine, numeric, tokens
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


def _groups_text(groups):
    """"0,1;2,3" of [[0, 1], [2, 3]]; None if the kernel names no ranks."""
    groups = groups.groups if isinstance(groups, ReplicaGroup) else groups
    if groups is None:
        return None
    try:
        return ";".join(",".join(str(int(rank)) for rank in group) for group in groups)
    except TypeError:
        return str(groups)


def _alone(text):
    return text is not None and all("," not in group for group in text.split(";"))


def _record(kind, srcs, dsts, groups, priority, op=None, seconds=()):
    """One instruction for all tensors. `seconds`: what permute_implicit_reduce adds to what arrives."""
    m = machine.active()
    srcs, dsts, seconds = list(srcs), list(dsts), list(seconds)
    if len(srcs) != len(dsts) or (seconds and len(seconds) != len(dsts)):
        errors.fail(f"{kind}: {len(srcs)} sources for {len(dsts)} destinations")
    for src, dst in zip(srcs, dsts):
        if max(src.size, dst.size) % min(src.size, dst.size):
            errors.fail(f"{kind}: '{src.name}' has {src.size} elements, '{dst.name}' {dst.size}")
    op, text = tokens.alu(op), _groups_text(groups)
    m.emit("collective", None, tuple(_operand(t) for t in dsts),
           tuple(_operand(t) for t in srcs + seconds), m.attrs(
               collective=kind, op0=op, replica_groups=text, priority=int(priority or 0),
               bytes_per_rank=sum(t.size * t.dtype.size for t in srcs)))
    if m.numeric:
        if not _alone(text):
            errors.warn(f"{kind}: the data of other ranks is not known, this rank's stands for theirs",
                        key=("collective", kind))
        for i, (src, dst) in enumerate(zip(srcs, dsts)):
            numeric.write(dst, _values(op, src, seconds[i] if seconds else None, dst.size))


def _values(op, src, second, size):
    values = np.resize(numeric.raw(src).reshape(-1), size)
    if second is None:
        return values
    other = np.resize(numeric.raw(second).reshape(-1), size)
    return math.binary(op, values.astype(np.float32), other.astype(np.float32))


def all_reduce(srcs, dsts, replica_group=None, op=None, priority=None, name=None, **unknown):
    _record("all_reduce", srcs, dsts, replica_group, priority, op)


def all_gather(srcs, dsts, replica_group=None, collective_dim=0, priority=None, name=None, **unknown):
    _record("all_gather", srcs, dsts, replica_group, priority)


def reduce_scatter(srcs, dsts, replica_group=None, collective_dim=0, op=None, priority=None, name=None,
                   **unknown):
    _record("reduce_scatter", srcs, dsts, replica_group, priority, op)


def all_to_all(srcs, dsts, replica_group=None, collective_dim=0, priority=None, name=None, **unknown):
    _record("all_to_all", srcs, dsts, replica_group, priority)


def collective_permute(srcs, dsts, source_target_pairs=None, priority=None, name=None, **unknown):
    _record("permute", srcs, dsts, source_target_pairs, priority)


def _flat(by_channel):
    return [t for channel in by_channel for t in channel]


def collective_permute_implicit(srcs_by_channel, dsts_by_channel, replica_group=None, channel_ids=(0,),
                                priority=None, name=None, **unknown):
    _record("permute_implicit", _flat(srcs_by_channel), _flat(dsts_by_channel), replica_group, priority)


def collective_permute_implicit_reduce(srcs0_by_channel, srcs1_by_channel, dsts_by_channel,
                                       replica_group=None, op=None, channel_ids=(0,), priority=None,
                                       name=None, **unknown):
    _record("permute_implicit_reduce", _flat(srcs0_by_channel), _flat(dsts_by_channel), replica_group,
            priority, "add" if op is None else op, _flat(srcs1_by_channel))


def collective_permute_implicit_current_processing_rank_id(iteration_id=0, replica_group=None,
                                                           channel_id=0, name=None, **unknown):
    return VirtualRegister(0)


def rank_id(name=None, **unknown):
    return VirtualRegister(0)



"""Checks and helpers every instruction uses."""
from .. import errors, machine, tokens
from ..tensor import Tensor

ENGINE = tokens.ENGINE
alu = tokens.alu


def engine_of(engine, opcode):
    try:
        return ENGINE[engine]
    except (KeyError, TypeError):
        errors.fail(f"{opcode}: {engine!r} is no engine")


def shape_text(t):
    return f"[{t.partitions}, {t.n}]"


def on_chip(opcode, what, t):
    if t.__class__ is not Tensor:
        errors.fail(f"{opcode}: {what} must be a tensor, not {t!r}")
    if t.region == "hbm":
        errors.fail(f"{opcode}: {what} '{t.name}' is in HBM, engines reach SBUF and PSUM only")
    operand = t._operand or t.operand()
    pinned = t.storage.pinned
    if operand[2] or (pinned is not None and pinned[0]):
        start_partition(opcode, t, operand)
    return operand


def same_shape(opcode, dst, what, t):
    if t.shape[0] != dst.shape[0] or t.n != dst.n:
        errors.fail(f"{opcode}: {what} '{t.name}' is {shape_text(t)}, the destination '{dst.name}' is "
                    f"{shape_text(dst)}")


def column(opcode, dst, what, t):
    """A [P, 1] operand."""
    operand = on_chip(opcode, what, t)
    if t.n != 1 or t.partitions != dst.shape[0]:
        errors.fail(f"{opcode}: {what} '{t.name}' is {shape_text(t)}, must be [{dst.shape[0]}, 1]")
    return operand


def not_both_psum(opcode, a, b):
    if a.region == "psum" and b.region == "psum":
        errors.fail(f"{opcode}: '{a.name}' and '{b.name}' are both in PSUM, at most one may be")


def sbuf_only(opcode, *tensors):
    for t in tensors:
        if t.region == "psum":
            errors.fail(f"{opcode}: '{t.name}' is in PSUM, this instruction works in SBUF only")


def gpsimd_reaches(opcode, engine, *tensors):
    if engine == "GpSimd":
        for t in tensors:
            if t.region == "psum":
                errors.fail(f"{opcode}: '{t.name}' is in PSUM, the GpSimd engine reaches SBUF only")


def needs_generation(opcode, wanted):
    m = machine.active()
    if m.generation < wanted:
        errors.warn(f"{opcode} exists on trn{wanted - 1} and later, the target is {m.target}",
                    key=(opcode, "generation"))
    return m


def start_partition(opcode, t, operand):
    """First partition of an access: 0 for more than 64 partitions, 0 or 64 up to 64, quadrants below."""
    pinned = t.storage.pinned
    first = operand[2] + (pinned[0] if pinned else 0)
    count = operand[3]
    if first == 0:
        return
    if count > 64 or (count > 32 and first % 64) or first % 32:
        errors.fail(f"{opcode}: '{t.name}' starts at partition {first} with {count} partitions; "
                    "more than 64 must start at 0, more than 32 at 0 or 64, others at 0, 32, 64 or 96")


_TENSOR = Tensor


def is_tensor(value):
    return value.__class__ is _TENSOR


def scalar(opcode, what, value):
    """A compile-time number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        errors.fail(f"{opcode}: {what} must be a number or a tensor, not {value!r}")


def indirect_inputs(*tensors):
    """(indices of indirect views, whether there are any)."""
    found = [t.index.tile.operand() for t in tensors if t.index is not None]
    return found, bool(found)

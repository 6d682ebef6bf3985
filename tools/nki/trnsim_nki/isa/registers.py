"""Registers: numbers the sequencers hold. Without data their values are not known and read as given."""
from .. import errors, machine, numeric
from ..tensor import Tensor


class VirtualRegister:
    """A number that may not be known while tracing without data; then it counts as `assumed`."""

    def __init__(self, value=None):
        self.value = value
        self.assumed = 0

    @property
    def known(self):
        return self.value is not None

    def __index__(self):
        return int(self.value) if self.value is not None else self.assumed

    def __int__(self):
        return self.__index__()

    def __bool__(self):
        if self.value is None:
            errors.warn("a condition depends on a register whose value is not known without data; it "
                        "counts as false, use mode='numeric'")
            return False
        return bool(self.value)

    def _with(self, other, function):
        other_value = other.__index__()
        if self.value is None or (isinstance(other, VirtualRegister) and not other.known):
            out = VirtualRegister()
            out.assumed = function(int(self), other_value)
            return out
        return VirtualRegister(function(int(self.value), other_value))

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other):
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other):
        return self._with(other, lambda a, b: a // b)

    def __mod__(self, other):
        return self._with(other, lambda a, b: a % b)

    def __lt__(self, other):
        return int(self) < other.__index__()

    def __le__(self, other):
        return int(self) <= other.__index__()

    def __gt__(self, other):
        return int(self) > other.__index__()

    def __ge__(self, other):
        return int(self) >= other.__index__()

    def __eq__(self, other):
        return hasattr(other, "__index__") and int(self) == other.__index__()

    __hash__ = object.__hash__

    def __repr__(self):
        return f"register({self.value})"


def register_alloc(x=None, **unknown):
    if unknown:
        errors.unknown_keywords("register_alloc", unknown)
    m = machine.active()
    register = VirtualRegister()
    if isinstance(x, Tensor):
        register_load(register, x)
    elif x is not None:
        register.value = int(x)
        m.emit("register_move", None, (), (), m.attrs(imm0=int(x)))
    return register


def register_move(dst, src=None, imm=None, **unknown):
    if unknown:
        errors.unknown_keywords("register_move", unknown)
    m = machine.active()
    source = src if src is not None else imm
    if isinstance(source, VirtualRegister):
        dst.value, dst.assumed = source.value, source.assumed
        m.emit("register_move", None, (), (), m.attrs())
    else:
        dst.value = int(source)
        m.emit("register_move", None, (), (), m.attrs(imm0=int(source)))


def register_load(dst, src, **unknown):
    if unknown:
        errors.unknown_keywords("register_load", unknown)
    m = machine.active()
    if not isinstance(src, Tensor) or src.size != 1:
        errors.fail("register_load: src must be a tensor of one element")
    m.emit("register_load", None, (), (src.operand(),), m.attrs())
    dst.value = int(numeric.bits(src).reshape(-1)[0]) if m.numeric else None
    dst.assumed = 0


def register_store(dst, src, **unknown):
    if unknown:
        errors.unknown_keywords("register_store", unknown)
    m = machine.active()
    m.emit("register_store", None, (dst.operand(),), (), m.attrs(
        imm0=int(src)))
    if m.numeric:
        import numpy as np
        numeric.write(dst, np.full(dst.shape, int(src), np.int64))


def load_scalar(tile):
    """The number in a one-element tile, loaded by a sequencer before it is used as an address."""
    m = machine.active()
    if tile.size != 1:
        errors.fail(f"an offset must be one element, '{tile.name}' has shape {tile.shape}")
    m.emit("register_load", None, (), (tile.operand(),), m.attrs())
    return int(numeric.bits(tile).reshape(-1)[0]) if m.numeric else 0

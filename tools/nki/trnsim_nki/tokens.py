"""Operators, engines, memories and enums; operators are compared by name, so nl.add and np.add are one."""
import numpy as np

from .trt.names import ACT_FUNCS, ALU_OPS


class Token:
    """A named constant that prints and compares by name."""

    __slots__ = ("name", "kind", "value")

    def __init__(self, name, kind, value=None):
        self.name = name
        self.kind = kind
        self.value = name if value is None else value

    def __repr__(self):
        return f"{self.kind}.{self.name}"

    def __str__(self):
        return self.name

    def __eq__(self, other):
        if self is other:
            return True
        return getattr(other, "name", other) == self.name or other == self.value

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self.name)

    def __int__(self):
        return int(self.value)

    def __lt__(self, other):
        return self.value < getattr(other, "value", other)

    def __le__(self, other):
        return self.value <= getattr(other, "value", other)

    def __gt__(self, other):
        return self.value > getattr(other, "value", other)

    def __ge__(self, other):
        return self.value >= getattr(other, "value", other)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def _enum(name, **values):
    tokens = {key: Token(key, name, value) for key, value in values.items()}

    def iterate(cls):
        return iter(tokens.values())

    def lookup(cls, key):
        return tokens[key]

    meta = type(name + "Meta", (type,), {"__iter__": iterate, "__getitem__": lookup})
    return meta(name, (), dict(tokens))


engine = _enum("engine", tensor=1, vector=5, scalar=2, gpsimd=3, dma=4, sync=6, unknown=0)
reduce_cmd = _enum("reduce_cmd", idle=0, reset=1, reduce=2, reset_reduce=3, load_reduce=4)
dge_mode = _enum("dge_mode", unknown=0, swdge=1, hwdge=2, none=3)
oob_mode = _enum("oob_mode", error=0, skip=1)
matmul_perf_mode = _enum("matmul_perf_mode", none="none", double_row="double_row",
                         double_row_gen3="double_row_gen3", double_column="double_column",
                         double_pixel="double_pixel")
nc_version = _enum("nc_version", gen2=2, gen3=3, gen4=4)
dma_engine = _enum("dma_engine", dma=1, gpsimd_dma=2)

MemoryRegion = _enum("MemoryRegion", sbuf="sbuf", psum="psum", hbm="hbm", private_hbm="private_hbm",
                     shared_hbm="shared_hbm")

_TRACE_REGION = {"sbuf": "sbuf", "psum": "psum", "hbm": "hbm", "private_hbm": "hbm",
                 "shared_hbm": "hbm", "sb": "sbuf"}


def region_of(buffer):
    """"hbm", "sbuf" or "psum" of a buffer argument; None if it is none."""
    return _TRACE_REGION.get(str(getattr(buffer, "name", buffer)))


# Engine names of the trace; None = lowering chooses.
ENGINE = {engine.tensor: "Tensor", engine.vector: "Vector", engine.scalar: "Scalar",
          engine.gpsimd: "GpSimd", engine.sync: "Sync", engine.dma: None, engine.unknown: None,
          None: None, "tensor": "Tensor", "vector": "Vector", "scalar": "Scalar",
          "gpsimd": "GpSimd", "sync": "Sync", "unknown": None, "pe": "Tensor", "act": "Scalar",
          "pool": "GpSimd", "sp": "Sync"}
DGE = {dge_mode.unknown: "unknown", dge_mode.none: "none", dge_mode.swdge: "software",
       dge_mode.hwdge: "hardware", None: "unknown"}

# Other spellings of the arithmetic-logic operators.
_ALU_ALIAS = {
    "maximum": "max", "amax": "max", "minimum": "min", "amin": "min", "sum": "add", "prod": "multiply",
    "mult": "multiply", "true_divide": "divide", "left_shift": "shift_left",
    "right_shift": "shift_right", "logical_shift_left": "shift_left",
    "logical_shift_right": "shift_right", "arith_shift_left": "shift_left",
    "arith_shift_right": "shift_right", "absolute": "abs", "pow": "power", "copy": "bypass",
    "absmax": "abs_max", "absmin": "abs_min", "average": "average", "mean": "average",
    "invert": "invert", "bitwise_not": "invert", "floor_mod": "mod", "remainder": "mod",
}

_ACT_ALIAS = {"absolute": "abs", "gelu_apprx_tanh": "gelu_approx_tanh", "bypass": "copy"}

_alu_cache = {None: "none"}
_act_cache = {}


def _name(op):
    name = getattr(op, "name", None) or getattr(op, "__name__", None) or op
    return name if isinstance(name, str) else None


def alu(op):
    """Our name of an operator given as a token, a function of nl or numpy, or a text."""
    try:
        return _alu_cache[op]
    except (KeyError, TypeError):
        pass
    name = _name(op)
    name = _ALU_ALIAS.get(name, name)
    if name not in ALU_OPS:
        from . import errors
        errors.fail(f"{op!r} is no arithmetic or logic operator")
    _alu_cache[op] = name
    return name


def act(op):
    """Our name of an activation function."""
    try:
        return _act_cache[op]
    except (KeyError, TypeError):
        pass
    name = _name(op)
    name = _ACT_ALIAS.get(name, name)
    if name not in ACT_FUNCS:
        from . import errors
        errors.fail(f"{op!r} is no activation function")
    _act_cache[op] = name
    return name


def is_number(value):
    return isinstance(value, (int, float, bool, np.number))

"""Element types: strings that also convert to numpy dtypes, so every spelling a kernel uses compares equal."""
import ml_dtypes  # noqa: F401 - importing it makes numpy know bfloat16 and the 8-bit floats
import numpy as np


class DType(str):
    """The NKI name of an element type."""

    # `numpy` stores values, `bits` moves them unchanged, `size` is in bytes.
    __slots__ = ("numpy", "bits", "size", "is_float", "is_packed")

    def __new__(cls, name, numpy_name, size, is_float, is_packed=False):
        self = str.__new__(cls, name)
        self.numpy = np.dtype(numpy_name)
        self.bits = np.dtype(f"uint{8 * size}")
        self.size = size
        self.is_float = is_float
        self.is_packed = is_packed
        return self

    @property
    def dtype(self):
        return self.numpy

    @property
    def itemsize(self):
        return self.size

    @property
    def name(self):
        return str.__str__(self)

    def __str__(self):
        return str.__str__(self)

    def __repr__(self):
        return f"nl.{str.__str__(self)}"

    def __eq__(self, other):
        if self is other:
            return True
        if isinstance(other, str):
            return str.__eq__(self, ALIASES.get(str(other), str(other)))
        found = of(other, None)
        return found is self

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self):
        return (of, (str.__str__(self),))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


# name, numpy storage, bytes, float, packed. tfloat32 lives in fp32 bytes and is rounded on access.
_ROWS = (
    ("float32", "float32", 4, True),
    ("tfloat32", "float32", 4, True),
    ("bfloat16", "bfloat16", 2, True),
    ("float16", "float16", 2, True),
    ("float8_e3m4", "float8_e3m4", 1, True),
    ("float8_e4m3", "float8_e4m3", 1, True),
    ("float8_e4m3fn", "float8_e4m3fn", 1, True),
    ("float8_e5m2", "float8_e5m2", 1, True),
    ("float8_e4m3fn_x4", "uint32", 4, True, True),
    ("float8_e5m2_x4", "uint32", 4, True, True),
    ("float4_e2m1fn_x4", "uint16", 2, True, True),
    ("float8_e8m0fnu", "uint8", 1, False),
    ("int32", "int32", 4, False),
    ("uint32", "uint32", 4, False),
    ("int16", "int16", 2, False),
    ("uint16", "uint16", 2, False),
    ("int8", "int8", 1, False),
    ("uint8", "uint8", 1, False),
    ("bool", "bool", 1, False),
    ("int64", "int64", 8, False),
)

ALIASES = {
    "fp32": "float32", "f32": "float32", "float": "float32", "tf32": "tfloat32", "bf16": "bfloat16",
    "fp16": "float16", "f16": "float16", "half": "float16", "fp8": "float8_e4m3",
    "fp8_e4m3": "float8_e4m3", "fp8_e5m2": "float8_e5m2", "fp8_e3m4": "float8_e3m4",
    "float8e4": "float8_e4m3", "float8e5": "float8_e5m2", "bool_": "bool", "int": "int32",
    "float8_e4m3b11fnuz": "float8_e4m3",
}

# Names the trace has no type for, and what is recorded in their place.
TRACE_NAME = {"float8_e8m0fnu": "uint8", "int64": "int32"}

TABLE = {row[0]: DType(*row) for row in _ROWS}
_seen = {}


def of(what, default=...):
    """The DType of a name, numpy dtype, numpy scalar type or DType."""
    if type(what) is DType:
        return what
    try:
        return _seen[what]
    except (KeyError, TypeError):
        pass
    found = _find(what)
    if found is None:
        if default is ...:
            raise ValueError(f"{what!r} is no element type; known are {', '.join(TABLE)}")
        return default
    try:
        _seen[what] = found
    except TypeError:
        pass
    return found


def _find(what):
    if isinstance(what, str):
        name = str(what).rsplit(".", 1)[-1]
        return TABLE.get(ALIASES.get(name, name))
    name = getattr(what, "name", None) or getattr(what, "__name__", None)
    if isinstance(name, str) and (ALIASES.get(name) or name) in TABLE:
        return TABLE[ALIASES.get(name, name)]
    if str(what).startswith("torch."):
        return _find(str(what)[len("torch."):])
    if isinstance(what, (int, float, list, tuple, dict, bytes)) or what is None:
        return None
    try:
        return TABLE.get(np.dtype(what).name)
    except (TypeError, ValueError):
        return None


for _name in TABLE:
    globals()[_name if _name != "bool" else "bool_"] = TABLE[_name]
del _name

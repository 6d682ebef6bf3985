"""Arithmetic, comparisons, functions and reductions of nl in NKI beta 1."""
import builtins

import numpy as np

from .. import dtypes, errors, machine
from .. import isa as core
from ..tensor import Tensor
from . import isa
from .index import Affine
from .isa import wider
from .isa_common import kind, prepare
from .pending import F32, Block, flush
from .tile import Tile

FUNCTIONS = {}


_COMPARISON = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
               "logical_or", "logical_xor")
_BINARY = ("add subtract multiply divide maximum minimum power bitwise_and bitwise_or bitwise_xor "
           "left_shift right_shift fmod mod").split()
_UNARY = ("exp log sqrt rsqrt tanh sigmoid relu gelu gelu_apprx_sigmoid gelu_apprx_tanh gelu_dx silu "
          "silu_dx softplus mish erf erf_dx sin cos tan arctan ceil floor trunc negative sign abs "
          "square").split()
_U8 = dtypes.TABLE["uint8"]


def _binary(name):
    compares = name in _COMPARISON

    def function(x, y, dtype=None, mask=None, **unknown):
        unknown.pop("name", None)
        if unknown:
            errors.unknown_keywords(name, unknown)
        if x.__class__ is not Tile:
            if y.__class__ is not Tile:
                if isinstance(x, (int, float, np.number, Affine)):
                    return getattr(np, name)(x, y)
                errors.fail(f"nl.{name}: one of {x!r} and {y!r} must be a tile")
            return isa.tensor_scalar(y, name, x, True, dtype=_kind(y.dtype, dtype), mask=mask)
        if y.__class__ is not Tile:
            return isa.tensor_scalar(x, name, y, dtype=_kind(x.dtype, dtype), mask=mask)
        out = _kind(wider(x.dtype, y.dtype), dtype)
        a, b = x.shape, y.shape
        if a != b:
            if a[0] != b[0] and 1 in (a[0], b[0]):
                if a[0] == 1:
                    x = language.broadcast_to(x, (b[0],) + a[1:])
                else:
                    y = language.broadcast_to(y, (a[0],) + b[1:])
                a, b = x.shape, y.shape
            if a[0] == b[0]:
                if _columns(b) == 1 and _columns(a) > 1:
                    return isa.tensor_scalar(x, name, _column(y), dtype=out, mask=mask)
                if _columns(a) == 1 and _columns(b) > 1:
                    return isa.tensor_scalar(y, name, _column(x), True, dtype=out, mask=mask)
            shape = _common(name, x, y)
            x, y = _spread(x, shape), _spread(y, shape)
        return isa.tensor_tensor(x, y, name, dtype=out, mask=mask)

    def _kind(default, dtype):
        if dtype is not None:
            return dtypes.of(dtype)
        if compares:
            return _U8
        return F32 if name == "divide" and not default.is_float else default

    function.__name__ = function.__qualname__ = name
    return function


def _columns(shape):
    n = 1
    for extent in shape[1:]:
        n *= extent
    return n


def _column(tile):
    if len(tile.shape) == 2:
        return tile
    flush()
    t = tile.reading(psum=True)
    return Tile(t._with((t.shape[0], 1), (t.strides[0], 1)), tile.block)


def _common(name, x, y):
    a, b = x.shape, y.shape
    while len(a) < len(b):
        a = a[:1] + (1,) + a[1:]
    while len(b) < len(a):
        b = b[:1] + (1,) + b[1:]
    for p, q in zip(a, b):
        if p != q and p != 1 and q != 1:
            errors.fail(f"nl.{name}: tiles of {x.shape} and {y.shape} do not fit")
    return tuple(builtins.max(p, q) for p, q in zip(a, b))


def _spread(tile, shape):
    if tile.shape == shape:
        return tile
    flush()
    return Tile(tile.reading(psum=True).broadcast_to(shape), tile.block)


def _unary(name):
    def function(x, dtype=None, mask=None, **unknown):
        if unknown:
            unknown.pop("name", None)
            errors.unknown_keywords(name, unknown)
        return isa.activation(name, x, dtype=dtype, mask=mask)

    function.__name__ = function.__qualname__ = name
    return function


for _name in (*_BINARY, *_COMPARISON):
    FUNCTIONS[_name] = _binary(_name)
for _name in _UNARY:
    FUNCTIONS[_name] = _unary(_name)


def _reduction(name, op):
    def function(x, axis, dtype=None, mask=None, keepdims=False, **unknown):
        unknown.pop("name", None)
        if unknown:
            errors.unknown_keywords(name, unknown)
        return isa.tensor_reduce(op, x, axis, dtype=dtype, mask=mask, keepdims=keepdims)

    function.__name__ = function.__qualname__ = name
    FUNCTIONS[name] = function


for _name, _op in (("sum", "add"), ("max", "max"), ("min", "min"), ("prod", "multiply"),
                   ("all", "logical_and")):
    _reduction(_name, _op)


def reciprocal(x, *, dtype=None, mask=None, **unknown):
    return isa.reciprocal(x, dtype=dtype, mask=mask)


def mean(x, axis, *, dtype=None, mask=None, keepdims=False, **unknown):
    axes = isa.axes_of("mean", x.shape, axis)
    number = 1
    for a in axes:
        number *= x.shape[a]
    total = isa.tensor_reduce("add", x, axis, dtype=F32, mask=mask, keepdims=keepdims)
    return isa.tensor_scalar(total, "multiply", 1.0 / number, dtype=kind(dtype, x.dtype))


def var(x, axis, *, dtype=None, mask=None, **unknown):
    center = mean(x, axis, dtype=F32, mask=mask, keepdims=True)
    wide = FUNCTIONS["subtract"](x, center, dtype=F32, mask=mask)
    return mean(FUNCTIONS["multiply"](wide, wide, mask=mask), axis, dtype=kind(dtype, x.dtype), mask=mask,
                keepdims=True)


def softmax(x, axis, *, dtype=None, compute_dtype=None, mask=None, **unknown):
    top = FUNCTIONS["max"](x, axis, dtype=F32, mask=mask, keepdims=True)
    powers = FUNCTIONS["exp"](FUNCTIONS["subtract"](x, top, dtype=F32, mask=mask), mask=mask)
    inverse = reciprocal(FUNCTIONS["sum"](powers, axis, mask=mask, keepdims=True), mask=mask)
    return FUNCTIONS["multiply"](powers, inverse, dtype=kind(dtype, x.dtype), mask=mask)


def rms_norm(x, w, axis, n, epsilon=1e-06, *, dtype=None, compute_dtype=None, mask=None, **unknown):
    squares = isa.activation("square", x, dtype=F32, mask=mask)
    total = FUNCTIONS["sum"](squares, axis, mask=mask, keepdims=True)
    scaled = isa.tensor_scalar(total, "multiply", 1.0 / n, op1="add", operand1=epsilon, mask=mask)
    inverse = isa.activation("rsqrt", scaled, mask=mask)
    normal = FUNCTIONS["multiply"](x, inverse, dtype=F32, mask=mask)
    return FUNCTIONS["multiply"](normal, w, dtype=kind(dtype, x.dtype), mask=mask)


def dropout(x, rate, *, dtype=None, mask=None, **unknown):
    return isa.dropout(x, rate, dtype=dtype, mask=mask)


def invert(x, *, dtype=None, mask=None, **unknown):
    return isa.tensor_scalar(x, "bitwise_xor", (1 << (8 * x.dtype.size)) - 1, dtype=dtype, mask=mask)


def logical_not(x, *, dtype=None, mask=None, **unknown):
    return isa.tensor_scalar(x, "equal", 0.0, dtype=kind(dtype, _U8), mask=mask)


def where(condition, x, y, *, dtype=None, mask=None, **unknown):
    """x where condition is not 0, else y."""
    flush()
    like = x if x.__class__ is Tile else y
    out = kind(dtype, like.dtype if like.__class__ is Tile else F32)
    drop, clip, predicate, (c, a, b) = prepare(mask, condition.shape, condition, x, y)
    if clip or predicate is not None:
        errors.fail("where: masks are not implemented")
    m = machine.active()
    dst = isa.new(m, condition.shape, out)
    if drop:
        return Tile(dst, Block(dst.storage))
    chosen = isa.new(m, condition.shape, _U8)
    core.tensor_scalar(chosen, c, "not_equal", 0.0)
    if isinstance(b, Tensor):
        core.tensor_copy(dst, isa.fit(b, dst.shape))
    else:
        core.memset(dst, b)
    if isinstance(a, Tensor):
        a = isa.fit(isa.in_sbuf(a), dst.shape)
    core.tensor_copy_predicated(dst, a, chosen)
    return Tile(dst, Block(dst.storage))


for _function in (reciprocal, mean, var, softmax, rms_norm, dropout, invert, logical_not, where):
    FUNCTIONS[_function.__name__] = _function


# Last: that module needs what stands above.
from . import language  # noqa: E402

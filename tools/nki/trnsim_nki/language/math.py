"""Elementwise and reducing nl functions; each is also the token of its operator."""
from .. import dtypes, errors, tokens
from ..isa.activation import activation
from ..isa import copy as isa_copy
from ..isa import elementwise, reduce
from ..tensor import Tensor
from . import create

_BINARY = ("add subtract multiply divide maximum minimum abs_max abs_min power equal not_equal less "
           "less_equal greater greater_equal bitwise_and bitwise_or bitwise_xor left_shift right_shift "
           "logical_and logical_or logical_xor fmod mod").split()
_ACTIVATION = ("exp log sqrt rsqrt tanh sigmoid relu gelu gelu_apprx_sigmoid gelu_apprx_tanh gelu_dx "
               "gelu_apprx_sigmoid_dx silu silu_dx softplus mish erf erf_dx sin cos tan arctan ceil floor "
               "trunc negative sign abs square").split()
_SWAPPED = {"less": "greater", "greater": "less", "less_equal": "greater_equal",
            "greater_equal": "less_equal"}


def _result_dtype(x, y, dtype):
    if dtype is not None:
        return dtypes.of(dtype)
    if not isinstance(y, Tensor):
        return x.dtype
    if x.dtype is y.dtype:
        return x.dtype
    # Floats win over integers, wider over narrower.
    order = sorted((x.dtype, y.dtype), key=lambda d: (d.is_float, d.size))
    return order[-1]


def _binary(name):
    def function(x, y, dtype=None, **unknown):
        if unknown:
            errors.unknown_keywords(name, unknown)
        if not isinstance(x, Tensor) and not isinstance(y, Tensor):
            errors.fail(f"nl.{name}: one of {x!r} and {y!r} must be a tile")
        reverse = not isinstance(x, Tensor)
        if reverse:
            x, y = y, x
        kind = _result_dtype(x, y, dtype)
        if not isinstance(y, Tensor):
            dst = create.ndarray(x.shape, kind)
            elementwise.tensor_scalar(dst, x, name, y, reverse0=reverse)
            return dst
        shape = _common_shape(name, x, y)
        dst = create.ndarray(shape, kind)
        if x.shape == shape and y.n == 1 and dst.n != 1 and y.dtype is dtypes.TABLE["float32"]:
            elementwise.tensor_scalar(dst, x, name, y)
            return dst
        elementwise.tensor_tensor(dst, x if x.shape == shape else x.broadcast_to(shape),
                                  y if y.shape == shape else y.broadcast_to(shape), name)
        return dst

    function.__name__ = function.__qualname__ = name
    return function


def _common_shape(name, x, y):
    a, b = x.shape, y.shape
    while len(a) < len(b):
        a = a[:1] + (1,) + a[1:]
    while len(b) < len(a):
        b = b[:1] + (1,) + b[1:]
    out = []
    for p, q in zip(a, b):
        if p != q and p != 1 and q != 1:
            errors.fail(f"nl.{name}: '{x.name}' {x.shape} and '{y.name}' {y.shape} do not fit")
        out.append(max_of(p, q))
    return tuple(out)


def max_of(a, b):
    return a if a > b else b


def _unary(name):
    def function(x, dtype=None, **unknown):
        if unknown:
            errors.unknown_keywords(name, unknown)
        dst = create.ndarray(x.shape, dtype or x.dtype)
        activation(dst, name, x)
        return dst

    function.__name__ = function.__qualname__ = name
    return function


FUNCTIONS = {name: _binary(name) for name in _BINARY}
FUNCTIONS.update({name: _unary(name) for name in _ACTIVATION})


def _export(function):
    FUNCTIONS[function.__name__] = function
    return function


@_export
def reciprocal(x, dtype=None):
    dst = create.ndarray(x.shape, dtype or x.dtype)
    elementwise.reciprocal(dst, x)
    return dst


@_export
def copy(x, dtype=None, **unknown):
    from . import memory
    return memory.copy(x, dtype)


@_export
def invert(x, dtype=None):
    dst = create.ndarray(x.shape, dtype or x.dtype)
    elementwise.tensor_scalar(dst, x, "bitwise_xor", (1 << (8 * x.dtype.size)) - 1)
    return dst


@_export
def logical_not(x, dtype=None):
    dst = create.ndarray(x.shape, dtype or x.dtype)
    elementwise.tensor_scalar(dst, x, "equal", 0.0)
    return dst


@_export
def where(condition, x, y, dtype=None):
    """x where condition is not 0, else y."""
    like = x if isinstance(x, Tensor) else y
    kind = dtypes.of(dtype) if dtype else (like.dtype if isinstance(like, Tensor) else
                                           dtypes.TABLE["float32"])
    dst = create.ndarray(condition.shape, kind)
    mask = create.ndarray(condition.shape, dtypes.TABLE["uint8"])
    elementwise.tensor_scalar(mask, condition, "not_equal", 0.0)
    if isinstance(y, Tensor):
        isa_copy.tensor_copy(dst, y.broadcast_to(dst.shape) if y.shape != dst.shape else y)
    else:
        isa_copy.memset(dst, y)
    if isinstance(x, Tensor) and x.dtype is not kind:
        x = copy(x, kind)
    if isinstance(x, Tensor) and x.shape != dst.shape:
        x = x.broadcast_to(dst.shape)
    isa_copy.tensor_copy_predicated(dst, x, mask)
    return dst


def _axes(x, axis):
    axes = [axis] if isinstance(axis, int) else list(axis)
    axes = sorted(a + len(x.shape) if a < 0 else a for a in axes)
    if axes[0] < 1 or axes != list(range(axes[0], len(x.shape))):
        errors.fail(f"a reduction over axis {axis} of '{x.name}' {x.shape}: the last free dims only")
    return axes


def _reduction(name, op):
    def function(x, axis, dtype=None, keepdims=False, **unknown):
        if unknown:
            errors.unknown_keywords(name, unknown)
        axes = _axes(x, axis)
        shape = x.shape[:axes[0]] + ((1,) * len(axes) if keepdims or axes[0] == 1 else ())
        dst = create.ndarray(shape, dtype or x.dtype)
        reduce.tensor_reduce(dst, op, x, axes)
        return dst

    function.__name__ = function.__qualname__ = name
    FUNCTIONS[name] = function
    return function


sum_of = _reduction("sum", "add")
maximum_of = _reduction("max", "max")
_reduction("min", "min")
_reduction("prod", "multiply")
_reduction("all", "logical_and")


@_export
def mean(x, axis, dtype=None, keepdims=False):
    axes = _axes(x, axis)
    total = sum_of(x, axes, dtype=dtypes.TABLE["float32"], keepdims=keepdims)
    number = 1
    for a in axes:
        number *= x.shape[a]
    dst = create.ndarray(total.shape, dtype or x.dtype)
    elementwise.tensor_scalar(dst, total, "multiply", 1.0 / number)
    return dst


@_export
def var(x, axis, dtype=None, keepdims=False):
    axes = _axes(x, axis)
    center = mean(x, axes, dtype=dtypes.TABLE["float32"], keepdims=True)
    wide = create.ndarray(x.shape, dtypes.TABLE["float32"])
    elementwise.tensor_tensor(wide, x, center.broadcast_to(x.shape), "subtract")
    squares = create.ndarray(x.shape, dtypes.TABLE["float32"])
    elementwise.tensor_tensor(squares, wide, wide, "multiply")
    return mean(squares, axes, dtype=dtype or x.dtype, keepdims=True)


@_export
def softmax(x, axis=-1, dtype=None):
    """exp(x - max) / sum along the last free dims."""
    axes = _axes(x, axis)
    wide = dtypes.TABLE["float32"]
    top = maximum_of(x, axes, dtype=wide, keepdims=True)
    shifted = create.ndarray(x.shape, wide)
    elementwise.tensor_tensor(shifted, x, top.broadcast_to(x.shape), "subtract")
    powers = create.ndarray(x.shape, wide)
    activation(powers, "exp", shifted)
    inverse = reciprocal(sum_of(powers, axes, dtype=wide, keepdims=True))
    dst = create.ndarray(x.shape, dtype or x.dtype)
    elementwise.tensor_tensor(dst, powers, inverse.broadcast_to(x.shape), "multiply")
    return dst


@_export
def rms_norm(x, w, axis, n, epsilon=1e-06, dtype=None, compute_dtype=None):
    """x / sqrt(mean(x^2) + epsilon) * w."""
    axes = _axes(x, axis)
    wide = dtypes.TABLE["float32"]
    squares = create.ndarray(x.shape, wide)
    activation(squares, "square", x)
    total = sum_of(squares, axes, dtype=wide, keepdims=True)
    scaled = create.ndarray(total.shape, wide)
    elementwise.tensor_scalar(scaled, total, "multiply", 1.0 / n, op1="add", operand1=epsilon)
    inverse = create.ndarray(total.shape, wide)
    activation(inverse, "rsqrt", scaled)
    normal = create.ndarray(x.shape, wide)
    elementwise.tensor_tensor(normal, x, inverse.broadcast_to(x.shape), "multiply")
    dst = create.ndarray(x.shape, dtype or x.dtype)
    elementwise.tensor_tensor(dst, normal, w if w.shape == x.shape else w.broadcast_to(x.shape),
                              "multiply")
    return dst


@_export
def dropout(x, rate, dtype=None):
    from ..isa import random
    dst = create.ndarray(x.shape, dtype or x.dtype)
    random.dropout(dst, x, rate)
    return dst


# Operators without a function of their own.
TOKENS = {name: tokens.Token(name, "nl") for name in ("average", "prelu", "bypass", "identity")}

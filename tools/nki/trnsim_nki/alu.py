"""What the operators and activation functions compute, in fp32 with one rounding per operation."""
import math

import numpy as np

_F = np.float32


def _compare(function):
    return lambda a, b: function(a, b).astype(_F)


def _bits_of(value):
    return np.asarray(value).astype(np.int64)


def _integer(function):
    return lambda a, b: function(_bits_of(a), _bits_of(b))


BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "max": np.maximum, "min": np.minimum,
    "abs_max": lambda a, b: np.maximum(np.abs(a), np.abs(b)),
    "abs_min": lambda a, b: np.minimum(np.abs(a), np.abs(b)),
    "power": np.power, "mod": np.mod, "fmod": np.fmod, "average": np.add,
    "equal": _compare(np.equal), "not_equal": _compare(np.not_equal),
    "greater": _compare(np.greater), "greater_equal": _compare(np.greater_equal),
    "less": _compare(np.less), "less_equal": _compare(np.less_equal),
    "logical_and": _compare(np.logical_and), "logical_or": _compare(np.logical_or),
    "logical_xor": _compare(np.logical_xor),
    "bypass": lambda a, b: a,
    "rsqrt": lambda a, b: _F(1) / np.sqrt(a), "abs": lambda a, b: np.abs(a),
    "sqrt": lambda a, b: np.sqrt(a), "square": lambda a, b: a * a,
    "relu": lambda a, b: np.maximum(a, _F(0)), "reciprocal": lambda a, b: _F(1) / a,
    "negative": lambda a, b: -a, "sign": lambda a, b: np.sign(a), "exp": lambda a, b: np.exp(a),
    "floor": lambda a, b: np.floor(a), "ceil": lambda a, b: np.ceil(a),
    "trunc": lambda a, b: np.trunc(a),
    "logical_not": lambda a, b: (a == 0).astype(_F),
}

BITWISE = {
    "bitwise_and": _integer(np.bitwise_and), "bitwise_or": _integer(np.bitwise_or),
    "bitwise_xor": _integer(np.bitwise_xor), "shift_left": _integer(np.left_shift),
    "shift_right": _integer(np.right_shift),
    "invert": lambda a, b: ~_bits_of(a),
}

# They take the data side, whatever the reverse flags say.
UNARY = frozenset(("bypass", "rsqrt", "abs", "sqrt", "square", "relu", "reciprocal", "negative",
                   "sign", "exp", "floor", "ceil", "trunc", "logical_not", "invert"))

COMPARE = frozenset(("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"))

# Start of a reduction, and the reduction of rows.
IDENTITY = {"add": 0.0, "subtract": 0.0, "average": 0.0, "multiply": 1.0, "max": -math.inf,
            "min": math.inf, "abs_max": 0.0, "abs_min": math.inf, "logical_and": 1.0,
            "logical_or": 0.0}


def binary(op, a, b):
    with np.errstate(all="ignore"):
        if op in BITWISE:
            return BITWISE[op](a, b)
        return BINARY[op](a, b)


def wrap(values, dtype):
    """Integer results cut to the width of an integer type, as hardware registers do."""
    bits = dtype.bits
    mask = (1 << (8 * dtype.size)) - 1
    return (values & mask).astype(bits).view(dtype.numpy)


def reduce_rows(op, block):
    """[P, N] to [P, 1]."""
    with np.errstate(all="ignore"):
        if op in ("add", "average"):
            total = block.sum(axis=1, keepdims=True, dtype=np.float32)
            return total / _F(block.shape[1]) if op == "average" else total
        if op == "subtract":
            return block[:, :1] - block[:, 1:].sum(axis=1, keepdims=True, dtype=np.float32)
        if op == "multiply":
            return block.prod(axis=1, keepdims=True, dtype=np.float32)
        if op == "max":
            return block.max(axis=1, keepdims=True)
        if op == "min":
            return block.min(axis=1, keepdims=True)
        if op == "abs_max":
            return np.abs(block).max(axis=1, keepdims=True)
        if op == "abs_min":
            return np.abs(block).min(axis=1, keepdims=True)
        if op == "logical_and":
            return (block != 0).all(axis=1, keepdims=True).astype(_F)
        if op == "logical_or":
            return (block != 0).any(axis=1, keepdims=True).astype(_F)
    raise KeyError(op)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _wide(function):
    """A mathematical function evaluated in double and rounded once."""
    return lambda x: function(x.astype(np.float64)).astype(_F)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _gelu(x):
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def _gelu_dx(x):
    return 0.5 * (1 + _erf(x / math.sqrt(2))) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _silu_dx(x):
    s = _sigmoid(x)
    return s * (1 + x * (1 - s))


def _gelu_sigmoid_dx(x):
    s = _sigmoid(1.702 * x)
    return s + 1.702 * x * s * (1 - s)


def _softplus(x):
    return np.logaddexp(0, x)


ACTIVATION = {
    "copy": lambda x: x, "identity": lambda x: x, "bypass": lambda x: x,
    "square": lambda x: x * x, "relu": lambda x: np.maximum(x, _F(0)), "abs": np.abs,
    "sign": np.sign, "negative": np.negative, "ceil": np.ceil, "floor": np.floor, "trunc": np.trunc,
    "exp": _wide(np.exp), "log": _wide(np.log), "sqrt": _wide(np.sqrt),
    "rsqrt": _wide(lambda x: 1 / np.sqrt(x)), "reciprocal": _wide(lambda x: 1 / x),
    "sigmoid": _wide(_sigmoid), "tanh": _wide(np.tanh), "gelu": _wide(_gelu),
    "gelu_approx_tanh": _wide(_gelu_tanh),
    "gelu_apprx_sigmoid": _wide(lambda x: x * _sigmoid(1.702 * x)),
    "gelu_apprx_sigmoid_dx": _wide(_gelu_sigmoid_dx), "gelu_dx": _wide(_gelu_dx),
    "silu": _wide(lambda x: x * _sigmoid(x)), "silu_dx": _wide(_silu_dx),
    "softplus": _wide(_softplus), "mish": _wide(lambda x: x * np.tanh(_softplus(x))),
    "erf": _wide(_erf), "erf_dx": _wide(lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
    "sin": _wide(np.sin), "cos": _wide(np.cos), "tan": _wide(np.tan), "arctan": _wide(np.arctan),
    "logical_not": lambda x: (x == 0).astype(_F),
}


def activate(func, x, slope=0):
    """A function of fp32 values; `slope` is what prelu multiplies values below 0 by."""
    with np.errstate(all="ignore"):
        x = np.asarray(x, _F)
        return np.where(x < 0, x * slope, x).astype(_F) if func == "prelu" else ACTIVATION[func](x)

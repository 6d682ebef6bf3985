"""Index expressions of NKI beta 1: affine functions of axes, and the comparisons that make masks."""
import functools
import operator

import numpy as np

from .. import errors


class Affine:
    """const + sum(coef[axis] * position on axis), broadcast like a numpy array of that shape."""

    __slots__ = ("shape", "const", "coef")
    __array_ufunc__ = None  # numpy numbers on the left give way

    def __init__(self, shape, const, coef):
        self.shape = shape
        self.const = const
        self.coef = coef

    @property
    def ndim(self):
        return len(self.shape)

    def __repr__(self):
        return f"<index expression {self.const} + {self.coef} over {self.shape}>"

    def __iter__(self):
        errors.fail("an index expression cannot be iterated over")

    def __bool__(self):
        errors.fail("an index expression is no condition; compare it and use the result as mask=")

    def __getitem__(self, key):
        key = key if type(key) is tuple else (key,)
        taken = sum(1 for k in key if k is not None and k is not Ellipsis)
        shape, coef = [], []
        const = self.const
        at = 0
        for k in key:
            if k is None:
                shape.append(1)
                coef.append(0)
            elif k is Ellipsis:
                for _ in range(len(self.shape) - taken):
                    shape.append(self.shape[at])
                    coef.append(self.coef[at])
                    at += 1
            elif isinstance(k, slice):
                start, stop, step = k.indices(self.shape[at])
                const += start * self.coef[at]
                shape.append(len(range(start, stop, step)))
                coef.append(self.coef[at] * step)
                at += 1
            else:
                const += operator.index(k) * self.coef[at]
                at += 1
        shape.extend(self.shape[at:])
        coef.extend(self.coef[at:])
        return Affine(tuple(shape), const, tuple(coef))

    def _aligned(self, ndim):
        missing = ndim - len(self.shape)
        return self if missing == 0 else Affine((1,) * missing + self.shape, self.const,
                                                (0,) * missing + self.coef)

    def __add__(self, other):
        if isinstance(other, Affine):
            if other.shape == self.shape:
                return Affine(self.shape, self.const + other.const,
                              tuple(map(operator.add, self.coef, other.coef)))
            ndim = max(len(self.shape), len(other.shape))
            a, b = self._aligned(ndim), other._aligned(ndim)
            shape = common_shape(a.shape, b.shape)
            return Affine(shape, a.const + b.const, tuple(map(operator.add, a.coef, b.coef)))
        number = _number(other)
        if number is None:
            return NotImplemented
        return Affine(self.shape, self.const + number, self.coef)

    __radd__ = __add__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        if isinstance(other, Affine):
            return self + other * -1
        number = _number(other)
        return NotImplemented if number is None else Affine(self.shape, self.const - number, self.coef)

    def __rsub__(self, other):
        return self * -1 + other

    def __mul__(self, other):
        number = _number(other)
        if number is None:
            if isinstance(other, Affine):
                errors.fail("the product of two index expressions is not affine")
            return NotImplemented
        return Affine(self.shape, self.const * number, tuple(c * number for c in self.coef))

    __rmul__ = __mul__

    def __floordiv__(self, other):
        number = _number(other)
        if number and self.const % number == 0 and all(c % number == 0 for c in self.coef):
            return Affine(self.shape, self.const // number, tuple(c // number for c in self.coef))
        errors.fail(f"{self!r} // {other!r} is not affine")

    def __mod__(self, other):
        number = _number(other)
        if number and all(c % number == 0 for c in self.coef):
            return Affine(self.shape, self.const % number, (0,) * len(self.coef))
        errors.fail(f"{self!r} % {other!r} is not affine")

    def __lt__(self, other):
        return _compare(self, other, "less")

    def __le__(self, other):
        return _compare(self, other, "less_equal")

    def __gt__(self, other):
        return _compare(self, other, "greater")

    def __ge__(self, other):
        return _compare(self, other, "greater_equal")

    def __eq__(self, other):
        return _compare(self, other, "equal")

    def __ne__(self, other):
        return _compare(self, other, "not_equal")

    __hash__ = None

    def bounds(self):
        low = high = self.const
        for extent, c in zip(self.shape, self.coef):
            if c < 0:
                low += c * (extent - 1)
            else:
                high += c * (extent - 1)
        return low, high


def _number(value):
    if isinstance(value, (int, np.integer)):
        return int(value)
    return None


def _compare(a, b, op):
    difference = a - b
    if difference is NotImplemented or not isinstance(difference, Affine):
        return NotImplemented
    return Mask(((difference, op),))


def common_shape(a, b):
    """Shape of a broadcast; both have as many dims."""
    out = []
    for p, q in zip(a, b):
        if p != q and p != 1 and q != 1:
            errors.fail(f"index expressions of shapes {a} and {b} do not fit together")
        out.append(q if p == 1 else p)
    return tuple(out)


class Mask:
    """Conditions that all hold where an instruction works; each is (affine expression, compared with 0)."""

    __slots__ = ("conditions",)

    def __init__(self, conditions):
        self.conditions = conditions

    def __and__(self, other):
        if isinstance(other, Mask):
            return Mask(self.conditions + other.conditions)
        return self if other else False

    __rand__ = __and__

    def __or__(self, other):
        errors.fail("masks can be joined by & only")

    def __bool__(self):
        errors.fail("a mask over index expressions is no Python condition")


_OPS = {"less": operator.lt, "less_equal": operator.le, "greater": operator.gt,
        "greater_equal": operator.ge, "equal": operator.eq, "not_equal": operator.ne}


@functools.lru_cache(maxsize=4096)
def _range_where(const, coef, extent, op):
    """(first, end) of the positions where the condition holds; None: not one range; False: nowhere."""
    found = np.nonzero(_OPS[op](const + coef * np.arange(extent), 0))[0]
    if len(found) == 0:
        return False
    if found[-1] - found[0] + 1 != len(found):
        return None
    return int(found[0]), int(found[-1]) + 1


def resolve(mask, shape):
    """What a mask leaves of a tile: None = all, False = nothing, else ({axis: (first, end)}, predicate);
    the predicate is a boolean array for what is no box, or None."""
    if mask is None or mask is True:
        return None
    if not isinstance(mask, Mask):
        if hasattr(mask, "dtype") and not isinstance(mask, np.bool_):
            errors.fail("a tile cannot be a mask, compare index expressions instead")
        return None if mask else False
    clip = {}
    predicate = None
    for expression, op in mask.conditions:
        expression = _fitted(expression, len(shape))
        axes = [a for a, c in enumerate(expression.coef) if c and expression.shape[a] > 1]
        if not axes:
            if not _OPS[op](expression.const, 0):
                return False
            continue
        if len(axes) == 1:
            axis = axes[0]
            found = _range_where(expression.const, expression.coef[axis], shape[axis], op)
            if found is False:
                return False
            if found is not None:
                low, high = clip.get(axis, (0, shape[axis]))
                low, high = max(low, found[0]), min(high, found[1])
                if low >= high:
                    return False
                clip[axis] = (low, high)
                continue
        values = np.full((1,) * len(shape), expression.const)
        for axis in axes:
            form = [1] * len(shape)
            form[axis] = shape[axis]
            values = values + (expression.coef[axis] * np.arange(shape[axis])).reshape(form)
        holds = _OPS[op](values, 0)
        if not holds.any():
            return False
        if not holds.all():
            predicate = holds if predicate is None else predicate & holds
    clip = {a: r for a, r in clip.items() if r != (0, shape[a])}
    if not clip and predicate is None:
        return None
    if predicate is not None:
        predicate = np.broadcast_to(predicate, shape)[
            tuple(slice(*clip.get(a, (0, e))) for a, e in enumerate(shape))]
    return clip, predicate


def _fitted(expression, ndim):
    """The expression over as many axes as the tile has; axes it does not use may go."""
    if expression.ndim <= ndim:
        return expression._aligned(ndim)
    shape, coef = list(expression.shape), list(expression.coef)
    while len(shape) > ndim and 0 in coef:
        at = len(coef) - 1 - coef[::-1].index(0)
        del shape[at], coef[at]
    if len(shape) > ndim:
        errors.fail(f"a mask over {expression.ndim} axes does not fit a tile of {ndim}")
    return Affine(tuple(shape), expression.const, tuple(coef))


def arange(start, stop=None, step=1):
    if stop is None:
        start, stop = 0, start
    numbers = range(int(start), int(stop), int(step))
    return Affine((len(numbers),), int(start), (int(step),))


class Grid(tuple):
    """The axes of nl.mgrid, by position or as p, x, y, z, w."""

    __slots__ = ()
    p = property(lambda self: self[0])
    x = property(lambda self: self[1])
    y = property(lambda self: self[2])
    z = property(lambda self: self[3])
    w = property(lambda self: self[4])


class _MGrid:
    def __getitem__(self, key):
        key = key if type(key) is tuple else (key,)
        starts = [int(k.start or 0) for k in key]
        steps = [int(k.step or 1) for k in key]
        shape = tuple(len(range(s, int(k.stop), t)) for s, k, t in zip(starts, key, steps))
        return Grid(Affine(shape, start, tuple(steps[a] if a == axis else 0 for a in range(len(key))))
                    for axis, start in enumerate(starts))


mgrid = _MGrid()


class LoopIndex(int):
    """A loop variable: a number that knows whether it is the first of its loop."""

    first = False


class ParDim(int):
    """Extent of the partition dim; dims before it are blocks."""

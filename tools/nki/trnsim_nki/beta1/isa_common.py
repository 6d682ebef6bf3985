"""What the instructions of NKI beta 1 share: operands, masks, results."""
from .. import dtypes, errors, machine, tokens
from .. import isa as core
from ..tensor import Tensor, coalesce
from .pending import flush, state
from .stores import masked
from .tile import Tile

VECTOR_SIDE = 32  # of what the Vector engine transposes
# Elements per partition from which Scalar, at an eighth of the cycles each, is sooner done with reciprocals. NKIBench's
# silu does 512 there (8 cycles each would take longer than it does), the profiles of trainium-kernel-fusion 4 on Vector.
WIDE = 32


def tile_of(what, value):
    if value.__class__ is not Tile:
        errors.fail(f"{what} must be a tile, not {value!r}")
    return value


def kind(dtype, default):
    return default if dtype is None else dtypes.of(dtype)


def prepare(mask, shape, *operands, psum=False):
    """(drop, clip, predicate, the core's views); operands that are no tiles stay. psum: broadcasts are read
    where they are."""
    if state.pending is not None:
        flush()
    if mask is None:
        return False, None, None, [o.reading(None, psum) if o.__class__ is Tile else o for o in operands]
    drop, clip, predicate = masked(mask, shape)
    if drop:
        return True, None, None, operands
    out = []
    for o in operands:
        if o.__class__ is Tile:
            own = {a: r for a, r in clip.items() if a < len(o.shape) and o.shape[a] == shape[a]} \
                if clip else None
            if own and len(o.shape) != len(shape):
                own = {a: r for a, r in own.items() if a == 0}
            o = o.reading(own, psum)
        out.append(o)
    return False, clip, predicate, out


def apart(a, b):
    """At most one operand of an instruction is in PSUM: a broadcast is the one that moves."""
    if a.region == b.region == "psum" and a.t is not None and b.t is not None:
        for tile in (b, a):
            if tile.broadcasts:
                tile.own()
                return


def in_sbuf(t):
    """The tile in SBUF, copied there if it is in PSUM."""
    if t.region != "psum":
        return t
    m = machine.active()
    copy = new(m, t.shape, t.dtype, "sbuf")
    core.tensor_copy(copy, t)
    return copy


def new(m, shape, dtype, region="sbuf"):
    from ..language import create
    return create.ndarray(shape, dtype, tokens.MemoryRegion[region])


def each(function, dst, *views):
    """An instruction whose accesses have too many dims becomes one for each position of an axis. What is no
    view of the destination's shape is the same for all of them."""
    if len(dst.shape) <= 5 or all(len(coalesce(t.shape[1:], t.strides[1:])) <= 5 - (t.region == "hbm")
                                  for t in (dst, *views) if isinstance(t, Tensor)):
        function(dst, *views)
        return
    axis = min((a for a, e in enumerate(dst.shape) if a and e > 1), key=lambda a: dst.shape[a])
    for i in range(dst.shape[axis]):
        key = (slice(None),) * axis + (i,)
        each(function, *[v[key] if isinstance(v, Tensor) and v.shape == dst.shape else v
                         for v in (dst, *views)])


def _ignored(function, unknown):
    unknown.pop("name", None)
    if unknown:
        errors.unknown_keywords(function, unknown)

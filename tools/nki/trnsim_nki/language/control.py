"""Loops, the launch grid, and small classes of nki.language."""
import dataclasses

from .. import errors, machine, tokens
from ..isa.registers import VirtualRegister


def _range(start, stop=None, step=1, **unknown):
    if unknown:
        errors.unknown_keywords("range", unknown)
    if stop is None:
        start, stop = 0, start
    return range(int(start), int(stop), int(step))


def affine_range(start, stop=None, step=1, **unknown):
    return _range(start, stop, step, **unknown)


def sequential_range(start, stop=None, step=1, **unknown):
    return _range(start, stop, step, **unknown)


def static_range(start, stop=None, step=1, **unknown):
    return _range(start, stop, step, **unknown)


def _trips(m):
    """How often a loop runs whose bounds are not known: the user says."""
    site = errors.where()
    if site not in m.trip_sites:
        m.trip_sites.append(site)
    at = m.trip_sites.index(site)
    if isinstance(m.trips, int):
        return m.trips
    if m.trips is not None and at < len(m.trips):
        return int(m.trips[at])
    errors.fail("how often this loop runs depends on data: give its trip count (trips=N, "
                "trnsim-nki trace --trips N), or trace with mode='numeric'")


def dynamic_range(start, stop=None, step=1, **unknown):
    """A loop whose bounds the device knows. With data its iterations are recorded one by one; without,
    its body once, with a trip count."""
    if stop is None:
        start, stop = 0, start
    m = machine.active()
    known = not any(isinstance(v, VirtualRegister) and not v.known for v in (start, stop))
    numbers = range(int(start), int(stop), int(step)) if known else None
    if not m.numeric:
        count = len(numbers) if known else _trips(m)
        m.emit("loop_begin", None, (), (), m.attrs(imm0=count, imm1=1))
        if count:
            yield VirtualRegister(int(start)) if known else VirtualRegister()
        m.emit("loop_end", None, (), (), m.attrs())
        return
    m.emit("loop_begin", None, (), (), m.attrs(imm0=len(numbers)))
    for i in numbers:
        m.emit("loop_iteration", None, (), (), m.attrs())
        yield VirtualRegister(i)
    m.emit("loop_end", None, (), (), m.attrs())


def fori_loop(lower, upper, body_fun, step=1):
    for i in dynamic_range(lower, upper, step):
        body_fun(i)


def while_loop(init, body_fun):
    """Runs the body while the register it returns is not 0."""
    m = machine.active()
    register = init
    if not m.numeric and isinstance(init, VirtualRegister) and not init.known:
        m.emit("loop_begin", None, (), (), m.attrs(imm0=_trips(m), imm1=1))
        body_fun(init)
        m.emit("loop_end", None, (), (), m.attrs())
        return
    # The trip count is known at the end only; 0 says so.
    m.emit("loop_begin", None, (), (), m.attrs())
    turns = 0
    while int(register) != 0:
        m.emit("loop_iteration", None, (), (), m.attrs())
        register = body_fun(register)
        turns += 1
        if turns > 1_000_000:
            errors.fail("while_loop: more than a million iterations")
    m.emit("loop_end", None, (), (), m.attrs())


def program_id(axis=0):
    m = machine.current  # host code may ask too
    return m.program_id[axis] if m is not None and axis < len(m.program_id) else 0


def num_programs(axes=0):
    m = machine.current
    if m is None:
        return 1
    if axes is None:
        axes = range(len(m.grid))
    total = 1
    for axis in [axes] if isinstance(axes, int) else axes:
        total *= m.grid[axis] if axis < len(m.grid) else 1
    return total


def program_ndim():
    """Dims of the launch grid; 0 if the kernel was launched without one."""
    m = machine.current
    return len(m.grid) if m is not None and (m.grid != (1,) or m.lnc > 1) else 0


def ds(start, size):
    """start : start + size, as an index."""
    if isinstance(start, int):
        return slice(start, start + size)
    start = start.__index__()
    return slice(start, start + int(size))


class no_reorder:
    """Order inside the block is kept: the trace gets fences around it."""

    def __enter__(self):
        m = machine.active()
        m.emit("fence", None, (), (), m.attrs())
        return self

    def __exit__(self, *exc):
        m = machine.active()
        if exc[0] is None:
            m.emit("fence", None, (), (), m.attrs())


class NKIObject:
    """Base of classes kernels define: fields may be plain class attributes, missing ones are None."""

    def __init_subclass__(cls, **kwargs):
        # Runs before a @dataclass decorator sees the class.
        super().__init_subclass__(**kwargs)
        annotations = dict(cls.__dict__.get("__annotations__", {}))
        for name, value in list(cls.__dict__.items()):
            if name.startswith("__") or callable(value) or isinstance(
                    value, (property, staticmethod, classmethod)):
                continue
            if isinstance(value, (list, dict, set)):
                setattr(cls, name, dataclasses.field(default_factory=lambda v=value: type(v)(v)))
            annotations.setdefault(name, object)
        for name in annotations:
            if name not in cls.__dict__:
                setattr(cls, name, None)
        cls.__annotations__ = annotations

    def __init__(self, *args, **kwargs):
        names = []
        for base in reversed(type(self).__mro__):
            for name in base.__dict__.get("__annotations__", {}):
                if name not in names:
                    names.append(name)
        for name in names:
            default = getattr(type(self), name, None)
            if isinstance(default, dataclasses.Field):
                setattr(self, name, default.default_factory())
        for name, value in [*zip(names, args), *kwargs.items()]:
            setattr(self, name, value)
        after = getattr(self, "__post_init__", None)
        if after is not None:
            after()


class TileSize:
    """Hardware limits of a tile, for the generation in use."""

    pmax = 128
    psum_fmax = 512
    psum_bank_fmax = 512
    psum_bank_fmax_bytes = 2048
    gemm_stationary_fmax = 128
    bn_stats_fmax = 512
    psum_min_align = 4
    sbuf_min_align = 1
    psum_num_banks = 8

    @property
    def gemm_moving_fmax(self):
        return 512

    @property
    def _target(self):
        m = machine.current
        return m.target if m else "trn2"

    @property
    def sbuf_fmax_bytes(self):
        return machine.SBUF_BYTES[self._target] - 16384 - 8

    @property
    def total_available_sbuf_size(self):
        return self.sbuf_fmax_bytes

    @property
    def sbuf_size_bytes(self):
        return 128 * machine.SBUF_BYTES[self._target]

    @property
    def sbuf_fmax(self):
        return self.sbuf_fmax_bytes // 4


tile_size = TileSize()


def is_hbm(buffer):
    return tokens.region_of(buffer) == "hbm"


def is_on_chip(buffer):
    return tokens.region_of(buffer) in ("sbuf", "psum")


def is_psum(buffer):
    return tokens.region_of(buffer) == "psum"


def is_sbuf(buffer):
    return tokens.region_of(buffer) == "sbuf"


def par_dim(extent):
    return int(extent)

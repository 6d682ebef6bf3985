"""nki.jit of beta 1: the programs of a launch grid run one after the other into one trace."""
import functools
import itertools

from .. import errors, kernel, machine, runner
from ..tensor import Tensor
from . import hoist, merge
from .language import Cores, Spread
from .pending import flush, state
from .tile import Tile


class Kernel(kernel.Kernel):
    """A beta 1 kernel. Inside a running kernel a call is inlined."""

    origin = f"{runner.ORIGIN}, NKI beta 1"  # trnsim orders its instructions as that compiler does

    def __init__(self, function, programs=(), options=None, as_written=False):
        self.as_written = as_written or getattr(function, "as_written", False)
        super().__init__(_driver(function, programs, self.as_written), (), options)
        self.user = function
        self.programs = programs
        self.__wrapped__ = function

    @property
    def func(self):
        return self.user

    def __getitem__(self, grid):
        grid = grid if isinstance(grid, tuple) else (grid,)
        return Kernel(self.user, tuple(_extent(g) for g in grid), self.options, self.as_written)

    def __get__(self, instance, owner=None):
        return self if instance is None else Kernel(self.user.__get__(instance, owner), self.programs,
                                                    self.options, self.as_written)

    def __call__(self, *args, **kwargs):
        if machine.current is not None:
            if self.programs:
                return _programs(machine.current, self.user, self.programs, args, kwargs)
            return self.user(*args, **kwargs)
        return runner.launch(self, args, kwargs)


def _extent(entry):
    """(programs, cores they alternate between)"""
    if isinstance(entry, Spread):
        return entry.extent * entry.cores, entry.cores
    if isinstance(entry, Cores):
        return entry.number, entry.number
    return max(int(entry), 1), 1


def jit(function=None, **options):
    if function is None or not callable(function):
        return lambda inner: jit(inner, **options)
    if isinstance(function, (kernel.Kernel, runner.SimulatedKernel)):
        return function
    return Kernel(function, options=options)


def as_written(kernel):
    """Decorator: the compiler leaves the loops alone."""
    if isinstance(kernel, runner.SimulatedKernel):
        kernel.__wrapped__ = as_written(kernel.__wrapped__)
        return kernel
    if isinstance(kernel, Kernel):
        return Kernel(kernel.user, kernel.programs, kernel.options, True)
    kernel.as_written = True
    return kernel


def _driver(function, programs, plain):
    @functools.wraps(function)
    def run(*args, **kwargs):
        m = machine.active()
        args = [_tiles(a) for a in args]
        kwargs = {name: _tiles(a) for name, a in kwargs.items()}
        state.__init__()
        before = record = m.record
        state.as_written = plain
        if not plain:
            state.sink = merge.Sink(m)
            m.made = _made
            record = state.sink.record
        m.record = hoist.counted(record)
        try:
            value = _programs(m, function, programs, args, kwargs)
            flush()
        finally:
            state.pending = None
            m.record = before
            m.made = None
        return _tensors(value)

    return run


def _programs(m, function, programs, args, kwargs):
    """Runs a kernel for each place of its grid; the value is that of the first."""
    if not programs:
        return function(*args, **kwargs)
    before = m.program_id, m.grid
    record = m.record
    value = None
    first_count = state.shared_count
    try:
        for number, program in enumerate(itertools.product(*[range(n) for n, _ in programs])):
            m.program_id, m.grid = program, tuple(n for n, _ in programs)
            state.shared_count = first_count
            elsewhere = any(p % cores for p, (_, cores) in zip(program, programs))
            if elsewhere and not m.numeric:
                continue
            count = m.count
            m.record = hoist.counted(_nowhere) if elsewhere else record
            found = function(*args, **kwargs)
            flush()
            state.ones.clear()
            if elsewhere:
                m.count = count
            if number == 0:
                value = found
    finally:
        m.record = record
        m.program_id, m.grid = before
    return value


def _made(storage, site):
    """What merge.py and hoist.py have to know of a tensor."""
    state.newest = storage.id
    if storage.region in ("sbuf", "psum") and storage.pinned is None:
        state.kinds[storage.id] = (storage.region, storage.trace_dtype, storage.partitions, storage.free,
                                   storage.bytes_per_partition, storage.free)
        state.sites[storage.id] = site


def _nowhere(*record):
    """Programs of another core are computed and not recorded."""


def _tiles(value):
    if isinstance(value, Tensor):
        return Tile(value)
    if type(value) in (list, tuple):
        return type(value)(_tiles(v) for v in value)
    if type(value) is dict:
        return {k: _tiles(v) for k, v in value.items()}
    return value


def _tensors(value):
    if value.__class__ is Tile:
        return value.access()
    if isinstance(value, (list, tuple)):
        return tuple(_tensors(v) for v in value)
    if isinstance(value, dict):
        return {k: _tensors(v) for k, v in value.items()}
    return value


def vendor_calls():
    """benchmark, baremetal ... that take plain functions of beta 1 too."""
    def adapted(adapter):
        def call(function=None, **options):
            decorate = adapter(**options) if function is None else None
            if decorate is not None:
                return lambda inner: decorate(jit(inner))
            return adapter(jit(function), **options)
        return call

    calls = {name: adapted(runner.VENDOR_CALLS[name]) for name in ("benchmark", "profile", "baremetal")}

    def simulate_kernel(function, *args, **kwargs):
        return runner.simulate_kernel(jit(function), *args, **kwargs)

    def simulate(function):
        return runner.nki_simulate(jit(function))

    return dict(calls, simulate_kernel=simulate_kernel, simulate=simulate)


def identity(function=None, **options):
    """Decorators about the compiler change nothing here."""
    if function is None or not callable(function):
        return lambda inner: inner
    return function


__all__ = ["Kernel", "jit", "vendor_calls", "identity", "errors"]

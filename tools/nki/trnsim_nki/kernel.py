"""nki.jit and the runs: a decorated function, its launch grid, and tracing it with arguments."""
import inspect
import json

import numpy as np

from . import dtypes, errors, machine, runner, tokens
from .storage import Storage
from .tensor import Tensor, whole


class Spec:
    """A tensor argument without data."""

    def __init__(self, dtype, shape, name=None):
        self.dtype = dtypes.of(dtype)
        self.shape = tuple(int(extent) for extent in shape)
        self.name = name

    def __repr__(self):
        return f"spec({str(self.dtype)!r}, {self.shape})"


def spec(dtype, shape, name=None):
    return Spec(dtype, shape, name)


class Built:
    """An argument that a call makes, such as a parameter object with tensors in it. Each core makes its own,
    because the object takes what it holds from that core's tensors."""

    def __init__(self, make, args, kwargs):
        self.make = make
        self.args = args
        self.kwargs = kwargs

    def __repr__(self):
        words = [repr(value) for value in self.args]
        words += [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"{getattr(self.make, '__name__', 'call')}({', '.join(words)})"


class Kernel:
    """What nki.jit makes of a function. Inside a running kernel a call is inlined, elsewhere it is a
    launch: computed and timed."""

    def __init__(self, function, grid=(), options=None):
        self.function = function
        self.grid = grid
        self.options = options or {}
        self.__name__ = getattr(function, "__name__", "kernel")
        self.__doc__ = getattr(function, "__doc__", None)
        self.__wrapped__ = function
        self.__module__ = getattr(function, "__module__", None)

    @property
    def func(self):
        return self.function

    def __getitem__(self, grid):
        grid = grid if isinstance(grid, tuple) else (grid,)
        return Kernel(self.function, tuple(_extent(g) for g in grid), self.options)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return Kernel(self.function.__get__(instance, owner), self.grid, self.options)

    def __call__(self, *args, **kwargs):
        if machine.current is not None:
            return self.function(*args, **kwargs)
        return runner.launch(self, args, kwargs)


def _extent(entry):
    return int(getattr(entry, "size", entry) if not isinstance(entry, int) else entry)


def jit(function=None, **options):
    """Decorator with or without arguments; options (mode=, platform_target=, ...) are kept, not used."""
    if function is None or not callable(function):
        return lambda inner: Kernel(inner, options=options)
    if isinstance(function, Kernel):
        return function
    return Kernel(function, options=options)


class Result:
    """What a traced kernel gave."""

    def __init__(self, name):
        self.name = name
        self.outputs = []        # numpy arrays; in symbolic mode [] and `shapes` tells
        self.shapes = []         # (dtype, shape) of each output
        self.value = None        # the kernel's return value
        self.machines = []

    @property
    def instructions(self):
        return sum(m.count for m in self.machines)

    @property
    def uninitialised(self):
        """One line for each place that read elements nobody wrote."""
        return [f"{place}: {count} elements of '{tensor}' are read before they are written"
                for m in self.machines for (place, tensor), count in m.uninitialised.items()]


def trace(kernel, *args, mode="symbolic", target="trn2", lnc=1, writer=None, grid=None, trips=None,
          **kwargs):
    """Runs a kernel and records what it asks for. `writer` is a recorder, or a function from the
    core's number to one. `trips`: how often loops run whose bounds only data tell, one number
    for all or one for each in order of appearance; used without data."""
    if mode not in ("symbolic", "numeric"):
        raise ValueError(f"mode is 'symbolic' or 'numeric', not {mode!r}")
    if target not in machine.GENERATION:
        raise ValueError(f"target is one of {', '.join(machine.GENERATION)}, not {target!r}")
    function = kernel.function if isinstance(kernel, Kernel) else kernel
    lnc = lnc or 1
    grid = grid or (kernel.grid if isinstance(kernel, Kernel) else ()) or (lnc,)
    name = getattr(function, "__name__", type(function).__name__)
    from . import launch
    return launch.run(function, name, args, kwargs, mode == "numeric", target, tuple(grid), lnc, writer,
                      trips)


def bind(m, function, args, kwargs, shared=None):
    """Arguments of the kernel with arrays and specs made into HBM tensors. `shared` maps arrays to the
    storages another core of the same launch made of them."""
    names = _parameter_names(function, args)
    description = {}

    def convert(value, name):
        described, converted = argument(m, value, name, shared)
        description[name] = described
        return converted

    new_args = [convert(value, name) for value, name in zip(args, names)]
    new_kwargs = {name: convert(value, name) for name, value in kwargs.items()}
    return new_args, new_kwargs, description


def _parameter_names(function, args):
    try:
        names = [p.name for p in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        names = []
    return names[:len(args)] + [f"arg{i}" for i in range(len(names), len(args))]


def argument(m, value, name, shared=None):
    """(text for the trace's header, what the kernel gets)."""
    if isinstance(value, Spec) or isinstance(value, np.ndarray):
        dtype = dtypes.of(value.dtype)
        key = (name, id(value))
        if shared is not None and key in shared:
            data = shared[key]
        else:
            data = None
        shape = tuple(value.shape) or (1,)
        storage = Storage(m, m.unique_name(getattr(value, "name", None) or name), "hbm",
                          tokens.MemoryRegion.shared_hbm, dtype, shape, role="input")
        if m.numeric:
            if data is not None:
                storage.data, storage.written = data
            elif isinstance(value, np.ndarray):
                storage.fill(value if value.dtype == dtype.numpy else value.astype(dtype.numpy))
            if shared is not None:
                shared[key] = (storage.data, storage.written)
        return {"shape": list(shape), "dtype": str(dtype)}, whole(storage, shape)
    if isinstance(value, (list, tuple)) and value and \
            any(isinstance(v, (Spec, np.ndarray, list, tuple)) for v in value):
        pairs = [argument(m, v, f"{name}_{i}", shared) for i, v in enumerate(value)]
        return [p[0] for p in pairs], type(value)([p[1] for p in pairs]) \
            if type(value) in (list, tuple) else value
    if isinstance(value, Built):
        args = [argument(m, v, f"{name}_{i}", shared) for i, v in enumerate(value.args)]
        kwargs = {k: argument(m, v, f"{name}_{k}", shared) for k, v in value.kwargs.items()}
        made = value.make(*[p[1] for p in args], **{k: p[1] for k, p in kwargs.items()})
        return repr(value), made
    if isinstance(value, dict):
        pairs = {k: argument(m, v, f"{name}_{k}", shared) for k, v in value.items()}
        return {str(k): p[0] for k, p in pairs.items()}, {k: p[1] for k, p in pairs.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return str(value) if isinstance(value, dtypes.DType) else value, value
    return str(value), value


def header_text(description):
    return json.dumps(description, default=str, sort_keys=False)


def results(value):
    """The HBM tensors a kernel returns, in order."""
    found = []

    def visit(entry):
        if isinstance(entry, Tensor):
            found.append(entry)
        elif isinstance(entry, dict):
            for item in entry.values():
                visit(item)
        elif isinstance(entry, (list, tuple)):
            for item in entry:
                visit(item)

    visit(value)
    for tensor in found:
        if tensor.region != "hbm":
            errors.fail(f"the kernel returns '{tensor.name}' in {tensor.region}, results must be in HBM")
    return found

"""Timing of traced kernels: runs the trnsim program and gives its figures back as Python objects."""

import contextlib
import functools
import inspect
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import errors
from .trt import TraceWriter, dtype_name
from .trt.names import SHORT_DTYPES

ORIGIN = "trnsim-nki 0.1"
DEFAULT_SYSTEM = "trn2-core"


class SimulatorError(Exception):
    """The program is missing, or refused a trace; `code` is an exit code as the program's own."""

    def __init__(self, text, code=2):
        super().__init__(text)
        self.code = code


# The program.

def find_trnsim():
    """Path of the trnsim program: $TRNSIM, else the newest of build/*/bin/trnsim, else from PATH."""
    named = os.environ.get("TRNSIM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise SimulatorError(f"TRNSIM is '{named}', which is no program")
        return found
    root = Path(__file__).resolve().parents[3]
    built = [path for path in root.glob("build/*/bin/trnsim")
             if os.access(path, os.X_OK) and "asan" not in path.parts[-3]]
    if built:
        return str(max(built, key=lambda path: path.stat().st_mtime))
    found = shutil.which("trnsim")
    if found is None:
        raise SimulatorError("the trnsim program is not built; run tools/quickstart, or set TRNSIM "
                             "to its path")
    return found


def _run(*arguments):
    program = find_trnsim()
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        text = " ".join(lines).removeprefix("trnsim: ") or f"trnsim ended with {done.returncode}"
        raise SimulatorError(text, done.returncode if done.returncode in (1, 2) else 3)
    return json.loads(done.stdout)


_targets = {}


def target_of(system):
    """The generation of a system's cores, "trn1", "trn2" or "trn3"; inf2 counts as trn1."""
    if system not in _targets:
        core = _run("describe", system, "--json", "-")
        _targets[system] = re.search(r'"generation": "(\w+)"', json.dumps(core)).group(1)
    return _targets[system]


# Results.

@dataclass
class Engine:
    """One engine's use over the run."""

    busy_us: float
    utilization: float  # busy fraction
    instructions: int


@dataclass
class Result:
    """Simulated figures of one launch. `record` is the program's whole JSON (docs/cli.md)."""

    kernel: str
    system: str
    latency_us: float
    engines: dict
    hbm: dict
    mfu: float
    bound: str
    instructions: int
    flops: float
    launch_overhead_us: float  # of the host; not part of latency_us
    record: dict = field(repr=False)
    trace: str = field(default=None, repr=False)
    seconds: float = field(default=0, repr=False)  # wall time of tracing and simulating
    _timeline: str = field(default=None, repr=False)
    _folder: object = field(default=None, repr=False)  # keeps a temporary trace alive

    @property
    def timeline(self):
        """Path of the timeline for ui.perfetto.dev; written when first asked for."""
        if self._timeline is None:
            folder = tempfile.mkdtemp(prefix="trnsim-")
            self.write_timeline(os.path.join(folder, f"{_file_name(self.kernel)}.timeline.json"))
        return self._timeline

    def write_timeline(self, path):
        """Writes the timeline to `path`."""
        run_trace(self.trace, self.system, timeline=path)
        self._timeline = os.fspath(path)

    def __str__(self):
        return f"{self.kernel}: {self.latency_us:.2f} us on {self.system}, {self.bound}"


def run_trace(path, system=DEFAULT_SYSTEM, timeline=None, lnc=None, options=()):
    """Simulates a trace file. `options`: more of the program's, such as ("--order", "window:8")."""
    start = time.perf_counter()
    path = os.fspath(path)
    arguments = ["run", path, "--system", system, "-q", "--json", "-", *options]
    if lnc is not None:
        arguments += ["--lnc", lnc]
    if timeline is not None:
        arguments += ["--timeline", timeline]
    record = _run(*arguments)
    engines = {name: Engine(row["busy_us"], row["busy_fraction"], row["instructions"])
               for name, row in record["engines"].items()}
    return Result(
        kernel=record["workload"]["kernel"], system=system, latency_us=record["time_us"],
        engines=engines, hbm=record["hbm"], mfu=record["mfu"], bound=record["bound"]["text"],
        instructions=record["trace_instructions"], flops=record["flops"],
        launch_overhead_us=record["launch_overhead_us"], record=record, trace=path,
        seconds=time.perf_counter() - start,
        _timeline=None if timeline is None else os.fspath(timeline))


# Kernels.

@dataclass
class Session:
    """What launches use that say nothing themselves; `trnsim-nki run` sets it."""

    system: str = DEFAULT_SYSTEM
    mode: str = "numeric"
    options: tuple = ()
    report: object = None  # called with the Result and the argument list of every launch


session = Session()


def _inside(kernel):
    """What a wrapper wraps, None for a plain function."""
    for attribute in ("__wrapped__", "func", "fn", "kernel"):
        inner = getattr(kernel, attribute, None)
        if callable(inner):
            return inner
    return None


def kernel_name(kernel):
    """The function's name, whatever is wrapped around it."""
    while (inner := _inside(kernel)) is not None:
        kernel = inner
    return getattr(kernel, "__name__", type(kernel).__name__)


def signature_of(kernel):
    """The function's parameters, whatever is wrapped around it."""
    while not isinstance(kernel, functools.partial) and (inner := _inside(kernel)) is not None:
        kernel = inner
    return inspect.signature(kernel)


_SHORT = {full: short for short, full in reversed(SHORT_DTYPES.items())}


def describe_argument(value):
    """bf16[128,512] for arrays, repr() for the rest."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        text = repr(value)
        return text if len(text) <= 40 else text[:37] + "..."
    try:
        name = dtype_name(dtype)
    except ValueError:
        name = str(dtype)
    return f"{_SHORT.get(name, name)}[{','.join(map(str, shape))}]"


def _arguments_json(args, kwargs):
    values = {str(i): describe_argument(value) for i, value in enumerate(args)}
    values.update((name, describe_argument(value)) for name, value in kwargs.items())
    return json.dumps(values)


def _file_name(text):
    return re.sub(r"[^\w.-]", "_", text) or "kernel"


def _positional(kernel, args, kwargs):
    """Keyword arguments as positional ones: trace() has keywords of its own."""
    try:
        bound = signature_of(kernel).bind(*args, **kwargs)
    except TypeError as error:
        errors.fail(f"{kernel_name(kernel)}(): {error}")
    except ValueError:  # a callable without a signature
        return args
    if not kwargs:
        return args
    bound.apply_defaults()
    if bound.kwargs:
        errors.fail(f"{kernel_name(kernel)}(): keyword-only arguments {', '.join(bound.kwargs)} cannot be "
                    "passed")
    return bound.args


def pair_path(path):
    """Where the program of core 1 of an LNC=2 kernel goes: k.trt and k.1.trt."""
    stem, extension = os.path.splitext(path)
    return f"{stem}.1{extension}"


def trace_file(kernel, args, path, mode="symbolic", target="trn2", lnc=None, kwargs=None,
               trips=None):
    """Traces a kernel into a file, at LNC=2 into one per core; what trnsim_nki.trace() returns."""
    from . import trace  # here: the package imports this module
    if isinstance(kernel, SimulatedKernel):  # under nki.benchmark and the like
        kernel = kernel.__wrapped__
    kwargs = kwargs or {}
    lnc = lnc or 1
    with contextlib.ExitStack() as files:

        def writer(core):
            if core > 1:  # more programs than cores: those after the first two repeat them
                return None
            return files.enter_context(TraceWriter(
                kernel=kernel_name(kernel), origin=getattr(kernel, "origin", ORIGIN), target=target,
                arguments=_arguments_json(args, kwargs), lnc=lnc,
                path=path if core == 0 else pair_path(path)))

        return trace(kernel, *_positional(kernel, args, kwargs), mode=mode, target=target, lnc=lnc,
                     writer=writer if lnc == 2 else writer(0),
                     **({} if trips is None else {"trips": trips}))


def simulate(kernel, *args, system=None, mode=None, lnc=None, timeline=None, trace=None,
             options=None, **kwargs):
    """Runs a kernel on arrays; its outputs and a Result.

    mode: "numeric" computes values, "symbolic" only times (outputs are zeros). timeline, trace: files
    to write. Other keywords go to the kernel.
    """
    system = system or session.system
    start = time.perf_counter()
    folder = None
    if trace is None:
        folder = tempfile.TemporaryDirectory(prefix="trnsim-")
        path = os.path.join(folder.name, f"{_file_name(kernel_name(kernel))}.trt")
    else:
        path = os.fspath(trace)
    traced = trace_file(kernel, args, path, mode or session.mode, target_of(system), lnc, kwargs)
    result = run_trace(path, system, timeline, options=session.options if options is None else options)
    result._folder = folder
    result.seconds = time.perf_counter() - start
    if session.report is not None:
        session.report(result, [*args, *kwargs.values()])
    return traced.outputs, result


def launch(kernel, args, kwargs, mode=None, lnc=None):
    """A kernel called by a script outside any trace: its outputs; the figures go to session.report.

    Arguments without data (trnsim_nki.spec) leave nothing to compute.
    """
    from .kernel import Spec
    if any(isinstance(value, Spec) for value in (*args, *kwargs.values())):
        mode = "symbolic"
    return simulate(kernel, *_positional(kernel, args, kwargs), mode=mode, lnc=lnc)[0]


# The vendor's ways to run a kernel (NKI beta 1 and later), answered with simulated figures.

class Latency:
    """Every percentile of a simulation is the same figure."""

    def __init__(self, latency_us):
        self._latency_us = latency_us

    def get_latency_percentile(self, percentile):
        """Microseconds."""
        if not 0 <= percentile <= 100:
            raise ValueError(f"percentile {percentile} is not within 0 to 100")
        return self._latency_us


class BenchmarkResult:
    """What nki.benchmark leaves behind after a call."""

    def __init__(self, result):
        self.nc_latency = Latency(result.latency_us)
        self.result = result


class SimulatedKernel:
    """A kernel that is timed at every call; kernel[grid] passes the grid on."""

    def __init__(self, kernel, mode, save_trace=None, save_timeline=None, **settings):
        self.__wrapped__ = kernel
        self.__name__ = kernel_name(kernel)
        self.__doc__ = getattr(kernel, "__doc__", None)
        self.benchmark_result = None
        self.result = None
        self._settings = {"mode": mode, **settings}
        self._files = save_trace, save_timeline

    def __getitem__(self, grid):
        from .kernel import jit
        inner = self.__wrapped__ if hasattr(self.__wrapped__, "__getitem__") else jit(self.__wrapped__)
        return SimulatedKernel(inner[grid], self._settings["mode"], *self._files,
                               **{k: v for k, v in self._settings.items() if k != "mode"})

    def __call__(self, *args, **kwargs):
        from . import machine
        kernel = self.__wrapped__
        if machine.current is not None:  # inside another kernel: a plain call
            return kernel(*args, **kwargs)
        positional = _positional(kernel, args, kwargs)
        save_trace, save_timeline = self._files
        for path in self._files:
            if path is not None:
                os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        outputs, self.result = simulate(kernel, *positional, timeline=save_timeline, **self._settings)
        if save_trace is not None:
            shutil.copyfile(self.result.trace, save_trace)
        self.benchmark_result = BenchmarkResult(self.result)
        return outputs


def _adapter(mode, in_folder=False):
    """A decorator with the vendor's keywords; those about hardware and compilers have no effect.

    save_neff_name is where the trace (.trt) goes, save_trace_name where the timeline goes.
    """
    def decorate(kernel=None, *, working_directory=None, save_neff_name=None, save_trace_name=None,
                 **ignored):
        if in_folder:
            working_directory = working_directory or "."
            save_neff_name = save_neff_name or "file.neff"
            save_trace_name = save_trace_name or "profile.ntff"

        def place(name):
            return name if name is None else os.path.join(working_directory or "", name)

        def wrap(function):
            return SimulatedKernel(function, mode, place(save_neff_name), place(save_trace_name))

        return wrap if kernel is None else wrap(kernel)
    return decorate


benchmark = _adapter("symbolic")
profile = _adapter("symbolic", in_folder=True)
baremetal = _adapter("numeric")


def simulate_kernel(kernel, *args, **kwargs):
    """Outputs of a kernel on NumPy arrays."""
    if isinstance(kernel, SimulatedKernel):
        kernel = kernel.__wrapped__
    return launch(kernel, args, kwargs, mode="numeric")


def nki_simulate(kernel):
    """nki.simulate: a callable that gives the kernel's outputs."""
    return SimulatedKernel(kernel, "numeric")


# By name in the namespaces `nki` and `neuronxcc.nki`.
VENDOR_CALLS = {"benchmark": benchmark, "profile": profile, "baremetal": baremetal,
                "simulate_kernel": simulate_kernel, "simulate": nki_simulate}

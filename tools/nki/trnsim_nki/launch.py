"""One launch of a kernel: a machine per core, the cores of an LNC pair in turn, outputs collected."""
import contextlib
import gc
import threading

import numpy as np

from . import errors, machine, namespaces
from .kernel import Result, bind, results
from .machine import Machine, Scope
from .recorder import NullRecorder


# New objects between two searches for cycles.
_COLLECT_AFTER = 50_000


class Turns:
    """Lets one core of a launch run at a time; a core gives up its turn where it waits for the other."""

    def __init__(self, machines):
        self.machines = machines
        self.condition = threading.Condition()
        self.turn = 0
        self.live = set(range(len(machines)))
        self.waiting = {}     # core -> key it waits at
        self.mail = {}        # (key, core) -> what that core brought
        self.failed = None

    def wait_turn(self, core):
        while self.turn != core and self.failed is None:
            self.condition.wait()
        if self.failed is not None and self.failed[0] != core:
            raise _Stopped()
        machine.current = self.machines[core]

    def _next(self, core):
        order = [c % len(self.machines) for c in range(core + 1, core + 1 + len(self.machines))]
        for candidate in order:
            if candidate in self.live and candidate not in self.waiting:
                self.turn = candidate
                self.condition.notify_all()
                return
        if self.live:
            text = ", ".join(f"core {c} at {k}" for c, k in self.waiting.items())
            self.failed = (-1, errors.KernelError(f"the cores wait for each other: {text}"))
            self.condition.notify_all()

    def exchange(self, core, key, value):
        """Waits until every core has come to `key`; returns what each of them brought."""
        with self.condition:
            self.mail[(key, core)] = value
            cores = range(len(self.machines))
            if all((key, c) in self.mail for c in cores):
                for c in [c for c, k in self.waiting.items() if k == key]:
                    del self.waiting[c]
            else:
                self.waiting[core] = key
                self._next(core)
                self.wait_turn(core)
            return [self.mail[(key, c)] for c in cores]

    def finish(self, core, error=None):
        with self.condition:
            self.live.discard(core)
            if error is not None and self.failed is None:
                self.failed = (core, error)
            if self.failed is None:
                self._next(core)
            self.condition.notify_all()


class _Stopped(Exception):
    """Another core failed."""


def run(function, name, args, kwargs, numeric, target, grid, lnc, writer, trips=None):
    cores = 1
    for extent in grid:
        cores *= extent
    if cores < 1:
        errors.fail(f"a launch grid of {grid} has no programs")
    # Without data the cores of a launch are alike enough: the recorded one stands for all.
    wanted = range(cores) if numeric or callable(writer) else range(1)
    machines = []
    for core in wanted:
        own = writer(core) if callable(writer) else (writer if core == 0 else None)
        m = Machine(own or NullRecorder(), numeric, target, _program_id(core, grid), grid, lnc)
        m.trips = trips
        machines.append(m)
    result = Result(name)
    result.machines = machines
    shared = {} if cores > 1 else None
    values = [None] * cores
    with namespaces.builtins(), _rare_collections():
        if len(machines) == 1:
            with Scope(machines[0]):
                values[0] = _call(machines[0], function, args, kwargs, shared)
                results(values[0])
        else:
            _run_cores(machines, function, args, kwargs, shared, values)
    if numeric:
        _complete([results(value) for value in values])
    result.value = values[0]
    result.outputs = _outputs(values[0], numeric)
    result.shapes = [(t.dtype, t.shape) for t in results(values[0])]
    return result


@contextlib.contextmanager
def _rare_collections():
    """Views die when the last reference goes; searching all that lives for cycles is needed seldom."""
    before = gc.get_threshold()
    if before[0]:  # 0: the user has switched collections off
        gc.set_threshold(max(before[0], _COLLECT_AFTER), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _program_id(core, grid):
    out = []
    for extent in reversed(grid):
        out.append(core % extent)
        core //= extent
    return tuple(reversed(out))


def _call(m, function, args, kwargs, shared):
    new_args, new_kwargs, _ = bind(m, function, args, kwargs, shared)
    return function(*new_args, **new_kwargs)


def _run_cores(machines, function, args, kwargs, shared, values):
    turns = Turns(machines)

    def body(core):
        error = None
        try:
            with turns.condition:
                turns.wait_turn(core)
            machines[core].shared = shared
            values[core] = _call(machines[core], function, args, kwargs, shared)
            results(values[core])
        except _Stopped:
            pass
        except BaseException as caught:  # handed to the caller's thread below
            error = caught
        turns.finish(core, error)

    before = machine.current
    threads = []
    for core, m in enumerate(machines):
        m.barrier = turns
        m.core = core
        m.shared = shared
        thread = threading.Thread(target=body, args=(core,), daemon=True)
        threads.append(thread)
        thread.start()
    for thread in threads:
        thread.join()
    machine.current = before
    if turns.failed is not None:
        raise turns.failed[1]


def _complete(results_of_cores):
    """Results in memory that each core has for itself: what the first did not write is from the others."""
    for first, *others in zip(*results_of_cores):
        for other in others:
            if other.shape == first.shape and other.storage.data is not first.storage.data:
                missing = first.storage.written == 0
                first.storage.data[missing] = other.storage.data[missing]
                first.storage.written[missing] = other.storage.written[missing]


def _outputs(value, numeric):
    """The kernel's return value with arrays for tensors."""
    from .tensor import Tensor
    if isinstance(value, Tensor):
        if numeric:
            from . import numeric as data
            m = value.storage.machine
            missing = (data._flat(value, value.storage.written, np.dtype(f"u{value.dtype.size}")) == 0)
            if missing.any():
                key = ("output", value.name)
                m.uninitialised[key] = int(missing.sum())
            return np.array(data._flat(value, value.storage.data, value.dtype.numpy))
        return np.zeros(value.shape, value.dtype.numpy)
    if isinstance(value, dict):
        return {k: _outputs(v, numeric) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_outputs(v, numeric) for v in value)
    return value

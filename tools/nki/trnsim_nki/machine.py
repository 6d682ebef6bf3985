"""The machine a kernel runs on while it is traced: interning tables, counters and where records go."""
import sys

from . import dtypes, errors
from .errors import PACKAGE

# The machine of the kernel being executed; None outside.
current = None

PMAX = 128
BANK_BYTES = 2048
PSUM_BYTES = 16384
SBUF_BYTES = {"trn1": 192 * 1024, "trn2": 224 * 1024, "trn3": 256 * 1024}
GENERATION = {"trn1": 2, "trn2": 3, "trn3": 4}

# Defaults of the trace's attribute fields: equal values are left out.
_DEFAULTS = {
    "op0": "none", "op1": "none", "reduce_op": "none", "compare": "none", "compare1": "none",
    "func": "copy", "dge": "unknown", "reduce_dims": 1, "scale": 1, "affine_pattern": None,
    "collective": "none", "replica_groups": None,
}


def active():
    """The machine in use; an instruction outside a kernel is an error."""
    if current is None:
        errors.fail("nki instructions work inside a kernel only; call it through nki.jit or "
                    "trnsim_nki.trace")
    return current


class Machine:
    """One core executing one kernel. `writer` records; `numeric` says whether data exists."""

    def __init__(self, writer, numeric, target="trn2", program_id=(0,), grid=(1,), lnc=1):
        self.writer = writer
        self.record = writer.instruction
        self.numeric = numeric
        self.target = target
        self.generation = GENERATION[target]
        self.program_id = program_id
        self.grid = grid
        self.lnc = lnc
        self.made = None         # is told of every new tensor
        self.count = 0
        self.opcodes = {}
        self.names = {}
        self.patterns = {}   # (dtype, dims) -> id
        self.kinds = {}      # arguments of ndarray -> the first tile made of them, its label
        self.layouts = {}    # (dtype, shape, strides, row) of a view -> Layout
        self.forms = {}      # (dtype, shape, strides, partitions) of an HBM view -> (pattern id, elements)
        self.attributes = {}
        self.sources = {}    # (code id, instruction) of Python code -> source id
        self.sites = {}      # the same -> file:line
        self.codes = []      # the code objects those ids stand for
        self.line = None     # source id of an instruction that is recorded later than it was called
        self.uninitialised = {}  # (source, tensor) -> elements read before they were written
        self.barrier = None      # hands over to the other core of an LNC pair
        self.reduce_registers = {}
        self.random = None
        self.trips = None        # of loops whose bounds only data tell: a number, or one per loop
        self.trip_sites = []     # where those loops stand, in order of appearance

    # --- interning -------------------------------------------------------------------------

    def pattern(self, dtype, dims):
        key = (dtype, dims)
        found = self.patterns.get(key)
        if found is None:
            if len(dims) > 5:
                errors.fail(f"an access needs {len(dims)} dimensions {dims}, the hardware has 5")
            name = dtypes.TRACE_NAME.get(dtype, str(dtype))
            found = self.patterns[key] = self.writer.pattern(name, dims)
        return found

    def attrs(self, **fields):
        """Id of a set of attributes; values equal to the defaults may be given."""
        key = (*fields, *fields.values())
        found = self.attributes.get(key)
        if found is None:
            kept = {}
            for name, value in fields.items():
                if name in ("imm0", "imm1", "scale", "bias"):
                    value = float(value)
                if value != _DEFAULTS.get(name, 0):
                    kept[name] = value
            found = self.attributes[key] = self.writer.attributes(**kept)
        return found

    def source(self, frame):
        """Id of the kernel line being executed: the innermost frame outside this package."""
        while frame.f_code.co_filename.startswith(PACKAGE):
            frame = frame.f_back
            if frame is None:
                return None
        code = frame.f_code
        found = self.sources.get((id(code), frame.f_lasti))
        return self.source_at(code, frame.f_lasti) if found is None else found

    def source_at(self, code, instruction):
        """Id of a line. Code objects hash and find their lines slowly, so their ids are the keys."""
        key = (id(code), instruction)
        found = self.sources.get(key)
        if found is None:
            self.codes.append(code)
            line = line_of(code, instruction)
            found = self.sources.get((code, line))
            if found is None:
                found = self.sources[code, line] = self.writer.source(code.co_filename, line)
            self.sources[key] = found
        return found

    def site(self):
        """file:line of the kernel line being executed."""
        frame = sys._getframe(2)
        while frame.f_code.co_filename.startswith(PACKAGE):
            frame = frame.f_back
            if frame is None:
                return None
        return self.site_at(frame.f_code, frame.f_lasti)

    def site_at(self, code, instruction):
        key = (id(code), instruction)
        found = self.sites.get(key)
        if found is None:
            self.codes.append(code)
            found = self.sites[key] = f"{code.co_filename}:{line_of(code, instruction)}"
        return found

    # --- recording -------------------------------------------------------------------------

    def emit(self, opcode, engine, outs, ins, attributes):
        self.count += 1
        source = self.line
        if source is None:
            frame = sys._getframe(2)
            source = self.sources.get((id(frame.f_code), frame.f_lasti))
            if source is None:
                source = self.source(frame)
        self.record(opcode, engine, outs, ins, attributes, source)

    def unique_name(self, name):
        seen = self.names.get(name)
        self.names[name] = 1 if seen is None else seen + 1
        return name if seen is None else f"{name}_{seen}"

    def read_uninitialised(self, tensor, elements):
        key = (errors.where(), tensor.storage.name)
        self.uninitialised[key] = self.uninitialised.get(key, 0) + elements


def line_of(code, instruction):
    """Line of an instruction of a code object."""
    return next(line for start, end, line in code.co_lines() if start <= instruction < end)


class Scope:
    """Makes a machine the current one for a `with` block."""

    def __init__(self, machine):
        self.machine = machine

    def __enter__(self):
        global current
        self.previous = current
        current = self.machine
        return self.machine

    def __exit__(self, *exc):
        global current
        current = self.previous

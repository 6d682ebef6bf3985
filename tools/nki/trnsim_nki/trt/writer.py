"""TraceWriter: writes a .trt file instruction by instruction, in bounded memory.

Nothing is kept but the tables' keys and the last operands of each form (docs/trace-format.md).
"""

import array
import math
import operator
import struct

import numpy as np

from . import names
from .gzip_stream import GzipFile
from .movements import Movements
from .names import TraceError
from .varint import field, scalar, signed, unsigned, varint, zigzag

FORMAT_VERSION = 1
MAGIC = 0x54524E54
MAX_DIMS = 5
_BLOCK_INSTRUCTIONS = 1 << 14  # the format allows 1 << 16; fewer take less memory
_BLOCK_OPERANDS = 1 << 17
_WAITING_OPERANDS = 1 << 10
_TABLE_ENTRIES = 1 << 16
_MAX_TEXT = 4 << 20
_NUMBERS = {name: number for number, name in enumerate(names.OPCODES)}
_TENSOR, _FORM, _OFFSET = operator.itemgetter(0), operator.itemgetter(1, 2, 3), operator.itemgetter(4)
_ENGINES = {None: len(names.ENGINES) - 1, **{name: i for i, name in enumerate(names.ENGINES)}}


def _text(value, what):
    data = str(value).encode()
    if len(data) > _MAX_TEXT:
        raise TraceError(f"{what} has {len(data)} bytes, at most {_MAX_TEXT} are possible")
    return data


def _deltas(values):
    return np.diff(signed(values), prepend=0)


class TraceWriter:
    """Writes one trace. `path` None: only counts. Also a context manager: an exception discards."""

    def __init__(self, kernel="", origin="", arguments="", target="", lnc=1, path=None):
        if target not in ("", "trn1", "trn2", "trn3"):
            raise TraceError(f"target '{target}' is none of trn1, trn2, trn3")
        if not 1 <= lnc <= 8:
            raise TraceError(f"lnc is {lnc}, must be 1 to 8")
        self.model_flops = 0.0
        self.instructions = 0
        self.operands = 0
        self.tensors = 0
        self.path = path
        self._strings = {}
        self._patterns = {}
        self._patterns_seen = {}
        self._attributes = {}
        self._attributes_seen = {}
        self._sources = {}
        self._forms = {}
        self._movements = Movements()
        self._clear_tables()
        self._clear_instructions()
        self._tensor_kinds = {}
        self._out = None
        if path is not None:
            header = (varint(1 << 3 | 5) + struct.pack("<I", MAGIC) + scalar(2, FORMAT_VERSION) +
                      field(3, _text(kernel, "a kernel name")) +
                      field(4, _text(origin, "an origin")) +
                      field(5, _text(arguments, "arguments")) + field(6, _text(target, "a target")) +
                      scalar(7, lnc) + varint(8 << 3 | 1) + bytes(8))
            block = field(1, header)
            self._out = GzipFile(path, varint(len(block)) + block)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.close()
        else:
            self.abort()

    # Tables. Ids count from 0; equal entries share one.

    def tensor(self, name, region, dtype, partitions, free_elements, pinned_bytes=-1,
               pinned_partition=0, site=None, role="temporary"):
        """Adds a storage; every call gives a new id."""
        if not 1 <= partitions <= 128 or free_elements < 1:
            raise TraceError(f"tensor '{name}' cannot have {partitions} partitions of "
                             f"{free_elements} elements")
        kind = (region, dtype, role)
        numbers = self._tensor_kinds.get(kind)
        if numbers is None:
            numbers = self._tensor_kinds[kind] = (names.number_of(names.REGIONS, region, "region"),
                                                  names.DTYPES.index(names.dtype_name(dtype)),
                                                  names.number_of(names.ROLES, role, "role"))
        label = 0 if name is None else (self._strings.get(name) or self._string(name)) + 1
        place = 0 if site is None else (self._strings.get(site) or self._string(site)) + 1
        if self._out is not None:
            self._new_tensors.append((label, numbers[0], numbers[1], partitions, free_elements, pinned_bytes,
                                      pinned_partition, place, numbers[2]))
            self._grow()
        number = self.tensors
        self.tensors += 1
        return number

    def pattern(self, dtype, dims):
        """An access pattern: dims are (stride, count), outermost first, in elements of dtype."""
        key = (dtype, dims)
        number = self._patterns_seen.get(key)
        if number is None:
            number = self._patterns_seen[key] = self._add_pattern(dtype, dims)
        return number

    def attributes(self, **values):
        """A set of instruction attributes by the names of struct Attributes (ir.h)."""
        key = tuple(values.items())
        number = self._attributes_seen.get(key)
        if number is None:
            number = self._attributes_seen[key] = self._add_attributes(values)
        return number

    def source(self, file, line):
        """A line of the kernel's source."""
        key = (file, line)
        number = self._sources.get(key)
        if number is None:
            number = self._sources[key] = len(self._sources)
            if self._out is not None:
                self._new_sources.append((self._string(file) + 1, int(line)))
                self._grow()
        return number

    def instruction(self, opcode, engine, outs, ins, attr_id, source_id):
        """Adds an instruction; operands are (tensor, pattern, partition start, count, offset)."""
        self.instructions += 1
        outputs, inputs = len(outs), len(ins)
        self.operands += outputs + inputs
        if self._out is None:
            return
        # The keys of the usual numbers of operands are made without a loop.
        if outputs == 1 and inputs == 2:
            a, (b, c) = outs[0], ins
            key = (opcode, engine, attr_id, source_id, a[1], a[2], a[3], b[1], b[2], b[3], c[1], c[2], c[3])
        elif outputs == 1 and inputs == 1:
            a, b = outs[0], ins[0]
            key = (opcode, engine, attr_id, source_id, a[1], a[2], a[3], b[1], b[2], b[3])
        else:
            key = (opcode, engine, outputs, attr_id, source_id, *map(_FORM, outs), *map(_FORM, ins))
        form = self._forms.get(key)
        if form is None:
            form = self._add_form(key, opcode, engine, outs, ins, attr_id, source_id)
        self._column_forms.append(form)
        self._waiting.extend(outs)
        self._waiting.extend(ins)
        if len(self._waiting) >= _WAITING_OPERANDS:
            self._take_operands()
        if len(self._column_forms) >= _BLOCK_INSTRUCTIONS or \
                self.operands - self._flushed_operands >= _BLOCK_OPERANDS:
            self._flush()

    def close(self):
        """Writes the footer and renames the file into place."""
        if self._out is None:
            return
        try:
            flops = float(self.model_flops)
            if not math.isfinite(flops) or flops < 0:
                raise TraceError(f"model_flops is {flops}, must be 0 or more")
            self._flush()
            late = struct.pack("<d", flops)
            counts = (len(self._strings), len(self._patterns), len(self._attributes),
                      len(self._sources), self.tensors, self.operands, self.instructions)
            footer = b"".join(scalar(i, count) for i, count in enumerate(counts, 1))
            footer += varint(8 << 3 | 5) + struct.pack("<I", self._out.crc(late))
            self._block(4, footer)
            self._out.close(late)
        finally:
            self.abort()

    def abort(self):
        """Forgets the file; close() then does nothing."""
        if self._out is not None:
            self._out.abort()
            self._out = None

    # New entries.

    def _string(self, text):
        number = self._strings.get(text)
        if number is None:
            data = _text(text, "a string")
            number = self._strings[text] = len(self._strings)
            self._new_strings.append(data)
            self._new_text += len(data)
        return number

    def _add_pattern(self, dtype, dims):
        clean = (names.DTYPES.index(names.dtype_name(dtype)),
                 tuple((int(stride), int(count)) for stride, count in dims))
        if len(clean[1]) > MAX_DIMS:
            raise TraceError(f"a pattern of {len(clean[1])} dims; at most {MAX_DIMS} are possible")
        if any(count < 1 for _, count in clean[1]):
            raise TraceError(f"a pattern with a dim of {min(c for _, c in clean[1])} elements")
        number = self._patterns.get(clean)
        if number is None:
            number = self._patterns[clean] = len(self._patterns)
            if self._out is not None:
                self._new_patterns.append(clean)
                self._grow()
        return number

    def _add_attributes(self, values):
        encoded = []
        for name, value in values.items():
            number = names.FIELD_NUMBERS.get(name)
            if number is None:
                names.number_of(tuple(names.FIELD_NUMBERS), name, "attribute")
            _, kind, default = names.ATTRIBUTES[number - 1]
            if kind == "text" and value is not None:
                value = self._string(value)
            code = encode_attribute(name, kind, value)
            if code != encode_attribute(name, kind, default):
                encoded.append((number, code))
        key = tuple(sorted(encoded))
        number = self._attributes.get(key)
        if number is None:
            number = self._attributes[key] = len(self._attributes)
            if self._out is not None:
                self._new_attributes.append(key)
                self._grow()
        return number

    def _add_form(self, key, opcode, engine, outs, ins, attributes, source):
        operands = (*outs, *ins)
        outputs, inputs = len(outs), len(ins)
        if opcode not in _NUMBERS:
            names.number_of(names.OPCODES, opcode, "opcode")
        if engine not in _ENGINES:
            names.number_of(names.ENGINES, engine, "engine")
        if outputs > 255 or inputs > 255:
            raise TraceError(f"{opcode} has {outputs} outputs and {inputs} inputs")
        if not 0 <= attributes < len(self._attributes):
            raise TraceError(f"attribute set {attributes} is not one of {len(self._attributes)}")
        if source is not None and not 0 <= source < len(self._sources):
            raise TraceError(f"source {source} is not one of {len(self._sources)}")
        for tensor, pattern, start, count, _ in operands:
            if not 0 <= tensor < self.tensors or not 0 <= pattern < len(self._patterns):
                raise TraceError(f"{opcode}: tensor {tensor} or pattern {pattern} is unknown")
            if start < 0 or count < 1:
                raise TraceError(f"{opcode}: {count} partitions from {start}")
        row = (_NUMBERS[opcode], _ENGINES[engine], outputs, inputs, attributes,
               0 if source is None else source + 1)
        number = self._forms[key] = len(self._forms)
        self._movements.add_form(len(operands))
        self._new_forms.append((row, [o[1:4] for o in operands]))
        return number

    # Blocks.

    def _clear_tables(self):
        self._new_strings = []
        self._new_text = self._new_entries = 0
        self._new_patterns = []
        self._new_attributes = []
        self._new_sources = []
        self._new_tensors = []
        self._new_forms = []

    def _clear_instructions(self):
        self._column_forms = []
        self._column_tensors = array.array("q")
        self._column_offsets = array.array("q")
        self._waiting = []  # operands that are not in the columns yet
        self._flushed_operands = self.operands

    def _take_operands(self):
        try:
            self._column_tensors.extend(map(_TENSOR, self._waiting))
            self._column_offsets.extend(map(_OFFSET, self._waiting))
        except (OverflowError, TypeError) as error:
            raise TraceError(f"a number does not fit its column: {error}") from None
        self._waiting.clear()

    def _grow(self):
        """Counts an entry of the tables and cuts their block before it gets large."""
        self._new_entries += 1
        if self._new_entries >= _TABLE_ENTRIES or self._new_text >= _MAX_TEXT:
            self._flush_tables()

    def _block(self, kind, payload):
        block = varint(kind << 3 | 2) + varint(len(payload)) + payload
        self._out.write(varint(len(block)) + block)

    def _flush(self):
        self._flush_tables()
        if self._column_forms:
            self._take_operands()
            tensors, offsets = self._movements.deltas(self._column_forms, self._column_tensors,
                                                      self._column_offsets)
            self._block(3, field(1, unsigned(self._column_forms)) + field(2, zigzag(tensors)) +
                        field(3, zigzag(offsets)))
        self._clear_instructions()

    def _flush_tables(self):
        columns = [field(1, b"".join(self._new_strings)),
                   field(2, unsigned([len(text) for text in self._new_strings]))]
        dims = [dim for _, pattern in self._new_patterns for dim in pattern]
        columns += [
            field(3, unsigned([dtype for dtype, _ in self._new_patterns])),
            field(4, unsigned([len(pattern) for _, pattern in self._new_patterns])),
            field(5, zigzag([stride for stride, _ in dims])),
            field(6, unsigned([count for _, count in dims])),
        ]
        values = [pair for attributes in self._new_attributes for pair in attributes]
        columns += [
            field(7, unsigned([len(attributes) for attributes in self._new_attributes])),
            field(8, unsigned([number for number, _ in values])),
            field(9, zigzag([value for _, value in values])),
            field(10, unsigned([file for file, _ in self._new_sources])),
            field(11, zigzag(_deltas([line for _, line in self._new_sources]))),
        ]
        for i, column in enumerate(zip(*self._new_tensors)):
            is_delta = i in (0, 4, 5, 7)
            columns.append(field(12 + i, zigzag(_deltas(column)) if is_delta else unsigned(column)))
        for i, column in enumerate(zip(*[row for row, _ in self._new_forms])):
            columns.append(field(21 + i, unsigned(column)))
        operands = [operand for _, form in self._new_forms for operand in form]
        for i, column in enumerate(zip(*operands)):
            columns.append(field(27 + i, unsigned(column)))
        payload = b"".join(columns)
        if payload:
            self._block(2, payload)
        self._clear_tables()


def encode_attribute(name, kind, value):
    """The signed integer that stands for an attribute's value in the file."""
    if isinstance(kind, tuple):
        return names.number_of(kind, "none" if value is None and "none" in kind else value, name)
    if kind in ("pattern", "text"):  # ids
        return 0 if value is None else int(value) + 1
    if kind is float:
        number = float(value)
        if math.isnan(number):
            raise TraceError(f"attribute {name} is not a number")
        return struct.unpack("<q", struct.pack("<d", number))[0]
    number = int(value)
    largest = {bool: 1, "byte": 255}.get(kind)
    if number != value or (largest is not None and not 0 <= number <= largest):
        raise TraceError(f"attribute {name} cannot be {value}")
    return number

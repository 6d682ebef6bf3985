"""read(): a .trt file as a Trace of plain Python lists, for tests and tools."""

import gzip
import struct
import zlib
from dataclasses import dataclass, field as dataclass_field

from . import names
from .names import TraceError
from .varint import fields, read_varint, unpack, unzigzag
from .writer import FORMAT_VERSION, MAGIC


@dataclass
class Trace:
    """Ids are positions in the lists; None is "no entry".

    patterns: (dtype, dims). attributes: dicts of what differs from the default. sources: (file, line).
    tensors: dicts. instructions: (opcode, engine or None, outs, ins, attribute set id, source id),
    operands (tensor, pattern, partition start, partition count, offset).
    """

    kernel: str = ""
    origin: str = ""
    arguments: str = ""
    target: str = ""
    lnc: int = 1
    model_flops: float = 0.0
    strings: list = dataclass_field(default_factory=list)
    patterns: list = dataclass_field(default_factory=list)
    attributes: list = dataclass_field(default_factory=list)
    sources: list = dataclass_field(default_factory=list)
    tensors: list = dataclass_field(default_factory=list)
    instructions: list = dataclass_field(default_factory=list)


def read(path):
    """Reads a file, checking lengths, counts and the checksum."""
    try:
        with gzip.open(path, "rb") as file:
            data = file.read()
        return _Reader(data).read()
    except (TraceError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(f"{path}: {error}") from None


class _Reader:
    def __init__(self, data):
        self._data = data
        self._trace = Trace()
        self._forms = []
        self._movements = []
        self._operands = 0

    def read(self):
        at = 0
        first = True
        while at < len(self._data):
            start = at
            length, at = read_varint(self._data, at)
            block = fields(self._data[at:at + length])
            at += length
            if at > len(self._data) or len(block) != 1:
                raise TraceError("is corrupted: not a block of the schema")
            (kind, payload), = block.items()
            if first != (kind == 1):
                raise TraceError("not a .trt file" if first else "is corrupted: a second header")
            first = False
            if kind == 4:
                self._footer(fields(payload), zlib.crc32(self._data[:start]))
                if at != len(self._data):
                    raise TraceError("is corrupted: data after the footer")
                return self._trace
            {1: self._header, 2: self._tables, 3: self._instructions}[kind](fields(payload))
        raise TraceError("is truncated: the footer is missing")

    def _header(self, header):
        if header.get(1) != struct.pack("<I", MAGIC) or header.get(2) != FORMAT_VERSION:
            raise TraceError("not a .trt file of this version")
        for number, name in enumerate(("kernel", "origin", "arguments", "target"), 3):
            setattr(self._trace, name, header.get(number, b"").decode())
        self._trace.lnc = header.get(7, 0)
        self._trace.model_flops = struct.unpack("<d", header.get(8, bytes(8)))[0]

    def _tables(self, tables):
        def plain(number):
            return unpack(tables.get(number, b"")).tolist()

        def signed(number):
            return unzigzag(tables.get(number, b"")).tolist()

        def running(number):
            total, out = 0, []
            for delta in signed(number):
                total += delta
                out.append(total)
            return out

        trace = self._trace
        at = 0
        for length in plain(2):
            trace.strings.append(tables[1][at:at + length].decode())
            at += length
        dims = iter(zip(signed(5), plain(6)))
        for dtype, count in zip(plain(3), plain(4)):
            trace.patterns.append((names.DTYPES[dtype], tuple(next(dims) for _ in range(count))))
        values = iter(zip(plain(8), signed(9)))
        for count in plain(7):
            pairs = [next(values) for _ in range(count)]
            trace.attributes.append({names.ATTRIBUTES[n - 1][0]: _decode(n, v, trace.strings) for n, v in pairs})
        for file, line in zip(plain(10), running(11)):
            trace.sources.append((self._text(file), line))
        rows = zip(running(12), plain(13), plain(14), plain(15), running(16), running(17),
                   plain(18), running(19), plain(20))
        for name, region, dtype, partitions, free, pinned, partition, site, role in rows:
            trace.tensors.append({
                "name": self._text(name), "region": names.REGIONS[region],
                "dtype": names.DTYPES[dtype], "partitions": partitions, "free_elements": free,
                "pinned_bytes": pinned, "pinned_partition": partition, "site": self._text(site),
                "role": names.ROLES[role]})
        operands = iter(zip(plain(27), plain(28), plain(29)))
        for opcode, engine, outputs, inputs, attributes, source in zip(*map(plain, range(21, 27))):
            walks = [next(operands) for _ in range(outputs + inputs)]
            self._forms.append((names.OPCODES[opcode], (*names.ENGINES[:-1], None)[engine],
                                outputs, walks, attributes, source - 1 if source else None))
            self._movements.append([[0, 0] for _ in walks])

    def _text(self, stored):
        return self._trace.strings[stored - 1] if stored else None

    def _instructions(self, columns):
        tensors = iter(unzigzag(columns.get(2, b"")).tolist())
        offsets = iter(unzigzag(columns.get(3, b"")).tolist())
        for number in unpack(columns.get(1, b"")).tolist():
            opcode, engine, outputs, walks, attributes, source = self._forms[number]
            operands = []
            for walk, last in zip(walks, self._movements[number]):
                last[0] += next(tensors)
                last[1] += next(offsets)
                operands.append((last[0], *walk, last[1]))
            self._operands += len(operands)
            self._trace.instructions.append((opcode, engine, tuple(operands[:outputs]),
                                             tuple(operands[outputs:]), attributes, source))

    def _footer(self, footer, crc):
        trace = self._trace
        held = (trace.strings, trace.patterns, trace.attributes, trace.sources, trace.tensors,
                range(self._operands), trace.instructions)
        for number, table in enumerate(held, 1):
            if footer.get(number, 0) != len(table):
                raise TraceError("is corrupted: the footer's counts are not those of the file")
        if footer.get(8) != struct.pack("<I", crc):
            raise TraceError("is corrupted: checksum")


def _decode(number, value, strings):
    _, kind, _ = names.ATTRIBUTES[number - 1]
    if isinstance(kind, tuple):
        return kind[value]
    if kind is float:
        return struct.unpack("<d", struct.pack("<q", value))[0]
    if kind == "text":
        return strings[value - 1] if value else None
    if kind == "pattern":
        return value - 1 if value else None
    return bool(value) if kind is bool else value

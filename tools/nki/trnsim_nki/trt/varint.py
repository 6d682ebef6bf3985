"""Protocol Buffers on the wire: just what .trt blocks need, columns packed by NumPy."""

import numpy as np

from .names import TraceError


def varint(value):
    """One unsigned number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def pack(values):
    """A uint64 array as joined varints."""
    if values.size == 0:
        return b""
    largest = int(values.max())
    if largest < 0x80:
        return values.astype(np.uint8).tobytes()
    lengths = np.ones(values.size, np.int64)
    for shift in range(7, largest.bit_length(), 7):
        lengths += values >= np.uint64(1 << shift)
    ends = np.cumsum(lengths)
    out = np.empty(int(ends[-1]), np.uint8)
    starts = ends - lengths
    out[starts] = values & np.uint64(0x7F)
    longest = int(lengths.max())
    for byte in range(1, longest):
        more = np.flatnonzero(lengths > byte)
        at = starts[more] + byte
        out[at - 1] |= 0x80
        out[at] = (values[more] >> np.uint64(7 * byte)) & np.uint64(0x7F)
    return out.tobytes()


def unpack(data):
    """Joined varints as a uint64 array."""
    raw = np.frombuffer(data, np.uint8)
    if raw.size == 0:
        return np.empty(0, np.uint64)
    ends = np.flatnonzero(raw < 0x80)
    if ends.size == 0 or ends[-1] != raw.size - 1:
        raise TraceError("is corrupted: a column ends within a number")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if int(lengths.max()) > 10:
        raise TraceError("is corrupted: a number of more than 10 bytes")
    out = np.zeros(ends.size, np.uint64)
    for byte in range(int(lengths.max())):
        more = np.flatnonzero(lengths > byte)
        part = (raw[starts[more] + byte] & 0x7F).astype(np.uint64)
        out[more] |= part << np.uint64(7 * byte)
    return out


def unsigned(values):
    """A packed column of unsigned numbers."""
    try:
        return pack(np.array(values, np.uint64))
    except (OverflowError, TypeError, ValueError) as error:
        raise TraceError(f"a number does not fit its column: {error}") from None


def signed(values):
    """Numbers as an int64 array."""
    try:
        return np.array(values, np.int64)
    except (OverflowError, TypeError, ValueError) as error:
        raise TraceError(f"a number does not fit its column: {error}") from None


def zigzag(values):
    """A packed column of signed numbers."""
    values = signed(values)
    return pack(((values << 1) ^ (values >> 63)).view(np.uint64))


def unzigzag(data):
    """The signed numbers of a packed column."""
    values = unpack(data)
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def field(number, payload):
    """A length-delimited field; nothing if it is empty."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload if payload else b""


def scalar(number, value):
    """A varint field; nothing if it is 0."""
    return varint(number << 3) + varint(value) if value else b""


def fields(data):
    """The fields of a message: number -> bytes or int. Repeated length-delimited ones are joined."""
    out = {}
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            out[number], at = read_varint(data, at)
            continue
        if kind == 2:
            size, at = read_varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise TraceError("is corrupted: not a block of the schema")
        if at + size > len(data):
            raise TraceError("is corrupted: a field ends beyond its block")
        piece = data[at:at + size]
        out[number] = out[number] + piece if kind == 2 and number in out else piece
        at += size
    return out


def read_varint(data, at):
    """A number and the position after it."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise TraceError("is corrupted: a number ends beyond its block")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7

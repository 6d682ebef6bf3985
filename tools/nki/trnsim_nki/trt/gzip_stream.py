"""A gzip stream whose first bytes may still change after everything else is written.

The .trt header holds model_flops, which is known only when the kernel has run. So the header lies
uncompressed (deflate "stored" blocks) at the start of the stream, the rest follows as it comes, and
close() puts the last 8 bytes of the header in place and combines the two checksums.
"""

import os
import struct
import weakref
import zlib

_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"  # time 0, no name, Unix
_LARGEST_STORED = 0xFFFF
_POLYNOMIAL = 0xEDB88320
_LATE = 8  # bytes of the header that come last


def _times(a, b):
    """Product of two polynomials modulo the CRC-32 polynomial, bits reversed."""
    product = 0
    while a:
        if a & 0x80000000:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def crc32_combine(first, second, length):
    """CRC-32 of two byte strings in a row, from that of each and the length of the second."""
    power = 0x80000000  # x^0
    square = 0x00800000  # x^8: one byte
    while length:
        if length & 1:
            power = _times(power, square)
        square = _times(square, square)
        length >>= 1
    return _times(power, first) ^ second


def _stored(data):
    for at in range(0, len(data), _LARGEST_STORED):
        piece = data[at:at + _LARGEST_STORED]
        yield struct.pack("<BHH", 0, len(piece), len(piece) ^ 0xFFFF) + piece


def _discard(file, path):
    file.close()
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


class GzipFile:
    """Writes next to `path` and renames at the end; whatever goes wrong leaves no file."""

    def __init__(self, path, head):
        self._path = os.fspath(path)
        self._temporary = f"{self._path}.{os.getpid()}.tmp"
        self._head = head[:-_LATE]
        file = open(self._temporary, "wb")
        self._file = file
        self._discard = weakref.finalize(self, _discard, file, self._temporary)
        file.write(_GZIP_HEADER)
        for piece in _stored(self._head):
            file.write(piece)
        for piece in _stored(head[-_LATE:]):
            file.write(piece)
        self._late_at = file.tell() - _LATE
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = 0
        self._length = 0

    def write(self, data):
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._file.write(self._deflate.compress(data))

    def crc(self, late):
        """CRC-32 of all plain bytes so far, if the header ends with `late`."""
        return crc32_combine(zlib.crc32(self._head + late), self._crc, self._length)

    def close(self, late):
        """Ends the stream and renames the file into place."""
        try:
            self._file.write(self._deflate.flush())
            size = len(self._head) + _LATE + self._length
            self._file.write(struct.pack("<II", self.crc(late), size & 0xFFFFFFFF))
            self._file.seek(self._late_at)
            self._file.write(late)
            self._file.close()
            os.replace(self._temporary, self._path)
            self._discard.detach()
        finally:
            self._discard()

    def abort(self):
        """Removes what is written."""
        self._discard()

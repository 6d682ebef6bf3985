"""Columns of numbers on the wire, at the edges of every length."""

import pytest

from trnsim_nki.trt import varint
from trnsim_nki.trt.names import TraceError

EDGES = [0, 1] + [v for bits in range(7, 64, 7) for v in ((1 << bits) - 1, 1 << bits)] + [(1 << 64) - 1]


def test_unsigned_numbers_come_back():
    assert varint.unpack(varint.unsigned(EDGES)).tolist() == EDGES


def test_a_column_is_its_varints_joined():
    assert varint.unsigned(EDGES) == b"".join(varint.varint(v) for v in EDGES)


def test_signed_numbers_come_back():
    values = [0, -1, 1, 63, -64, 64, -65, 2**62, -2**62, 2**63 - 1, -2**63]
    assert varint.unzigzag(varint.zigzag(values)).tolist() == values


def test_zigzag_alternates_the_signs():
    # 0 -1 1 -2 2 are 0 1 2 3 4
    assert varint.zigzag([0, -1, 1, -2, 2]) == bytes([0, 1, 2, 3, 4])


def test_numbers_without_room_are_refused():
    for call, value in ((varint.unsigned, -1), (varint.unsigned, 1 << 64), (varint.zigzag, 1 << 63)):
        with pytest.raises(TraceError):
            call([value])


def test_a_column_that_ends_within_a_number_is_refused():
    with pytest.raises(TraceError):
        varint.unpack(b"\x01\x80")
    with pytest.raises(TraceError):
        varint.unpack(b"\x80" * 10 + b"\x00")

"""The name tables are those of the C++ sources."""

import re
from pathlib import Path

import pytest

from trnsim_nki.trt import names

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(not (ROOT / "src/trace").is_dir(), reason="no C++ sources here")


def texts(path, table):
    """The quoted texts of a constexpr table of a C++ source."""
    body = re.search(rf"{table}\{{\{{(.*?)\n?\}}\}};", (ROOT / path).read_text(), re.S).group(1)
    return tuple(re.findall(r'"(\w+)"', body))


@pytest.mark.parametrize("table, mine", [
    ("kOpcodes", names.OPCODES), ("kEngines", names.ENGINES), ("kAluOps", names.ALU_OPS),
    ("kActFuncs", names.ACT_FUNCS), ("kDgeRequests", names.DGE_REQUESTS),
    ("kRegions", names.REGIONS), ("kCollectiveKinds", names.COLLECTIVE_KINDS),
])
def test_enums_have_the_names_and_numbers_of_opcode_cpp(table, mine):
    assert texts("src/trace/opcode.cpp", table) == mine


def test_dtypes_have_the_names_and_numbers_of_dtype_cpp():
    assert texts("src/base/dtype.cpp", "kTable") == names.DTYPES
    short = texts("src/base/dtype.cpp", "kShortForms")
    assert set(short) == set(names.SHORT_DTYPES)


def test_attribute_fields_have_the_names_and_numbers_of_attribute_fields_cpp():
    assert texts("src/trace/attribute_fields.cpp", "kFields") == tuple(names.FIELD_NUMBERS)


def test_attribute_defaults_are_those_of_ir_h():
    body = re.search(r"struct Attributes \{(.*?)\n\};", (ROOT / "include/trnsim/trace/ir.h").read_text(),
                     re.S).group(1)
    found = re.findall(r"^  [\w:]+ (\w+) = (?:\w+::k)?(\w+);", body, re.M)
    expected = {name: {"false": False, "kNone": None}.get(value, value) for name, value in found}
    for name, kind, default in names.ATTRIBUTES:
        want = expected.pop(name)
        if kind == "text":  # StringId::kAbsent
            want = {"Absent": None}[want]
        if isinstance(default, str):
            assert want.lower() == default
        elif default is None or isinstance(default, bool):
            assert want is default
        else:
            assert float(want) == default
    assert not expected


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(names.TraceError, match="opcode 'memsett' is unknown; did you mean 'memset'?"):
        names.number_of(names.OPCODES, "memsett", "opcode")


@pytest.mark.parametrize("value, full", [("bf16", "bfloat16"), ("float32", "float32"),
                                         ("fp8_e4m3", "float8_e4m3")])
def test_dtypes_are_known_by_short_forms(value, full):
    assert names.dtype_name(value) == full


def test_dtypes_are_known_as_numpy_types():
    import ml_dtypes
    import numpy as np
    assert names.dtype_name(np.dtype("int32")) == "int32"
    assert names.dtype_name(np.float32) == "float32"
    assert names.dtype_name(ml_dtypes.bfloat16) == "bfloat16"
    assert names.dtype_name(np.dtype(bool)) == "bool"

"""Values of --arg: what each spelling gives, objects of the kernel's own package, errors in one line."""

import collections
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from trnsim_nki import dtypes
from trnsim_nki.cli_values import UsageError, argument
from trnsim_nki.kernel import Built, Spec
from trnsim_nki.trt import read

PACKAGE = Path(__file__).resolve().parents[1]
HERE = types.SimpleNamespace(__name__="here", Point=collections.namedtuple("Point", "x y"),
                             deep=types.SimpleNamespace(value=7), refuse=lambda: 1 / 0)


def value(text, numeric=False):
    name, found = argument(f"a={text}", numeric, HERE)
    assert name == "a"
    return found


@pytest.mark.parametrize("text, expected", [
    ("3", 3), ("-0.5", -0.5), ("1e-6", 1e-6), ("True", True), ("None", None), ("'3'", "3"),
    ("(1, 2)", (1, 2)), ("[1, [None]]", [1, [None]]), ("{'k': (1,)}", {"k": (1,)}),
    ("fast", "fast"), ("a b", "a b"), ("fast-path", "fast-path"), ("", ""), ("'a@b:c'", "a@b:c"),
    ("@:deep.value", 7), ("@here_os:sep", os.sep), ("[@:deep.value, 8]", [7, 8]),
    ("@:Point(1, y=@:deep.value)", (1, 7)), ("@:Point(x=[1], y=@:Point(2, 3))", ([1], (2, 3)))])
def test_a_value(monkeypatch, text, expected):
    monkeypatch.setitem(sys.modules, "here_os", os)
    assert value(text) == expected


@pytest.mark.parametrize("text, dtype, shape", [
    ("bf16[128,512]", dtypes.bfloat16, (128, 512)), ("float32[4]", dtypes.float32, (4,)),
    ("fp8[ 1, 2 , 3, ]", dtypes.float8_e4m3, (1, 2, 3)), ("int32[2]", dtypes.int32, (2,))])
def test_an_array_by_type_and_shape(text, dtype, shape):
    found = value(text)
    assert isinstance(found, Spec) and (found.dtype, found.shape) == (dtype, shape)
    assert value(text, numeric=True).shape == shape


def test_a_dtype_is_the_object_also_in_a_nest():
    assert value("bf16") is dtypes.bfloat16
    assert value("[fp8, 1]")[0] is dtypes.float8_e4m3


def test_arrays_of_a_nest_have_data_of_their_own():
    first, second = value("[fp32[8], fp32[8]]", numeric=True)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, value("fp32[8]", numeric=True))


def test_an_object_that_holds_arrays_is_made_inside_the_kernel():
    found = value("@:Point(bf16[2,4], y=None)")
    assert isinstance(found, Built) and found.make is HERE.Point
    assert repr(found) == "Point(spec('bfloat16', (2, 4)), y=None)"


def test_a_numpy_file(tmp_path):
    np.save(tmp_path / "t.npy", np.arange(3))
    assert value(f"@{tmp_path}/t.npy").tolist() == [0, 1, 2]


@pytest.mark.parametrize("text, says", [
    ("bf17[4]", "dtype 'bf17' is unknown"), ("bf16[0]", "a dimension of 0"),
    ("bf16[x]", "'bf16[x]': a shape is of integers"), ("bf16[2", "'[' was never closed"),
    ("[1, fast]", "'fast' is no dtype; put quotes around a text in a nest"),
    ("(1, 2 + 3)", "'2 + 3' is no value"), ("[len('x')]", "'len' cannot be called; only @module:name can"),
    ("@:nothing", "here has no 'nothing'"), ("@:deep.none", "here has no 'deep.none'"),
    ("@no_such_package.x:y", "No module named 'no_such_package'"),
    ("@:deep.value(1)", "cannot be called"), ("@:Point(1)", "TypeError: "),
    ("@:Point(1, **{})", "'**' is no argument"), ("@:refuse()", "ZeroDivisionError: division by zero"),
    ("@none.npy", "none.npy")])
def test_a_wrong_value_says_what_is_wrong(text, says):
    with pytest.raises(UsageError) as error:
        value(text)
    assert str(error.value).startswith(f"--arg a={text}: ") and says in str(error.value)


KINDS = """\
import enum


class Kind(enum.Enum):
    PLAIN = 0
    TWICE = 1


class Settings:
    def __init__(self, x, kind, scale=None):
        assert x.buffer is not None and x.shape[0] == 128, "a tensor of 128 rows"
        self.x, self.kind, self.scale = x, kind, scale
"""

KERNEL = """\
import nki
import nki.isa as nisa
import nki.language as nl

from ..kinds import Kind, Settings


@nki.jit
def scaled(settings, pair=None):
    out = nl.ndarray(settings.x.shape, dtype=settings.x.dtype, buffer=nl.shared_hbm)
    t = nl.ndarray(settings.x.shape, dtype=settings.x.dtype, buffer=nl.sbuf)
    for x in [settings.x, *(pair or [])]:
        nisa.dma_copy(dst=t, src=x)
    for _ in range(2 if settings.kind == Kind.TWICE else 1):
        nisa.tensor_scalar(dst=t, data=t, op0=nl.multiply, operand0=2.0)
    nisa.dma_copy(dst=out, src=t)
    return out
"""


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "src/outer/pack/core"
    folder.mkdir(parents=True)
    for package in ("outer", "outer/pack", "outer/pack/core"):
        (tmp_path / "src" / package / "__init__.py").write_text("")
    (tmp_path / "src/outer/pack/kinds.py").write_text(KINDS)
    (folder / "k.py").write_text(KERNEL)
    return tmp_path


def trace(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", "trnsim_nki.cli", "trace", "src/outer/pack/core/k.py:scaled", "-o", "k.trt",
         *arguments], capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(PACKAGE)})


@pytest.mark.parametrize("extra, reference", [
    ((), "@:"), ((), "@outer.pack.kinds:"), (("--pythonpath", "src/outer"), "@pack.kinds:"),
    (("--mode", "numeric"), "@:")])
def test_members_of_the_package_are_the_kernel_s_own(library, extra, reference):
    settings = f"settings={reference}Settings(fp32[128,8], kind={reference}Kind.TWICE)"
    done = trace(library, "--arg", settings, "--arg", "pair=[fp32[128,8], fp32[128,8]]", *extra)
    assert (done.returncode, done.stdout) == (0, "k.trt: 6 instructions\n"), done.stderr
    names = [i[0] for i in read(library / "k.trt").instructions]
    assert names == ["dma_copy"] * 3 + ["tensor_scalar"] * 2 + ["dma_copy"]


def test_each_core_of_a_pair_makes_its_own_object(library):
    done = trace(library, "--arg", "settings=@:Settings(x=fp32[128,8], kind=@:Kind.PLAIN)", "--lnc", "2")
    assert (done.returncode, done.stdout) == (0, "k.trt: 6 instructions\n"), done.stderr
    assert [len(read(library / name).instructions) for name in ("k.trt", "k.1.trt")] == [3, 3]


@pytest.mark.parametrize("arguments, says", [
    (("--arg", "settings=@pack.kinds:Kind"), "No module named 'pack'"),
    (("--arg", "settings=@:Kind.THRICE"), "outer.pack.core.k has no 'Kind.THRICE'"),
    (("--arg", "settings=@:Settings(fp32[64,8], kind=None)"), "AssertionError: a tensor of 128 rows"),
    (("--arg", "settings=1", "--pythonpath", "none"), "--pythonpath none: no such folder")])
def test_an_error_is_one_line_and_exit_code_2(library, arguments, says):
    done = trace(library, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("trnsim-nki: ") and says in done.stderr
    assert done.stderr.count("\n") == 1 and not (library / "k.trt").exists()

"""trnsim-nki run with several launches, and what it says when something in the script is wrong."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]

KERNELS = """\
import nki
import nki.isa as nisa
import nki.language as nl


@nki.jit
def scale(x, by=2.0):
    out = nl.ndarray(x.shape, dtype=x.dtype, buffer=nl.shared_hbm)
    for first in nl.affine_range(x.shape[0] // 128):
        tile = nl.ndarray((128, x.shape[1]), dtype=x.dtype, buffer=nl.sbuf)
        nisa.dma_copy(dst=tile, src=x[nl.ds(first * 128, 128), :])
        nisa.tensor_scalar(dst=tile, data=tile, op0=nl.multiply, operand0=by)
        nisa.dma_copy(dst=out[nl.ds(first * 128, 128), :], src=tile)
    return out


@nki.jit
def product(a_t, b):
    out = nl.ndarray((a_t.shape[1], b.shape[1]), dtype=nl.float32, buffer=nl.shared_hbm)
    left = nl.ndarray(a_t.shape, dtype=a_t.dtype, buffer=nl.sbuf)
    right = nl.ndarray(b.shape, dtype=b.dtype, buffer=nl.sbuf)
    total = nl.ndarray(out.shape, dtype=nl.float32, buffer=nl.psum)
    done = nl.ndarray(out.shape, dtype=nl.float32, buffer=nl.sbuf)
    nisa.dma_copy(dst=left, src=a_t)
    nisa.dma_copy(dst=right, src=b)
    nisa.nc_matmul(dst=total, stationary=left, moving=right)
    nisa.tensor_copy(dst=done, src=total)
    nisa.dma_copy(dst=out, src=done)
    return out
"""

SCRIPT = """\
import numpy as np
from kernels import product, scale

a = np.random.default_rng(0).standard_normal((128, 128)).astype(np.float32)
for rows in (128, 256, 512):
    x = np.ones((rows, 64), np.float32)
    assert (scale(x, by=3.0) == 3 * x).all()
print("scaled")
assert np.allclose(product(a, scale(a)), 2 * a.T @ a, atol=1e-2)
"""


def line_of(text):
    return next(i for i, line in enumerate(KERNELS.splitlines(), 1) if text in line)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    return tmp_path


def run(folder, script, *arguments):
    (folder / "script.py").write_text(script)
    return nki(folder, "run", *arguments, "script.py")


def nki(folder, *arguments):
    return subprocess.run([sys.executable, "-P", "-m", "trnsim_nki.cli", *arguments], capture_output=True,
                          text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(PACKAGE)})


def test_every_launch_has_its_line_in_the_order_of_the_script(folder):
    done = run(folder, SCRIPT)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split("(")[0] for line in lines] == ["scale"] * 3 + ["scaled", "scale", "product"]
    assert [int(n) for n in re.findall(r"(\d+) instructions", done.stdout)] == [3, 6, 12, 3, 5]
    times = [float(t) for t in re.findall(r"([\d.]+) us", done.stdout)]
    assert times[0] < times[1] < times[2]
    assert lines[5].startswith("product(fp32[128,128], fp32[128,128])  5 instructions  ")


def test_the_same_script_gives_the_same_bytes(folder):
    assert run(folder, SCRIPT).stdout == run(folder, SCRIPT).stdout


def test_without_values_times_are_the_same(folder):
    quick = SCRIPT.replace("assert ", "").replace(" == 3 * x", " * x")
    figures = [re.findall(r"[\d.]+ us", run(folder, quick, "--mode", mode).stdout)
               for mode in ("numeric", "symbolic")]
    assert figures[0] == figures[1] and len(figures[0]) == 5


def test_a_wrong_shape_names_the_kernels_line_after_the_launches_before_it(folder):
    done = run(folder, SCRIPT + "product(a[:64], a)\n")
    place = f"{folder / 'kernels.py'}:{line_of('nc_matmul')}"
    assert done.returncode == 2
    assert done.stderr.startswith(f"trnsim-nki: {place}: nc_matmul: stationary ") and done.stderr.count("\n") == 1
    assert "the partitions (K) must be equal" in done.stderr
    assert done.stdout.count(" us ") == 5


def test_a_slice_beyond_the_array_names_the_kernels_line(folder):
    bad = KERNELS.replace("src=x[nl.ds(first * 128, 128), :]", "src=x[nl.ds(first * 128 + 1, 128), :]")
    (folder / "kernels.py").write_text(bad)
    done = run(folder, SCRIPT)
    assert done.returncode == 2
    assert f"kernels.py:{line_of('nisa.dma_copy(dst=tile')}: " in done.stderr and done.stderr.count("\n") == 1


def test_an_operation_that_does_not_exist_names_its_line(folder):
    (folder / "kernels.py").write_text(KERNELS.replace("nisa.tensor_copy(", "nisa.tensor_kopy("))
    done = run(folder, SCRIPT)
    assert done.returncode == 2
    assert f"kernels.py:{line_of('tensor_copy')}: nisa.tensor_kopy is not implemented" in done.stderr


@pytest.mark.parametrize("script, says", [
    ("from kernels import nothing\n", "ImportError: cannot import name 'nothing'"),
    ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'")])
def test_errors_of_the_script_itself_are_exit_code_1(folder, script, says):
    done = run(folder, script)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Traceback") and says in done.stderr


@pytest.mark.parametrize("call, says", [
    ("product(1)", "product(): missing a required argument: 'b'"),
    ("scale(np.ones((128, 4)), bye=3)", "scale(): got an unexpected keyword argument 'bye'")])
def test_wrong_arguments_name_the_scripts_line(folder, call, says):
    done = run(folder, f"import numpy as np\nfrom kernels import product, scale\n{call}\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"trnsim-nki: script.py:3: {says}\n"


@pytest.mark.parametrize("arguments, says", [
    (("run", "missing.py"), "missing.py: no such file"),
    (("run", "--mode", "exact", "kernels.py"), "invalid choice: 'exact'"),
    (("run", "--system", "trn9", "kernels.py"), "unknown system 'trn9'"),
    (("trace", "missing.py:scale", "-o", "k.trt"), "missing.py: no such file"),
    (("trace", "kernels.py:scala", "-o", "k.trt"), "has no kernel 'scala'; there is scale, product"),
    (("trace", "kernels.py:scale", "--arg", "x=fp32[128,64]", "-o", "none/k.trt"), "none/k.trt")])
def test_wrong_command_lines_are_one_line_and_exit_code_2(folder, arguments, says):
    done = nki(folder, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("trnsim-nki: ") and says in done.stderr and done.stderr.count("\n") == 1


def test_options_of_the_program_apply_to_every_launch(folder):
    done = run(folder, SCRIPT, "--option=--order=sideways")
    assert done.returncode == 2 and "sideways" in done.stderr and done.stderr.count("\n") == 1

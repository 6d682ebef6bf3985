"""trnsim-nki as a user runs it: output, errors in one line, exit codes, files left behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trnsim_nki import runner
from trnsim_nki.trt import read

PACKAGE = Path(__file__).resolve().parents[1]

KERNEL = """\
import nki
import nki.isa as nisa
import nki.language as nl


@nki.jit
def add(a, b, twice=False):
    out = nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.shared_hbm)
    x = nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.sbuf)
    y = nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.sbuf)
    nisa.dma_copy(dst=x, src=a)
    nisa.dma_copy(dst=y, src=b)
    for _ in range(2 if twice else 1):
        nisa.tensor_tensor(dst=x, data1=x, data2=y, op=nl.add)
    nisa.dma_copy(dst=out, src=x)
    return out


@nki.jit
def wrong(a):
    return nl.ndarray((256, 4), dtype=a.dtype, buffer=nl.sbuf)


def broken(a):
    return a.no_such_attribute + 1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "k.py").write_text(KERNEL)
    return tmp_path


@pytest.fixture
def program():
    try:
        return runner.find_trnsim()
    except runner.SimulatorError as error:
        pytest.skip(str(error))


def nki(folder, *arguments, **environment):
    return subprocess.run([sys.executable, "-P", "-m", "trnsim_nki.cli", *arguments],
                          capture_output=True, text=True, cwd=folder,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment})


ARGS = ("--arg", "a=bf16[128,512]", "--arg", "b=bf16[128,512]")


def test_trace_records_a_kernel(folder):
    done = nki(folder, "trace", "k.py:add", *ARGS, "-o", "k.trt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "k.trt: 4 instructions\n", "")
    trace = read(folder / "k.trt")
    assert (trace.kernel, trace.target, trace.lnc) == ("add", "trn2", 1)
    assert [i[0] for i in trace.instructions] == ["dma_copy", "dma_copy", "tensor_tensor", "dma_copy"]
    line = KERNEL.splitlines().index("        nisa.tensor_tensor(dst=x, data1=x, data2=y, op=nl.add)") + 1
    assert trace.sources[trace.instructions[2][5]] == (str(folder / "k.py"), line)


def test_values_reach_the_kernel(folder):
    done = nki(folder, "trace", "k.py:add", *ARGS, "--arg", "twice=True", "-o", "k.trt")
    assert done.stdout == "k.trt: 5 instructions\n"


def test_a_file_of_a_package_may_import_its_neighbours(folder):
    (folder / "pack/sub").mkdir(parents=True)
    for name in ("pack", "pack/sub"):
        (folder / name / "__init__.py").write_text("")
    (folder / "pack/base.py").write_text(KERNEL)
    (folder / "pack/sub/k.py").write_text("from ..base import add\n")
    done = nki(folder, "trace", "pack/sub/k.py:add", *ARGS, "-o", "k.trt")
    assert done.stdout == "k.trt: 4 instructions\n", done.stderr


def test_a_file_may_be_called_as_a_module_that_exists(folder):
    (folder / "token.py").write_text(KERNEL)
    done = nki(folder, "trace", "token.py:add", *ARGS, "-o", "k.trt")
    assert done.stdout == "k.trt: 4 instructions\n", done.stderr


def test_both_modes_record_the_same_instructions(folder):
    for mode in ("symbolic", "numeric"):
        assert nki(folder, "trace", "k.py:add", *ARGS, "--mode", mode, "-o", f"{mode}.trt").returncode == 0
    assert read(folder / "symbolic.trt").instructions == read(folder / "numeric.trt").instructions


def test_the_program_runs_the_trace(folder, program):
    assert nki(folder, "trace", "k.py:add", *ARGS, "-o", "k.trt").returncode == 0
    result = runner.run_trace(folder / "k.trt")
    assert result.hbm["read_bytes"] == 2 * 128 * 512 * 2
    assert result.hbm["write_bytes"] == 128 * 512 * 2


@pytest.mark.parametrize("arguments, says", [
    (("trace", "k.py:add", *ARGS), "required: -o/--output; see trnsim-nki trace --help"),
    (("trace", "none.py:add", "-o", "k.trt"), "none.py: no such file"),
    (("trace", "k.py", "-o", "k.trt"), "'k.py' is not FILE.py:kernel"),
    (("trace", "k.py:ad", "-o", "k.trt"), "k.py: has no kernel 'ad'; there is add, wrong, broken"),
    (("trace", "k.py:add", "-o", "k.trt"), "add needs --arg a=... and b"),
    (("trace", "k.py:add", "--arg", "c=1", "-o", "k.trt"), "add has no argument 'c'"),
    (("trace", "k.py:add", "--arg", "a=bf17[4]", "-o", "k.trt"), "dtype 'bf17' is unknown"),
    (("trace", "k.py:add", "--arg", "a=bf16[0]", "-o", "k.trt"), "a dimension of 0"),
    (("trace", "k.py:add", "--arg", "a", "-o", "k.trt"), "must be NAME=VALUE"),
    (("trace", "k.py:add", "--arg", "a=@x.npy", "-o", "k.trt"), "x.npy"),
    (("run", "none.py"), "none.py: no such file"),
    (("run", "--system", "nope", "k.py"), "unknown system 'nope'"),
    (("run", "-m", "transformers"), "module transformers is not installed"),
    (("dance",), "invalid choice: 'dance'"),
])
def test_wrong_input_is_one_line_and_exit_code_2(folder, program, arguments, says):
    done = nki(folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("trnsim-nki: ") and says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "k.trt").exists()


def test_what_a_kernel_may_not_do_is_reported_with_its_line(folder):
    done = nki(folder, "trace", "k.py:wrong", "--arg", "a=bf16[128,512]", "-o", "k.trt")
    line = KERNEL.splitlines().index("    return nl.ndarray((256, 4), dtype=a.dtype, buffer=nl.sbuf)") + 1
    assert done.returncode == 2
    assert re.fullmatch(rf"trnsim-nki: \S*k.py:{line}: .*256.*\n", done.stderr), done.stderr
    assert os.listdir(folder).count("k.trt") == 0


def test_an_error_in_the_kernel_itself_is_reported_with_its_line(folder):
    done = nki(folder, "trace", "k.py:broken", "--arg", "a=bf16[128,512]", "-o", "k.trt")
    line = KERNEL.splitlines().index("    return a.no_such_attribute + 1") + 1
    assert done.returncode == 2
    assert re.match(rf"trnsim-nki: \S*k.py:{line}: ", done.stderr), done.stderr
    assert done.stderr.count("\n") == 1


def test_a_syntax_error_is_reported_with_its_line(folder):
    (folder / "bad.py").write_text("import nki\n\ndef f(:\n")
    done = nki(folder, "trace", "bad.py:f", "-o", "k.trt")
    assert done.returncode == 2
    assert re.fullmatch(r"trnsim-nki: \S*bad.py:3: .*\n", done.stderr)


SCRIPT = """\
import sys
import numpy as np
from k import add

print("arguments", sys.argv[1:])
a = np.arange(128 * 512, dtype=np.float32).reshape(128, 512)
out = add(a, a)
assert np.array_equal(out, 2 * a)
add(a, b=a, twice=True)
"""


def test_run_runs_a_script_and_prints_a_line_per_launch(folder, program):
    (folder / "s.py").write_text(SCRIPT)
    done = nki(folder, "run", "s.py", "--fast", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "arguments ['--fast', '1']"
    assert re.fullmatch(r"add\(fp32\[128,512\], fp32\[128,512\].*\)  4 instructions  [\d.]+ us  .*bound.*", lines[1])
    assert "  5 instructions  " in lines[2]
    assert len(lines) == 3


def test_run_takes_the_system(folder, program):
    (folder / "s.py").write_text(SCRIPT)

    def latency(system):
        output = nki(folder, "run", "--system", system, "s.py").stdout
        return float(re.search(r"([\d.]+) us", output)[1])

    assert latency("trn2-core") != latency("trn1.2xlarge")


def test_the_exit_code_of_the_script_is_kept(folder, program):
    (folder / "s.py").write_text("import sys\nsys.exit(7)\n")
    assert nki(folder, "run", "s.py").returncode == 7


def test_an_error_of_the_script_looks_like_that_of_python(folder, program):
    (folder / "s.py").write_text("import nki\n\nassert 1 == 2, 'not equal'\n")
    done = nki(folder, "run", "s.py")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and 's.py", line 3' in done.stderr
    assert done.stderr.rstrip().endswith("AssertionError: not equal")
    assert "cli.py" not in done.stderr and "runpy" not in done.stderr


def test_an_error_of_a_kernel_in_a_script_is_one_line(folder, program):
    (folder / "s.py").write_text("import numpy as np\nfrom k import wrong\n\nwrong(np.zeros((128, 4), np.float32))\n")
    done = nki(folder, "run", "s.py")
    assert done.returncode == 2
    assert re.fullmatch(r"trnsim-nki: \S*k.py:\d+: .*\n", done.stderr), done.stderr


def test_a_missing_program_is_said_before_the_script_runs(folder):
    (folder / "s.py").write_text("print('started')\n")
    done = nki(folder, "run", "s.py", TRNSIM="/nonexistent")
    assert (done.returncode, done.stdout) == (2, "")
    assert "TRNSIM is '/nonexistent'" in done.stderr


def test_modules_run_as_with_python_m(folder, program):
    (folder / "test_k.py").write_text(
        "import numpy as np\nfrom k import add\n\n\ndef test_add():\n"
        "    a = np.ones((128, 512), np.float32)\n    assert (add(a, a) == 2).all()\n")
    done = nki(folder, "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_k.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 instructions" in done.stdout and "1 passed" in done.stdout


BETA_1 = """\
import os
import numpy as np
import neuronxcc.nki as nki
from neuronxcc.nki import baremetal, benchmark, simulate_kernel
import neuronxcc.nki.language as nl


def add(a, b):
    out = nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.shared_hbm)
    nl.store(out, nl.load(a) + nl.load(b))
    return out


a = np.ones((128, 512), np.float32)
assert (simulate_kernel(nki.jit(add), a, a) == 2).all()
assert (baremetal(add)(a, a) == 2).all()
timed = benchmark(warmup=5, iters=10, save_neff_name="file.neff", save_trace_name="p.ntff")(add)
timed(a, a)
metrics = timed.benchmark_result.nc_latency
assert metrics.get_latency_percentile(99) == metrics.get_latency_percentile(50) > 0
assert os.path.getsize("file.neff") > 0 and os.path.getsize("p.ntff") > 0
"""


BENCHMARKS = """\
import os
import numpy as np
import nki
from k import add

a = np.ones((128, 512), np.float32)
assert (nki.simulate(add)(a, a) == 2).all()
assert (nki.baremetal(add)(a, b=a, twice=True) == 3).all()
assert (nki.simulate_kernel(add, a, a) == 2).all()
timed = nki.benchmark(warmup=5, iters=10, save_neff_name="file.neff", save_trace_name="p.ntff")(add)
timed(a, a)
metrics = timed.benchmark_result.nc_latency
assert metrics.get_latency_percentile(99) == metrics.get_latency_percentile(50) > 0
assert os.path.getsize("file.neff") > 0 and os.path.getsize("p.ntff") > 0
"""


def test_the_vendors_benchmark_calls_answer_in_a_script(folder, program):
    (folder / "s.py").write_text(BENCHMARKS)
    done = nki(folder, "run", "s.py")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def test_the_vendors_calls_of_beta_1_answer_in_a_script(folder, program):
    (folder / "s.py").write_text(BETA_1)
    done = nki(folder, "run", "s.py")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_list_names_the_instructions(folder):
    done = nki(folder, "list")
    assert done.returncode == 0, done.stderr
    assert "nc_matmul" in done.stdout and "dma_copy" in done.stdout


def test_the_launcher_makes_its_environment_quietly():
    launcher = PACKAGE.parent / "trnsim-nki"
    done = subprocess.run([launcher, "--help"], capture_output=True, text=True,
                          env={**os.environ, "TRNSIM_NKI_VENV": os.environ.get(
                              "TRNSIM_NKI_VENV", str(PACKAGE.parents[1] / "build/nki-venv"))})
    if done.returncode == 3:
        pytest.skip("no network to install from: " + done.stderr[-200:])
    assert done.returncode == 0 and "usage: trnsim-nki" in done.stdout

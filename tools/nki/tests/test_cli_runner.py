"""The runner: finding the program, its figures as objects, and the vendor's ways to run a kernel."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import trnsim_nki
from trnsim_nki import runner
from trnsim_nki.runner import SimulatorError

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "tests/data/trace/tiny_matmul.jsonl"


@pytest.fixture
def program():
    try:
        return runner.find_trnsim()
    except SimulatorError as error:
        pytest.skip(str(error))


@pytest.fixture
def traced(monkeypatch, program):
    """trnsim_nki.trace() replaced: records one copy and gives the sum of the arguments."""
    calls = []

    class Traced:
        pass

    def trace(kernel, *args, mode, target, lnc, writer):
        calls.append({"kernel": kernel, "args": args, "mode": mode, "target": target, "lnc": lnc})
        a, b = (writer.tensor(name, "hbm", "fp32", 1, 1024) for name in "ab")
        walk = writer.pattern("fp32", ((1, 1024),))
        writer.instruction("dma_copy", None, ((a, walk, 0, 1, 0),), ((b, walk, 0, 1, 0),),
                           writer.attributes(), writer.source("k.py", 1))
        out = Traced()
        out.outputs = [sum(args)]
        out.instructions = 1
        out.shapes, out.uninitialised = [], []
        return out

    monkeypatch.setattr(trnsim_nki, "trace", trace, raising=False)
    return calls


def add(a, b, scale=1):
    """A kernel by name only: the fixture answers for it."""


def fake_program(folder, text):
    path = folder / "trnsim"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_the_program_named_by_the_environment_comes_first(tmp_path, monkeypatch):
    path = fake_program(tmp_path, "exit 0")
    monkeypatch.setenv("TRNSIM", path)
    assert runner.find_trnsim() == path


def test_a_wrong_environment_variable_is_an_error(monkeypatch):
    monkeypatch.setenv("TRNSIM", "/nonexistent/trnsim")
    with pytest.raises(SimulatorError, match="TRNSIM is '/nonexistent/trnsim', which is no program"):
        runner.find_trnsim()


def test_without_a_build_the_path_is_searched(tmp_path, monkeypatch):
    monkeypatch.delenv("TRNSIM", raising=False)
    monkeypatch.setattr(runner, "__file__", str(tmp_path / "a/b/c/d/runner.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match="not built; run tools/quickstart, or set TRNSIM"):
        runner.find_trnsim()
    path = fake_program(tmp_path, "exit 0")
    assert runner.find_trnsim() == path


@pytest.mark.parametrize("code, expected", [(1, 1), (2, 2), (3, 3), (139, 3)])
def test_refusals_of_the_program_keep_its_text_and_code(tmp_path, monkeypatch, code, expected):
    monkeypatch.setenv("TRNSIM", fake_program(tmp_path, f"echo 'trnsim: k.trt: is empty' >&2; exit {code}"))
    with pytest.raises(SimulatorError, match="^k.trt: is empty$") as caught:
        runner.run_trace("k.trt")
    assert caught.value.code == expected


def test_a_result_holds_the_figures_of_the_program(program):
    result = runner.run_trace(EXAMPLE)
    record = json.loads(subprocess.run([program, "run", EXAMPLE, "-q", "--json", "-"],
                                       capture_output=True, text=True, check=True).stdout)
    assert result.kernel == "tiny_matmul"
    assert result.latency_us == record["time_us"]
    assert result.engines["tensor"].utilization == record["engines"]["tensor"]["busy_fraction"]
    assert set(result.engines) == {"tensor", "vector", "scalar", "gpsimd", "sync"}
    assert result.hbm["read_bytes"] == 163840  # a 128 x 128 and b 128 x 512, bf16: 32768 + 131072
    assert result.instructions == 5
    assert result.mfu == record["mfu"]
    assert result.bound == record["bound"]["text"]


def test_the_timeline_is_written_when_asked_for(program, tmp_path):
    result = runner.run_trace(EXAMPLE, timeline=tmp_path / "t.json")
    assert "traceEvents" in json.loads((tmp_path / "t.json").read_text())
    assert result.timeline == str(tmp_path / "t.json")
    later = runner.run_trace(EXAMPLE)
    assert os.path.getsize(later.timeline) > 0


def test_options_reach_the_program(program):
    result = runner.run_trace(EXAMPLE, options=("--order", "window:8"))
    assert "order=window:8" in result.record["lowering"]


@pytest.mark.parametrize("system, target", [("trn2-core", "trn2"), ("trn3-core", "trn3"),
                                            ("trn1.2xlarge", "trn1"), ("inf2.48xlarge", "trn1")])
def test_the_target_is_that_of_the_system(program, system, target):
    assert runner.target_of(system) == target


def test_simulate_gives_outputs_and_a_result(traced):
    a, b = np.ones(4, np.float32), np.full(4, 2, np.float32)
    outputs, result = runner.simulate(add, a, b, system="trn3-core")
    assert np.array_equal(outputs[0], a + b)
    assert result.latency_us > 0 and result.kernel == "add"
    assert (traced[0]["mode"], traced[0]["target"]) == ("numeric", "trn3")
    assert os.path.getsize(result.timeline) > 0


def test_keywords_of_the_kernel_arrive_in_its_order(traced):
    runner.simulate(add, 1, b=2)
    assert traced[0]["args"] == (1, 2, 1)


def test_the_trace_is_kept_where_it_is_wanted(traced, tmp_path):
    _, result = runner.simulate(add, 1, 2, trace=tmp_path / "add.trt")
    assert result.trace == str(tmp_path / "add.trt")
    from trnsim_nki.trt import read
    assert json.loads(read(result.trace).arguments) == {"0": "1", "1": "2"}


def test_benchmark_answers_every_percentile_with_the_simulated_latency(traced):
    timed = runner.benchmark(warmup=5, iters=10)(add)
    timed(1, 2)
    latency = timed.benchmark_result.nc_latency
    assert latency.get_latency_percentile(50) == timed.result.latency_us > 0
    assert {latency.get_latency_percentile(p) for p in (0, 1, 10, 25, 50, 90, 99, 100)} == {
        timed.result.latency_us}
    with pytest.raises(ValueError):
        latency.get_latency_percentile(101)
    assert traced[0]["mode"] == "symbolic"


def test_benchmark_works_as_call_and_as_decorator(traced):
    assert runner.benchmark(add, iters=1)(1, 2) == [3]

    @runner.benchmark
    def other(a, b):
        pass

    assert other(1, 2) == [3]
    assert other.__name__ == "other"


def test_saved_files_are_the_trace_and_the_timeline(traced, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner.benchmark(add, save_neff_name="file.neff", save_trace_name="profile.ntff")(1, 2)
    assert sorted(os.listdir()) == ["file.neff", "profile.ntff"]
    runner.profile(working_directory=str(tmp_path / "new"), profile_nth=2)(add)(1, 2)
    assert sorted(os.listdir("new")) == ["file.neff", "profile.ntff"]


def test_a_grid_goes_to_the_kernel(traced):
    class Gridded:
        __name__ = "gridded"

        def __init__(self, grid=()):
            self.grid = grid

        def __getitem__(self, grid):
            return Gridded(grid)

        def __call__(self, a, b):
            pass

    timed = runner.benchmark(Gridded())[4]
    timed(1, 2)
    assert traced[0]["kernel"].grid == 4
    assert timed.benchmark_result.nc_latency.get_latency_percentile(50) > 0


def test_simulate_kernel_and_simulate_and_baremetal_compute_values(traced):
    assert runner.simulate_kernel(add, 1, 2) == [3]
    assert runner.nki_simulate(add)(1, 2) == [3]
    assert runner.baremetal(add)(1, 2) == [3]
    assert [call["mode"] for call in traced] == ["numeric"] * 3


def test_every_launch_is_reported_to_the_session(traced, monkeypatch):
    seen = []
    monkeypatch.setattr(runner.session, "report", lambda result, args: seen.append((result.kernel, args)))
    runner.launch(add, (1,), {"b": 2})
    assert seen == [("add", [1, 2, 1])]


@pytest.mark.parametrize("value, text", [
    (np.zeros((2, 3), np.float32), "fp32[2,3]"), (np.zeros(4, np.int32), "int32[4]"), (3, "3"),
    (True, "True"), ("x", "'x'"), (np.zeros(2, np.complex64), "complex64[2]")])
def test_arguments_are_described_in_short(value, text):
    assert runner.describe_argument(value) == text


def test_names_are_those_of_the_function_inside_wrappers():
    import functools
    assert runner.kernel_name(functools.partial(add, 1)) == "add"
    assert runner.kernel_name(runner.benchmark(add)) == "add"
    assert list(runner.signature_of(functools.partial(add, 1)).parameters) == ["b", "scale"]

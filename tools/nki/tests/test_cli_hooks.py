"""What plain trnsim_nki.install() gives: launches that are timed, the vendor's calls, real host libraries."""
import importlib
import os
import sys

import numpy as np
import pytest
from kernel_helpers import nisa, nki, nl, output, random, tile, tn
from trnsim_nki import runner

A = random(128, 64)


@nki.jit
def double(a, times=1):
    t = tile(a)
    for _ in range(times):
        nisa.tensor_scalar(t, t, nl.multiply, 2.0)
    return output(t)


@pytest.fixture
def launches(monkeypatch):
    """(kernel, latency) of every launch."""
    runner.find_trnsim()
    seen = []
    monkeypatch.setattr(runner.session, "report", lambda result, _: seen.append((result.kernel, result.latency_us)))
    return seen


def test_a_call_outside_a_trace_is_a_launch(launches):
    np.testing.assert_array_equal(double(A, times=2), A * 4)
    assert launches[0][0] == "double" and launches[0][1] > 0


def test_a_call_without_data_is_timed_too(launches):
    assert double(tn.spec("bf16", (128, 64))).shape == (128, 64)
    assert len(launches) == 1


def test_a_call_inside_a_kernel_is_none(launches):
    outer = nki.jit(lambda a: double(a))
    np.testing.assert_array_equal(outer(A), A * 2)
    assert len(launches) == 1


@pytest.mark.parametrize("call", [
    lambda: nki.simulate(double)(A), lambda: nki.baremetal(double)(A), lambda: nki.simulate_kernel(double, A),
    lambda: nki.simulate(double.func)(A), lambda: nki.baremetal()(double)[1](A), lambda: tn.simulate(double, A)[0]])
def test_calls_that_compute(launches, call):
    np.testing.assert_array_equal(call(), A * 2)
    assert len(launches) == 1


def test_benchmark_and_profile_time(launches, tmp_path):
    timed = nki.benchmark(warmup=2, iters=3)(double)
    timed(A)
    assert timed.benchmark_result.nc_latency.get_latency_percentile(99) == launches[0][1]
    nki.profile(working_directory=str(tmp_path))(double)(A)
    assert sorted(os.listdir(tmp_path)) == ["file.neff", "profile.ntff"]


def test_a_timed_kernel_inside_a_kernel_is_a_plain_call(launches):
    timed = nki.benchmark(double)
    np.testing.assert_array_equal(nki.jit(lambda a: timed(a))(A), A * 2)
    assert len(launches) == 1


def test_a_plain_function_may_have_a_grid(launches):
    def kernel(a):
        return output(tile(a)) if nl.num_programs(0) == 2 else None

    assert nki.benchmark(kernel)[2](A).shape == A.shape


def test_simulate_and_run_trace_are_of_the_package(launches, tmp_path):
    _, result = tn.simulate(double, A, trace=tmp_path / "k.trt")
    assert tn.run_trace(tmp_path / "k.trt").latency_us == result.latency_us


@pytest.mark.parametrize("name", ["scipy", "pytest"])
def test_installed_host_libraries_are_not_hidden(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    with tn.install():
        assert importlib.import_module(name).REAL


def test_stand_ins_end_with_the_block():
    with tn.install():
        import tabulate
        assert not isinstance(np.zeros(1), tabulate.anything) and not issubclass(int, tabulate.anything)
    assert "tabulate" not in sys.modules
    with pytest.raises(ImportError):
        importlib.import_module("tabulate")

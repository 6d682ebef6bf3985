"""LNC=2: both programs of a kernel are traced, and the simulator lets them meet."""

import json
import subprocess

import numpy as np
import trnsim_nki
from trnsim_nki import runner, trt


def kernel():
    """Core 1 does four times the work of core 0 before they meet."""
    with trnsim_nki.install():
        import nki
        import nki.isa as nisa
        import nki.language as nl

        @nki.jit
        def uneven(x):
            out = nl.ndarray(x.shape, dtype=x.dtype, buffer=nl.shared_hbm)
            for _ in range(1 if nl.program_id(0) == 0 else 4):
                tile = nl.ndarray((128, 512), dtype=x.dtype, buffer=nl.sbuf)
                nisa.dma_copy(dst=tile, src=x)
                nisa.dma_copy(dst=out, src=tile)
            nisa.core_barrier(data=out, cores=(0, 1))
            return out

    return uneven


def test_writes_a_program_per_core(tmp_path):
    path = str(tmp_path / "uneven.trt")
    runner.trace_file(kernel(), (trnsim_nki.spec("bf16", (128, 512)),), path, lnc=2)
    counts = [len(trt.read(p).instructions) for p in (path, runner.pair_path(path))]
    assert counts == [2 + 1, 8 + 1]


def test_the_early_core_waits_for_the_late_one(tmp_path):
    path = str(tmp_path / "uneven.trt")
    runner.trace_file(kernel(), (trnsim_nki.spec("bf16", (128, 512)),), path, lnc=2)
    run = subprocess.run(
        [runner.find_trnsim(), "run", path, "--system", "trn2.3xlarge", "--json", "-"],
        capture_output=True, text=True, check=True)
    record = json.loads(run.stdout)
    assert record["cores_used"] == 2
    assert "warning" not in run.stderr
    # Half of the engine time of both cores together would be all of core 0's.
    waits = record["engines"]["gpsimd"]["idle_fraction"]["peer"]
    assert 0.1 < waits < 0.5


def test_one_program_alone_is_a_warning(tmp_path):
    path = str(tmp_path / "uneven.trt")
    runner.trace_file(kernel(), (trnsim_nki.spec("bf16", (128, 512)),), path, lnc=2)
    (tmp_path / "uneven.1.trt").unlink()
    run = subprocess.run([runner.find_trnsim(), "run", path, "--system", "trn2.3xlarge"],
                         capture_output=True, text=True, check=True)
    assert "uneven.1.trt is not there" in run.stderr


def test_a_result_in_memory_of_each_core_is_put_together():
    with trnsim_nki.install():
        import nki.isa as nisa
        import nki.language as nl

        def halves(x):
            out = nl.ndarray(x.shape, dtype=x.dtype, buffer=nl.hbm)
            half = nl.ds(nl.program_id(0) * 64, 64)
            tile = nl.ndarray((64, 32), dtype=x.dtype, buffer=nl.sbuf)
            nisa.dma_copy(dst=tile, src=x[half])
            nisa.dma_copy(dst=out[half], src=tile)
            return out

    x = np.arange(128 * 32, dtype=np.float32).reshape(128, 32)
    result = trnsim_nki.trace(halves, x, mode="numeric", lnc=2)
    np.testing.assert_array_equal(result.outputs, x)
    assert result.uninitialised == []

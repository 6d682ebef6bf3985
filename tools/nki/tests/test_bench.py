"""The benchmark runs, and tracing stays fast: the limits leave room for slow machines."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from trnsim_nki import runner

BENCH = Path(__file__).resolve().parents[1] / "bench/trace_speed.py"


@pytest.mark.parametrize("case, size, instructions", [("gemm", 4096, 25088), ("attention", 8192, 14786)])
def test_tracing_is_fast_and_takes_no_memory(case, size, instructions, tmp_path):
    out = subprocess.run([sys.executable, BENCH, "--case", case, str(size), tmp_path / "k.trt"],
                         capture_output=True, text=True, check=True).stdout
    count, seconds, memory_mb = map(float, out.split())
    assert count == instructions
    assert count / seconds > 15_000  # 140,000 to 160,000 on a machine of 2026
    assert memory_mb < 16


def test_the_benchmark_prints_its_figures():
    done = subprocess.run([sys.executable, BENCH, "--quick"], capture_output=True, text=True,
                          env={**os.environ, "TRNSIM": runner.find_trnsim()})
    assert done.returncode == 0, done.stderr
    assert re.search(r"end to end: 25,088 instructions traced in [\d.]+ s .* simulated in [\d.]+ s", done.stdout)

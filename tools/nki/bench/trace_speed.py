#!/usr/bin/env python3
"""How fast kernels are traced without data, what memory that takes, and a million instructions end to end.

    build/nki-venv/bin/python tools/nki/bench/trace_speed.py [--quick]
"""
import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PACKAGE))

import trnsim_nki as tn  # noqa: E402
from trnsim_nki import runner  # noqa: E402
from trnsim_nki.trt import TraceWriter  # noqa: E402


def example(module, name):
    """A kernel of the examples."""
    spec = importlib.util.spec_from_file_location(f"example_{module}", PACKAGE / "examples" / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    with tn.install():
        spec.loader.exec_module(loaded)
    return getattr(loaded, name)


def gemm(size):
    return example("gemm", "tiled"), [tn.spec("bf16", (size, size))] * 2


def attention(length):
    specs = tn.spec("bf16", (128, length)), tn.spec("bf16", (128, length)), tn.spec("bf16", (length, 128))
    return example("attention", "attention"), [*specs, 0.088]


def decode(places):
    specs = [tn.spec("bf16", shape) for shape in ((64, 128, 16), (64, 128, places), (64, places, 128))]
    return example("decode", "decode_attention"), [*specs, places]


CASES = {"gemm": gemm, "attention": attention, "decode": decode}


def peak_mb():
    """Largest resident size of this process so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(case, size, path):
    """Printed by a process of its own: instructions, seconds of processor time, MB above the start."""
    kernel, args = CASES[case](size)
    before = peak_mb()
    start = time.process_time()
    with TraceWriter(kernel=case, origin="bench", target="trn2", arguments="", lnc=1, path=path) as writer:
        traced = tn.trace(kernel, *args, writer=writer)
    print(traced.instructions, time.process_time() - start, peak_mb() - before)


def traced(case, size, path):
    out = subprocess.run([sys.executable, __file__, "--case", case, str(size), path], capture_output=True,
                         text=True, check=True).stdout
    return [float(word) for word in out.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        measure(options.case[0], int(options.case[1]), options.case[2])
        return
    part = 2 if options.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "k.trt")
        print("kernel      size  instructions  thousand/s  memory MB")
        for case, sizes in (("gemm", (2048, 4096)), ("attention", (4096, 8192)), ("decode", (2048, 8192))):
            for size in sizes:
                count, seconds, memory = traced(case, size // part, path)
                print(f"{case:10} {size // part:5} {count:13,.0f} {count / seconds / 1e3:11.0f} {memory:10.1f}")
        # 2 * K/128 loads and K/128 matmuls for each of M/128 * N/512 tiles.
        size = 4096 if options.quick else 14336
        start = time.perf_counter()
        count, _, memory = traced("gemm", size, path)
        middle = time.perf_counter()
        result = runner.run_trace(path)
        end = time.perf_counter()
        print(f"end to end: {count:,.0f} instructions traced in {middle - start:.1f} s ({memory:.1f} MB), "
              f"{os.path.getsize(path) / 1e6:.1f} MB file, simulated in {end - middle:.1f} s: "
              f"{result.latency_us / 1e3:.2f} ms on {result.system}")


if __name__ == "__main__":
    main()

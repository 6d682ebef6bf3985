#!/usr/bin/env python3
"""How fast kernels are traced without data, what memory that takes, and a million instructions end to end.

    build/nki-venv/bin/python tools/nki/bench/trace_speed.py [--quick] [--samples DIR] [--library DIR]

Rates are of processor time, so that other work on the machine hardly matters.
"""
import argparse
import importlib
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


def loaded(path):
    """The module of a file, imported with the NKI namespaces in place."""
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    with tn.install():
        spec.loader.exec_module(module)
    return module


def example(name):
    return loaded(PACKAGE / "examples" / f"{name}.py")


def bf16(*shapes):
    return [tn.spec("bf16", shape) for shape in shapes]


def gemm(size):
    return example("gemm").tiled, bf16((size, size), (size, size))


def attention(length):
    return example("attention").attention, [*bf16((128, length), (128, length), (length, 128)), 0.088]


def decode(places):
    specs = bf16((64, 128, 16), (64, 128, places), (64, places, 128))
    return example("decode").decode_attention, [*specs, places]


def tutorial_matmul(name):
    """A kernel of the matrix multiplication tutorial of nki-samples."""
    def case(size):
        module = loaded(folders["samples"] / TUTORIALS / "matrix_multiplication" /
                        "matrix_multiplication_nki_kernels.py")
        return getattr(module, f"nki_matmul_{name}_"), bf16((size, size), (size, size))
    return case


def tutorial_attention(name):
    """A kernel of the attention tutorial of nki-samples, which is NKI beta 1."""
    def case(length):
        module = loaded(folders["samples"] / TUTORIALS / "attention_fwd_performance" / "attention_kernels.py")
        kernel = getattr(module, f"attn_fwd_{name}")
        if isinstance(kernel, runner.SimulatedKernel):
            kernel = kernel.__wrapped__
        return kernel, bf16(*[(128, length)] * 3)
    return case


def attention_cte(length):
    """Context encoding attention of the NKI Library, causal."""
    sys.path.insert(0, str(folders["library"] / "src" / "nkilib_src"))
    with tn.install():
        module = importlib.import_module("nkilib.core.attention.attention_cte")
    return module.attention_cte, [*bf16((1, length, 128), (1, 128, length), (1, length, 128)), 0.088]


TUTORIALS = "src/nki_samples/tutorials"
folders = {}  # checkouts by name: samples, library
# By where the kernels are: {name of a kernel: (its case, sizes)}.
CASES = {
    "examples": {"gemm": (gemm, (2048, 4096)), "attention": (attention, (4096, 8192)),
                 "decode": (decode, (2048, 8192))},
    "samples": {
        **{f"matmul_{name}": (tutorial_matmul(name), (4096,))
           for name in ("tiled", "hoist_load", "block_free_dimension", "fully_optimized")},
        **{f"attn_fwd_{name}": (tutorial_attention(name), (8192,))
           for name in ("v5", "v6", "v7", "v8", "v8a", "v9", "v10", "v11")}},
    "library": {"attention_cte": (attention_cte, (8192, 16384))},
}


def peak_mb():
    """Largest resident size of this process so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(case, size, path):
    """Printed by a process of its own: instructions, seconds of processor time, MB above the start."""
    find, _ = next(group[case] for group in CASES.values() if case in group)
    kernel, args = find(size)
    before = peak_mb()
    start = time.process_time()
    with TraceWriter(kernel=case, origin="bench", target="trn2", arguments="", lnc=1, path=path) as writer:
        result = tn.trace(kernel, *args, writer=writer)
    print(result.instructions, time.process_time() - start, peak_mb() - before)


def traced(case, size, path):
    checkouts = [word for name, folder in folders.items() for word in (f"--{name}", str(folder))]
    out = subprocess.run([sys.executable, __file__, "--case", case, str(size), path, *checkouts],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(word) for word in out.splitlines()[-1].split()]  # library kernels print too


def table(path, part):
    print("kernel                       size  instructions  thousand/s  memory MB")
    for place, group in CASES.items():
        if place != "examples" and place not in folders:
            continue
        for case, (_, sizes) in group.items():
            for size in sizes:
                count, seconds, memory = traced(case, size // part, path)
                print(f"{case:27} {size // part:5} {count:13,.0f} {count / seconds / 1e3:11.0f} {memory:10.1f}")


def end_to_end(path, size):
    # 2 * K/128 loads and K/128 matmuls for each of M/128 * N/512 tiles.
    count, seconds, memory = traced("gemm", size, path)
    start = time.perf_counter()
    result = runner.run_trace(path)
    end = time.perf_counter()
    print(f"end to end: {count:,.0f} instructions traced in {seconds:.1f} s ({memory:.1f} MB), "
          f"{os.path.getsize(path) / 1e6:.1f} MB file, simulated in {end - start:.1f} s: "
          f"{result.latency_us / 1e3:.2f} ms on {result.system}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--samples", type=Path, metavar="DIR",
                        help="checkout of nki-samples: its tutorial matmuls and attention too")
    parser.add_argument("--library", type=Path, metavar="DIR",
                        help="checkout of nki-library: its attention_cte too")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folders.update({name: getattr(options, name).resolve() for name in ("samples", "library")
                    if getattr(options, name)})
    if options.case:
        measure(options.case[0], int(options.case[1]), options.case[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "k.trt")
        table(path, 2 if options.quick else 1)
        end_to_end(path, 4096 if options.quick else 14336)


if __name__ == "__main__":
    main()

"""Running small kernels in tests: numeric results and the recorded instructions."""
import importlib.util
import sys
from pathlib import Path

import ml_dtypes
import numpy as np

PACKAGE = Path(__file__).resolve().parents[1]
if str(PACKAGE) not in sys.path:
    sys.path.insert(0, str(PACKAGE))

import trnsim_nki as tn  # noqa: E402
from trnsim_nki.recorder import MemoryRecorder  # noqa: E402

BF16 = ml_dtypes.bfloat16

with tn.install() as _modules:
    nki = _modules["nki"]
    nl = _modules["nki.language"]
    nisa = _modules["nki.isa"]
    ncc = _modules["nki.collectives"]


def random(*shape, dtype=np.float32, seed=0, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)


def run(kernel, *args, mode="numeric", **options):
    """(result, recorder) of a kernel function."""
    recorder = MemoryRecorder()
    result = tn.trace(kernel, *args, mode=mode, writer=recorder, **options)
    return result, recorder


def tile(array, dtype=None, buffer=None):
    """An argument of the kernel in SBUF or PSUM."""
    t = nl.ndarray(array.shape, dtype or array.dtype, nl.sbuf)
    nisa.dma_copy(t, array)
    if buffer is not None and buffer == nl.psum:
        p = nl.ndarray(array.shape, dtype or array.dtype, nl.psum)
        nisa.tensor_copy(p, t)
        return p
    return t


def output(t):
    """A tile to a new HBM tensor."""
    if t.region == "psum":
        t = nl.copy(t)
    result = nl.ndarray(t.shape, t.dtype, nl.shared_hbm)
    nisa.dma_copy(result, t)
    return result


def apply(body, *arrays, shape=None, dtype=np.float32, **options):
    """Runs body(dst, tiles...) on arrays in SBUF; (values of dst, instruction, recorder)."""
    shape = shape or arrays[0].shape

    def kernel(*inputs):
        tiles = [tile(array) for array in inputs]
        dst = nl.ndarray(shape, dtype, nl.sbuf)
        body(dst, *tiles)
        return output(dst)

    result, recorder = run(kernel, *arrays, **options)
    assert not result.uninitialised, result.uninitialised
    found = [i for i in recorder.instructions if i[0] != "dma_copy"]
    return result.outputs, found[-1] if found else None, recorder


def f32(array):
    return np.asarray(array).astype(np.float32)


def load_example(name):
    path = PACKAGE / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"nki_example_{name}", path)
    module = importlib.util.module_from_spec(spec)
    with tn.install():
        spec.loader.exec_module(module)
    return module

"""The example kernels: right against numpy, and timed by the program."""
import json
import subprocess
import warnings

import ml_dtypes
import numpy as np
import pytest
from kernel_helpers import BF16, f32, load_example, random, run, tn
from trnsim_nki import runner
from trnsim_nki.runner import SimulatorError

CORE = "trn2-core"
PEAK_GB_S = 716.8  # HBM of trn2-core


def timed(example, *args, system=CORE, **options):
    """(outputs, figures) of one launch."""
    module, name = example
    return tn.simulate(getattr(load_example(module), name), *args, system=system, **options)


def close(found, expected, bound):
    assert np.abs(f32(found) - expected).max() < bound * np.abs(expected).max()


GEMMS = [
    ("single_tile", ((128, 64), (128, 512))), ("tiled", ((256, 256), (256, 1024))),
    ("left_kept", ((256, 256), (256, 1024))), ("blocked", ((256, 512), (256, 1024))),
    ("depth_blocked", ((1024, 512), (1024, 1024)))]


@pytest.mark.parametrize("name, shapes", GEMMS)
def test_gemm(name, shapes):
    a, b = random(*shapes[0], seed=1, dtype=BF16), random(*shapes[1], seed=2, dtype=BF16)
    result, _ = run(getattr(load_example("gemm"), name), a, b)
    close(result.outputs, f32(a).T @ f32(b), 1e-2)
    assert not result.uninitialised


def test_each_step_of_the_gemm_ladder_is_faster():
    specs = tn.spec("bf16", (2048, 1024)), tn.spec("bf16", (2048, 2048))
    times = [timed(("gemm", name), *specs, mode="symbolic")[1].latency_us for name, _ in GEMMS[1:]]
    assert times == sorted(times, reverse=True), times


def test_rows():
    rows = load_example("rows")
    x, w = random(200, 96, seed=3), random(1, 96, seed=4)
    powers = np.exp(x - x.max(1, keepdims=True))
    outputs, result = tn.simulate(rows.softmax, x)
    np.testing.assert_allclose(outputs, powers / powers.sum(1, keepdims=True), rtol=1e-5)
    assert result.latency_us > 0
    outputs, result = tn.simulate(rows.rms_norm, x, w)
    np.testing.assert_allclose(outputs, x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6) * w, rtol=1e-4,
                               atol=1e-6)
    assert result.latency_us > 0


def attend(q, k, v, scale, keep=True):
    """Rows of q, k and v as vectors."""
    scores = np.where(keep, q @ k.T * scale, -1e30)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True) @ v


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal):
    q, k, v = random(64, 256, seed=1), random(64, 384, seed=2), random(384, 64, seed=3)
    keep = np.arange(256)[:, None] >= np.arange(384) if causal else True
    outputs, result = timed(("attention", "attention"), q, k, v, 0.125, causal)
    np.testing.assert_allclose(outputs, attend(q.T, k.T, v, 0.125, keep), rtol=1e-3, atol=1e-4)
    assert result.engines["tensor"].utilization > 0


def test_mlp():
    x, gate, up = (random(*shape, seed=i, dtype=BF16, scale=0.1) for i, shape in enumerate(
        [(256, 384), (256, 512), (256, 512)]))
    down = random(512, 256, seed=5, dtype=BF16, scale=0.1)
    opened = f32(x).T @ f32(gate)
    expected = (opened / (1 + np.exp(-opened)) * (f32(x).T @ f32(up))) @ f32(down)
    outputs, result = timed(("mlp", "gated_mlp"), x, gate, up, down)
    close(outputs, expected, 2e-2)
    assert result.flops == 3 * 2 * 384 * 256 * 512


@pytest.mark.parametrize("length", [384, 300])
def test_decode(length):
    q, k, v = random(2, 128, 16, seed=1), random(2, 128, 512, seed=2), random(2, 512, 128, seed=3)
    outputs, _ = timed(("decode", "decode_attention"), q, k, v, length, 0.1)
    for i in range(2):
        expected = attend(q[i].T, k[i, :, :length].T, v[i, :length], 0.1)
        np.testing.assert_allclose(outputs[i], expected, rtol=1e-3, atol=1e-4)


def test_decoding_reads_the_used_part_of_the_cache_once():
    specs = [tn.spec("bf16", shape) for shape in ((8, 128, 16), (8, 128, 8192), (8, 8192, 128))]
    _, result = timed(("decode", "decode_attention"), *specs, 4096, mode="symbolic")
    read = 8 * 2 * (128 * 16 + 2 * 4096 * 128) + 2 * 128 * 128
    assert result.hbm["read_bytes"] == pytest.approx(read, rel=0.01)
    assert result.latency_us > read / PEAK_GB_S / 1e3


def test_double_row():
    fp8 = ml_dtypes.float8_e4m3
    a, b = random(512, 256, seed=1).astype(fp8), random(512, 1024, seed=2).astype(fp8)
    outputs, _ = timed(("eight_bit", "double_row"), a, b)
    close(outputs, f32(a).T @ f32(b), 1e-2)


def test_double_row_halves_the_tensor_time_of_bf16():
    def tensor_us(example, dtype):
        specs = tn.spec(dtype, (1024, 512)), tn.spec(dtype, (1024, 2048))
        return timed(example, *specs, mode="symbolic")[1].engines["tensor"].busy_us

    # Not exactly half: the slower kernel spends longer at the start-up limiter's half rate.
    fast, slow = tensor_us(("eight_bit", "double_row"), "float8_e4m3"), tensor_us(("gemm", "blocked"), "bf16")
    assert 0.3 * slow < fast < 0.55 * slow


def test_mx():
    a, b = random(1024, 256, seed=1, dtype=BF16), random(1024, 1024, seed=2, dtype=BF16)
    outputs, result = timed(("eight_bit", "mx"), a, b, system="trn3-core")
    close(outputs, f32(a).T @ f32(b), 6e-2)
    assert result.latency_us > 0


def test_mx_needs_trn3():
    with pytest.raises(SimulatorError, match="quantize_mx"), warnings.catch_warnings():
        warnings.simplefilter("ignore", tn.KernelWarning)
        timed(("eight_bit", "mx"), *[tn.spec("bf16", (512, 512))] * 2, mode="symbolic")


@pytest.mark.parametrize("variant", ["naive", "hoisted"])
def test_builder_gemm(variant):
    a, b = random(256, 256, seed=1, dtype=BF16), random(256, 512, seed=2, dtype=BF16)
    close(timed(("builder_gemm", variant), a, b)[0], f32(a).T @ f32(b), 1e-2)


@pytest.mark.parametrize("system", [CORE, "trn3-core"])
@pytest.mark.parametrize("variant", ["naive", "hoisted"])
@pytest.mark.parametrize("m, n, k", [(512, 512, 512), (1024, 512, 2048)])
def test_the_builder_and_the_front_end_give_the_same_kernel(variant, m, n, k, system):
    shared = ["--system", system, "--order", "program", "--engines", "rule"]
    built = json.loads(subprocess.run(
        [runner.find_trnsim(), "run", "gemm", f"-m{m}", f"-n{n}", f"-k{k}", "--variant", variant, "-q",
         "--json", "-", *shared], capture_output=True, text=True, check=True).stdout)
    _, traced = timed(("builder_gemm", variant), tn.spec("bf16", (k, m)), tn.spec("bf16", (k, n)),
                      mode="symbolic", system=system, options=shared[2:])
    assert {name: engine.instructions for name, engine in traced.engines.items()} == {
        name: row["instructions"] for name, row in built["engines"].items()}
    assert traced.flops == built["flops"]
    for part in ("read_bytes", "write_bytes"):
        assert traced.hbm[part] == built["hbm"][part]
    assert traced.latency_us == pytest.approx(built["time_us"], rel=0.01)

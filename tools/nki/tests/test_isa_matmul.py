"""Tensor-engine instructions: values, accumulation, transposes, shapes."""
import ml_dtypes
import numpy as np
import pytest
from kernel_helpers import BF16, f32, nisa, nl, output, random, run, tile, tn

A, B = random(128, 64, seed=1), random(128, 256, seed=2)


def product(a, b, **options):
    def kernel(x, y):
        left, right = tile(x), tile(y)
        rows = 2 if options.get("perf_mode") else 1
        dst = nl.ndarray((min(128, left.n // rows), right.n // rows), nl.float32, nl.psum)
        nisa.nc_matmul(dst, left, right, **options)
        return output(dst)

    return run(kernel, a, b)


def of(recorder, opcode):
    return [i for i in recorder.instructions if i[0] == opcode]


def test_values_and_record():
    result, recorder = product(A, B)
    np.testing.assert_allclose(result.outputs, A.T @ B, rtol=1e-5, atol=1e-4)
    (instruction,) = of(recorder, "nc_matmul")
    assert instruction[1] == "Tensor"
    assert [recorder.shape(o) for o in (*instruction[2], *instruction[3])] == [(64, 256), (128, 64), (128, 256)]


def test_bf16():
    a, b = A.astype(BF16), B.astype(BF16)
    result, _ = product(a, b)
    np.testing.assert_allclose(result.outputs, f32(a).T @ f32(b), rtol=1e-5, atol=1e-4)


def accumulated(flags):
    def kernel(x, y):
        left, right = tile(x), tile(y)
        dst = nl.ndarray((64, 256), nl.float32, nl.psum)
        for flag in flags:
            nisa.nc_matmul(dst, left, right, **({} if flag is None else {"accumulate": flag}))
        return output(dst)

    result, recorder = run(kernel, A, B)
    return result.outputs, [recorder.attribute(i).get("accumulate", False) for i in of(recorder, "nc_matmul")]


@pytest.mark.parametrize("flags, times, recorded", [
    ((None, None, None), 3, [False, True, True]), ((False, True), 2, [False, True]),
    ((None, False), 1, [False, False]), ((False, False, None), 2, [False, False, True])])
def test_accumulation(flags, times, recorded):
    got, seen = accumulated(flags)
    np.testing.assert_allclose(got, times * (A.T @ B), rtol=1e-4, atol=1e-3)
    assert seen == recorded


def test_parts_of_a_bank_start_on_their_own():
    def kernel(x, y):
        left, right = tile(x), tile(y)
        dst = nl.ndarray((64, 512), nl.float32, nl.psum)
        nisa.nc_matmul(dst[:, 0:256], left, right)
        nisa.nc_matmul(dst[:, 256:512], left, right)
        nisa.nc_matmul(dst[:, 0:256], left, right)
        return output(dst)

    result, recorder = run(kernel, A, B)
    one = A.T @ B
    np.testing.assert_allclose(result.outputs, np.hstack([2 * one, one]), rtol=1e-4, atol=1e-3)
    assert [recorder.attribute(i).get("accumulate", False) for i in of(recorder, "nc_matmul")] == [
        False, False, True]


def test_double_row():
    a = random(64, 2, 32, seed=5).astype(ml_dtypes.float8_e4m3)
    b = random(64, 2, 48, seed=6).astype(ml_dtypes.float8_e4m3)
    result, recorder = product(a, b, perf_mode=nisa.matmul_perf_mode.double_row)
    np.testing.assert_allclose(result.outputs, np.einsum("krm,krn->mn", f32(a), f32(b)), rtol=1e-4, atol=1e-3)
    assert recorder.attribute(of(recorder, "nc_matmul")[0])["double_row"]


def test_tile_position():
    _, recorder = product(A[:64], B[:64], tile_position=(64, 0), tile_size=(64, 128))
    attribute = recorder.attribute(of(recorder, "nc_matmul")[0])
    assert (attribute["tile_row"], attribute["tile_rows"], attribute["tile_columns"]) == (64, 64, 128)


def test_onezero_counts_for_fp32_only():
    _, recorder = product(A, B, is_stationary_onezero=True)
    assert recorder.attribute(of(recorder, "nc_matmul")[0])["onezero"]
    _, recorder = product(A.astype(BF16), B.astype(BF16), is_stationary_onezero=True)
    assert "onezero" not in recorder.attribute(of(recorder, "nc_matmul")[0])


def transposed(array, engine=None, buffer=None):
    def kernel(x):
        data = tile(x)
        dst = nl.ndarray((data.n, x.shape[0]), x.dtype, buffer or nl.psum)
        nisa.nc_transpose(dst, data, **({} if engine is None else {"engine": engine}))
        return output(dst)

    return run(kernel, array)


def test_transpose_on_the_tensor_engine():
    result, recorder = transposed(A)
    np.testing.assert_array_equal(result.outputs, A.T)
    assert of(recorder, "nc_transpose")[0][1] == "Tensor"


def test_small_transpose_between_sbuf_tiles_is_vector_work():
    result, recorder = transposed(A[:32, :16], buffer=nl.sbuf)
    np.testing.assert_array_equal(result.outputs, A[:32, :16].T)
    assert of(recorder, "nc_transpose")[0][1] == "Vector"


def test_transpose_keeps_nan():
    data = A.copy()
    data[3, 5] = np.nan
    result, _ = transposed(data)
    np.testing.assert_array_equal(result.outputs, data.T)


def test_transpose_mode_of_matmul():
    def kernel(x):
        data, identity = tile(x), nl.shared_identity_matrix(128, nl.float32)
        dst = nl.ndarray((64, 128), nl.float32, nl.psum)
        nisa.nc_matmul(dst, data, identity, is_transpose=True)
        return output(dst)

    result, recorder = run(kernel, A)
    np.testing.assert_array_equal(result.outputs, A.T)
    assert recorder.attribute(of(recorder, "nc_matmul")[0])["is_transpose"]


@pytest.mark.parametrize("a, b, text", [
    (random(64, 64), random(128, 64), "partitions"), (random(128, 200), random(128, 64), "at most 128"),
    (random(128, 64), random(128, 600), "at most 512"),
    (random(128, 64), random(128, 64).astype(BF16), "32-bit floats only")])
def test_refused_shapes(a, b, text):
    with pytest.raises(tn.KernelError, match=text):
        product(a, b)


def test_result_must_fit_a_bank():
    def kernel(x, y):
        left, right = tile(x), tile(y)
        dst = nl.ndarray((64, 768), nl.float32, nl.psum)
        nisa.nc_matmul(dst[:, 384:640], left, right)

    with pytest.raises(tn.KernelError, match="PSUM bank"):
        run(kernel, A, B)


def test_result_must_be_in_psum():
    def kernel(x, y):
        dst = nl.ndarray((64, 256), nl.float32, nl.sbuf)
        nisa.nc_matmul(dst, tile(x), tile(y))

    with pytest.raises(tn.KernelError, match="must be in PSUM"):
        run(kernel, A, B)


def test_quantize_and_multiply_mx():
    a, b = random(128, 256, seed=7, dtype=BF16), random(128, 512, seed=8, dtype=BF16)

    def kernel(x, y):
        operands = []
        for source in (x, y):
            data = tile(source)
            packed = nl.ndarray((128, data.n // 4), nl.float8_e4m3fn_x4, nl.sbuf)
            scale = nl.ndarray((128, data.n // 4), nl.uint8, nl.sbuf)
            nisa.quantize_mx(packed, data, scale)
            operands.append((packed, scale))
        dst = nl.ndarray((64, 128), nl.float32, nl.psum)
        nisa.nc_matmul_mx(dst, operands[0][0], operands[1][0], operands[0][1], operands[1][1])
        return output(dst)

    result, recorder = run(kernel, a, b, target="trn3")
    wide = lambda x: f32(x).reshape(128, -1, 4).transpose(0, 2, 1).reshape(512, -1)  # noqa: E731
    expected = wide(a).T @ wide(b)
    assert np.abs(result.outputs - expected).max() < 0.06 * np.abs(expected).max()
    assert len(of(recorder, "nc_matmul_mx")[0][3]) == 4

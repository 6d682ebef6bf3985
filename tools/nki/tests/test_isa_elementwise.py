"""Vector-engine instructions against numpy, and their records."""
import numpy as np
import pytest
from kernel_helpers import BF16, apply, f32, nisa, nl, output, random, run, tile

A, B = random(128, 64, seed=1), random(128, 64, seed=2)
COLUMN = random(128, 1, seed=3)


@pytest.mark.parametrize("op, expected", [
    (nl.add, A + B), (nl.subtract, A - B), (nl.multiply, A * B), (nl.divide, A / B),
    (nl.maximum, np.maximum(A, B)), (nl.minimum, np.minimum(A, B)), (np.add, A + B),
    (nl.abs_max, np.maximum(abs(A), abs(B))), (nl.equal, f32(A == B)), (nl.less, f32(A < B)),
    (nl.greater_equal, f32(A >= B)), (nl.logical_and, f32((A != 0) & (B != 0))), ("add", A + B)])
def test_tensor_tensor(op, expected):
    got, instruction, _ = apply(lambda d, a, b: nisa.tensor_tensor(d, a, b, op), A, B)
    np.testing.assert_array_equal(got, expected)
    assert instruction[:2] == ("tensor_tensor", None)


def test_tensor_tensor_record():
    _, instruction, recorder = apply(lambda d, a, b: nisa.tensor_tensor(
        d, a, b, nl.maximum, engine=nisa.vector_engine), A, B)
    assert instruction[1] == "Vector"
    assert recorder.attribute(instruction) == {"op0": "max", "engine_pinned": True}
    assert [recorder.shape(o) for o in (*instruction[2], *instruction[3])] == [(128, 64)] * 3


def test_tensor_tensor_rounds_once_to_the_destination():
    a, b = A.astype(BF16), B.astype(BF16)
    got, _, _ = apply(lambda d, x, y: nisa.tensor_tensor(d, x, y, nl.multiply), a, b, dtype=BF16)
    np.testing.assert_array_equal(f32(got), f32((f32(a) * f32(b)).astype(BF16)))


def test_words_are_exact_and_go_to_gpsimd():
    a = np.full((16, 4), 2**24 + 1, np.int32)
    got, instruction, _ = apply(lambda d, x, y: nisa.tensor_tensor(d, x, y, nl.add), a, a, dtype=np.int32)
    np.testing.assert_array_equal(got, a + a)
    assert instruction[1] == "GpSimd"


def test_words_on_the_vector_engine_pass_through_fp32():
    a = np.full((16, 4), 2**24 + 1, np.int32)
    got, _, _ = apply(lambda d, x, y: nisa.tensor_tensor(d, x, y, nl.add, engine=nisa.vector_engine),
                      a, np.zeros_like(a), dtype=np.int32)
    np.testing.assert_array_equal(got, np.full_like(a, 2**24))


@pytest.mark.parametrize("op, expected", [
    (nl.bitwise_and, lambda a, b: a & b), (nl.bitwise_or, lambda a, b: a | b),
    (nl.bitwise_xor, lambda a, b: a ^ b)])
def test_bitwise(op, expected):
    a = np.arange(64, dtype=np.uint32).reshape(8, 8) * 77
    b = np.arange(64, dtype=np.uint32).reshape(8, 8) * 31
    got, _, _ = apply(lambda d, x, y: nisa.tensor_tensor(d, x, y, op), a, b, dtype=np.uint32)
    np.testing.assert_array_equal(got, expected(a, b))


def test_shift_is_logical():
    a = np.full((4, 4), -1, np.int32)
    got, _, _ = apply(lambda d, x: nisa.tensor_scalar(d, x, nl.right_shift, 28), a, dtype=np.int32)
    np.testing.assert_array_equal(got, np.full_like(a, 15))


@pytest.mark.parametrize("options, expected", [
    (dict(op0=nl.multiply, operand0=2.0), A * 2),
    (dict(op0=nl.subtract, operand0=1.0), A - 1),
    (dict(op0=nl.subtract, operand0=1.0, reverse0=True), 1 - A),
    (dict(op0=nl.multiply, operand0=2.0, op1=nl.add, operand1=1.0), A * 2 + 1),
    (dict(op0=nl.add, operand0=3.0, op1=nl.divide, operand1=2.0, reverse1=True), np.float32(2) / (A + 3)),
    (dict(op0=nl.maximum, operand0=0.0), np.maximum(A, 0))])
def test_tensor_scalar(options, expected):
    got, instruction, recorder = apply(lambda d, a: nisa.tensor_scalar(d, a, **options), A)
    np.testing.assert_array_equal(got, expected)
    assert instruction[0] == "tensor_scalar" and len(instruction[3]) == 1
    assert recorder.attribute(instruction)["imm0"] == options["operand0"] if options["operand0"] else True


def test_tensor_scalar_without_its_first_operator():
    got, instruction, recorder = apply(
        lambda d, a: nisa.tensor_scalar(d, a, op0=None, operand0=None, op1=nl.maximum, operand1=0.5), A)
    np.testing.assert_array_equal(got, np.maximum(A, 0.5))
    assert "op0" not in recorder.attribute(instruction) and recorder.attribute(instruction)["op1"] == "max"


def test_tensor_scalar_with_columns():
    got, instruction, recorder = apply(lambda d, a, c: nisa.tensor_scalar(
        d, a, nl.multiply, c, op1=nl.add, operand1=c), A, COLUMN)
    np.testing.assert_array_equal(got, A * COLUMN + COLUMN)
    attribute = recorder.attribute(instruction)
    assert attribute["imm0_is_tensor"] and attribute["imm1_is_tensor"] and len(instruction[3]) == 3


def test_scalar_tensor_tensor():
    got, instruction, _ = apply(lambda d, a, b, c: nisa.scalar_tensor_tensor(
        d, a, nl.multiply, c, nl.subtract, b), A, B, COLUMN)
    np.testing.assert_array_equal(got, A * COLUMN - B)
    assert instruction[1] == "Vector" and len(instruction[3]) == 3


def test_tensor_scalar_reduce():
    def kernel(a):
        data = tile(a)
        dst, total = nl.ndarray(a.shape, nl.float32, nl.sbuf), nl.ndarray((128, 1), nl.float32, nl.sbuf)
        nisa.tensor_scalar_reduce(dst, data, nl.multiply, 2.0, nl.maximum, total)
        return output(dst), output(total)

    result, recorder = run(kernel, A)
    np.testing.assert_array_equal(result.outputs[0], A * 2)
    np.testing.assert_array_equal(result.outputs[1], (A * 2).max(1, keepdims=True))
    instruction = [i for i in recorder.instructions if i[0] == "tensor_scalar_reduce"][0]
    assert len(instruction[2]) == 2 and recorder.attribute(instruction)["reduce_op"] == "max"


def test_scan():
    def expected(initial):
        out, state = np.empty_like(A), initial[:, 0]
        for i in range(A.shape[1]):
            state = A[:, i] * state + B[:, i]
            out[:, i] = state
        return out

    got, instruction, recorder = apply(lambda d, a, b, c: nisa.tensor_tensor_scan(
        d, a, b, c, nl.multiply, nl.add), A, B, COLUMN)
    np.testing.assert_array_equal(got, expected(COLUMN))
    assert recorder.attribute(instruction)["imm0_is_tensor"]


def test_scan_as_cumulative_sum():
    ones = np.ones_like(A)
    got, _, _ = apply(lambda d, a, o: nisa.tensor_tensor_scan(d, o, a, 0.0, nl.multiply, nl.add), A, ones)
    np.testing.assert_allclose(got, A.cumsum(1), rtol=1e-4, atol=1e-5)


def test_tensor_scalar_cumulative():
    got, _, _ = apply(lambda d, a: nisa.tensor_scalar_cumulative(d, a, nl.multiply, nl.add, 2.0), A)
    np.testing.assert_allclose(got, (2 * A).cumsum(1), rtol=1e-4, atol=1e-5)


def test_reciprocal():
    got, instruction, _ = apply(lambda d, a: nisa.reciprocal(d, a), A)
    np.testing.assert_array_equal(got, np.float32(1) / A)
    assert instruction[:2] == ("reciprocal", "Vector")


def test_power_goes_to_gpsimd():
    _, instruction, _ = apply(lambda d, a, b: nisa.tensor_tensor(d, a, b, nl.power), abs(A), B)
    assert instruction[1] == "GpSimd"


def test_reads_psum():
    def kernel(a, b):
        left, right = tile(a, buffer=nl.psum), tile(b)
        dst = nl.ndarray(a.shape, nl.float32, nl.sbuf)
        nisa.tensor_tensor(dst, left, right, nl.add)
        return output(dst)

    result, _ = run(kernel, A, B)
    np.testing.assert_array_equal(result.outputs, A + B)


@pytest.mark.parametrize("op, expected", [
    (nl.mod, np.mod(A, B)), (nl.fmod, np.fmod(A, B)), ("average", A + B)])
def test_operators_of_two_are_recorded_under_their_name(op, expected):
    got, instruction, recorder = apply(lambda d, a, b: nisa.tensor_tensor(d, a, b, op), A, B)
    np.testing.assert_array_equal(got, expected)
    assert recorder.attribute(instruction) == {"op0": getattr(op, "__name__", op)}


@pytest.mark.parametrize("op, expected", [
    ("square", A * A), ("relu", np.maximum(A, 0)), ("negative", -A), ("sign", np.sign(A)),
    ("floor", np.floor(A)), ("ceil", np.ceil(A)), ("trunc", np.trunc(A)),
    ("logical_not", f32(A == 0)), ("reciprocal", np.float32(1) / A)])
@pytest.mark.parametrize("reverse", [False, True])
def test_operators_of_one_take_the_data(op, expected, reverse):
    got, instruction, recorder = apply(lambda d, a: nisa.tensor_scalar(
        d, a, op, 3.0, reverse0=reverse), A)
    np.testing.assert_array_equal(got, expected)
    assert recorder.attribute(instruction)["op0"] == op


def test_invert_works_on_bits():
    a = np.arange(16, dtype=np.int32).reshape(4, 4)
    got, instruction, recorder = apply(lambda d, x: nisa.tensor_scalar(d, x, nl.invert, 0), a,
                                       dtype=np.int32)
    np.testing.assert_array_equal(got, ~a)
    assert recorder.attribute(instruction) == {"op0": "invert"}

"""Scalar-engine instructions, reductions and statistics."""
import math

import numpy as np
import pytest
from kernel_helpers import apply, nisa, nl, output, random, run, tile

A = random(128, 96, seed=4)
COLUMN = abs(random(128, 1, seed=5)) + 1
erf = np.vectorize(math.erf)


@pytest.mark.parametrize("op, data, expected", [
    (nl.exp, A, np.exp(A)), (nl.square, A, A * A), (nl.relu, A, np.maximum(A, 0)),
    (nl.tanh, A, np.tanh(A)), (nl.sigmoid, A, 1 / (1 + np.exp(-A))), (nl.copy, A, A),
    (nl.rsqrt, abs(A) + 1, 1 / np.sqrt(abs(A) + 1)), (nl.sqrt, abs(A), np.sqrt(abs(A))),
    (nl.log, abs(A) + 1, np.log(abs(A) + 1)), (nl.silu, A, A / (1 + np.exp(-A))),
    (nl.gelu, A, 0.5 * A * (1 + erf(A / math.sqrt(2)))), (nl.softplus, A, np.log1p(np.exp(A))),
    (nl.sin, A, np.sin(A)), (nl.abs, A, abs(A)), (nl.sign, A, np.sign(A)), (np.exp, A, np.exp(A)),
    (nl.gelu_apprx_tanh, A, 0.5 * A * (1 + np.tanh(math.sqrt(2 / math.pi) * (A + 0.044715 * A**3))))])
def test_functions(op, data, expected):
    got, instruction, _ = apply(lambda d, a: nisa.activation(d, op, a), data)
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-6)
    assert instruction[:2] == ("activation", "Scalar")


def test_scale_and_bias():
    got, instruction, recorder = apply(lambda d, a, c: nisa.activation(
        d, nl.exp, a, bias=c, scale=0.5), A, COLUMN)
    np.testing.assert_allclose(got, np.exp(A * 0.5 + COLUMN), rtol=1e-6)
    assert recorder.attribute(instruction) == {"func": "exp", "scale": 0.5, "bias_is_tensor": True}


def test_scale_and_bias_tensors_in_order():
    got, instruction, _ = apply(lambda d, a, c, e: nisa.activation(
        d, nl.copy, a, bias=e, scale=c), A, COLUMN, -COLUMN)
    np.testing.assert_allclose(got, A * COLUMN - COLUMN, rtol=1e-6)
    tensors = [operand[0] for operand in instruction[3]]
    assert len(tensors) == 3 and tensors[1] < tensors[2]


@pytest.mark.parametrize("call", ["activation", "activation_reduce"])
def test_with_reduction(call):
    def kernel(a):
        data = tile(a)
        dst, total = nl.ndarray(a.shape, nl.float32, nl.sbuf), nl.ndarray((128, 1), nl.float32, nl.sbuf)
        getattr(nisa, call)(dst, nl.exp, data, reduce_op=nl.add, reduce_res=total)
        return output(total)

    result, recorder = run(kernel, A)
    np.testing.assert_allclose(result.outputs, np.exp(A).sum(1, keepdims=True), rtol=1e-5)
    (instruction,) = [i for i in recorder.instructions if i[0] == "activation"]
    assert len(instruction[2]) == 2 and recorder.attribute(instruction)["has_reduce_result"]


def test_reduction_over_several_instructions():
    def kernel(a):
        data = tile(a)
        dst, total = nl.ndarray(a.shape, nl.float32, nl.sbuf), nl.ndarray((128, 1), nl.float32, nl.sbuf)
        nisa.activation(dst[:, :48], nl.copy, data[:, :48], reduce_op=nl.add,
                        reduce_cmd=nisa.reduce_cmd.reset_reduce)
        nisa.activation(dst[:, 48:], nl.copy, data[:, 48:], reduce_op=nl.add, reduce_res=total,
                        reduce_cmd=nisa.reduce_cmd.reduce)
        return output(total)

    result, _ = run(kernel, A)
    np.testing.assert_allclose(result.outputs, A.sum(1, keepdims=True), rtol=1e-4, atol=1e-4)


def test_activate2():
    got, instruction, recorder = apply(lambda d, a: nisa.activate2(
        d, nl.exp, a, imm0=2.0, imm1=0.5, op0=nl.multiply, op1=nl.subtract), A, target="trn3")
    np.testing.assert_allclose(got, np.exp(A * 2 - 0.5), rtol=1e-6)
    assert recorder.attribute(instruction)["op1"] == "subtract"


def test_exponential():
    got, instruction, _ = apply(lambda d, a, c: nisa.exponential(d, a, c), A, COLUMN, target="trn3")
    np.testing.assert_allclose(got, np.exp(A - COLUMN), rtol=1e-6)
    assert instruction[:2] == ("exponential", "Vector") and len(instruction[3]) == 2


@pytest.mark.parametrize("op, expected", [
    (nl.add, A.sum(1)), (nl.maximum, A.max(1)), (nl.minimum, A.min(1))])
def test_tensor_reduce(op, expected):
    got, instruction, recorder = apply(lambda d, a: nisa.tensor_reduce(d, op, a, axis=1), A, shape=(128, 1))
    np.testing.assert_allclose(got[:, 0], expected, rtol=1e-4, atol=1e-4)
    assert instruction[:2] == ("tensor_reduce", "Vector")
    assert recorder.attribute(instruction).get("reduce_dims", 1) == 1


def test_tensor_reduce_negated():
    got, _, recorder = apply(lambda d, a: nisa.tensor_reduce(d, nl.max, a, axis=(1,), negate=True), A,
                             shape=(128, 1))
    np.testing.assert_array_equal(got[:, 0], -A.max(1))


def test_tensor_reduce_of_inner_dims():
    got, instruction, recorder = apply(
        lambda d, a: nisa.tensor_reduce(d, nl.add, a.reshape((128, 4, 24)), axis=2), A, shape=(128, 4))
    np.testing.assert_allclose(got, A.reshape(128, 4, 24).sum(2), rtol=1e-4, atol=1e-4)
    assert recorder.shape(instruction[3][0]) == (128, 4, 24)


def test_tensor_reduce_axis_counted_from_inside():
    got, _, _ = apply(lambda d, a: nisa.tensor_reduce(d, nl.add, a.reshape((128, 4, 24)), axis=1), A,
                      shape=(128, 4))
    np.testing.assert_allclose(got, A.reshape(128, 4, 24).sum(2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("axis, summed, left", [([4], (2,), (128, 4)), ((3, 4), (1, 2), (128, 1))])
def test_tensor_reduce_axis_of_the_instruction_s_five_dims(axis, summed, left):
    got, _, _ = apply(lambda d, a: nisa.tensor_reduce(d, nl.add, a.reshape((128, 4, 24)), axis=axis), A, shape=left)
    np.testing.assert_allclose(got, A.reshape(128, 4, 24).sum(summed).reshape(left), rtol=1e-4, atol=1e-4)


def test_tensor_partition_reduce():
    got, instruction, _ = apply(lambda d, a: nisa.tensor_partition_reduce(d, nl.add, a), A, shape=(1, 96))
    np.testing.assert_allclose(got[0], A.sum(0), rtol=1e-4, atol=1e-4)
    assert instruction[1] == "GpSimd"


def test_batch_norm_statistics():
    def kernel(a):
        data = tile(a)
        stats, both = nl.ndarray((128, 6), nl.float32, nl.sbuf), nl.ndarray((128, 2), nl.float32, nl.sbuf)
        nisa.bn_stats(stats, data)
        nisa.bn_aggr(both, stats)
        return output(both)

    result, _ = run(kernel, A)
    np.testing.assert_allclose(result.outputs[:, 0], A.mean(1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.outputs[:, 1], A.var(1), rtol=1e-4, atol=1e-6)

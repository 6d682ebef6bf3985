"""Activation functions with a name of their own in the trace, and the slope of prelu."""
import math

import numpy as np
import pytest
from kernel_helpers import apply, nisa, nl, random

A = random(128, 96, seed=4)
COLUMN = abs(random(128, 1, seed=5)) + 1


@pytest.mark.parametrize("op, expected", [
    ("gelu_apprx_sigmoid", A / (1 + np.exp(-1.702 * A))), ("cos", np.cos(A)), ("tan", np.tan(A)),
    ("arctan", np.arctan(A)), ("floor", np.floor(A)), ("ceil", np.ceil(A)), ("trunc", np.trunc(A)),
    ("negative", -A), ("mish", A * np.tanh(np.log1p(np.exp(A)))),
    ("erf_dx", 2 / math.sqrt(math.pi) * np.exp(-A * A))])
def test_functions_are_recorded_under_their_name(op, expected):
    got, instruction, recorder = apply(lambda d, a: nisa.activation(d, op, a), A)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    assert recorder.attribute(instruction) == {"func": op}


def test_relu_with_a_slope_is_prelu():
    got, instruction, recorder = apply(lambda d, a: nisa.activate2(
        d, nl.relu, a, relu_param=0.25), A, target="trn3")
    np.testing.assert_array_equal(got, np.where(A < 0, A * np.float32(0.25), A))
    attribute = recorder.attribute(instruction)
    assert (attribute["func"], attribute["imm0"]) == ("prelu", 0.25)


def test_the_slope_of_prelu_may_be_a_column():
    got, instruction, _ = apply(lambda d, a, c: nisa.activate2(
        d, nl.relu, a, relu_param=c), A, COLUMN, target="trn3")
    np.testing.assert_array_equal(got, np.where(A < 0, A * COLUMN, A))
    assert len(instruction[3]) == 2

"""Launching kernels: arguments, outputs, errors with places, LNC pairs, namespaces, nl functions."""
import sys
import warnings

import numpy as np
import pytest
from kernel_helpers import BF16, f32, ncc, nisa, nki, nl, output, random, run, tile, tn

A, B = random(128, 64, seed=21), random(128, 64, seed=22)


def double(a):
    t = tile(a)
    nisa.tensor_scalar(t, t, nl.multiply, 2.0)
    return output(t)


def test_symbolic_run_has_shapes_and_counts():
    result, recorder = run(double, tn.spec("bf16", (128, 64)), mode="symbolic")
    assert result.instructions == 3 == len(recorder.instructions)
    assert result.outputs.shape == (128, 64) and result.outputs.dtype == BF16
    assert recorder.tensors[0] == dict(name="a", region="hbm", dtype="bfloat16", partitions=1, free=8192,
                                       pinned_bytes=-1, pinned_partition=0, site=recorder.tensors[0]["site"],
                                       role="input")


def test_numeric_and_symbolic_record_the_same():
    _, numeric = run(double, A)
    _, symbolic = run(double, tn.spec("float32", (128, 64)), mode="symbolic")
    assert numeric.instructions == symbolic.instructions and numeric.tensors == symbolic.tensors


def test_jit_with_and_without_options_and_nesting():
    @nki.jit
    def inner(t):
        nisa.tensor_scalar(t, t, nl.add, 1.0)

    @nki.jit(platform_target="trn2")
    def outer(a):
        t = tile(a)
        inner(t)
        return output(t)

    np.testing.assert_array_equal(run(outer, A)[0].outputs, A + 1)
    np.testing.assert_array_equal(outer(A), A + 1)


def test_simulate():
    np.testing.assert_array_equal(nki.simulate(double)(A), A * 2)


def test_several_outputs_keep_their_structure():
    result, _ = run(lambda a: (output(tile(a)), output(tile(a))), A)
    assert isinstance(result.outputs, tuple) and len(result.outputs) == 2


def test_lists_of_tensors_as_arguments():
    result, _ = run(lambda tensors: output(tile(tensors[1])), [A, B])
    np.testing.assert_array_equal(result.outputs, B)


def test_grid_and_program_id():
    seen = []

    @nki.jit
    def kernel(a):
        seen.append((nl.program_id(0), nl.num_programs(0), nl.program_ndim()))
        return output(tile(a))

    run(kernel[2], A)
    assert sorted(seen) == [(0, 2, 1), (1, 2, 1)]


def test_two_cores_share_hbm_and_exchange_tiles():
    @nki.jit
    def kernel(a):
        core = nl.program_id(0)
        result = nl.ndarray((2, 128, 64), nl.float32, nl.shared_hbm)
        mine, other = tile(a), nl.ndarray(a.shape, nl.float32, nl.sbuf)
        nisa.tensor_scalar(mine, mine, nl.multiply, float(core + 1))
        nisa.sendrecv(src=mine, dst=other, send_to_rank=1 - core, recv_from_rank=1 - core, pipe_id=0)
        nisa.core_barrier(result, (0, 1))
        nisa.dma_copy(result[core], other)
        return result

    result, recorder = run(kernel[2], A)
    np.testing.assert_array_equal(result.outputs[0], A * 2)
    np.testing.assert_array_equal(result.outputs[1], A)
    assert [i[0] for i in recorder.instructions if i[0] in ("sendrecv", "core_barrier")] == [
        "sendrecv", "core_barrier"]


def test_an_error_on_one_core_stops_both():
    @nki.jit
    def kernel(a):
        if nl.program_id(0) == 1:
            raise ValueError("core 1")
        nisa.core_barrier(a, (0, 1))

    with pytest.raises(ValueError, match="core 1"):
        run(kernel[2], A)


def test_uninitialised_reads_are_reported_and_nan():
    def kernel():
        t = nl.ndarray((128, 8), nl.float32, nl.sbuf)
        nisa.memset(t[:, 0:4], 1.0)
        return output(t)

    result, _ = run(kernel)
    assert np.isnan(result.outputs[:, 4:]).all() and (result.outputs[:, :4] == 1).all()
    assert len(result.uninitialised) == 1 and "512 elements" in result.uninitialised[0]


def test_output_nobody_wrote():
    result, _ = run(lambda: nl.ndarray((4, 4), nl.float32, nl.shared_hbm))
    assert result.uninitialised


@pytest.mark.parametrize("kernel, text", [
    (lambda: nl.ndarray((129, 4), nl.float32, nl.sbuf), "129 partitions"),
    (lambda: nl.ndarray((128, 5000), nl.float32, nl.psum), "psum has 16384"),
    (lambda: nl.ndarray((128, 300000), nl.uint8, nl.sbuf), "sbuf has 229376"),
    (lambda: nl.ndarray((64, 4), nl.float32, nl.sbuf, address=(96, 0)), "64 partitions from 96"),
    (lambda: nl.ndarray((4, 4), "float33", nl.sbuf), "no element type"),
    (lambda: nisa.memset(nl.ndarray((4, 4), nl.float32, nl.hbm), 0), "HBM"),
    (lambda: nisa.dma_copy(nl.ndarray((4, 4), nl.float32, nl.psum), nl.ndarray((4, 4), nl.float32, nl.hbm)),
     "PSUM"),
    (lambda: nisa.tensor_copy(nl.zeros((4, 4), nl.float32), nl.zeros((4, 5), nl.float32)), r"\[4, 5\]"),
    (lambda: nisa.tensor_tensor(*[nl.zeros((4, 4), nl.float32, nl.psum)] * 3, nl.add), "both in PSUM"),
    (lambda: nisa.activation(nl.zeros((4, 4), nl.float32), "nope", nl.zeros((4, 4), nl.float32)),
     "no activation function"),
    (lambda: nl.zeros((4, 4), nl.float32), "results must be in HBM"),
    (lambda: nisa.dma_compute(nl.ndarray((4, 4), nl.float32), []), "1 to 16")])
def test_refused(kernel, text):
    with pytest.raises((tn.KernelError, ValueError), match=text) as error:
        run(kernel)


def test_errors_name_the_kernels_line():
    def kernel():
        nisa.tensor_copy(nl.ndarray((4, 4), nl.float32), nl.ndarray((8, 4), nl.float32))

    with pytest.raises(tn.KernelError, match=rf"{__file__}:{kernel.__code__.co_firstlineno + 1}: tensor_copy"):
        run(kernel)


def test_sources_are_the_kernels_lines():
    _, recorder = run(double, A)
    file, line = recorder.lines[recorder.instructions[1][5]]
    assert file == __file__ and line == double.__code__.co_firstlineno + 2


def test_instructions_outside_a_kernel():
    with pytest.raises(tn.KernelError, match="inside a kernel only"):
        nl.ndarray((4, 4), nl.float32)


@pytest.mark.parametrize("call, name", [(lambda: nl.no_such_thing, "nl.no_such_thing"),
                                        (lambda: nisa.frobnicate, "nisa.frobnicate"),
                                        (lambda: ncc.all_gather_v, "ncc.all_gather_v")])
def test_symbols_that_do_not_exist(call, name):
    with pytest.raises(tn.NotImplementedInTrnsim, match=rf"{__file__}:\d+: {name} is not implemented"):
        call()


def test_unknown_keyword_is_one_warning():
    def kernel(a):
        for _ in range(3):
            nisa.tensor_copy(tile(a), tile(a), colour="red")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(kernel, A)
    assert sum("colour" in str(w.message) for w in caught) == 1


def test_namespaces_leave_nothing_behind():
    assert "nki" not in sys.modules
    with tn.install():
        import nki.isa
        import nki.language as inside
        assert inside.add is not None and nki.isa.nc_matmul is not None
    assert "nki" not in sys.modules and "nki.language" not in sys.modules


def test_host_libraries_are_inert():
    with tn.install():
        import jax.numpy as jnp
        from torch_xla.core import xla_model
        assert not jnp.zeros((3,)) and xla_model.anything(1).more is not None
    for name in [n for n in sys.modules if n.split(".")[0] in ("jax", "torch_xla")]:
        del sys.modules[name]


def test_dtype_tokens():
    assert nl.bfloat16 == "bfloat16" and str(nl.bfloat16) == "bfloat16" and nl.float32 == np.float32
    assert np.dtype(nl.float32) == np.float32 and np.zeros(2, nl.int8).dtype == np.int8
    assert {nl.float32: 1}["float32"] == 1 and nl.float32 != nl.bfloat16 and nl.float32 != np.int32


@pytest.mark.parametrize("function, expected", [
    (lambda a, b: nl.add(a, b), A + B), (lambda a, b: nl.subtract(1.0, a), 1 - A),
    (lambda a, b: nl.maximum(a, 0.5), np.maximum(A, 0.5)), (lambda a, b: nl.exp(a), np.exp(A)),
    (lambda a, b: nl.sum(a, axis=1), A.sum(1, keepdims=True)),
    (lambda a, b: nl.max(a, axis=[1]), A.max(1, keepdims=True)),
    (lambda a, b: nl.mean(a, axis=1), A.mean(1, keepdims=True)),
    (lambda a, b: nl.var(a, axis=1), A.var(1, keepdims=True)),
    (lambda a, b: nl.where(nl.greater(a, b), a, b), np.maximum(A, B)),
    (lambda a, b: nl.softmax(a), np.exp(A) / np.exp(A).sum(1, keepdims=True)),
    (lambda a, b: nl.rms_norm(a, b, axis=1, n=64), A / np.sqrt((A * A).mean(1, keepdims=True) + 1e-6) * B),
    (lambda a, b: nl.transpose(a), A.T), (lambda a, b: nl.matmul(a, b, transpose_x=True), A.T @ B),
    (lambda a, b: nl.multiply(a, nl.full((128, 1), 3.0, nl.float32)), A * 3),
    (lambda a, b: nl.reciprocal(a), 1 / A), (lambda a, b: nl.logical_not(nl.greater(a, 0.0)), f32(A <= 0)),
    (lambda a, b: nl.broadcast_to(nl.mean(a, axis=1), (128, 64)), np.repeat(A.mean(1, keepdims=True), 64, 1)),
    (lambda a, b: nl.zeros_like(a), A * 0), (lambda a, b: nl.copy(a), A)])
def test_nl_functions(function, expected):
    result, _ = run(lambda a, b: output(nl.copy(function(nl.load(a), nl.load(b)))), A, B)
    np.testing.assert_allclose(result.outputs, expected, rtol=1e-4, atol=1e-4)


def test_load_and_store():
    def kernel(a):
        result = nl.ndarray(a.shape, nl.bfloat16, nl.shared_hbm)
        nl.store(result, nl.load(a))
        return result

    np.testing.assert_array_equal(f32(run(kernel, A)[0].outputs), f32(A.astype(BF16)))


def test_shared_constant():
    result, _ = run(lambda: output(nl.load(nl.shared_constant(np.eye(16, dtype=np.float32)))))
    np.testing.assert_array_equal(result.outputs, np.eye(16))


def test_while_and_fori_loops():
    def kernel(a):
        total = nl.zeros((128, 64), nl.float32)
        data = tile(a)
        nl.fori_loop(0, 3, lambda i: nisa.tensor_tensor(total, total, data, nl.add))
        return output(total)

    np.testing.assert_array_equal(run(kernel, A)[0].outputs, A + A + A)

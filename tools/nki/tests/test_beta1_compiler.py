"""What the beta 1 compiler does without being asked: broadcasts stay in PSUM, loops compute the same once."""
import numpy as np
import pytest
import trnsim_nki
from kernel_helpers import random
from test_beta1_tiles import nisa, nki, nl, out_like, run
from trnsim_nki import machine, runner
from trnsim_nki.trt import reader


def psum_names(recorder):
    return {t["name"] for t in recorder.tensors if t["region"] == "psum"}


def test_a_broadcast_of_one_bank_is_read_in_psum():
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b).broadcast_to((128, 512))
        x = nl.load(a)
        nl.store(out, (x * row) + row)
        return out

    a, b = random(128, 512), random(1, 512, seed=1)
    out, opcodes, recorder, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b + b, rtol=1e-6)
    assert opcodes == ["dma_copy", "memset", "nc_matmul", "dma_copy", "tensor_tensor", "tensor_tensor", "dma_copy"]
    assert len(psum_names(recorder)) == 1


def test_a_broadcast_of_more_than_a_bank_is_copied():
    def kernel(a, b):
        out = out_like(a)
        nl.store(out, nl.load(a) * nl.load(b).broadcast_to((128, 513)))
        return out

    a, b = random(128, 513), random(1, 513, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b, rtol=1e-6)
    assert opcodes.count("nc_matmul") == 2 and opcodes.count("tensor_copy") == 2


def test_what_cannot_read_psum_moves_a_broadcast_once():
    def kernel(a, b):
        out = out_like(a)
        p, f = nl.arange(128)[:, None], nl.arange(64)[None, :]
        row = nl.load(b).broadcast_to((128, 64))
        part = row[:, 0:64]
        low = nisa.affine_select(pred=p >= f, on_true_tile=row, on_false_value=0.0)
        high = nisa.affine_select(pred=p < f, on_true_tile=part, on_false_value=0.0)
        nl.store(out, (low + high) * nl.load(a) + part)
        return out

    a, b = random(128, 64), random(1, 64, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b + b, rtol=1e-6)
    assert opcodes.count("tensor_copy") == 1


@pytest.mark.parametrize("banks, copies", [(7, 0), (8, 1)])
def test_a_broadcast_makes_room_in_psum(banks, copies):
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b).broadcast_to((128, 512))
        x = nl.load(a)
        taken = [nl.zeros((128, 512), dtype=nl.float32, buffer=nl.psum) for _ in range(banks)]
        for tile in taken:
            tile[...] = nisa.tensor_copy(x)
        total = nl.multiply(x, row)
        for tile in taken:
            total = total + tile
        nl.store(out, total)
        return out

    a, b = random(128, 512), random(1, 512, seed=1)
    out, opcodes, recorder, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b + banks * a, rtol=1e-4, atol=1e-5)
    assert opcodes.count("tensor_copy") == banks + copies


def test_no_broadcast_stays_in_psum_where_the_kernel_chooses_places():
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b).broadcast_to((128, 32))
        bank = nl.ndarray((128, 32), dtype=nl.float32, buffer=nki.compiler.psum.alloc(
            lambda idx, pdim_size, fdim_size: (0, 0, 0)))
        bank[...] = nisa.tensor_copy(nl.load(a))
        later = nl.load(b).broadcast_to((128, 32))
        nl.store(out, (bank * row) + later)
        return out

    a, b = random(128, 32), random(1, 32, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b + b, rtol=1e-6)
    assert opcodes.count("tensor_copy") == 3


def test_of_two_operands_in_psum_the_broadcast_moves():
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b).broadcast_to((128, 32))
        bank = nl.ndarray((128, 32), dtype=nl.float32, buffer=nl.psum)
        bank[...] = nisa.tensor_copy(nl.load(a))
        nl.store(out, (row * bank) + (row * bank))
        return out

    a, b = random(128, 32), random(1, 32, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, 2 * a * b, rtol=1e-6)
    assert opcodes.count("tensor_copy") == 2


def test_a_broadcast_that_is_written_to_is_in_sbuf():
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b).broadcast_to((128, 32))
        row[...] = nl.multiply(row, nl.load(a))
        row += 1.0
        nl.store(out, row)
        return out

    a, b = random(128, 32), random(1, 32, seed=1)
    np.testing.assert_allclose(run(kernel, a, b)[0], a * b + 1, rtol=1e-6)


def repeated(loop, changed=False):
    """(output, opcodes): every iteration computes a * a from the same tile."""
    def kernel(a, b):
        out = nl.ndarray(b.shape, dtype=b.dtype, buffer=nl.shared_hbm)
        x = nl.load(a)
        for i in loop(4):
            square = nl.multiply(x, x)
            nl.store(out[i], square + nl.load(b[i]))
            if changed:
                x[...] = nl.add(x, 1.0)
        return out

    a, b = random(128, 32), random(4, 128, 32, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    want = np.stack([(a + i) ** 2 for i in range(4)]) if changed else np.stack([a ** 2] * 4)
    np.testing.assert_allclose(out, want + b, rtol=1e-5, atol=1e-5)
    return opcodes.count("tensor_tensor")


def test_affine_loops_compute_the_same_once():
    assert repeated(nl.affine_range) == 4 + 1


def test_other_loops_and_changed_operands_compute_again():
    assert repeated(nl.sequential_range) == repeated(nl.static_range) == 8
    assert repeated(nl.affine_range, changed=True) == 8


def nested(made, size):
    """(output, a, b, opcodes): two loops add to each block of b what `made` makes of the same tile of a."""
    def kernel(a, b):
        out = nl.ndarray(b.shape, dtype=b.dtype, buffer=nl.shared_hbm)
        x = nl.load(a)
        for i in nl.affine_range(2):
            for j in nl.affine_range(3):
                nl.store(out[i, j], made(x) + nl.load(b[i, j]))
        return out

    a, b = random(128, size), random(2, 3, 128, size, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    return out, a, b, opcodes


def test_a_loop_around_others_shares_too():
    out, a, b, opcodes = nested(nl.exp, 32)
    np.testing.assert_allclose(out, np.exp(a) + b, rtol=1e-5, atol=1e-6)
    assert opcodes.count("activation") == 1


def times_loaded(columns, own_tile=False, loop=nl.affine_range, **options):
    """How often a kernel loads `a`, three blocks of 128 x columns that each of its four outer iterations needs."""
    def kernel(a, b):
        out = nl.ndarray((128, 4 * 512), dtype=a.dtype, buffer=nl.shared_hbm)
        for n in loop(4):
            acc = nl.zeros((128, 512), nl.float32, buffer=nl.psum)
            for k in nl.affine_range(3):
                if own_tile:
                    x = nl.ndarray((nl.par_dim(128), columns), dtype=a.dtype, buffer=nl.sbuf)
                    x[...] = nl.load(a[k])
                else:
                    x = nl.load(a[k])
                acc += nisa.nc_matmul(x[:, 0:128], nl.load(b[k, :, nl.ds(n * 512, 512)]))
            nl.store(out[:, nl.ds(n * 512, 512)], nl.copy(acc))
        return out

    a, b = random(3, 128, columns), random(3, 128, 2048, seed=1)
    out, _, recorder, _ = run(kernel, a, b, **options)
    np.testing.assert_allclose(out, np.einsum("kpm,kpn->mn", a[:, :, :128], b), rtol=1e-3, atol=1e-3)
    elements = 0
    for opcode, _, _, ins, _, _ in recorder.instructions:
        if opcode == "dma_copy" and recorder.tensors[ins[0][0]]["name"] == "a":
            elements += int(np.prod([count for _, count in recorder.patterns[ins[0][1]][1]]))
    return elements / a.size


def test_loads_leave_a_loop_around_others_where_the_results_fit_a_quarter_of_sbuf():
    assert times_loaded(128) == 1
    quarter = machine.SBUF_BYTES["trn2"] // 4
    assert times_loaded(quarter // 3 // 4) == 1
    assert times_loaded(quarter // 3 // 4 + 1) == 4
    assert times_loaded(128, loop=nl.sequential_range) == 4


def test_loads_into_a_tile_of_the_kernel_stay():  # the tutorial's matmul on trn2 and trn1 shows it
    assert times_loaded(128, own_tile=True) == 4


def test_loads_stay_on_trn1():  # step 3 of autocomp's second GEMM search shows it
    assert times_loaded(128, target="trn1") == 4


def test_what_iterations_add_up_keeps_work_in_the_loop():  # mamba_v1 shows it
    def kernel(a):
        out = out_like(a)
        total = nl.zeros((2, nl.par_dim(128), 32), dtype=a.dtype, buffer=nl.sbuf)
        for i in nl.affine_range(3):
            for j in nl.affine_range(2):
                total[j] += nl.exp(nl.load(a[j]))
        for j in nl.affine_range(2):
            nl.store(out[j], total[j])
        return out

    a = random(2, 128, 32)
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, 3 * np.exp(a), rtol=1e-5)
    assert opcodes.count("activation") == 3  # of both j in one


def test_a_transpose_and_its_copy_leave_the_loop_together():
    out, a, b, opcodes = nested(lambda x: nisa.tensor_copy(nisa.nc_transpose(x)), 128)
    np.testing.assert_allclose(out, a.T + b, rtol=1e-5, atol=1e-6)
    assert opcodes.count("tensor_copy") == 1


def test_a_shared_tile_that_is_written_to_becomes_its_own():
    def kernel(a):
        out = nl.ndarray((3, 128, 32), dtype=a.dtype, buffer=nl.shared_hbm)
        x = nl.load(a)
        kept = []
        for i in nl.affine_range(3):
            kept.append(nl.multiply(x, 2.0))
            nl.exp(x)
            if i == 1:
                kept[1] += 5.0
        kept[0][:, 0:16] = nl.multiply(x[:, 0:16], 0.0)
        for i in range(3):
            nl.store(out[i], kept[i])
        return out

    a = random(128, 32)
    first = 2 * a
    first[:, :16] = 0
    np.testing.assert_allclose(run(kernel, a)[0], np.stack([first, 2 * a + 5, 2 * a]), rtol=1e-6)


def test_what_does_not_fit_in_sbuf_is_computed_again():
    def kernel(a):
        out = nl.ndarray((3, 128, 32), dtype=a.dtype, buffer=nl.shared_hbm)
        x = nl.load(a)
        large = nl.ndarray((128, 56 * 1024 - 48), dtype=nl.float32)  # all but 192 bytes
        large[:, 0:32] = nl.multiply(x, 2.0)
        for i in nl.affine_range(3):
            nl.store(out[i], nl.exp(x) + large[:, 0:32])
        return out

    a = random(128, 32)
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, np.stack([np.exp(a) + 2 * a] * 3), rtol=1e-5, atol=1e-6)
    assert opcodes.count("activation") == 3


def test_a_tile_that_is_a_broadcast_is_read_in_psum():
    def kernel(a, b):
        out = out_like(a)
        row = nl.ndarray((nl.par_dim(128), 256), dtype=nl.float32)
        row[...] = nl.load(b).broadcast_to((128, 256))
        nl.store(out, nl.load(a) * row)
        return out

    a, b = random(128, 256), random(1, 256, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b, rtol=1e-6)
    assert "tensor_copy" not in opcodes


def test_writing_to_a_tile_that_was_a_broadcast_leaves_the_broadcast():
    def kernel(a, b):
        out = out_like(a)
        row = nl.ndarray((nl.par_dim(128), 256), dtype=nl.float32)
        wide = nl.load(b).broadcast_to((128, 256))
        row[...] = wide
        row[:, 0:128] = nl.load(a)[:, 0:128]
        nl.store(out, row + wide)
        return out

    a, b = random(128, 256), random(1, 256, seed=1)
    out, _, _, _ = run(kernel, a, b)
    expected = np.broadcast_to(2 * b, a.shape).copy()
    expected[:, :128] = a[:, :128] + b[:, :128]
    np.testing.assert_allclose(out, expected, rtol=1e-6)


@pytest.mark.parametrize("columns, opcode", [(4, "reciprocal"), (512, "activation")])
def test_wide_reciprocals_are_of_the_scalar_engine(columns, opcode):
    def kernel(a):
        out = out_like(a)
        nl.store(out, nisa.reciprocal(nl.load(a)))
        return out

    a = 1 + np.abs(random(128, columns))
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, 1 / a, rtol=1e-5)
    assert opcodes == ["dma_copy", opcode, "dma_copy"]


def test_the_vector_engine_is_a_wish_for_wide_transposes():
    def kernel(a):
        out = nl.ndarray((64, 128), dtype=a.dtype, buffer=nl.shared_hbm)
        nl.store(out, nisa.nc_transpose(nl.load(a), engine=nisa.vector_engine))
        return out

    a = random(128, 64)
    out, opcodes, recorder, _ = run(kernel, a)
    np.testing.assert_allclose(out, a.T)
    assert [i[1] for i in recorder.instructions if i[0] == "nc_transpose"] == ["Tensor"]


def test_an_access_of_more_dims_than_an_instruction_takes_stays_in_the_loop():
    def kernel(a):
        out = nl.ndarray((2, 128, 2, 2, 2, 2, 2, 2), dtype=a.dtype, buffer=nl.shared_hbm)
        x = nl.load(a)
        at = nl.mgrid[0:128, 0:2, 0:2, 0:2, 0:2, 0:2, 0:2]
        for i in nl.affine_range(2):
            nl.store(out[i], nl.multiply(x[tuple(at)], 2.0))
        return out

    a = random(128, 3, 3, 3, 3, 3, 3)
    out, _, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, np.stack([2 * a[:, :2, :2, :2, :2, :2, :2]] * 2), rtol=1e-6)


@pytest.mark.parametrize("decorated", [lambda f: nki.baremetal(nki.jit(f)), nki.baremetal, nki.benchmark])
def test_a_kernel_under_a_way_to_run_it_is_traced_like_itself(tmp_path, decorated):
    def kernel(a):
        out = out_like(a)
        for i in nl.affine_range(2):
            nl.store(out[:, nl.ds(i * 32, 32)], nl.load(a[:, nl.ds(i * 32, 32)]))
        return out

    def instructions(kernel, name):
        path = tmp_path / f"{name}.trt"
        runner.trace_file(kernel, (trnsim_nki.spec("fp32", (128, 64)),), str(path))
        found = reader.read(path)
        assert found.origin.endswith("NKI beta 1")
        return len(found.instructions)

    assert instructions(decorated(kernel), "joined") == 2
    leave = nki.compiler.skip_middle_end_transformations
    assert instructions(leave(decorated(kernel)), "apart") == 4


def test_a_trace_says_that_the_beta_1_compiler_orders_it(tmp_path):
    def kernel(a):
        out = out_like(a)
        nl.store(out, nl.load(a))
        return out

    path = tmp_path / "k.trt"
    runner.trace_file(nki.jit(kernel), (trnsim_nki.spec("fp32", (128, 64)),), str(path))
    assert reader.read(path).origin == "trnsim-nki 0.1, NKI beta 1"

"""Tiles of NKI beta 1: where results go, block dims, masks, accumulation, allocation."""
import linecache

import numpy as np
import pytest
from kernel_helpers import f32, random, tn
from trnsim_nki.recorder import MemoryRecorder

with tn.install() as _modules:
    nki = _modules["neuronxcc.nki"]
    nl = _modules["neuronxcc.nki.language"]
    nisa = _modules["neuronxcc.nki.isa"]


def run(function, *args, grid=None, mode="numeric", **options):
    """(output, opcodes, recorder, result) of a beta 1 kernel."""
    recorder = MemoryRecorder()
    kernel = nki.jit(function)
    if grid is not None:
        kernel = kernel[grid]
    result = tn.trace(kernel, *args, mode=mode, writer=recorder, **options)
    return result.outputs, [i[0] for i in recorder.instructions], recorder, result


def out_like(a):
    return nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.shared_hbm)


def test_an_assigned_result_needs_no_copy():
    def kernel(a):
        out = out_like(a)
        tile = nl.ndarray((nl.par_dim(128), 2, 64), dtype=nl.float32)
        loaded = nl.load(a)
        tile[:, 0, :] = nisa.tensor_scalar(loaded[:, 0:64], np.multiply, 2.0)
        tile[:, 1, :] = nl.exp(loaded[:, 64:128])
        nl.store(out, tile)
        return out

    a = random(128, 128)
    out, opcodes, _, _ = run(kernel, a)
    assert opcodes == ["dma_copy", "tensor_scalar", "activation", "dma_copy"]
    np.testing.assert_allclose(out, np.concatenate([2 * a[:, :64], np.exp(a[:, 64:])], 1), rtol=1e-6)


def test_results_in_a_row_keep_their_order_and_lines():
    def kernel(a):
        out = out_like(a)
        x = nl.load(a)
        y = nl.exp(x)
        x[...] = nl.multiply(x, 0.0)
        nl.store(out, y)
        return out

    a = random(8, 16)
    out, opcodes, recorder, _ = run(kernel, a)
    np.testing.assert_allclose(out, np.exp(a), rtol=1e-6)
    assert opcodes == ["dma_copy", "activation", "tensor_scalar", "dma_copy"]
    lines = [linecache.getline(*recorder.lines[i[5]]).strip() for i in recorder.instructions]
    assert lines == ["x = nl.load(a)", "y = nl.exp(x)", "x[...] = nl.multiply(x, 0.0)",
                     "nl.store(out, y)"]


@pytest.mark.parametrize("zeros", [True, False])
def test_the_first_product_overwrites_and_later_ones_add(zeros):
    def kernel(a, b):
        out = nl.ndarray((64, 96), dtype=nl.float32, buffer=nl.shared_hbm)
        make = nl.zeros if zeros else nl.ndarray
        total = make((64, 96), dtype=nl.float32, buffer=nl.psum)
        for k in nl.affine_range(3):
            total += nl.matmul(nl.load(a[k * 128:(k + 1) * 128, :]),
                               nl.load(b[k * 128:(k + 1) * 128, :]), transpose_x=True)
        nl.store(out, nl.copy(total))
        return out

    a, b = random(384, 64), random(384, 96, seed=1)
    out, opcodes, recorder, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a.T @ b, atol=1e-3)
    assert "memset" not in opcodes and "tensor_tensor" not in opcodes
    products = [i for i in recorder.instructions if i[0] == "nc_matmul"]
    assert [recorder.attribute(i).get("accumulate", False) for i in products] == [False, True, True]


def test_zeros_of_psum_are_recorded_where_they_are_read():
    def kernel(a):
        out = out_like(a)
        nl.store(out, nl.copy(nl.zeros((8, 16), dtype=nl.float32, buffer=nl.psum)))
        return out

    out, opcodes, _, _ = run(kernel, random(8, 16))
    assert opcodes[0] == "memset" and (out == 0).all()


def test_a_product_assigned_to_psum_starts_anew():
    def kernel(a, b):
        out = nl.ndarray((64, 96), dtype=nl.float32, buffer=nl.shared_hbm)
        total = nl.ndarray((64, 96), dtype=nl.float32, buffer=nl.psum)
        x, y = nl.load(a), nl.load(b)
        for _ in nl.sequential_range(2):
            total[...] = nisa.nc_matmul(x, y)
        nl.store(out, total)
        return out

    a, b = random(128, 64), random(128, 96, seed=1)
    np.testing.assert_allclose(run(kernel, a, b)[0], a.T @ b, atol=1e-3)


def test_blocks_are_tiles_of_their_own():
    def kernel(a):
        out = out_like(a)
        tiles = nl.ndarray((2, 3, nl.par_dim(128), 64), dtype=nl.float32)
        for i in nl.affine_range(2):
            row = tiles[i]
            for j in nl.affine_range(3):
                row[j] = nl.load(a[i, j])
        for i in nl.affine_range(2):
            for j in nl.affine_range(3):
                p, f = nl.mgrid[0:128, 0:64]
                nl.store(out[i, j, p, f], value=tiles[i, j, p, f] + 1.0)
        return out

    a = random(2, 3, 128, 64)
    out, _, recorder, _ = run(kernel, a)
    assert (out == a + 1).all()
    assert sum(t["name"].startswith("sbuf_2x3") for t in recorder.tensors) == 6


def test_the_rows_a_mask_cuts_off_are_not_moved():
    def kernel(a):
        out = out_like(a)
        p, f = nl.arange(128)[:, None], nl.arange(40)[None, :]
        for i in nl.affine_range(2):
            inside = i * 128 + p < 200
            tile = nl.load(a[i * 128 + p, f], mask=inside)
            total = nl.sum(tile, axis=[1], mask=inside)
            nl.store(out[i * 128 + p, f], value=nl.multiply(tile, total, mask=inside), mask=inside)
        return out

    a = random(200, 40)
    out, _, recorder, result = run(kernel, a)
    np.testing.assert_allclose(out, a * a.sum(1, keepdims=True), rtol=1e-5)
    assert not result.uninitialised
    assert [recorder.shape(i[2][0])[0] for i in recorder.instructions if i[0] == "tensor_reduce"] == [128, 72]


def test_an_access_that_leaves_the_tensor_without_a_mask_is_an_error():
    def kernel(a):
        p, f = nl.arange(128)[:, None], nl.arange(40)[None, :]
        nl.load(a[100 + p, f])

    with pytest.raises(tn.KernelError, match=r"index 100 to 227 leaves dim 0 of 200"):
        run(kernel, random(200, 40))


def test_a_mask_that_is_no_box_leaves_the_rest_as_it_was():
    def kernel(a):
        out = out_like(a)
        p, f = nl.arange(32)[:, None], nl.arange(32)[None, :]
        tile = nl.zeros((32, 32), dtype=nl.float32)
        loaded = nl.load(a)
        tile[p, f] = nl.copy(loaded[p, f], mask=p >= f)
        nl.store(out, tile)
        return out

    a = random(32, 32)
    assert (run(kernel, a)[0] == np.tril(a)).all()


def test_a_false_mask_drops_the_instruction():
    def kernel(a):
        out = out_like(a)
        tile = nl.load(a)
        for i in nl.affine_range(2):
            tile[...] = nl.multiply(tile, 3.0, mask=i > 0)
        nl.store(out, tile)
        return out

    a = random(8, 16)
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, 3 * a, rtol=1e-6)
    assert opcodes.count("tensor_scalar") == 1


def test_index_expressions_permute_and_repeat():
    def kernel(a):
        out = nl.ndarray((16, 60), dtype=nl.float32, buffer=nl.shared_hbm)
        tile = nl.load(a)
        moved = nl.ndarray((16, 60), dtype=nl.float32)
        p, i, j = nl.mgrid[0:16, 0:5, 0:12]
        moved[p, 5 * j + i] = nl.copy(tile[p, 12 * i + j])
        nl.store(out, moved)
        return out

    a = random(16, 60)
    assert (run(kernel, a)[0] == a.reshape(16, 5, 12).transpose(0, 2, 1).reshape(16, 60)).all()


def test_affine_select_takes_a_comparison():
    def kernel(a):
        out = out_like(a)
        p, f = nl.arange(32)[:, None], nl.arange(64)[None, :]
        nl.store(out, nisa.affine_select(pred=10 + p >= f, on_true_tile=nl.load(a), on_false_value=-7.0))
        return out

    a = random(32, 64)
    want = np.where(10 + np.arange(32)[:, None] >= np.arange(64), a, -7)
    assert (run(kernel, a)[0] == want.astype(np.float32)).all()


def test_loop_reduce_copies_once_and_adds_later():
    def kernel(a):
        out = nl.ndarray((128, 32), dtype=nl.float32, buffer=nl.shared_hbm)
        total = nl.ndarray((128, 32), dtype=nl.float32)
        for i in nl.affine_range(4):
            total[...] = nl.loop_reduce(nl.load(a[i]), op=np.add, loop_indices=[i])
        nl.store(out, total)
        return out

    a = random(4, 128, 32)
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, a.sum(0), atol=1e-5)
    assert opcodes.count("tensor_copy") == 1 and opcodes.count("tensor_tensor") == 3


def test_one_partition_is_broadcast_by_products():
    def kernel(a, b):
        out = out_like(a)
        row = nl.load(b.reshape((1, 700)))
        nl.store(out, nl.load(a) * row.broadcast_to((128, 700)))
        return out

    a, b = random(128, 700), random(700, seed=1)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * b, rtol=1e-6)
    assert opcodes.count("nc_matmul") == 2


def test_modulo_allocation_pins_blocks():
    alloc = nki.compiler.sbuf.mod_alloc(base_addr=64, num_free_tiles=(2,))

    def kernel(a):
        out = out_like(a)
        tiles = nl.ndarray((4, nl.par_dim(128), 32), dtype=nl.float32, buffer=alloc)
        banks = nl.ndarray((4, nl.par_dim(128), 32), dtype=nl.float32, buffer=nki.compiler.psum.alloc(
            lambda idx, pdim_size, fdim_size: (3 + idx[0] % 2, 0, 0)))
        for i in nl.affine_range(4):
            tiles[i] = nl.load(a[i])
            banks[i] = nisa.tensor_copy(tiles[i])
            nl.store(out[i], banks[i])
        return out

    a = random(4, 128, 32)
    out, _, recorder, _ = run(kernel, a)
    assert (out == a).all()
    assert [t["pinned_bytes"] for t in recorder.tensors if t["name"].startswith("sbuf_4")] == [64, 192]
    assert [t["pinned_bytes"] for t in recorder.tensors if t["name"].startswith("psum")] == [6144, 8192]


def test_addresses_of_a_loop_body_are_those_of_its_first_iteration():
    def kernel(a):
        out = out_like(a)
        address = 0
        for i in nl.sequential_range(3):
            tile = nl.ndarray((128, 64), dtype=nl.float32,
                              buffer=nki.compiler.sbuf.mod_alloc(base_addr=address))
            address += 100_000
            for _ in nl.affine_range(1):
                tile[...] = nl.load(a[i])
            nl.store(out[i], tile)
        for i in nl.static_range(2):
            nl.ndarray((128, 64), dtype=nl.float32, buffer=nki.compiler.sbuf.mod_alloc(base_addr=512 * i))
        return out

    a = random(3, 128, 64)
    out, _, recorder, _ = run(kernel, a)
    assert (out == a).all()
    assert [t["pinned_bytes"] for t in recorder.tensors if t["pinned_bytes"] >= 0] == [0, 0, 0, 0, 512]


def test_programs_of_a_grid_share_what_they_return():
    def kernel(a):
        out = out_like(a)
        p, f = nl.mgrid[0:128, 0:64]
        x, y = nl.program_id(0) * 128, nl.program_id(1) * 64
        nl.store(out[x + p, y + f], value=nl.load(a[x + p, y + f]) * nl.num_programs(0))
        return out

    a = random(256, 192)
    out, opcodes, recorder, _ = run(kernel, a, grid=(2, 3))
    assert (out == 2 * a).all() and opcodes.count("dma_copy") == 12
    assert sum(t["role"] == "output" for t in recorder.tensors) == 1
    # Every second program runs on the other core.
    out, opcodes, _, result = run(kernel, a, grid=(nl.spmd_dim(1, nl.nc(2)), 3))
    assert (out == 2 * a).all() and opcodes.count("dma_copy") == 6 and result.instructions == len(opcodes)


def test_a_tile_of_indices_chooses_rows():
    def kernel(a, rows):
        out = nl.ndarray((16, 24), dtype=nl.float32, buffer=nl.shared_hbm)
        index = nl.load(rows)
        nl.store(out, nl.load(a[1, index, nl.arange(24)[None, :]]))
        return out

    a, rows = random(2, 50, 24), np.random.default_rng(1).integers(0, 50, (16, 1)).astype(np.int32)
    assert (run(kernel, a, rows)[0] == a[1][rows[:, 0]]).all()


def test_accesses_of_many_dims_become_several_instructions():
    def kernel(a):
        out = out_like(a)
        tile = nl.load(a)
        moved = nl.ndarray(a.shape, dtype=nl.float32)
        p, i, j, k, r, s, t = nl.mgrid[0:4, 0:2, 0:3, 0:2, 0:3, 0:2, 0:2]
        order = ((((i * 3 + j) * 2 + k) * 3 + r) * 2 + s) * 2 + t
        back = ((((t * 2 + s) * 3 + r) * 2 + k) * 3 + j) * 2 + i
        moved[p, order] = nl.copy(tile[p, back])
        nl.store(out, moved)
        return out

    a = random(4, 144)
    want = a.reshape(4, 2, 2, 3, 2, 3, 2).transpose(0, 6, 5, 4, 3, 2, 1).reshape(4, 144)
    out, opcodes, _, _ = run(kernel, a)
    assert (out == want).all() and opcodes.count("tensor_copy") == 2


@pytest.mark.parametrize("body, message", [
    (lambda a: nl.all_reduce(a, np.add, 0), r"test_beta1_tiles.py:\d+: nl.all_reduce is not implemented"),
    (lambda a: nisa.builtin_custom_op(a), r"test_beta1_tiles.py:\d+: nisa.builtin_custom_op is not impl"),
    (lambda a: nl.load(a).something(), r"test_beta1_tiles.py:\d+: method 'something' of tiles is not"),
    (lambda a: nl.load(a) if nl.load(a) else a, "no condition of Python"),
    (lambda a: nl.ndarray((2, nl.par_dim(128), 4), dtype=nl.float32)[0:2, :, :], "takes an integer"),
    (lambda a: nisa.tensor_tensor(nl.load(a), 3.0, np.add), "data2 must be a tile"),
])
def test_what_is_not_there_is_named_with_its_line(body, message):
    with pytest.raises(tn.KernelError, match=message):
        run(lambda a: body(a), random(128, 64))


def test_errors_of_late_instructions_name_their_own_line():
    def kernel(a):
        x = nl.load(a)
        y = nisa.tensor_scalar(x, np.add, x)  # the wrong one
        return nl.exp(y)

    with pytest.raises(tn.KernelError) as caught:
        run(kernel, random(128, 64))
    number = int(str(caught.value).split(".py:")[1].split(":")[0])
    assert "the wrong one" in linecache.getline(__file__, number)


def test_symbolic_and_numeric_record_the_same():
    def kernel(a):
        out = out_like(a)
        nl.store(out, nl.softmax(nl.load(a), axis=[1]))
        return out

    a = random(128, 256)
    out, numeric, _, _ = run(kernel, a)
    assert numeric == run(kernel, a, mode="symbolic")[1]
    powers = np.exp(a - a.max(1, keepdims=True))
    np.testing.assert_allclose(f32(out), powers / powers.sum(1, keepdims=True), rtol=1e-5)


def test_a_mask_can_be_an_index_and_cut_slices():
    def kernel(a):
        out = out_like(a)
        f = nl.arange(64)[None, :]
        for i in nl.affine_range(2):
            rows = i * 32 + nl.arange(32)[:, None]
            tile = nl.zeros((32, 64), dtype=nl.float32)
            nisa.dma_copy(dst=tile[...], src=a[i * 32:(i + 1) * 32, :], mask=rows < 40)
            part = tile[nl.arange(32)[:, None], f][rows < 40]
            assert part.shape == (32 if i == 0 else 8, 64)
            nl.store(out[i * 32:i * 32 + part.shape[0], :], part)
        return out

    a = random(40, 64)
    assert (run(kernel, a)[0] == a).all()


def test_batches_of_blocks_are_zeroed_and_added_in_place():
    def kernel(a):
        out = out_like(a)
        total = nl.zeros((2, nl.par_dim(128), 32), dtype=nl.float32)
        for i in nl.affine_range(2):
            for _ in nl.affine_range(3):
                total[i, 0:128, 0:32] += nl.load(a[i])
            nl.store(out[i], total[i])
        return out

    a = random(2, 128, 32)
    out, opcodes, _, _ = run(kernel, a)
    np.testing.assert_allclose(out, 3 * a, rtol=1e-5)
    assert opcodes.count("memset") == 2 and "tensor_copy" not in opcodes

"""Copies, constants, DMA, patterns, searches and gathers."""
import numpy as np
import pytest
from kernel_helpers import BF16, apply, f32, nisa, nl, output, random, run, tile, tn

A = random(128, 64, seed=9)


def of(recorder, opcode):
    return [i for i in recorder.instructions if i[0] == opcode]


def test_tensor_copy_converts():
    got, instruction, recorder = apply(lambda d, a: nisa.tensor_copy(d, a), A, dtype=BF16)
    np.testing.assert_array_equal(f32(got), f32(A.astype(BF16)))
    assert recorder.attribute(instruction) == {}


@pytest.mark.parametrize("engine, name", [(nisa.vector_engine, "Vector"), (nisa.scalar_engine, "Scalar"),
                                          (nisa.engine.gpsimd, "GpSimd")])
def test_pinned_engine(engine, name):
    _, instruction, recorder = apply(lambda d, a: nisa.tensor_copy(d, a, engine=engine), A)
    assert instruction[1] == name and recorder.attribute(instruction) == {"engine_pinned": True}


def test_gpsimd_never_reaches_psum():
    with pytest.raises(tn.KernelError, match="GpSimd"):
        run(lambda a: nisa.tensor_copy(nl.ndarray(a.shape, a.dtype, nl.sbuf), tile(a, buffer=nl.psum),
                                       engine=nisa.gpsimd_engine), A)


def test_floats_round_to_even_integers_and_saturate():
    values = np.array([[0.5, 1.5, 2.5, -3.7, 300, -300, np.nan, 7]], np.float32)
    got, _, _ = apply(lambda d, a: nisa.tensor_copy(d, a), values, dtype=np.int8)
    np.testing.assert_array_equal(got, [[0, 2, 2, -4, 127, -128, 0, 7]])


def test_memset():
    got, instruction, recorder = apply(lambda d, a: nisa.memset(d, 2.5), A)
    np.testing.assert_array_equal(got, np.full_like(A, 2.5))
    assert recorder.attribute(instruction) == {"imm0": 2.5} and instruction[3] == ()


@pytest.mark.parametrize("reverse", [False, True])
def test_tensor_copy_predicated(reverse):
    mask = (A > 0).astype(np.uint8)

    def body(dst, a, m):
        nisa.memset(dst, -1.0)
        nisa.tensor_copy_predicated(dst, a, m, reverse_pred=reverse)

    got, instruction, _ = apply(body, A, mask)
    np.testing.assert_array_equal(got, np.where((mask != 0) != reverse, A, -1))
    assert instruction[1] == "Vector" and len(instruction[3]) == 2


def test_stream_shuffle():
    mask = [(i + 1) % 32 for i in range(32)]
    got, _, _ = apply(lambda d, a: nisa.nc_stream_shuffle(d, a, mask), A)
    rows = np.arange(128) // 32 * 32 + (np.arange(128) + 1) % 32
    np.testing.assert_array_equal(got, A[rows])


def test_stream_shuffle_leaves_rows_of_255():
    def body(dst, a):
        nisa.memset(dst, 9.0)
        nisa.nc_stream_shuffle(dst, a, [0] * 16 + [255] * 16)

    got, _, _ = apply(body, A[:32])
    np.testing.assert_array_equal(got, np.vstack([np.repeat(A[:1], 16, 0), np.full((16, 64), 9.0)]))


def test_dma_copy_leads_with_the_partitions():
    _, recorder = run(lambda a: output(tile(a)), A)
    load, store = of(recorder, "dma_copy")
    assert recorder.patterns[load[3][0][1]][1] == ((64, 128), (1, 64))
    assert recorder.patterns[load[2][0][1]][1] == ((1, 64),)
    assert recorder.patterns[store[2][0][1]][1] == ((64, 128), (1, 64))


def test_dma_copy_options():
    def kernel(a):
        t = nl.ndarray(a.shape, a.dtype, nl.sbuf)
        nisa.dma_copy(t, a, dge_mode=nisa.dge_mode.hwdge, engine=nisa.engine.sync, priority=2)

    _, recorder = run(kernel, A)
    (instruction,) = of(recorder, "dma_copy")
    assert instruction[1] == "Sync"
    assert recorder.attribute(instruction) == {"dge": "hardware", "priority": 2, "engine_pinned": True}


INDEX = np.array([[3], [0], [60], [3]], np.uint32)


def test_dma_gather():
    def kernel(table, index):
        idx = tile(index)
        t = nl.ndarray((4, 64), table.dtype, nl.sbuf)
        nisa.dma_copy(t, table.ap([[64, 4], [1, 64]], vector_offset=idx, indirect_dim=0))
        return output(t)

    result, recorder = run(kernel, A, INDEX)
    np.testing.assert_array_equal(result.outputs, A[INDEX[:, 0]])
    gather = of(recorder, "dma_copy")[1]
    assert recorder.attribute(gather) == {"indirect": True} and len(gather[3]) == 2


def test_dma_scatter():
    def kernel(rows, index, table):
        t, idx = tile(rows), tile(index)
        nisa.dma_copy(table.ap([[64, 4], [1, 64]], vector_offset=idx, indirect_dim=0), t)
        return table

    index = np.array([[5], [1], [9], [0]], np.uint32)
    result, _ = run(kernel, A[:4], index, np.zeros((16, 64), np.float32))
    expected = np.zeros((16, 64), np.float32)
    expected[index[:, 0]] = A[:4]
    np.testing.assert_array_equal(result.outputs, expected)


def test_index_outside_the_table():
    def kernel(table, index, mode):
        t = nl.zeros((1, 64), table.dtype, nl.sbuf)
        nisa.dma_copy(t, table.ap([[64, 1], [1, 64]], vector_offset=tile(index)), oob_mode=mode)
        return output(t)

    bad = np.array([[500]], np.uint32)
    with pytest.raises(tn.KernelError, match="outside"):
        run(kernel, A, bad, nisa.oob_mode.error)
    result, _ = run(kernel, A, bad, nisa.oob_mode.skip)
    np.testing.assert_array_equal(result.outputs, np.zeros((1, 64)))


def test_scalar_offset():
    def kernel(table, index):
        t = nl.ndarray((1, 64), table.dtype, nl.sbuf)
        nisa.dma_copy(t, table.ap([[64, 1], [1, 64]], scalar_offset=tile(index), indirect_dim=0))
        return output(t)

    result, recorder = run(kernel, A, np.array([[7]], np.int32))
    np.testing.assert_array_equal(result.outputs, A[7:8])
    assert len(of(recorder, "register_load")) == 1


def test_a_scalar_offset_that_leaves_the_tensor_moves_only_what_exists():
    def kernel(table, index, mode):
        t = tile(table)
        out = nl.ndarray((8, 4), table.dtype, nl.shared_hbm)
        nisa.dma_copy(out, nl.zeros((8, 4), table.dtype, nl.sbuf))
        nisa.dma_copy(out.ap([[4, 4], [1, 4]], scalar_offset=tile(index), indirect_dim=0), t, oob_mode=mode)
        back = nl.zeros((4, 4), table.dtype, nl.sbuf)
        nisa.dma_copy(back, table.ap([[4, 4], [1, 4]], scalar_offset=tile(index), indirect_dim=0), oob_mode=mode)
        return out, output(back)

    rows = random(4, 4)
    for first, kept, there in ((6, slice(0, 2), slice(6, 8)), (-3, slice(3, 4), slice(0, 1)), (9, slice(0, 0), slice(0, 0))):
        out = run(kernel, rows, np.array([[first]], np.int32), nisa.oob_mode.skip)[0].outputs[0]
        expected = np.zeros((8, 4), np.float32)
        expected[there] = rows[kept]
        np.testing.assert_array_equal(out, expected)
    result, recorder = run(kernel, rows, np.array([[2]], np.int32), nisa.oob_mode.skip)
    np.testing.assert_array_equal(result.outputs[1], [*rows[2:], [0] * 4, [0] * 4])
    with pytest.raises(tn.KernelError, match="access from element 24 leaves 'hbm_8x4'; oob_mode.skip allows that"):
        run(kernel, rows, np.array([[6]], np.int32), nisa.oob_mode.error)


@pytest.mark.parametrize("shape, order", [((64, 32), (1, 0)), ((16, 4, 32), (2, 1, 0)),
                                          ((8, 2, 3, 16), (3, 1, 2, 0))])
def test_dma_transpose(shape, order):
    data = random(*shape, seed=3).astype(BF16)

    def kernel(a):
        t = nl.ndarray([shape[d] for d in order], a.dtype, nl.sbuf)
        nisa.dma_transpose(t, a)
        return output(t)

    result, recorder = run(kernel, data)
    np.testing.assert_array_equal(f32(result.outputs), f32(data.transpose(order)))
    assert len(recorder.patterns[of(recorder, "dma_transpose")[0][3][0][1]][1]) == len(shape)


def test_dma_compute():
    def kernel(a):
        t = nl.ndarray(a.shape, a.dtype, nl.sbuf)
        nisa.dma_compute(t, [a, a, tile(a)], reduce_op=nl.add)
        return output(t)

    result, recorder = run(kernel, A)
    np.testing.assert_array_equal(result.outputs, A + A + A)
    assert len(of(recorder, "dma_compute")[0][3]) == 3


def test_iota():
    got, instruction, recorder = apply(lambda d, a: nisa.iota(
        d, [[100, 4], [1, 16]], offset=5, channel_multiplier=1000), A, dtype=np.int32)
    columns = (np.arange(4)[:, None] * 100 + np.arange(16)).reshape(-1)
    np.testing.assert_array_equal(got, 5 + np.arange(128)[:, None] * 1000 + columns)
    assert recorder.attribute(instruction)["affine_channel"] == 1000


def test_affine_select():
    got, instruction, recorder = apply(lambda d, a: nisa.affine_select(
        d, [[-1, 64]], 1, a, -9.0, cmp_op=nl.greater_equal), A)
    np.testing.assert_array_equal(got, np.where(np.arange(128)[:, None] >= np.arange(64), A, -9))
    assert recorder.attribute(instruction)["compare"] == "greater_equal"


def test_range_select():
    low, high = np.full((128, 1), 10, np.float32), np.full((128, 1), 20, np.float32)

    def kernel(a, b, c):
        dst, best = nl.ndarray(a.shape, nl.float32, nl.sbuf), nl.ndarray((128, 1), nl.float32, nl.sbuf)
        nisa.range_select(dst, tile(a), nl.greater_equal, nl.less, tile(b), tile(c), reduce_res=best)
        return output(dst), output(best)

    result, _ = run(kernel, A, low, high)
    inside = (np.arange(64) >= 10) & (np.arange(64) < 20)
    np.testing.assert_array_equal(result.outputs[0][:, inside], A[:, inside])
    assert (result.outputs[0][:, ~inside] < -3e38).all()
    np.testing.assert_array_equal(result.outputs[1][:, 0], A[:, inside].max(1))


def test_select_reduce():
    mask = (A > 0).astype(np.uint8)
    got, instruction, _ = apply(lambda d, a, m: nisa.select_reduce(d, m, a, -5.0), A, mask)
    np.testing.assert_array_equal(got, np.where(mask, A, -5))
    assert len(instruction[3]) == 2


def test_max8_and_its_positions():
    def kernel(a):
        data = tile(a)
        best, where = nl.ndarray((128, 8), nl.float32, nl.sbuf), nl.ndarray((128, 8), nl.uint32, nl.sbuf)
        nisa.max8(best, data)
        nisa.nc_find_index8(where, data, best)
        return output(best), output(where)

    result, _ = run(kernel, A)
    order = np.argsort(-A, axis=1)[:, :8]
    np.testing.assert_array_equal(result.outputs[0], np.take_along_axis(A, order, 1))
    np.testing.assert_array_equal(result.outputs[1], order)


def test_find_index_of_equal_and_missing_values():
    data = np.array([[1, 8, 8, 3, 4, 5, 6, 7]], np.float32)
    vals = np.array([[8, 8, 3, 99, 1, 4, 5, 6]], np.float32)
    got, _, _ = apply(lambda d, a, v: nisa.nc_find_index8(d, a, v), data, vals, dtype=np.uint32)
    np.testing.assert_array_equal(got, [[1, 2, 3, 0xFFFFFFFF, 0, 4, 5, 6]])


def test_match_replace_names_duplicates_from_the_end():
    data = np.array([[1, 2, 3, 4, 8, 8, 8, 8, 8, 8, 8]], np.float32)
    vals = np.array([[3, 8, 8, 8, 8, 8, 8, 8]], np.float32)

    def kernel(a, v):
        dst, where = nl.ndarray(a.shape, nl.float32, nl.sbuf), nl.ndarray((1, 8), nl.uint32, nl.sbuf)
        nisa.nc_match_replace8(dst, tile(a), tile(v), -1.0, dst_idx=where)
        return output(dst), output(where)

    result, _ = run(kernel, data, vals)
    np.testing.assert_array_equal(result.outputs[0], [[1, 2, -1, 4] + [-1] * 7])
    np.testing.assert_array_equal(result.outputs[1], [[2, 10, 9, 8, 7, 6, 5, 4]])


def test_nonzero_with_count():
    data = np.zeros((32, 8), np.float32)
    data[0, [1, 2, 5]] = 1

    def body(dst, a):
        nisa.memset(dst, 0)
        nisa.nonzero_with_count(dst, a, index_offset=16)

    got, _, _ = apply(body, data, shape=(32, 9), dtype=np.int32)
    np.testing.assert_array_equal(got[0], [17, 18, 21, -1, -1, -1, -1, -1, 3])
    np.testing.assert_array_equal(got[16], [-1] * 8 + [0])


def test_n_gather():
    index = np.random.default_rng(1).integers(0, 64, (128, 20)).astype(np.uint32)
    got, _, _ = apply(lambda d, a, i: nisa.nc_n_gather(d, a, i), A, index, shape=(128, 20))
    np.testing.assert_array_equal(got, np.take_along_axis(A, index.astype(int), 1))


def test_local_gather():
    index = np.random.default_rng(1).integers(0, 64, (128, 2)).astype(np.uint16)
    got, _, _ = apply(lambda d, a, i: nisa.local_gather(d, a, i), A, index, shape=(128, 32))
    for group in range(0, 128, 16):
        flat = index[group:group + 16].T.reshape(-1)
        np.testing.assert_array_equal(got[group:group + 16], A[group:group + 16][:, flat])


def test_topk():
    data = random(16, 4, seed=2).astype(BF16)

    def kernel(a):
        best, where = nl.ndarray((16, 8), nl.bfloat16, nl.sbuf), nl.ndarray((16, 8), nl.uint32, nl.sbuf)
        nisa.topk(best, where, tile(a), 60)
        return output(best), output(where)

    result, _ = run(kernel, data)
    snake = f32(data).T.reshape(-1)[:60]
    np.testing.assert_array_equal(f32(result.outputs[0][3]), np.sort(snake)[-8:])
    np.testing.assert_array_equal(snake[result.outputs[1][3]], f32(result.outputs[0][3]))


def test_registers_and_dynamic_loop():
    def kernel(a, bound):
        register = nisa.register_alloc()
        nisa.register_load(register, tile(bound))
        total = nl.zeros((128, 64), nl.float32, nl.sbuf)
        data = tile(a)
        for _ in nl.dynamic_range(register):
            nisa.tensor_tensor(total, total, data, nl.add)
        return output(total)

    result, recorder = run(kernel, A, np.array([[3]], np.int32))
    np.testing.assert_array_equal(result.outputs, A + A + A)
    assert recorder.attribute(of(recorder, "loop_begin")[0]) == {"imm0": 3}
    assert len(of(recorder, "loop_iteration")) == 3 and len(of(recorder, "loop_end")) == 1


def test_a_dynamic_loop_without_data_asks_for_its_trip_count():
    def kernel(a, bound):
        register = nisa.register_alloc()
        nisa.register_load(register, tile(bound))
        data = tile(a)
        for _ in nl.dynamic_range(register):
            nisa.tensor_tensor(data, data, data, nl.add)
        return output(data)

    arguments = (tn.spec("fp32", (128, 64)), tn.spec("int32", (1, 1)))
    with pytest.raises(tn.KernelError, match=r"test_isa_moves.py:\d+: how often .*--trips N"):
        run(kernel, *arguments, mode="symbolic")
    _, recorder = run(kernel, *arguments, mode="symbolic", trips=7)
    # The body stands once and says how often it runs.
    assert recorder.attribute(of(recorder, "loop_begin")[0]) == {"imm0": 7, "imm1": 1}
    assert len(of(recorder, "tensor_tensor")) == 1 and not of(recorder, "loop_iteration")

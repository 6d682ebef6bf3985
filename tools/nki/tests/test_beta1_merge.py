"""What the beta 1 compiler joins: steps of an affine_range on places in a row."""
import numpy as np
import pytest
from kernel_helpers import random
from test_beta1_tiles import nisa, nki, nl, out_like, run


def elements(recorder, operand):
    """Mask [partitions, elements] of what an operand touches."""
    tensor, pattern, first, partitions, offset = operand
    t = recorder.tensors[tensor]
    places = np.array([offset])
    for stride, n in recorder.patterns[pattern][1]:
        places = (places[:, None] + stride * np.arange(n)).ravel()
    mask = np.zeros((t["partitions"], t["free"]), bool)
    assert places.min() >= 0 and places.max() < t["free"], t["name"]
    mask[first:first + partitions, places] = True
    return mask


def check(recorder):
    """Everything on chip is written before it is read; gives the mask of what is written of each tensor."""
    written = {}
    for opcode, _, outs, ins, *_ in recorder.instructions:
        for operand in ins:
            if recorder.tensors[operand[0]]["region"] != "hbm":
                assert not (elements(recorder, operand) & ~written[operand[0]]).any(), opcode
        for operand in outs:
            mask = elements(recorder, operand)
            written[operand[0]] = written.get(operand[0], False) | mask
            t = recorder.tensors[operand[0]]
            if t["region"] == "psum":
                width = 2048 // (np.dtype("float32").itemsize if t["dtype"] == "float32" else 2)
                used = np.flatnonzero(mask.any(0))
                assert used[0] // width == used[-1] // width, "one bank"
    return written


def whole(recorder, shape):
    """The output is written and no element is missing."""
    for t, mask in check(recorder).items():
        if recorder.tensors[t]["region"] == "hbm":
            assert mask.all()


def counts(opcodes):
    return {o: opcodes.count(o) for o in dict.fromkeys(opcodes)}


def transposed(a):
    """[128, n] in blocks of 128 columns, each transposed."""
    out = out_like(a)
    x = nl.load(a)
    for i in nl.affine_range(a.shape[1] // 128):
        block = nisa.nc_transpose(x[:, nl.ds(i * 128, 128)])
        y = nisa.tensor_copy(block, dtype=nl.float32)
        nl.store(out[:, nl.ds(i * 128, 128)], y)
    return out


def test_four_transposes_fill_a_bank_that_one_copy_empties():
    a = random(128, 1024)
    out, opcodes, recorder, _ = run(transposed, a)
    expected = np.concatenate([a[:, i:i + 128].T for i in range(0, 1024, 128)], 1)
    np.testing.assert_allclose(out, expected)
    # 8 blocks of 512 B: copies of 512 columns, a store of 4 KiB
    assert counts(opcodes) == {"dma_copy": 2, "nc_transpose": 8, "tensor_copy": 2}
    whole(recorder, a.shape)
    assert sorted(t["free"] for t in recorder.tensors if t["name"].startswith("joined_psum")) == [512, 512]


def test_iterations_that_are_no_power_of_two_leave_none_out():
    a = random(128, 7 * 128)
    out, opcodes, recorder, _ = run(transposed, a)
    assert opcodes.count("nc_transpose") == 7 and opcodes.count("tensor_copy") == 3  # 4 + 2 + 1
    whole(recorder, a.shape)


def test_loads_of_short_tiles_are_one_of_4_kib():
    def kernel(a, b):
        out = nl.ndarray((128, 512), dtype=nl.float32, buffer=nl.shared_hbm)
        total = nl.zeros((128, 512), dtype=nl.float32, buffer=nl.psum)
        for k in nl.affine_range(8):
            left = nl.load(a[nl.ds(k * 128, 128), :])
            right = nl.load(b[nl.ds(k * 128, 128), :])
            total += nl.matmul(left, right, transpose_x=True)
        nl.store(out, nl.copy(total))
        return out

    a, b = random(1024, 128), random(1024, 512)
    out, opcodes, recorder, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a.T @ b, rtol=1e-4, atol=1e-3)
    # left: 512 B, 8 at a time; right: 2 KiB, 2 at a time; one store
    assert counts(opcodes) == {"dma_copy": 1 + 4 + 1, "nc_matmul": 8, "tensor_copy": 1}
    check(recorder)
    loads = [i for i in recorder.instructions if i[0] == "dma_copy"][:2]
    assert recorder.shape(loads[0][3][0]) == (1, 128, 8, 128)
    assert recorder.shape(loads[1][3][0]) == (1, 128, 2, 512)


def test_columns_that_differ_keep_instructions_apart():
    def kernel(a, b):
        out = out_like(a)
        x, scale = nl.load(a), nl.load(b)
        y = nl.ndarray((nl.par_dim(128), 512), dtype=nl.float32)
        for i in nl.affine_range(4):
            y[:, nl.ds(i * 128, 128)] = nisa.tensor_scalar(x[:, nl.ds(i * 128, 128)], np.multiply, scale[:, i:i + 1])
        nl.store(out, y)
        return out

    a, b = random(128, 512), random(128, 4)
    out, opcodes, _, _ = run(kernel, a, b)
    np.testing.assert_allclose(out, a * np.repeat(b, 128, 1), rtol=1e-6)
    assert opcodes.count("tensor_scalar") == 4


def test_sums_of_rows_become_one_instruction():
    def kernel(a):
        out = nl.ndarray((128, 4), dtype=nl.float32, buffer=nl.shared_hbm)
        x = nl.load(a)
        total = nl.ndarray((nl.par_dim(128), 4), dtype=nl.float32)
        for i in nl.affine_range(4):
            y = nisa.activation(op=nl.exp, data=x[:, nl.ds(i * 128, 128)])
            total[:, i] = nisa.tensor_reduce(np.add, data=y, axis=1)
        nl.store(out, total)
        return out

    a = random(128, 512)
    out, opcodes, recorder, _ = run(kernel, a)
    np.testing.assert_allclose(out, np.exp(a).reshape(128, 4, 128).sum(2), rtol=1e-4)
    assert opcodes == ["dma_copy", "activation", "tensor_reduce", "dma_copy"]
    reduce = recorder.instructions[2]
    assert recorder.shape(reduce[3][0]) == (128, 4, 128) and recorder.shape(reduce[2][0]) == (128, 4)
    check(recorder)


@pytest.mark.parametrize("loop", ["sequential_range", "static_range"])
def test_other_loops_stay_as_written(loop):
    def kernel(a):
        out = out_like(a)
        for i in getattr(nl, loop)(4):
            nl.store(out[:, nl.ds(i * 128, 128)], nl.exp(nl.load(a[:, nl.ds(i * 128, 128)])))
        return out

    _, opcodes, _, _ = run(kernel, random(128, 512))
    assert opcodes == ["dma_copy", "activation", "dma_copy"] * 4


def test_what_an_iteration_leaves_for_the_next_keeps_the_order():
    def kernel(a):
        out = out_like(a)
        y = nl.ndarray((nl.par_dim(128), 5 * 64), dtype=nl.float32)
        y[:, 0:64] = nl.load(a[:, 0:64])
        for i in nl.affine_range(4):
            y[:, nl.ds((i + 1) * 64, 64)] = nl.exp(y[:, nl.ds(i * 64, 64)])
            nl.store(out[:, nl.ds(i * 64, 64)], y[:, nl.ds(i * 64, 64)])
        return out

    _, opcodes, _, _ = run(kernel, random(128, 256))
    assert opcodes == ["dma_copy"] + ["activation", "dma_copy"] * 4


def test_without_the_middle_end_nothing_is_joined():
    @nki.compiler.skip_middle_end_transformations
    @nki.jit
    def kernel(a):
        out = out_like(a)
        for i in nl.affine_range(4):
            nl.store(out[:, nl.ds(i * 128, 128)], nl.load(a[:, nl.ds(i * 128, 128)]))
        return out

    from kernel_helpers import tn
    from trnsim_nki.recorder import MemoryRecorder
    recorder = MemoryRecorder()
    tn.trace(kernel, random(128, 512), mode="numeric", writer=recorder)
    assert len(recorder.instructions) == 8

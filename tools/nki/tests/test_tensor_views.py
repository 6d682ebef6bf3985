"""Indexing and views: values through a copy, shapes, and what is refused."""
import numpy as np
import pytest
from kernel_helpers import f32, nisa, nl, output, random, run, tile, tn

A = random(128, 24, seed=11)
CUBE = A.reshape(128, 4, 6)


def seen(view, *arrays):
    """Values of a view of the first argument in SBUF."""
    def kernel(*inputs):
        v = view(*[tile(a) for a in inputs])
        copy = nl.ndarray(v.shape, v.dtype, nl.sbuf)
        nisa.tensor_copy(copy, v)
        return output(copy)

    return run(kernel, *(arrays or (A,)))[0].outputs


@pytest.mark.parametrize("view, expected", [
    (lambda t: t[0:64], A[:64]), (lambda t: t[:, 3:9], A[:, 3:9]), (lambda t: t[:, 1:24:3], A[:, 1:24:3]),
    (lambda t: t[:, 5], A[:, 5:6]), (lambda t: t[32, 0:4], A[32:33, 0:4]), (lambda t: t[..., 2:4], A[:, 2:4]),
    (lambda t: t[:, nl.ds(6, 6)], A[:, 6:12]), (lambda t: t[:, -4:], A[:, -4:]),
    (lambda t: t[:, None, :], A[:, None]), (lambda t: t.reshape((128, 4, 6)), CUBE),
    (lambda t: t.reshape((128, 4, 6))[:, 2], CUBE[:, 2]),
    (lambda t: t.reshape((128, 4, 6)).permute((0, 2, 1)), CUBE.transpose(0, 2, 1)),
    (lambda t: t.reshape((128, 4, -1))[:, 1:3].reshape((128, 12)), A[:, 6:18]),
    (lambda t: t.ap([[24, 128], [2, 12]], offset=1), A[:, 1::2]),
    (lambda t: t.ap([[24, 64], [0, 3], [1, 4]]), np.repeat(A[:64, None, :4], 3, 1)),
    (lambda t: t.expand_dim(1).broadcast(1, 5), np.repeat(A[:, None], 5, 1)),
    (lambda t: t.reshape_dim(1, (4, 6)).squeeze_dim(1) if False else t.reshape_dim(1, (4, 6)), CUBE),
    (lambda t: t.reshape((128, 4, 6)).flatten_dims(1, 2), A),
    (lambda t: t.slice(1, 2, 20, 2), A[:, 2:20:2]), (lambda t: t.reshape((128, 4, 6)).select(1, 3), CUBE[:, 3]),
    (lambda t: t.rearrange(("p", ("h", "w")), ("p", "w", "h"), {"h": 4}), CUBE.transpose(0, 2, 1)),
    (lambda t: t[:, 0:1].broadcast_to((128, 7)), np.repeat(A[:, :1], 7, 1)),
    (lambda t: t[:, 4:20][:, 2:6], A[:, 6:10])])
def test_on_chip(view, expected):
    np.testing.assert_array_equal(seen(view), expected)


@pytest.mark.parametrize("view, expected", [
    (lambda t: t[5], A[5]), (lambda t: t[:, 3], A[:, 3]), (lambda t: t[5, 3], A[5, 3:4]),
    (lambda t: t.permute((1, 0)), A.T), (lambda t: t.reshape((64, 48)), A.reshape(64, 48)),
    (lambda t: t.reshape((3072,))[100:200], A.reshape(-1)[100:200]),
    (lambda t: t.ap([[0, 4], [1, 24]]), np.repeat(A[:1], 4, 0)),
    (lambda t: t.reshape((2, 64, 24))[1], A[64:])])
def test_in_hbm(view, expected):
    def kernel(a):
        v = view(a)
        result = nl.ndarray(v.shape, v.dtype, nl.shared_hbm)
        nisa.dma_copy(result, v)
        return result

    np.testing.assert_array_equal(run(kernel, A)[0].outputs, expected)


def test_other_dtype():
    got = seen(lambda t: t.view(nl.uint8)[:, 4:8].view(nl.float32))
    np.testing.assert_array_equal(got, A[:, 1:2])


def test_writing_through_a_view():
    def kernel(a):
        t = nl.zeros(a.shape, a.dtype, nl.sbuf)
        nisa.dma_copy(t[:, 0:12], a[:, 0:12])
        t[:, 12:24] = 3.0
        return output(t)

    expected = np.full_like(A, 3.0)
    expected[:, :12] = A[:, :12]
    np.testing.assert_array_equal(run(kernel, A)[0].outputs, expected)


def test_tensor_indirection():
    index = np.random.default_rng(0).integers(0, 24, (16, 3)).astype(np.uint32)
    got = seen(lambda t, i: t.indirect(i), A[:16], index)
    np.testing.assert_array_equal(got, A[:16][:, index.T.reshape(-1)])


@pytest.mark.parametrize("view, text", [
    (lambda t: t[:, 0:30], "outside dim 1"), (lambda t: t[:, 24], "outside dim 1"),
    (lambda t: t[128], "outside dim 0"), (lambda t: t.reshape((64, 48)), "cannot be reshaped"),
    (lambda t: t.permute((1, 0)), "permuted"), (lambda t: t.reshape((128, 5)), "does not have"),
    (lambda t: t.broadcast(1, 4), "only 1 can"), (lambda t: t[:, 3:3], "empty"),
    (lambda t: t.ap([[24, 128], [1, 25]]), "leaves"), (lambda t: t[0, 0, 0], "2 dims, 3"),
    (lambda t: t.permute((0, 1)).expand_dim(0), "before the partitions")])
def test_refused(view, text):
    with pytest.raises(tn.KernelError, match=text) as error:
        seen(view)
    assert "test_tensor_views.py:" in str(error.value)


def test_hbm_patterns_never_split_a_row():
    def kernel(a):
        t = nl.ndarray((64, 2, 24), a.dtype, nl.sbuf)
        nisa.dma_copy(t, a.reshape((2, 64, 24)).permute((1, 0, 2)))
        return output(t)

    result, recorder = run(kernel, A)
    np.testing.assert_array_equal(result.outputs, A.reshape(2, 64, 24).transpose(1, 0, 2))
    load = recorder.instructions[0]
    assert recorder.patterns[load[3][0][1]][1] == ((24, 64), (1536, 2), (1, 24))


def test_pinned_address_is_recorded():
    def kernel():
        nisa.memset(nl.ndarray((32, 64), nl.bfloat16, nl.sbuf, name="here", address=(64, 1024)), 0)

    _, recorder = run(kernel)
    (tensor,) = [t for t in recorder.tensors if t["name"] == "here"]
    assert (tensor["pinned_partition"], tensor["pinned_bytes"]) == (64, 1024)


def test_fp8_and_tf32_views_round():
    got = seen(lambda t: t.view(nl.tfloat32))
    assert f32(got).tobytes() == np.asarray(A).tobytes()  # a copy of equal types keeps every bit


@pytest.mark.parametrize("start, count, fits", [(0, 128, True), (64, 64, True), (32, 64, False), (96, 32, True),
                                                (16, 8, False), (64, 33, True), (32, 32, True), (1, 127, False)])
def test_first_partition_of_an_access(start, count, fits):
    def kernel():
        nisa.memset(nl.ndarray((128, 4), nl.float32, nl.sbuf)[start:start + count], 0)

    if fits:
        run(kernel)
    else:
        with pytest.raises(tn.KernelError, match=f"starts at partition {start} with {count}"):
            run(kernel)

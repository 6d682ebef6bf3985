"""Index expressions and masks of NKI beta 1."""
import kernel_helpers  # noqa: F401 - finds the package
import numpy as np
import pytest
from trnsim_nki import KernelError
from trnsim_nki.beta1.index import Affine, arange, mgrid, resolve


def values(expression):
    """What an index expression stands for, as numpy would compute it."""
    out = np.full(expression.shape, expression.const)
    for axis, coef in enumerate(expression.coef):
        shape = [1] * expression.ndim
        shape[axis] = expression.shape[axis]
        out = out + coef * np.arange(expression.shape[axis]).reshape(shape)
    return out


def test_arithmetic_is_that_of_numpy():
    i, j = arange(4)[:, None], arange(3, 9)[None, :]
    p, q = np.arange(4)[:, None], np.arange(3, 9)[None, :]
    for ours, theirs in ((2 * i + j, 2 * p + q), (7 - i, 7 - p), (i - 3 * j + 1, p - 3 * q + 1),
                         (-i + np.int64(2), -p + 2), (np.int64(2) * i, 2 * p), ((4 * i) // 2, 2 * p),
                         ((4 * i + 3) % 4, p * 0 + 3), (arange(0, 10, 3), np.arange(0, 10, 3)),
                         (i[1:3, :], p[1:3, :]), (j[..., None], q[..., None])):
        assert ours.shape == theirs.shape
        assert (values(ours) == theirs).all()


def test_mgrid_is_that_of_numpy():
    ours, theirs = mgrid[0:3, 2:6], np.mgrid[0:3, 2:6]
    assert all((values(a) == b).all() for a, b in zip(ours, theirs))
    assert ours.p is ours[0] and ours.x is ours[1]


def test_products_and_conditions_of_expressions_are_errors():
    i = arange(4)
    with pytest.raises(KernelError, match="not affine"):
        i * i
    with pytest.raises(KernelError, match="not affine"):
        i // 3
    with pytest.raises(KernelError, match="use the result as mask="):
        if i:
            pass
    with pytest.raises(KernelError, match="no Python condition"):
        if i < 3:
            pass


@pytest.mark.parametrize("condition, theirs", [
    (lambda i, j: i < 3, lambda i, j: i < 3),
    (lambda i, j: 2 * i + 1 >= 4, lambda i, j: 2 * i + 1 >= 4),
    (lambda i, j: (i <= 5) & (j > 2), lambda i, j: (i <= 5) & (j > 2)),
    (lambda i, j: j == 3, lambda i, j: j == 3),
    (lambda i, j: 9 - i > 5, lambda i, j: 9 - i > 5),
])
def test_boxes_become_ranges_of_axes(condition, theirs):
    clip, predicate = resolve(condition(arange(8)[:, None], arange(6)[None, :]), (8, 6))
    assert predicate is None
    found = np.zeros((8, 6), bool)
    found[tuple(slice(*clip.get(a, (0, e))) for a, e in enumerate((8, 6)))] = True
    assert (found == np.broadcast_to(theirs(np.arange(8)[:, None], np.arange(6)[None, :]), (8, 6))).all()


def test_what_is_no_box_is_a_predicate():
    i, j = arange(8)[:, None], arange(6)[None, :]
    clip, predicate = resolve((i >= j) & (i < 7), (8, 6))
    assert clip == {0: (0, 7)}
    assert (predicate == (np.arange(7)[:, None] >= np.arange(6)[None, :])).all()


def test_masks_of_everything_and_nothing():
    i = arange(8)[:, None]
    assert resolve(None, (8, 6)) is None
    assert resolve(i < 8, (8, 6)) is None
    assert resolve(i < 0, (8, 6)) is False
    assert resolve(False, (8, 6)) is False
    assert resolve(np.True_, (8, 6)) is None


def test_axes_a_mask_does_not_use_may_be_missing():
    i = mgrid[0:8, 0:3, 0:5][0]
    assert resolve(i < 3, (8, 5))[0] == {0: (0, 3)}
    assert isinstance(i, Affine)

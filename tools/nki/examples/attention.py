"""Attention of one head in one pass: scores, softmax and the weighted sum without leaving the chip."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax
WIDE = nl.tile_size.gemm_moving_fmax


@nki.jit
def attention(q_t, k_t, v, scale=1.0, causal=False):
    """softmax(q k^T * scale) v with q_t [d, queries], k_t [d, keys], v [keys, d], d <= 128.

    Queries and keys are multiples of 128; all keys of 128 queries fit SBUF.
    """
    depth, queries = q_t.shape
    keys = k_t.shape[1]
    result = nl.ndarray((queries, depth), q_t.dtype, nl.shared_hbm)
    identity = nl.shared_identity_matrix(P, q_t.dtype)
    all_k = nl.load(k_t)
    all_v = [nl.load(v[nl.ds(k * P, P), :]) for k in range(keys // P)]
    for group in nl.affine_range(queries // P):
        q = nl.load(q_t[:, nl.ds(group * P, P)])
        scores = _scores(q, all_k, keys, scale)
        if causal:
            # Keeps key i of query group * 128 + p where p + group * 128 - i >= 0.
            nisa.affine_select(scores, [[-1, keys]], 1, scores, -1e30, cmp_op=nl.greater_equal,
                               offset=group * P)
        weights, total = _softmax(scores, q_t.dtype)
        summed = nl.ndarray((P, depth), nl.float32, nl.psum)
        for k in range(keys // P):
            turned = nl.ndarray((P, P), q_t.dtype, nl.psum)
            nisa.nc_matmul(turned, weights[:, nl.ds(k * P, P)], identity, is_transpose=True)
            left = nl.ndarray((P, P), q_t.dtype, nl.sbuf)
            nisa.tensor_copy(left, turned)
            nisa.nc_matmul(summed, left, all_v[k], accumulate=k > 0)
        out = nl.ndarray((P, depth), q_t.dtype, nl.sbuf)
        nisa.tensor_scalar(out, summed, nl.multiply, total)
        nisa.dma_copy(result[nl.ds(group * P, P), :], out)
    return result


def _scores(q, all_k, keys, scale):
    scores = nl.ndarray((P, keys), nl.float32, nl.sbuf)
    for first in range(0, keys, WIDE):
        width = min(WIDE, keys - first)
        product = nl.ndarray((P, width), nl.float32, nl.psum)
        nisa.nc_matmul(product, q, all_k[:, nl.ds(first, width)])
        nisa.activation(scores[:, nl.ds(first, width)], nl.copy, product, scale=scale)
    return scores


def _softmax(scores, dtype):
    """exp(scores - max) and 1 / its sum; the division is left for the end."""
    lowest = nl.ndarray((P, 1), nl.float32, nl.sbuf)
    nisa.tensor_reduce(lowest, nl.maximum, scores, axis=1, negate=True)
    weights = nl.ndarray(scores.shape, dtype, nl.sbuf)
    total = nl.ndarray((P, 1), nl.float32, nl.sbuf)
    nisa.activation_reduce(weights, nl.exp, scores, reduce_op=nl.add, reduce_res=total, bias=lowest)
    nisa.reciprocal(total, total)
    return weights, total

"""Attention while decoding: one new token per sequence, all time goes into reading the cache."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax
WIDE = nl.tile_size.gemm_moving_fmax


@nki.jit
def decode_attention(q_t, k_t, v, length, scale=1.0):
    """softmax(q k^T * scale) v over the first `length` places of the cache.

    q_t [batch, d, heads], k_t [batch, d, places], v [batch, places, d]; the heads of a batch entry share
    its keys and values. Result [batch, heads, d]. The cache is read in whole tiles of 128 places.
    """
    batch, depth, heads = q_t.shape
    tiles = -(-length // P)
    used = tiles * P
    result = nl.ndarray((batch, heads, depth), q_t.dtype, nl.shared_hbm)
    identity = nl.shared_identity_matrix(P, q_t.dtype)
    for entry in range(batch):
        q = nl.ndarray((depth, heads), q_t.dtype, nl.sbuf)
        nisa.dma_copy(q, q_t[entry])
        keys = nl.ndarray((depth, used), k_t.dtype, nl.sbuf)
        nisa.dma_copy(keys, k_t[entry, :, 0:used])
        # Place 128 t + p on partition p: rows of d elements, all in one DMA.
        values = nl.ndarray((P, tiles, depth), v.dtype, nl.sbuf)
        nisa.dma_copy(values, v[entry, 0:used].ap([[depth, P], [depth * P, tiles], [1, depth]]))
        scores = nl.ndarray((heads, used), nl.float32, nl.sbuf)
        for first in range(0, used, WIDE):
            width = nl.ds(first, min(WIDE, used - first))
            product = nl.ndarray((heads, min(WIDE, used - first)), nl.float32, nl.psum)
            nisa.nc_matmul(product, q, keys[:, width])
            nisa.activation(scores[:, width], nl.copy, product, scale=scale)
        if length < used:
            nisa.memset(scores[:, length:used], -1e30)
        lowest = nl.ndarray((heads, 1), nl.float32, nl.sbuf)
        nisa.tensor_reduce(lowest, nl.maximum, scores, axis=1, negate=True)
        weights = nl.ndarray((heads, used), q_t.dtype, nl.sbuf)
        total = nl.ndarray((heads, 1), nl.float32, nl.sbuf)
        nisa.activation_reduce(weights, nl.exp, scores, reduce_op=nl.add, reduce_res=total, bias=lowest)
        nisa.reciprocal(total, total)
        summed = nl.ndarray((heads, depth), nl.float32, nl.psum)
        for t in range(tiles):
            turned = nl.ndarray((P, heads), q_t.dtype, nl.psum)
            nisa.nc_matmul(turned, weights[:, nl.ds(t * P, P)], identity[0:heads, 0:heads],
                           is_transpose=True)
            left = nl.ndarray((P, heads), q_t.dtype, nl.sbuf)
            nisa.tensor_copy(left, turned)
            nisa.nc_matmul(summed, left, values[:, t, :], accumulate=t > 0)
        out = nl.ndarray((heads, depth), q_t.dtype, nl.sbuf)
        nisa.tensor_scalar(out, summed, nl.multiply, total)
        nisa.dma_copy(result[entry], out)
    return result

"""The first two steps of trnsim's own GEMM (docs/kernels.md), instruction by instruction the same."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax
M = nl.tile_size.gemm_stationary_fmax
N = nl.tile_size.gemm_moving_fmax


def _finish(result, m, n, total):
    done = nl.ndarray(total.shape, result.dtype, nl.sbuf, name="c_tile")
    nisa.tensor_copy(done, total, engine=nisa.engine.vector)
    nisa.dma_copy(result[nl.ds(m * M, M), nl.ds(n * N, N)], done)


@nki.jit
def naive(a_t, b):
    """a_t [K, M], b [K, N]: both tiles loaded for every matmul."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    total = nl.ndarray((M, N), nl.float32, nl.psum)
    for m in range(rows // M):
        for n in range(columns // N):
            for k in range(depth // P):
                left = nl.ndarray((P, M), a_t.dtype, nl.sbuf)
                right = nl.ndarray((P, N), b.dtype, nl.sbuf)
                nisa.dma_copy(left, a_t[nl.ds(k * P, P), nl.ds(m * M, M)])
                nisa.dma_copy(right, b[nl.ds(k * P, P), nl.ds(n * N, N)])
                nisa.nc_matmul(total, left, right, accumulate=k > 0)
            _finish(result, m, n, total)
    return result


@nki.jit
def hoisted(a_t, b):
    """All of a_t that a row of the result needs is loaded at once and kept for the row."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    steps = depth // P
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    total = nl.ndarray((M, N), nl.float32, nl.psum)
    for m in range(rows // M):
        left = nl.ndarray((P, steps, M), a_t.dtype, nl.sbuf)
        nisa.dma_copy(left, a_t.ap([[rows, P], [rows * P, steps], [1, M]], offset=m * M))
        for n in range(columns // N):
            for k in range(steps):
                right = nl.ndarray((P, N), b.dtype, nl.sbuf)
                nisa.dma_copy(right, b[nl.ds(k * P, P), nl.ds(n * N, N)])
                nisa.nc_matmul(total, left[:, k, :], right, accumulate=k > 0)
            _finish(result, m, n, total)
    return result

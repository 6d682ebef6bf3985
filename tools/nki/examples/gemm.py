"""A matrix product in five steps, each reusing more of what has been loaded."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax                  # contraction rows of one tile
M = nl.tile_size.gemm_stationary_fmax  # rows of the result in one tile
N = nl.tile_size.gemm_moving_fmax      # columns of the result in one tile


def _load(source, rows, columns):
    """A tile of an HBM matrix in SBUF."""
    tile = nl.ndarray((rows.stop - rows.start, columns.stop - columns.start), source.dtype, nl.sbuf)
    nisa.dma_copy(dst=tile, src=source[rows, columns])
    return tile


def _store(target, rows, columns, product):
    """A PSUM tile to HBM, by way of SBUF."""
    tile = nl.ndarray(product.shape, target.dtype, nl.sbuf)
    nisa.tensor_copy(dst=tile, src=product)
    nisa.dma_copy(dst=target[rows, columns], src=tile)


@nki.jit
def single_tile(a_t, b):
    """One instruction: a_t [128, <=128] and b [128, <=512]."""
    result = nl.ndarray((a_t.shape[1], b.shape[1]), a_t.dtype, nl.shared_hbm)
    left = _load(a_t, nl.ds(0, P), nl.ds(0, a_t.shape[1]))
    right = _load(b, nl.ds(0, P), nl.ds(0, b.shape[1]))
    product = nl.ndarray(result.shape, nl.float32, nl.psum)
    nisa.nc_matmul(product, left, right)
    _store(result, nl.ds(0, result.shape[0]), nl.ds(0, result.shape[1]), product)
    return result


@nki.jit
def tiled(a_t, b):
    """Every tile is loaded each time it is needed."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    for m in nl.affine_range(rows // M):
        for n in nl.affine_range(columns // N):
            product = nl.ndarray((M, N), nl.float32, nl.psum)
            for k in nl.affine_range(depth // P):
                left = _load(a_t, nl.ds(k * P, P), nl.ds(m * M, M))
                right = _load(b, nl.ds(k * P, P), nl.ds(n * N, N))
                nisa.nc_matmul(product, left, right)
            _store(result, nl.ds(m * M, M), nl.ds(n * N, N), product)
    return result


@nki.jit
def left_kept(a_t, b):
    """The column of left tiles is loaded once for all columns of the result."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    for m in nl.affine_range(rows // M):
        left = [_load(a_t, nl.ds(k * P, P), nl.ds(m * M, M)) for k in range(depth // P)]
        for n in nl.affine_range(columns // N):
            product = nl.ndarray((M, N), nl.float32, nl.psum)
            for k in nl.affine_range(depth // P):
                right = _load(b, nl.ds(k * P, P), nl.ds(n * N, N))
                nisa.nc_matmul(product, left[k], right, accumulate=k > 0)
            _store(result, nl.ds(m * M, M), nl.ds(n * N, N), product)
    return result


@nki.jit
def blocked(a_t, b, block_m=2, block_n=2):
    """Blocks of the result share the tiles of their rows and columns."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    steps = depth // P
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    for m0 in nl.affine_range(rows // (M * block_m)):
        left = [[_load(a_t, nl.ds(k * P, P), nl.ds((m0 * block_m + m) * M, M)) for k in range(steps)]
                for m in range(block_m)]
        for n0 in nl.affine_range(columns // (N * block_n)):
            right = [[_load(b, nl.ds(k * P, P), nl.ds((n0 * block_n + n) * N, N))
                      for k in range(steps)] for n in range(block_n)]
            for m in range(block_m):
                for n in range(block_n):
                    product = nl.ndarray((M, N), nl.float32, nl.psum)
                    for k in range(steps):
                        nisa.nc_matmul(product, left[m][k], right[n][k])
                    _store(result, nl.ds((m0 * block_m + m) * M, M),
                           nl.ds((n0 * block_n + n) * N, N), product)
    return result


@nki.jit
def depth_blocked(a_t, b, block_m=4, block_n=2, block_k=4):
    """Wide loads, and the contraction in blocks whose sums are kept in SBUF."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    result = nl.ndarray((rows, columns), a_t.dtype, nl.shared_hbm)
    wide_m, wide_n, deep = M * block_m, N * block_n, P * block_k
    for n0 in nl.affine_range(columns // wide_n):
        sums = [nl.zeros((M, wide_n), nl.float32, nl.sbuf) for _ in range(rows // M)]
        for k0 in nl.sequential_range(depth // deep):
            right = [_load(b, nl.ds(k0 * deep + k * P, P), nl.ds(n0 * wide_n, wide_n))
                     for k in range(block_k)]
            for m0 in nl.affine_range(rows // wide_m):
                left = [_load(a_t, nl.ds(k0 * deep + k * P, P), nl.ds(m0 * wide_m, wide_m))
                        for k in range(block_k)]
                for m in range(block_m):
                    total = sums[m0 * block_m + m]
                    for n in range(block_n):
                        product = nl.ndarray((M, N), nl.float32, nl.psum)
                        for k in range(block_k):
                            nisa.nc_matmul(product, left[k][:, nl.ds(m * M, M)],
                                           right[k][:, nl.ds(n * N, N)])
                        part = total[:, nl.ds(n * N, N)]
                        nisa.tensor_tensor(part, part, product, op=nl.add)
        for m in range(rows // M):
            out = nl.ndarray((M, wide_n), result.dtype, nl.sbuf)
            nisa.tensor_copy(out, sums[m])
            nisa.dma_copy(result[nl.ds(m * M, M), nl.ds(n0 * wide_n, wide_n)], out)
    return result

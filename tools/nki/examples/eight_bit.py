"""Products of 8-bit floats: two rows of the contraction per row of the tensor engine, and MX on trn3."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax
M = nl.tile_size.gemm_stationary_fmax
N = nl.tile_size.gemm_moving_fmax


@nki.jit
def double_row(a_t, b):
    """a_t [K, M], b [K, N] of an 8-bit float type, K a multiple of 256; result [M, N] in bf16."""
    depth, rows = a_t.shape
    columns = b.shape[1]
    steps = depth // (2 * P)
    result = nl.ndarray((rows, columns), nl.bfloat16, nl.shared_hbm)
    left, right = _load_pairs(a_t, steps), _load_pairs(b, steps)
    for m in range(rows // M):
        out = nl.ndarray((M, columns), result.dtype, nl.sbuf)
        for n in range(columns // N):
            total = nl.ndarray((M, N), nl.float32, nl.psum)
            for k in range(steps):
                nisa.nc_matmul(total, left[k][:, :, nl.ds(m * M, M)], right[k][:, :, nl.ds(n * N, N)],
                               perf_mode=nisa.matmul_perf_mode.double_row)
            nisa.tensor_copy(out[:, nl.ds(n * N, N)], total)
        nisa.dma_copy(result[nl.ds(m * M, M), :], out)
    return result


def _load_pairs(source, steps):
    """Tiles [128, 2, columns]: rows p and 128 + p of 256 on partition p."""
    columns = source.shape[1]
    tiles = []
    for k in range(steps):
        tile = nl.ndarray((P, 2, columns), source.dtype, nl.sbuf)
        nisa.dma_copy(tile, source.ap([[columns, P], [columns * P, 2], [1, columns]],
                                      offset=2 * k * P * columns))
        tiles.append(tile)
    return tiles


@nki.jit
def mx(a_t, b):
    """trn3: bf16 operands are quantised on the chip, four rows of the contraction per packed value.

    a_t [K, M], b [K, N], K a multiple of 512; result [M, N] in bf16.
    """
    depth, rows = a_t.shape
    columns = b.shape[1]
    steps = depth // (4 * P)
    result = nl.ndarray((rows, columns), nl.bfloat16, nl.shared_hbm)
    left, right = ([_quantised(source, k) for k in range(steps)] for source in (a_t, b))
    for m in range(rows // M):
        out = nl.ndarray((M, columns), result.dtype, nl.sbuf)
        for n in range(columns // N):
            total = nl.ndarray((M, N), nl.float32, nl.psum)
            here, there = nl.ds(m * M, M), nl.ds(n * N, N)
            for (a, a_scale), (b_tile, b_scale) in zip(left, right):
                nisa.nc_matmul_mx(total, a[:, here], b_tile[:, there], a_scale[:, here],
                                  b_scale[:, there])
            nisa.tensor_copy(out[:, there], total)
        nisa.dma_copy(result[nl.ds(m * M, M), :], out)
    return result


def _quantised(source, k):
    """Packed values [128, columns] of 512 rows, and their scales.

    Rows p, 128 + p, 256 + p and 384 + p are loaded in long runs and interleaved by a copy.
    """
    columns = source.shape[1]
    rows = nl.ndarray((P, 4, columns), source.dtype, nl.sbuf)
    nisa.dma_copy(rows, source.ap([[columns, P], [columns * P, 4], [1, columns]],
                                  offset=4 * k * P * columns))
    woven = nl.ndarray((P, columns, 4), source.dtype, nl.sbuf)
    nisa.tensor_copy(woven, rows.permute((0, 2, 1)))
    packed = nl.ndarray((P, columns), nl.float8_e4m3fn_x4, nl.sbuf)
    scale = nl.ndarray((P, columns), nl.uint8, nl.sbuf)
    nisa.quantize_mx(packed, woven.reshape((P, 4 * columns)), scale)
    return packed, scale

"""Times the steps of gemm.py against each other: trnsim-nki run run_gemm.py"""
import gemm
import ml_dtypes
import numpy as np

DEPTH, ROWS, COLUMNS = 1024, 512, 1024
random = np.random.default_rng(0)
a_t = random.standard_normal((DEPTH, ROWS)).astype(ml_dtypes.bfloat16)
b = random.standard_normal((DEPTH, COLUMNS)).astype(ml_dtypes.bfloat16)
expected = a_t.astype(np.float32).T @ b.astype(np.float32)
for kernel in (gemm.tiled, gemm.left_kept, gemm.blocked, gemm.depth_blocked):
    error = np.abs(kernel(a_t, b).astype(np.float32) - expected).max()
    assert error < 0.01 * np.abs(expected).max(), kernel.__name__

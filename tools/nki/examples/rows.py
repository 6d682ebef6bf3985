"""Kernels that work row by row: softmax and RMS norm, 128 rows at a time."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax


@nki.jit
def softmax(x):
    """softmax over the last dim of x [rows, columns]."""
    rows, columns = x.shape
    result = nl.ndarray(x.shape, x.dtype, nl.shared_hbm)
    for first in range(0, rows, P):
        here = min(P, rows - first)
        tile = nl.ndarray((here, columns), x.dtype, nl.sbuf)
        nisa.dma_copy(tile, x[first:first + here])
        lowest = nl.ndarray((here, 1), nl.float32, nl.sbuf)
        nisa.tensor_reduce(lowest, nl.maximum, tile, axis=1, negate=True)
        powers = nl.ndarray((here, columns), nl.float32, nl.sbuf)
        total = nl.ndarray((here, 1), nl.float32, nl.sbuf)
        nisa.activation_reduce(powers, nl.exp, tile, reduce_op=nl.add, reduce_res=total, bias=lowest)
        nisa.reciprocal(total, total)
        out = nl.ndarray((here, columns), x.dtype, nl.sbuf)
        nisa.tensor_scalar(out, powers, nl.multiply, total)
        nisa.dma_copy(result[first:first + here], out)
    return result


@nki.jit
def rms_norm(x, weight, epsilon=1e-6):
    """x / sqrt(mean(x^2) + epsilon) * weight, x [rows, columns], weight [1, columns]."""
    rows, columns = x.shape
    result = nl.ndarray(x.shape, x.dtype, nl.shared_hbm)
    gain = nl.ndarray((P, columns), weight.dtype, nl.sbuf)
    # One row of HBM read 128 times: a stride of 0 along the partitions.
    nisa.dma_copy(gain, weight.ap([[0, P], [1, columns]]))
    for first in range(0, rows, P):
        here = min(P, rows - first)
        tile = nl.ndarray((here, columns), x.dtype, nl.sbuf)
        nisa.dma_copy(tile, x[first:first + here])
        squares = nl.ndarray((here, columns), nl.float32, nl.sbuf)
        total = nl.ndarray((here, 1), nl.float32, nl.sbuf)
        nisa.activation_reduce(squares, nl.square, tile, reduce_op=nl.add, reduce_res=total)
        nisa.tensor_scalar(total, total, nl.multiply, 1.0 / columns, op1=nl.add, operand1=epsilon)
        nisa.activation(total, nl.rsqrt, total)
        out = nl.ndarray((here, columns), x.dtype, nl.sbuf)
        nisa.scalar_tensor_tensor(out, tile, nl.multiply, total, nl.multiply, gain[0:here])
        nisa.dma_copy(result[first:first + here], out)
    return result

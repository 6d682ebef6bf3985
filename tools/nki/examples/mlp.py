"""A gated MLP, (silu(x gate) * (x up)) down, whose hidden values never leave the chip."""
import nki
import nki.isa as nisa
import nki.language as nl

P = nl.tile_size.pmax
WIDE = nl.tile_size.gemm_moving_fmax


def _load(source, rows, columns):
    tile = nl.ndarray((rows.stop - rows.start, columns.stop - columns.start), source.dtype, nl.sbuf)
    nisa.dma_copy(tile, source[rows, columns])
    return tile


@nki.jit
def gated_mlp(x_t, gate, up, down):
    """x_t [model, tokens], gate and up [model, hidden], down [hidden, model]; result [tokens, model].

    The hidden values are made with `hidden` on the partitions, as the second product needs them.
    """
    model, tokens = x_t.shape
    hidden = gate.shape[1]
    steps = model // P
    result = nl.ndarray((tokens, model), x_t.dtype, nl.shared_hbm)
    gates = [_load(gate, nl.ds(k * P, P), nl.ds(0, hidden)) for k in range(steps)]
    ups = [_load(up, nl.ds(k * P, P), nl.ds(0, hidden)) for k in range(steps)]
    downs = [_load(down, nl.ds(h * P, P), nl.ds(0, model)) for h in range(hidden // P)]
    for first in range(0, tokens, WIDE):
        here = min(WIDE, tokens - first)
        x = [_load(x_t, nl.ds(k * P, P), nl.ds(first, here)) for k in range(steps)]
        values = []
        for h in range(hidden // P):
            columns = nl.ds(h * P, P)
            opened = _product(gates, columns, x, here)
            gated = nl.ndarray((P, here), nl.float32, nl.sbuf)
            nisa.activation(gated, nl.silu, opened)
            value = nl.ndarray((P, here), x_t.dtype, nl.sbuf)
            nisa.tensor_tensor(value, gated, _product(ups, columns, x, here), op=nl.multiply)
            values.append(value)
        for t in range(here // P):
            out = nl.ndarray((P, model), x_t.dtype, nl.sbuf)
            for n in range(0, model, WIDE):
                width = nl.ds(n, min(WIDE, model - n))
                total = nl.ndarray((P, min(WIDE, model - n)), nl.float32, nl.psum)
                for h, value in enumerate(values):
                    nisa.nc_matmul(total, value[:, nl.ds(t * P, P)], downs[h][:, width], accumulate=h > 0)
                nisa.tensor_copy(out[:, width], total)
            nisa.dma_copy(result[nl.ds(first + t * P, P), :], out)
    return result


def _product(weights, columns, x, here):
    total = nl.ndarray((P, here), nl.float32, nl.psum)
    for k, weight in enumerate(weights):
        nisa.nc_matmul(total, weight[:, columns], x[k], accumulate=k > 0)
    return total

"""Between the two cores of a logical core: sendrecv and core_barrier."""
from .. import errors, machine, numeric, tokens
from .common import engine_of, on_chip


def sendrecv(src=None, dst=None, send_to_rank=0, recv_from_rank=0, pipe_id=0,
             dma_engine=tokens.dma_engine.dma, name=None, use_gpsimd_dma=None, **unknown):
    """Sends src to the other core's dst and receives the other core's src into dst."""
    if unknown:
        errors.unknown_keywords("sendrecv", unknown)
    m = machine.active()
    out = on_chip("sendrecv", "dst", dst)
    inp = on_chip("sendrecv", "src", src)
    if src.region != "sbuf" or dst.region != "sbuf":
        errors.fail(f"sendrecv: src '{src.name}' and dst '{dst.name}' must both be in SBUF")
    if src.dtype is not dst.dtype or src.shape[0] != dst.shape[0] or src.n != dst.n:
        errors.fail(f"sendrecv: src '{src.name}' {src.shape} {src.dtype} and dst '{dst.name}' {dst.shape} "
                    f"{dst.dtype} must be alike")
    on_gpsimd = use_gpsimd_dma or dma_engine == tokens.dma_engine.gpsimd_dma
    m.emit("sendrecv", "GpSimd" if on_gpsimd else None, (out,), (inp,), m.attrs(
        imm0=int(pipe_id), engine_pinned=bool(on_gpsimd)))
    if m.numeric:
        values = numeric.raw(src)
        if m.barrier is not None:
            m.exchanges = getattr(m, "exchanges", 0) + 1
            brought = m.barrier.exchange(m.core, ("sendrecv", m.exchanges), values)
            values = brought[int(recv_from_rank) % len(brought)]
        numeric.store(dst, values.reshape(-1).reshape(dst.shape))


def core_barrier(data=None, cores=(0, 1), engine=tokens.engine.gpsimd, name=None, **unknown):
    """Waits until the other cores are here too."""
    if unknown:
        errors.unknown_keywords("core_barrier", unknown)
    m = machine.active()
    ins = ()
    if data is not None:
        ins = (data.hbm_operand(None) if data.region == "hbm" else data.operand(),)
    m.emit("core_barrier", engine_of(engine, "core_barrier"), (), ins, m.attrs())
    if m.barrier is not None:
        m.exchanges = getattr(m, "exchanges", 0) + 1
        m.barrier.exchange(m.core, ("barrier", m.exchanges), None)


